//! What people type, and what they are told.

use super::{encoded, of_hits};
use crate::support::Service;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use insites::access::Role;
use serde_json::Value;

async fn search(service: &Service, words: &str, more: &str) -> Value {
    let path = format!("/api/search?q={}{more}", encoded(words));
    let answer = service.get(&path, "").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()
}

fn has_change(answer: &Value, member: &str, from: &str, to: &str) -> bool {
    let changes = answer[member].as_array().expect("changes");
    changes.iter().any(|change| change["from"] == from && change["to"] == to)
}

#[tokio::test]
async fn misspelt_words_find_the_right_record_and_the_answer_says_so() {
    let service = Service::embedded().await;
    for (typed, from, to, slug) in [
        ("proccurement", "proccurement", "procurement", "lesson-ai-clear-procurement-route"),
        ("stakeholdrs", "stakeholdrs", "stakeholders", "lesson-nia-more-than-one-champion"),
        ("governence", "governence", "governance", "lesson-carecity-information-governance"),
        (
            "interoperabilty of suppliers",
            "interoperabilty",
            "interoperability",
            "lesson-dallas-interoperability",
        ),
        ("stable leadrship", "leadrship", "leadership", "lesson-ai-stable-vision"),
        ("clinicans team", "clinicans", "clinicians", "lesson-alder-hey-wrap-around-team"),
        ("coprodution", "coprodution", "coproduction", "lesson-six-codesign-with-users"),
        ("pharmacsts", "pharmacsts", "pharmacists", "lesson-pincer-data-plus-people"),
        ("radiolgy", "radiolgy", "radiology", "ai-chest-diagnostics"),
        ("dementa sensors", "dementa", "dementia", "tihm-dementia-test-bed"),
        ("magnesum sulphate", "magnesum", "magnesium", "precept-magnesium-sulphate"),
        ("collaboratve", "collaboratve", "collaborative", "lesson-board-engagement-collaborative"),
        ("volantary sector", "volantary", "voluntary", "lesson-dorset-vcs-alignment"),
        ("missed appointmnts", "appointmnts", "appointments", "lesson-remind-twice"),
        ("virtual wrads", "wrads", "wards", "lesson-cvw-test-the-assumption"),
        ("buisness case", "buisness", "business", "lesson-freed-value-and-network"),
        ("diabetis", "diabetis", "diabetes", "lesson-remote-not-for-everyone"),
        ("telehealt", "telehealt", "telehealth", "whole-system-demonstrator"),
        ("maternty", "maternty", "maternity", "lesson-precept-dedicated-midwife"),
        ("resillience", "resillience", "resilience", "lesson-dallas-resilience"),
        ("pathwya redesign", "pathwya", "pathway", "lesson-aac-leadership-pathway-capacity"),
        ("inovation fellowhsip", "fellowhsip", "fellowship", "mse-innovation-fellowship"),
        ("ambasadors", "ambasadors", "ambassadors", "lesson-eastern-ambassador-split-post"),
    ] {
        let answer = search(&service, typed, "&limit=3").await;
        assert!(has_change(&answer, "corrections", from, to), "{typed}: {answer}");
        let slugs = of_hits(&answer, "slug");
        assert!(slugs.iter().any(|found| found == slug), "{typed}: {slugs:?}");
    }
}

#[tokio::test]
async fn names_real_words_and_what_is_quoted_are_not_corrected() {
    let service = Service::embedded().await;
    // «InSites» is not a misspelt «insights», nor the other way round; «wombat»
    // is a word, and «Nxq» is too short to tell.
    for typed in ["insites", "insights", "wombat", "nxq", "\"proccurement\"", "stakeholdrs42"] {
        let answer = search(&service, typed, "").await;
        assert_eq!(answer["corrections"].as_array().map(Vec::len), Some(0), "{typed}: {answer}");
    }
    let exact = search(&service, "proccurement", "&match=exact").await;
    assert_eq!(
        (&exact["total"], exact["corrections"].as_array().map(Vec::len)),
        (&0.into(), Some(0))
    );
    let help = &exact["help"]["spellings"][0];
    assert_eq!((&help["from"], &help["to"]), (&"proccurement".into(), &"procurement".into()));
}

