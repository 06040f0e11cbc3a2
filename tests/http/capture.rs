//! Writing: from an empty form to what everybody reads, and nobody before.

use crate::support::{Answer, Service};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use insites::access::Role;
use serde_json::{Value, json};

pub const SITE: &str = "demonstration-site-01";
pub const TOOL: &str = "data-collection-tool-1";

pub async fn post_form(service: &Service, path: &str, fields: &[(&str, &str)]) -> Answer {
    let encode = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let body: Vec<String> =
        fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    let request = Request::post(path)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("accept", "text/html")
        .body(Body::from(body.join("&")))
        .expect("a request");
    service.send(request).await
}

pub async fn post_json(service: &Service, path: &str, body: &Value) -> Answer {
    let request = Request::post(path)
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .expect("a request");
    service.send(request).await
}

/// The value of a hidden field of a page.
fn hidden(page: &str, name: &str) -> String {
    let at = page.find(&format!("type=\"hidden\" name=\"{name}\"")).expect("the field");
    page[at..].split("value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or("").into()
}

/// Everything that tells the public what there is.
async fn public_sees(service: &Service, words: &[&str]) -> Vec<String> {
    let mut seen = Vec::new();
    let everything = "SELECT * { { GRAPH ?g { ?s ?p ?o } } UNION { ?s ?p ?o } }";
    let query =
        percent_encoding::utf8_percent_encode(everything, percent_encoding::NON_ALPHANUMERIC);
    let mut paths = vec![
        "/".to_owned(),
        "/case-study".to_owned(),
        "/outcomes".to_owned(),
        "/explore".to_owned(),
        "/search?q=wheelchairs".to_owned(),
        "/search.csv?q=wheelchairs".to_owned(),
        "/search.atom?q=wheelchairs".to_owned(),
        "/api/search?q=wheelchairs".to_owned(),
        "/api/suggest?q=wheelch".to_owned(),
        "/changes?limit=1000".to_owned(),
        "/changes.atom".to_owned(),
        "/changes/ldes".to_owned(),
        "/export".to_owned(),
        "/sitemap.xml".to_owned(),
        "/graphs".to_owned(),
        "/.well-known/void".to_owned(),
        "/organisation/demonstration-site-01".to_owned(),
        "/organisation/demonstration-site-01/graph".to_owned(),
        format!("/sparql?query={query}"),
        "/graph/catalogue-drafts".to_owned(),
    ];
    for address in ["case-study/wheelchairs-with-tags", "result/wheelchairs-with-tags-01"] {
        for ending in ["", ".ttl", ".json", "/history", "/timemap", "/graph"] {
            paths.push(format!("/{address}{ending}"));
        }
        paths.push(format!("/id/{address}"));
    }
    for revision in 2..12 {
        paths.push(format!("/changes/{revision}"));
        paths.push(format!("/case-study/wheelchairs-with-tags?revision={revision}"));
    }
    for path in paths {
        let answer = service.get(&path, "").await;
        assert!(!answer.status.is_server_error(), "{path}: {}", answer.text());
        // What was asked for may be told back; what is there may not.
        let said = answer
            .text()
            .replace("wheelchairs-with-tags-01", "")
            .replace("q=wheelchairs", "")
            .replace("\"wheelchairs\"", "");
        let said = if answer.status == StatusCode::NOT_FOUND {
            said.replace("wheelchairs-with-tags", "")
        } else {
            said
        };
        for word in words {
            if said.to_lowercase().contains(word) {
                let at = said.to_lowercase().find(word).unwrap_or(0);
                let around: String = said.chars().skip(at.saturating_sub(80)).take(200).collect();
                seen.push(format!("{path} shows {word}: {around}"));
            }
        }
    }
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_that_failed_is_written_reviewed_and_published_by_another() {
    let service = Service::seeded_alone();
    let public = service.clone();
    let alice = service.clone().contributor_of("alice", SITE);
    let elsewhere = service.clone().with_role(Role::Contributor);
    let member = service.clone().with_role(Role::Member);
    let bob = service.clone().with_role(Role::Curator);
    let before = public.get("/api/search?q=", "").await.json()["total"].clone();

    // Without a title nothing is kept, and the page says so.
    let nameless = post_form(&alice, "/capture/case-study", &[("problem", "lost")]).await;
    assert_eq!(nameless.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(nameless.text().contains("There is a problem"));
    assert!(nameless.text().contains(">lost</textarea>"), "what was typed is gone");

    // A first save, with a figure that nobody claims.
    let mut fields = vec![
        ("title", "Wheelchairs with tags"),
        ("description", "Tags on zebrastripe wheelchairs, to find them faster."),
        ("problem", "Porters looked for zebrastripe wheelchairs."),
        ("outcome-status", "stopped"),
        ("result-text", "It did not work."),
        ("barrier", "Nobody charged the tags."),
        ("barrier", "No budget for a longer test."),
        ("lesson-learned", "Ask the porters first."),
        ("with-partner", "Demonstration Partner A"),
        ("figure-1-title", "Searches per shift"),
        ("figure-1-value", "12.5"),
        ("figure-1-result-kind", "measured"),
        ("do", "preview"),
    ];
    let saved = post_form(&alice, "/capture/case-study", &fields).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text());
    let draft = "/capture/draft/case-study/wheelchairs-with-tags";
    assert_eq!(saved.header("location"), format!("{draft}?done=saved"));
    let preview = alice.get(draft, "text/html").await;
    assert!(preview.text().contains("Who says so"), "{}", preview.text());
    assert!(!preview.text().contains("Hand in for review"), "it can be handed in unfinished");
    assert!(preview.text().contains("Still to do"), "{}", preview.text());
    let refused = post_form(&alice, draft, &[("do", "submit")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text().contains("There is a problem"), "{}", refused.text());

    let by_data = post_json(&alice, "/case-study/wheelchairs-with-tags/submit", &json!({})).await;
    assert_eq!(by_data.problem(), "shapes-violated", "{}", by_data.text());

    // Save and return: what was written is in the form again.
    let form = alice.get("/capture/case-study/wheelchairs-with-tags", "text/html").await.text();
    assert!(form.contains("Nobody charged the tags.") && form.contains("value=\"12.5\""), "{form}");
    let revision = hidden(&form, "revision");
    fields.push(("figure-1-claimed-by", "Innovation team"));
    fields.push(("revision", &revision));
    let path = "/capture/case-study/wheelchairs-with-tags";
    let saved = post_form(&alice, path, &fields).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text());
    // The same form sent again is older than what is saved: nothing is lost.
    let late = post_form(&alice, path, &fields).await;
    assert_eq!(late.status, StatusCode::PRECONDITION_FAILED);
    assert!(late.text().contains("Nothing of yours is lost"), "{}", late.text());
    assert!(late.text().contains("Porters looked for zebrastripe"), "what was typed is gone");

    // Others do not see it, whoever they are.
    for (who, status) in [(&public, 401), (&member, 403), (&elsewhere, 404)] {
        assert_eq!(who.get(draft, "").await.status.as_u16(), status);
        assert_eq!(who.get(&format!("/api{path}"), "").await.status.as_u16(), status);
        assert_eq!(post_form(who, path, &fields).await.status.as_u16(), status);
        assert_eq!(post_form(who, draft, &[("do", "submit")]).await.status.as_u16(), status);
    }
    assert_eq!(elsewhere.get("/api/capture/drafts", "").await.json()["drafts"], json!([]));
    let alike = elsewhere.get("/api/capture/alike?title=Wheelchairs+with+tags", "").await;
    assert_eq!(alike.json()["alike"], json!([]));
    let words = ["zebrastripe", "wheelchairs-with-tags", "wheelchairs with tags", "alice"];
    for who in [&public, &member, &elsewhere] {
        let seen = public_sees(who, &words).await;
        assert!(seen.is_empty(), "{}", seen.join("\n"));
    }

    // A like title is asked about, until one says that it is another case.
    let again = [("title", "Wheelchairs with new tags"), ("description", "x")];
    let asked = post_form(&alice, "/capture/case-study", &again).await;
    assert_eq!(asked.status, StatusCode::CONFLICT);
    assert!(asked.text().contains(draft), "{}", asked.text());

    // Handed in, given back with a comment, handed in again.
    let done = post_form(&alice, draft, &[("do", "submit"), ("comment", "please look")]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text());
    let locked = post_form(&alice, path, &fields).await;
    assert_eq!(locked.status, StatusCode::FORBIDDEN, "{}", locked.text());
    assert_eq!(post_form(&alice, draft, &[("do", "publish")]).await.status, StatusCode::FORBIDDEN);
    let list = bob.get("/capture", "text/html").await.text();
    assert!(list.contains("please look"), "{list}");
    post_form(&bob, draft, &[("do", "return"), ("comment", "when was it?")]).await;
    let back = alice.get(draft, "text/html").await.text();
    assert!(back.contains("please look") && back.contains("when was it?"), "{back}");
    post_form(&alice, draft, &[("do", "submit")]).await;
    let seen = public_sees(&public, &words).await;
    assert!(seen.is_empty(), "{}", seen.join("\n"));
    assert_eq!(public.get("/api/search?q=", "").await.json()["total"], before);

    // Whoever wrote in it does not publish it, by neither door.
    let carol = service.clone().with_role(Role::Curator);
    let read = carol.get(&format!("/api{path}"), "").await.json();
    assert_eq!(read["problems"], json!([]), "{read}");
    let body = json!({ "revision": read["revision"], "values": read["values"] });
    let touched = post_json(&carol, &format!("/api{path}"), &body).await;
    assert_eq!(touched.status, StatusCode::OK, "{}", touched.text());
    for path in [draft, "/case-study/wheelchairs-with-tags/publish"] {
        let own = post_form(&carol, path, &[("do", "publish")]).await;
        assert_eq!(own.status, StatusCode::FORBIDDEN, "{}", own.text());
    }
    let done = post_form(&bob, draft, &[("do", "publish")]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text());
    assert_eq!(done.header("location"), "/case-study/wheelchairs-with-tags");

    // Now everybody reads it, as what it is; the way to it stays hidden.
    let page = public.get("/case-study/wheelchairs-with-tags", "text/html").await;
    assert_eq!(page.status, StatusCode::OK);
    for part in [
        "Stopped",
        "Nobody charged the tags.",
        "Ask the porters first.",
        "Searches per shift",
        "Illustrative",
    ] {
        assert!(page.text().contains(part), "{part}");
    }
    assert_eq!(public.get("/result/wheelchairs-with-tags-01", "").await.status, StatusCode::OK);
    let found = public.get("/api/search?q=wheelchairs&outcome=stopped", "").await.json();
    assert_eq!(found["total"], 1, "{found}");
    assert_eq!(alice.get(draft, "").await.status, StatusCode::NOT_FOUND);
    let drafts = "SELECT ?p ?o { <https://w3id.org/insites/graph/draft/case-study/wheelchairs-with-tags> ?p ?o }";
    assert_eq!(public.column(drafts).await, Vec::<String>::new());
    let feed = public.get("/changes?limit=100", "").await.text();
    assert!(!feed.contains("please look") && !feed.contains("draft saved"), "{feed}");

    // A change to what is published is a draft as well, with its differences.
    let read = alice.get(&format!("/api{path}"), "").await.json();
    let mut values = read["values"].clone();
    values["period"] = json!("April to June 2026");
    let changed = post_json(&alice, &format!("/api{path}"), &json!({ "values": values })).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
    let review = bob.get(draft, "text/html").await.text();
    assert!(review.contains("<ins>April to June 2026</ins>"), "{review}");
    assert!(!public.get(path.trim_start_matches("/capture"), "").await.text().contains("April"));
    post_form(&alice, draft, &[("do", "submit")]).await;
    let done = post_form(&bob, draft, &[("do", "publish")]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text());
    let figures = "PREFIX insites: <https://w3id.org/insites/ontology#> SELECT ?v { <https://w3id.org/insites/id/case-study/wheelchairs-with-tags> insites:hasResult/insites:value ?v }";
    assert_eq!(public.column(figures).await, ["12.5"]);
    // An address is never used again, also that of a draft thrown away.
    let other = json!({ "values": { "title": "Linen trolleys" } });
    let first = post_json(&alice, "/api/capture/case-study", &other).await.json();
    assert_eq!(first["slug"], "linen-trolleys");
    post_form(&alice, "/capture/draft/case-study/linen-trolleys", &[("do", "discard")]).await;
    let second = post_json(&alice, "/api/capture/case-study", &other).await.json();
    assert_eq!(second["slug"], "linen-trolleys-2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_answers_by_form_and_a_condition_is_kept_to() {
    let service = Service::seeded_alone();
    let alice = service.clone().contributor_of("alice", SITE);
    let bob = service.clone().with_role(Role::Curator);
    let part = format!("/capture/questionnaire/{TOOL}/agree-priorities?site={SITE}");
    let page = alice.get(&part, "text/html").await.text();
    assert!(page.contains("Only if you answered"), "the condition is not told");
    // An answer whose condition does not hold is told, and kept.
    let fields = [
        ("date", "2026-11-02"),
        ("front-door", "front-door-no"),
        ("front-door-days", "20"),
        ("do", "continue"),
    ];
    let odd = post_form(&alice, &part, &fields).await;
    assert_eq!(odd.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", odd.text());
    assert!(odd.text().contains("is only asked if you answered"), "{}", odd.text());
    let revision = hidden(&odd.text(), "revision");
    let fields = [
        ("date", "2026-11-02"),
        ("with-role", "innovation-lead"),
        ("front-door", "front-door-yes"),
        ("front-door-days", "20"),
        ("priorities-shared", "4"),
        ("priorities-how", "In an open meeting."),
        ("revision", &revision),
        ("do", "continue"),
    ];
    let next = post_form(&alice, &part, &fields).await;
    assert_eq!(next.status, StatusCode::SEE_OTHER, "{}", next.text());
    assert!(next.header("location").contains("/mobilise-resources"), "{:?}", next.headers);
    let check = format!("/capture/questionnaire/{TOOL}/check?site={SITE}");
    let page = alice.get(&check, "text/html").await.text();
    assert!(page.contains("20 working days") && page.contains("Hand in for review"), "{page}");
    let done = post_form(&alice, &check, &[("do", "submit")]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text());
    let drafts = bob.get("/api/capture/drafts", "").await.json();
    let slug = drafts["drafts"][0]["slug"].as_str().expect("a draft").to_owned();
    assert_eq!(slug, "demonstration-site-01-agree-priorities-2026-11-02");
    let path = format!("/capture/draft/tool-answer/{slug}");
    let done = post_form(&bob, &path, &[("do", "publish")]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text());
    let page = service.get(&format!("/tool-answer/{slug}"), "text/html").await.text();
    for said in ["20 working days", "Yes, one for the whole organisation", "4 (1 is “Not at all”"]
    {
        assert!(page.contains(said), "{said}: {page}");
    }
    let overview = format!("/capture/questionnaire/{TOOL}?site={SITE}");
    let overview = alice.get(&overview, "text/html").await.text();
    assert!(overview.contains("Published"), "{overview}");
    // Nobody answers for another site.
    let other = service.clone().with_role(Role::Contributor);
    assert_eq!(other.get(&part, "").await.status, StatusCode::FORBIDDEN);
}

/// A newer version that asks one question in other words, and one no more.
const SECOND: &str = r#"
@prefix dct: <http://purl.org/dc/terms/> .
@prefix insites: <https://w3id.org/insites/ontology#> .
@prefix schema: <https://schema.org/> .
@base <https://w3id.org/insites/> .
<id/questionnaire/data-collection-tool-2> a insites:Questionnaire ;
  dct:title "Data-collection tool, version 2"@en ; dct:description "Newer."@en ; schema:version "2" ;
  dct:replaces <id/questionnaire/data-collection-tool-1> ;
  dct:hasPart <id/questionnaire/data-collection-tool-2#agreement> , <id/questionnaire/data-collection-tool-2#door> ;
  insites:status insites:Unverified .
<id/questionnaire/data-collection-tool-2#agreement> a schema:Question ;
  dct:title "Do executives and teams agree on what comes first?"@en ;
  schema:position 1 ; schema:minValue 1 ; schema:maxValue 5 ;
  insites:questionKind <id/question-kind/scale> ; insites:dimension <id/dimension/agree-priorities> ;
  insites:sameQuestionAs <id/questionnaire/data-collection-tool-1#priorities-shared> ;
  dct:isPartOf <id/questionnaire/data-collection-tool-2> ; insites:status insites:Unverified .
<id/questionnaire/data-collection-tool-2#door> a schema:Question ;
  dct:title "Can everybody bring an idea?"@en ; schema:position 2 ;
  insites:questionKind <id/question-kind/choice> ; insites:dimension <id/dimension/agree-priorities> ;
  insites:option <id/questionnaire/data-collection-tool-1#front-door-yes> , <id/questionnaire/data-collection-tool-1#front-door-no> ;
  insites:sameQuestionAs <id/questionnaire/data-collection-tool-1#front-door> ;
  dct:isPartOf <id/questionnaire/data-collection-tool-2> ; insites:status insites:Unverified .
"#;

#[tokio::test(flavor = "multi_thread")]
async fn answers_to_an_older_version_stay_comparable() {
    let service = Service::seeded_alone();
    let bob = service.clone().with_role(Role::Curator);
    let request = Request::put("/graph/newer-tool?visibility=public")
        .header("content-type", "text/turtle")
        .body(Body::from(SECOND))
        .expect("a request");
    let made = bob.send(request).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let alice = service.clone().contributor_of("alice", SITE);
    let amy = service.clone().contributor_of("amy", "demonstration-site-02");
    for (who, tool, values) in [
        (
            &alice,
            TOOL,
            json!({ "date": "2025-11-03", "front-door": "front-door-yes", "priorities-shared": 2 }),
        ),
        (
            &alice,
            "data-collection-tool-2",
            json!({ "date": "2026-11-02", "door": "front-door-yes", "agreement": 4 }),
        ),
        (
            &amy,
            "data-collection-tool-2",
            json!({ "date": "2026-11-02", "door": "front-door-no", "agreement": 5 }),
        ),
    ] {
        let body = json!({ "answers": { "agree-priorities": values } });
        let path = format!("/api/capture/questionnaire/{tool}");
        let made = post_json(who, &path, &body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
        assert_eq!(made.json()["problems"], json!([]), "{}", made.text());
        let path = format!("/tool-answer/{}", made.json()["slug"].as_str().expect("a slug"));
        for (who, action) in [(who, "submit"), (&bob, "publish")] {
            let done = post_json(who, &format!("{path}/{action}"), &json!({})).await;
            assert_eq!(done.status, StatusCode::OK, "{}", done.text());
        }
    }
    let all = service
        .get(
            "/api/queries/answers-to-a-question?question=https%3A%2F%2Fw3id.org%2Finsites%2Fid%2Fquestionnaire%2Fdata-collection-tool-1%23priorities-shared&format=csv",
            "",
        )
        .await;
    assert_eq!(all.status, StatusCode::OK, "{}", all.text());
    let mut steps: Vec<String> = all
        .text()
        .lines()
        .skip(1)
        .filter_map(|line| line.rsplit(',').next().map(str::to_owned))
        .collect();
    steps.sort();
    // Two of them come with the seed.
    assert_eq!(steps, ["2", "2", "4", "4", "5"], "{}", all.text());
    // The newest version is offered first.
    let page = alice.get("/capture", "text/html").await.text();
    let (newer, older) = (page.find("version 2"), page.find("version 1"));
    assert!(newer.is_some() && newer < older, "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn drafts_of_other_kinds_are_reviewed_at_the_same_place() {
    let service = Service::seeded_alone();
    let (bob, carol) =
        (service.clone().with_role(Role::Curator), service.clone().with_role(Role::Curator));
    let put = |text: &'static str| {
        let request = Request::put("/graph/draft/lesson/otters?visibility=curators")
            .header("content-type", "text/turtle")
            .body(Body::from(text))
            .expect("a request");
        bob.send(request)
    };
    put("@prefix insites: <https://w3id.org/insites/ontology#> . @prefix dct: <http://purl.org/dc/terms/> .
         <https://w3id.org/insites/id/lesson/otters> a insites:Lesson ; dct:title \"Otters\"@en ; insites:status insites:Illustrative .").await;
    let path = "/capture/draft/lesson/otters";
    let page = carol.get(path, "text/html").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    assert!(page.text().contains("Otters") && page.text().contains("What it says"));
    // What the shapes demand is told before it is handed in.
    assert!(page.text().contains("Still to do"), "{}", page.text());
    let early = post_form(&carol, path, &[("do", "submit")]).await;
    assert_eq!(early.status, StatusCode::UNPROCESSABLE_ENTITY);
    let contributor = service.clone().with_role(Role::Contributor);
    assert_eq!(contributor.get(path, "").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_published_case_is_changed_by_its_own_site_alone() {
    let service = Service::seeded_alone();
    let case = "/case-study/demonstration-bedside-equipment-tags";
    let own = service.clone().contributor_of("amy", "demonstration-site-02");
    let other = service.clone().contributor_of("alice", SITE);
    let change = format!("/capture{case}");
    for (who, shown) in [(&own, true), (&other, false), (&service, false)] {
        let page = who.get(case, "text/html").await.text();
        assert_eq!(page.contains(&change), shown);
    }
    assert_eq!(other.get(&change, "").await.status, StatusCode::NOT_FOUND);
    let read = own.get(&format!("/api{change}"), "").await.json();
    assert_eq!(read["problems"], json!([]), "{read}");
    // Nothing of a case is lost when it is only opened and saved.
    let body = json!({ "values": read["values"] });
    let saved = post_json(&own, &format!("/api{change}"), &body).await;
    assert_eq!(saved.status, StatusCode::OK, "{}", saved.text());
    assert_eq!(saved.json()["values"], read["values"]);
    let bob = service.clone().with_role(Role::Curator);
    let review = bob
        .get("/capture/draft/case-study/demonstration-bedside-equipment-tags", "text/html")
        .await;
    assert!(
        review.text().contains("What changes against the published version"),
        "{}",
        review.text()
    );
    let long = json!({ "values": { "title": "x".repeat(30_000) }, "confirm": true });
    let kept = post_json(&own, "/api/capture/case-study", &long).await.json();
    assert!(
        kept["problems"][0]["message"].as_str().is_some_and(|m| m.contains("20000 characters")),
        "{}",
        kept["problems"]
    );
}