#[tokio::test]
async fn other_names_and_spellings_are_found_told_and_marked() {
    let service = Service::embedded().await;
    let answer = search(&service, "AHSN", "&limit=3").await;
    assert!(has_change(&answer, "synonyms", "ahsn", "academic health science network"), "{answer}");
    let hit = &answer["hits"][0];
    assert_eq!(hit["why"]["stands_for"][0], "ahsn", "{answer}");
    assert!(hit["snippet"].as_str().expect("text").contains("<mark>"), "{answer}");
    // The plural of a label, and American spelling.
    let answer = search(&service, "start ups", "").await;
    assert!(has_change(&answer, "synonyms", "start ups", "small company"), "{answer}");
    let answer = search(&service, "organizations", "&mode=words").await;
    assert!(has_change(&answer, "synonyms", "organizations", "organisations"), "{answer}");
    assert!(answer["total"].as_u64() > Some(20), "{answer}");
    // What is dropped is told; in quotes nothing is.
    let answer = search(&service, "how do we buy for the ward", "").await;
    assert_eq!(answer["dropped"], serde_json::json!(["how", "do", "we", "for", "the"]));
    let answer = search(&service, "\"the ward\"", "").await;
    assert_eq!(answer["dropped"].as_array().map(Vec::len), Some(0), "{answer}");
}

#[tokio::test]
async fn meaning_finds_what_no_word_says_and_says_how_near() {
    let service = Service::embedded().await;
    let typed = "skip bookings";
    let hybrid = search(&service, typed, "&limit=10").await;
    assert_eq!(hybrid["mode"], "hybrid");
    for slug in ["deep-medical-mse", "lesson-remind-twice"] {
        assert!(of_hits(&hybrid, "slug").iter().any(|s| s == slug), "{slug}: {hybrid}");
    }
    let words = search(&service, typed, "&mode=words&limit=100").await;
    assert!(!of_hits(&words, "slug").iter().any(|s| s == "lesson-remind-twice"), "{words}");
    assert!(words["hits"][0]["why"]["meaning"].is_null(), "{words}");
    let meaning = search(&service, typed, "&mode=meaning&limit=100").await;
    let near: Vec<f64> = meaning["hits"]
        .as_array()
        .expect("hits")
        .iter()
        .map(|hit| hit["why"]["meaning"].as_f64().expect("a cosine"))
        .collect();
    assert!(near.len() > 50 && near.is_sorted_by(|a, b| a >= b), "{near:?}");
    assert!(hybrid["coverage"].is_null(), "{hybrid}");
}

#[tokio::test]
async fn until_vectors_are_made_the_answer_says_how_far_meaning_reaches() {
    let service = Service::seeded();
    let answer = search(&service, "missed appointments", "").await;
    let documents = service.get("/readyz", "").await.json()["documents"].clone();
    assert_eq!(answer["coverage"], serde_json::json!({"embedded": 0, "documents": documents}));
    assert!(of_hits(&answer, "slug").iter().any(|slug| slug == "deep-medical-mse"), "{answer}");
    let words = search(&service, "missed appointments", "&mode=words").await;
    assert!(words["coverage"].is_null(), "{words}");
}

#[tokio::test]
async fn a_write_is_found_by_the_next_search_with_its_meaning() {
    let service = Service::with(&[], &[("embedding-threads", "auto")]).with_role(Role::Curator);
    for (slug, text) in [
        ("one", "Patients forgot when to come to the clinic"),
        ("two", "The lift in the car park is broken"),
        ("three", "Nurses wrote the rota together"),
    ] {
        assert_eq!(write(&service, slug, text).await, StatusCode::OK);
        // At once: the search waits for the vector of a small change.
        let found = search(&service, text, "&mode=meaning&limit=1").await;
        assert_eq!(of_hits(&found, "slug"), [slug], "{found}");
        assert!(found["coverage"].is_null(), "{found}");
        // So do the others that compare meanings.
        assert_eq!(write(&service, &format!("{slug}-too"), text).await, StatusCode::OK);
        let hybrid = search(&service, text, "&limit=100").await;
        assert!(hybrid["coverage"].is_null(), "{hybrid}");
        let with = |hit: &Value| hit["why"]["meaning"].is_number();
        assert!(hybrid["hits"].as_array().expect("hits").iter().all(with), "{hybrid}");
        assert_eq!(write(&service, &format!("{slug}-also"), text).await, StatusCode::OK);
        let id = encoded(&format!("https://w3id.org/insites/id/lesson/{slug}"));
        let path = format!("/api/similar?id={id}&limit=2");
        let similar = service.get(&path, "").await.json();
        let mut near = of_hits(&similar, "slug");
        near.sort_unstable();
        assert_eq!(near, [format!("{slug}-also"), format!("{slug}-too")], "{similar}");
    }
    let found = search(&service, "missed appointments", "&limit=3").await;
    let mut slugs = of_hits(&found, "slug");
    slugs.sort_unstable();
    assert_eq!(slugs, ["one", "one-also", "one-too"], "{found}");
}

async fn write(service: &Service, slug: &str, text: &str) -> StatusCode {
    let update = format!(
        "PREFIX o: <https://w3id.org/insites/ontology#> PREFIX dct: <http://purl.org/dc/terms/>
         INSERT DATA {{ GRAPH <https://w3id.org/insites/graph/records> {{
           <https://w3id.org/insites/id/lesson/{slug}> a o:Lesson ; dct:title \"{text}\"@en ;
             dct:description \"{text}.\"@en ; o:status o:Illustrative }} }}"
    );
    let request = Request::post("/update").header("content-type", "application/sparql-update");
    service.send(request.body(Body::from(update)).expect("a request")).await.status
}

#[tokio::test]
async fn when_nothing_is_found_the_answer_helps() {
    let service = Service::embedded().await;
    let answer = search(&service, "\"missed appointments\"", "&kind=theme&outcome=stopped").await;
    assert_eq!(answer["total"], 0);
    let filters = answer["help"]["filters"].as_array().expect("filters").clone();
    for filter in &filters {
        let name = filter["filter"].as_str().expect("a name");
        let other = if name == "kind" { "&outcome=stopped" } else { "&kind=theme" };
        let without = search(&service, "\"missed appointments\"", other).await;
        assert_eq!(filter["count"], without["total"], "without {name}");
    }
    let all = search(&service, "\"missed appointments\"", "").await;
    assert!(all["total"].as_u64() > Some(0) && all["help"].is_null(), "{all}");
    let nothing = search(&service, "zzzzqqqq xkcdvbn", "&mode=words").await;
    assert_eq!(nothing["total"], 0);
}

#[tokio::test]
async fn totals_facets_years_and_paging_agree_in_every_mode() {
    let service = Service::embedded().await;
    for mode in ["hybrid", "words", "meaning"] {
        let all = search(&service, "patient safety", &format!("&mode={mode}&limit=100")).await;
        let (total, pages) = (all["total"].as_u64(), all["pages"].as_u64().expect("pages"));
        let mut seen = Vec::new();
        for page in 1..=pages {
            let more = format!("&mode={mode}&limit=100&page={page}");
            seen.extend(of_hits(&search(&service, "patient safety", &more).await, "id"));
        }
        let count = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!((Some(count as u64), seen.len()), (total, count), "{mode}");
        for facet in ["kind", "theme", "status"] {
            for value in all["facets"][facet].as_array().expect("values") {
                let name = value["value"].as_str().expect("a value");
                let more = format!("&mode={mode}&{facet}={}", encoded(name));
                let filtered = search(&service, "patient safety", &more).await;
                assert_eq!(filtered["total"], value["count"], "{mode} {facet} {name}");
            }
        }
        let years = all["years"].as_array().expect("years");
        let dated: u64 = years.iter().map(|year| year["count"].as_u64().expect("a count")).sum();
        assert!(dated > 0 && Some(dated) <= total, "{mode}: {years:?}");
    }
}

#[tokio::test]
async fn suggestions_lead_somewhere_and_complete_what_is_typed() {
    let service = Service::embedded().await;
    let suggest = |typed: &'static str| {
        let service = service.clone();
        async move {
            let answer = service.get(&format!("/api/suggest?q={}", encoded(typed)), "").await;
            assert_eq!(answer.status, StatusCode::OK);
            answer.json()["suggestions"].as_array().expect("a list").clone()
        }
    };
    let found = suggest("missed app").await;
    assert_eq!(found[0]["text"], "missed appointments");
    assert_eq!(found[0]["kind"], "query");
    assert!(found.iter().any(|s| s["url"] == "/case-study/deep-medical-mse"), "{found:?}");
    for typed in ["p", "pro", "mid and sou", "leadership", "Q", "\u{e9}t"] {
        for suggestion in suggest(typed).await {
            let url = suggestion["url"].as_str().expect("an address");
            let answer = service.get(url, "text/html").await;
            let is_link = answer.status == StatusCode::OK || answer.status == StatusCode::SEE_OTHER;
            assert!(is_link, "{typed}: {suggestion}");
            assert!(!suggestion["text"].as_str().expect("text").is_empty());
        }
    }
    assert!(suggest("").await.is_empty() && suggest("zzzzqq").await.is_empty());
    assert!(suggest("\"*?:(").await.is_empty());
}

#[tokio::test]
async fn what_is_hidden_is_not_suggested_similar_counted_or_corrected_to() {
    let service = Service::seeded_alone();
    let curator = service.clone().with_role(Role::Administrator);
    let update =
        "PREFIX o: <https://w3id.org/insites/ontology#> PREFIX dct: <http://purl.org/dc/terms/>
         INSERT DATA {
           GRAPH <https://w3id.org/insites/graph/catalogue> {
             <https://w3id.org/insites/graph/secret> o:visibleTo o:Curators }
           GRAPH <https://w3id.org/insites/graph/secret> {
             <https://w3id.org/insites/id/lesson/secret> a o:Lesson ; o:status o:Illustrative ;
               dct:title \"Quokkaphobia in wards\"@en ; dct:description \"Hidden.\"@en } }";
    let request = Request::post("/update").header("content-type", "application/sparql-update");
    let done = curator.send(request.body(Body::from(update)).expect("a request")).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text());
    let lesson = encoded("https://w3id.org/insites/id/lesson/secret");
    let clause = "PREFIX o: <https://w3id.org/insites/ontology#>
         PREFIX text: <http://jena.apache.org/text#>
         SELECT ?hit { { SERVICE o:search { ?hit o:query \"quokkaphobia\" ; o:mode \"words\" } }
                       UNION { ?hit text:query \"quokkaphobia\" } }";
    for (service, sees) in [(&curator, true), (&service.clone().anonymous(), false)] {
        let suggestions = service.get("/api/suggest?q=quokka", "").await.text();
        assert_eq!(suggestions.contains("uokkaphobia"), sees, "{suggestions}");
        let similar = service.get(&format!("/api/similar?id={lesson}"), "").await;
        assert_eq!(similar.status == StatusCode::OK, sees, "{}", similar.text());
        let corrected = search(service, "quokaphobia", "").await;
        assert_eq!(corrected["corrections"].as_array().map(Vec::len), Some(usize::from(sees)));
        assert_eq!(service.column(clause).await.len(), if sees { 2 } else { 0 });
    }
}

#[tokio::test]
async fn similar_records_are_near_in_meaning_and_not_the_record_itself() {
    let service = Service::embedded().await;
    let id = "https://w3id.org/insites/id/lesson/lesson-remind-twice";
    let path = format!("/api/similar?id={}&limit=5", encoded(id));
    let answer = service.get(&path, "").await.json();
    let ids = of_hits(&answer, "id");
    assert!(ids.len() == 5 && !ids.iter().any(|other| other == id), "{answer}");
    assert!(of_hits(&answer, "slug").iter().any(|slug| slug == "deep-medical-mse"), "{answer}");
    for (path, status) in [
        ("/api/similar".to_owned(), StatusCode::BAD_REQUEST),
        (format!("/api/similar?id={}&limit=0", encoded(id)), StatusCode::BAD_REQUEST),
        (format!("/api/similar?id={}x", encoded(id)), StatusCode::NOT_FOUND),
    ] {
        assert_eq!(service.get(&path, "").await.status, status, "{path}");
    }
}
