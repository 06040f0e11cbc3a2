//! Comparing over HTTP: counts with their denominators, the SPARQL behind them,
//! what is restricted, and feedback on lessons.

use crate::support::{Answer, Service};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use insites::access::Role;
use serde_json::Value;
use std::collections::BTreeMap;

const PREFIXES: &str = "@prefix i: <https://w3id.org/insites/ontology#> .
    @prefix d: <http://purl.org/dc/terms/> .
    @prefix cito: <http://purl.org/spar/cito/> .
    @prefix prov: <http://www.w3.org/ns/prov#> .
    @prefix skos: <http://www.w3.org/2004/02/skos/core#> .
    @prefix schema: <https://schema.org/> .
    @base <https://w3id.org/insites/id/> .";

async fn put(service: &Service, graph: &str, visibility: &str, body: &str) {
    let path = format!("/graph/{graph}?visibility={visibility}");
    let request = Request::put(path)
        .header("content-type", "text/turtle")
        .body(Body::from(format!("{PREFIXES}\n{body}")))
        .expect("a request");
    let answer = service.clone().with_role(Role::Administrator).send(request).await;
    assert!(answer.status.is_success(), "{}", answer.text());
}

/// The same without asking the shapes: questionnaires have rules of their own,
/// which are not what is tested here.
async fn import(service: &Service, graph: &str, body: &str) {
    let graph = oxigraph::model::NamedNode::new_unchecked(graph);
    let mut quads = oxigraph::io::RdfSerializer::from_format(oxigraph::io::RdfFormat::NQuads)
        .for_writer(Vec::new());
    let text = format!("{PREFIXES}\n{body}");
    let parser = oxigraph::io::RdfParser::from_format(oxigraph::io::RdfFormat::Turtle);
    for quad in parser.with_default_graph(graph).for_slice(text.as_bytes()) {
        quads.serialize_quad(&quad.expect("Turtle")).expect("written");
    }
    let request = Request::post("/api/import?shapes=off")
        .body(Body::from(quads.finish().expect("written")))
        .expect("a request");
    let answer = service.clone().with_role(Role::Administrator).send(request).await;
    assert!(answer.status.is_success(), "{}", answer.text());
}

async fn post(service: &Service, path: &str, body: &str) -> Answer {
    let request = Request::post(path).header("content-type", "application/json");
    service.send(request.body(Body::from(body.to_owned())).expect("a request")).await
}

pub async fn compare(service: &Service, parameters: &str) -> Value {
    let answer = service.get(&format!("/api/compare?{parameters}"), "").await;
    assert_eq!(answer.status, StatusCode::OK, "{parameters}: {}", answer.text());
    answer.json()
}

/// The cells by row and column, with one of their members.
pub fn cells(answer: &Value, member: &str) -> BTreeMap<(String, String), u64> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    answer["cells"]
        .as_array()
        .expect("cells")
        .iter()
        .map(|cell| {
            let key = (text(&cell["row"]), text(&cell["column"]));
            (key, cell[member].as_u64().expect("a number"))
        })
        .filter(|(_, count)| *count > 0)
        .collect()
}

/// The key of a value in an answer of SPARQL: the end of its identifier.
fn key(text: &str) -> String {
    text.rsplit('/').next().unwrap_or(text).to_owned()
}

#[tokio::test]
async fn the_seed_is_compared_with_denominators_and_gaps() {
    let service = Service::seeded();
    let answer = compare(&service, "rows=dimension&columns=region").await;
    assert_eq!((&answer["show"], &answer["count"]), (&"real".into(), &"organisations".into()));
    let columns = answer["columnValues"].as_array().expect("columns");
    assert_eq!(columns.len(), 7, "the regions");
    for cell in answer["cells"].as_array().expect("cells") {
        let (count, of) = (cell["count"].as_u64().expect("a"), cell["of"].as_u64().expect("b"));
        assert!(count <= of && of > 0, "{cell}");
        assert_eq!(cell["missing"].as_u64(), Some(of - count));
        assert_eq!(cell.get("percent").is_some(), of >= 5, "{cell}");
        assert!(cell.get("restricted").is_none());
    }
    for common in answer["common"].as_array().expect("what is common") {
        let gap = common["of"].as_u64().expect("of") - common["count"].as_u64().expect("count");
        assert_eq!(common["missing"].as_array().map(Vec::len), Some(gap.min(50) as usize));
    }
    assert!(!answer["contrasts"].as_array().expect("contrasts").is_empty());
    assert!(!answer["outcomes"].as_array().expect("outcomes").is_empty());
    let usual = compare(&service, "").await;
    assert_eq!((&usual["columns"], &usual["count"]), (&"organisation".into(), &"records".into()));
    assert_eq!(usual["total"]["records"], 263, "67 case studies and 196 lessons");
}

#[tokio::test]
async fn the_query_behind_gives_the_counts_shown() {
    let service = Service::seeded();
    for parameters in [
        "rows=dimension&columns=region",
        "rows=dimension&columns=region&count=records",
        "rows=theme&columns=organisation&limit=500",
        "rows=theme&columns=organisation&count=organisations&limit=500",
        "rows=theme&columns=outcome&count=records&from=case-study",
        "rows=organisation-kind&columns=theme",
        "rows=theme&columns=period&count=records&limit=500",
        "rows=period&columns=outcome&count=records&from=case-study&from=result&limit=500",
        "rows=kind&columns=dimension&count=records",
        "rows=dimension&columns=programme&from=result&from=case-study&limit=500",
        "rows=theme&columns=region&dimension=build-capabilities&organisation-kind=nhs-trust",
        "rows=theme&columns=region&period=2021&period=2020",
        "rows=dimension&columns=site&show=illustrative",
        "rows=theme&columns=role&show=illustrative&count=records",
        "rows=evidence-kind&columns=site&count=organisations&show=illustrative",
    ] {
        let answer = compare(&service, parameters).await;
        let shown = cells(&answer, "count");
        assert!(!shown.is_empty(), "{parameters}: nothing to compare");
        let query = answer["queries"]["cells"].as_str().expect("a query");
        let rows = service.query(query, "text/csv").await;
        assert_eq!(rows.status, StatusCode::OK, "{query}\n{}", rows.text());
        let counted: BTreeMap<(String, String), u64> = rows
            .text()
            .lines()
            .skip(1)
            .map(|line| {
                let parts: Vec<&str> = line.split(',').collect();
                ((key(parts[0]), key(parts[1])), parts[2].parse().expect("a count"))
            })
            .collect();
        assert_eq!(shown, counted, "{parameters}\n{query}");
        let query = answer["queries"]["columns"].as_str().expect("a query");
        let rows = service.query(query, "text/csv").await.text();
        let counted: BTreeMap<String, u64> = rows
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(','))
            .map(|(column, count)| (key(column), count.trim().parse().expect("a count")))
            .collect();
        for column in answer["columnValues"].as_array().expect("columns") {
            let value = column["value"].as_str().expect("a value");
            assert_eq!(column["count"].as_u64(), counted.get(value).copied(), "{value}\n{query}");
        }
        let page =
            service.get(answer["queries"]["workbench"].as_str().expect("a page"), "text/html");
        assert_eq!(page.await.status, StatusCode::OK, "it opens in the workbench");
    }
}

#[tokio::test]
async fn real_and_illustrative_records_are_never_mixed() {
    let service = Service::seeded();
    let illustrative = compare(&service, "rows=dimension&columns=site&show=illustrative").await;
    assert_eq!(illustrative["columnValues"].as_array().map(Vec::len), Some(2));
    let cell = service
        .get(
            "/api/compare?rows=dimension&columns=site&show=illustrative&cell=agree-priorities~",
            "",
        )
        .await
        .json();
    let statuses = |answer: &Value| -> Vec<String> {
        let records = answer["cell"]["records"].as_array().expect("records");
        records.iter().map(|r| r["status"].as_str().expect("a status").to_owned()).collect()
    };
    assert!(statuses(&cell).len() > 5 && statuses(&cell).iter().all(|s| s == "Illustrative"));
    let real = service.get("/api/compare?columns=region&cell=agree-priorities~london", "").await;
    let real = real.json();
    assert!(!statuses(&real).is_empty() && !statuses(&real).contains(&"Illustrative".to_owned()));
    let share = &real["cell"]["share"];
    assert_eq!(
        share["of"].as_u64().expect("of") - share["count"].as_u64().expect("count"),
        real["cell"]["missing"].as_array().expect("missing").len() as u64
    );
}

#[tokio::test]
async fn pages_json_and_csv_say_the_same() {
    let service = Service::seeded();
    let browser = "text/html,application/xhtml+xml,*/*;q=0.8";
    let page = service.get("/compare?rows=theme&columns=region", browser).await;
    assert!(page.header("content-type").starts_with("text/html"));
    let text = page.text();
    for part in
        ["What is common", "Who is missing", "What varies", "Contrasts", "How this is counted"]
    {
        assert!(text.contains(part), "{part}");
    }
    let json = service.get("/compare?rows=theme&columns=region", "application/json").await;
    assert_eq!(json.json(), compare(&service, "rows=theme&columns=region").await);
    for (path, accept) in [
        ("/compare?rows=theme&columns=region", "text/csv"),
        ("/api/compare?rows=theme&columns=region&format=csv", ""),
    ] {
        let csv = service.get(path, accept).await;
        assert!(csv.header("content-type").starts_with("text/csv"), "{path}");
        let lines = csv.text().lines().count() - 1;
        assert_eq!(lines, json.json()["cells"].as_array().map_or(0, Vec::len));
    }
    // Each cell leads to a page of its own.
    let cell = json.json()["cells"][0].clone();
    let behind = service.get(cell["behind"].as_str().expect("an address"), browser).await;
    assert_eq!(behind.status, StatusCode::OK);
    let many = format!("{} of {} organisations", cell["count"], cell["of"]);
    assert!(behind.text().contains(&many), "{many}");
}

#[tokio::test]
async fn wrong_parameters_are_told_with_a_hint() {
    let service = Service::seeded();
    for parameters in [
        "rows=colour",
        "columns=colour",
        "rows=theme&columns=theme",
        "count=apples",
        "show=all",
        "from=workshop",
        "limit=0",
        "limit=100000",
        "limit=x",
        "theme=no-such-theme",
        "period=3000",
        "cell=nothing",
        "cell=no-such~london",
        "format=xlsx",
    ] {
        let answer = service.get(&format!("/api/compare?{parameters}"), "").await;
        let problem = answer.problem();
        assert_eq!(
            (answer.status.as_u16(), problem.as_str()),
            (400, "invalid-parameter"),
            "{parameters}"
        );
        let hinted = answer.json()["hint"].is_string() || parameters.starts_with("limit");
        assert!(hinted, "{parameters}: {}", answer.text());
    }
    let refused = service.get("/api/compare?exact=true", "").await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    let member = service.clone().with_role(Role::Member).get("/api/compare?exact=true", "").await;
    assert_eq!(member.status, StatusCode::FORBIDDEN);
    assert_eq!(service.get("/api/compare", "image/png").await.status, StatusCode::NOT_ACCEPTABLE);
}

/// Case studies at organisations of the seed, on a theme that they have not.
fn evidence(count: usize, prefix: &str, region: &str) -> String {
    (0..count)
        .map(|n| {
            format!(
                "<organisation/{prefix}-{n}> a i:Organisation ; skos:prefLabel \"Secret {prefix} {n}\"@en ;
                   i:organisationKind <organisation-kind/nhs-trust> ; i:region <region/{region}> ; i:status i:Unverified .
                 <evidence/{prefix}-{n}> a i:Evidence ; d:title \"Secret passage {prefix} {n}\"@en ;
                   d:description \"Secret words {prefix} {n}\"@en ; i:evidenceKind <evidence-kind/interview> ;
                   i:atOrganisation <organisation/{prefix}-{n}> ; i:dimension <dimension/agree-priorities> ;
                   i:status i:Unverified ."
            )
        })
        .collect::<Vec<_>>()
        .join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn hidden_evidence_changes_nothing_for_those_who_do_not_see_it() {
    let service = Service::seeded_alone();
    let paths = [
        "rows=dimension&columns=region",
        "rows=dimension&columns=organisation&limit=500",
        "rows=evidence-kind&columns=dimension&count=records",
        "rows=dimension&columns=region&cell=agree-priorities~london",
    ];
    let all = |service: Service| async move {
        let mut answers = Vec::new();
        for path in paths {
            let mut answer = compare(&service, path).await;
            answer["revision"] = Value::Null;
            answers.push(answer);
        }
        answers
    };
    let public = all(service.clone()).await;
    let member = all(service.clone().with_role(Role::Member)).await;
    assert_eq!(public, member, "there is nothing more to see yet");
    put(&service, "restricted", "curators", &evidence(3, "curators-only", "london")).await;
    put(&service, "draft/evidence/one", "curators", &evidence(2, "draft-only", "london")).await;
    assert_eq!(all(service.clone()).await, public);
    assert_eq!(all(service.clone().with_role(Role::Member)).await, public);
    let curator = service.clone().with_role(Role::Curator);
    let seen = compare(&curator, "rows=dimension&columns=region").await;
    let cell = seen["cells"]
        .as_array()
        .and_then(|cells| {
            cells.iter().find(|c| c["row"] == "agree-priorities" && c["column"] == "london")
        })
        .expect("the cell")
        .clone();
    assert_eq!(cell["restricted"], "fewer than 5", "three, and no draft");
    let exact = compare(&curator, "rows=dimension&columns=region&exact=true").await;
    let counts = |answer: &Value| {
        cells(answer, "count")[&("agree-priorities".to_owned(), "london".to_owned())]
    };
    assert_eq!(counts(&exact), counts(&seen) + 3);
    // The query counts what the caller sees, drafts left out.
    let query = exact["queries"]["cells"].as_str().expect("a query").to_owned();
    let rows = curator.query(&query, "text/csv").await.text();
    let line =
        rows.lines().find(|line| line.contains("agree-priorities") && line.contains("/london,"));
    assert!(line.expect("a line").trim().ends_with(&format!(",{}", counts(&exact))), "{rows}");
    for path in paths {
        let text = service.get(&format!("/compare?{path}"), "text/html").await.text();
        assert!(!text.contains("Secret") && !text.contains("curators-only"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn small_numbers_of_restricted_evidence_are_not_told() {
    let service = Service::seeded_alone();
    put(&service, "few", "members", &evidence(2, "few", "london")).await;
    put(&service, "many", "members", &evidence(6, "many", "north-west")).await;
    let public = compare(&service, "rows=dimension&columns=region").await;
    let member = service.clone().with_role(Role::Member);
    let seen = compare(&member, "rows=dimension&columns=region").await;
    let restricted = |column: &str| {
        let cells = seen["cells"].as_array().expect("cells");
        let cell = cells.iter().find(|c| c["row"] == "agree-priorities" && c["column"] == column);
        cell.expect("a cell")["restricted"].clone()
    };
    assert_eq!(restricted("london"), "fewer than 5");
    // 6 alone beside it would give the 2 away, by the total of 8.
    assert_eq!(restricted("north-west"), "withheld");
    assert!(restricted("south-west").is_null());
    assert_eq!(cells(&seen, "count"), cells(&public, "count"), "public counts stay as they are");
    assert_eq!(seen["common"], public["common"], "findings are of what is public");
    let csv = member.get("/api/compare?rows=dimension&columns=region&format=csv", "").await.text();
    assert!(csv.contains("fewer than 5") && csv.contains("withheld"));
    let page = member.get("/compare?rows=dimension&columns=region", "text/html").await.text();
    assert!(page.contains("fewer than 5 restricted"));
    let cell = member
        .get("/compare?rows=dimension&columns=region&cell=agree-priorities~london", "text/html")
        .await
        .text();
    assert!(!cell.contains("Secret"), "not listed beside a number that is not told");
}

/// Two sites' answers to two versions of a question, and to a choice.
const ANSWERS: &str = r#"
<question/old> a schema:Question ; d:title "How many hours are protected?"@en ; i:unit "hours" ; i:status i:Illustrative .
<question/new> a schema:Question ; d:title "Protected hours a month"@en ; i:sameQuestionAs <question/old> ; i:status i:Illustrative .
<question/choice> a schema:Question ; d:title "Who chairs?"@en ; i:status i:Illustrative .
<option/patient> skos:prefLabel "A patient"@en .
"#;

fn answered(site: &str, date: &str, question: &str, value: &str) -> String {
    let slug = format!("t-{site}-{date}-{question}");
    format!(
        "<tool-answer/{slug}> a i:ToolAnswer ; d:title \"Answer\"@en ; i:atSite <organisation/{site}> ;
           i:dimension <dimension/build-capabilities> ; d:date \"{date}\"^^<http://www.w3.org/2001/XMLSchema#date> ;
           i:status i:Illustrative ; d:hasPart <answer/{slug}> .
         <answer/{slug}> a i:Answer ; i:answerTo <question/{question}> ; i:answerValue {value} ."
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_to_the_same_question_are_one_distribution() {
    let service = Service::seeded_alone();
    let mut body = ANSWERS.to_owned();
    for n in 0..4 {
        body.push_str(&format!(
            "<organisation/made-up-{n}> a i:Organisation , i:Site ; skos:prefLabel \"Made up {n}\"@en ;
               i:organisationKind <organisation-kind/nhs-trust> ; i:status i:Illustrative .\n"
        ));
        body.push_str(&answered(&format!("made-up-{n}"), "2026-03-01", "old", &n.to_string()));
        body.push_str(&answered(
            &format!("made-up-{n}"),
            "2026-03-01",
            "choice",
            "<option/patient>",
        ));
    }
    // A later answer to the newer question takes the place of the older one.
    body.push_str(&answered("made-up-0", "2026-09-01", "new", "8"));
    import(&service, "https://w3id.org/insites/graph/answers", &body).await;
    let answer = compare(&service, "show=illustrative&from=tool-answer&columns=site").await;
    let about = |list: &str, title: &str| {
        let list = answer[list].as_array().expect("a list");
        list.iter().find(|one| one["question"]["title"] == title).expect(title).clone()
    };
    let all = about("distributions", "How many hours are protected?");
    assert_eq!(all["all"]["n"], 4, "each site once: {all}");
    assert_eq!((&all["all"]["median"], &all["all"]["greatest"]), (&2.5.into(), &8.0.into()));
    assert_eq!(all["unit"], "hours");
    let choice = about("choices", "Who chairs?");
    assert_eq!((&choice["of"], &choice["options"][0]["count"]), (&4.into(), &4.into()));
    assert_eq!(choice["options"][0]["title"], "A patient");
    let page = service.get("/compare?show=illustrative&from=tool-answer&columns=site", "text/html");
    assert!(page.await.text().contains("How many hours are protected?"));
}

#[tokio::test]
async fn a_lesson_shows_how_strong_its_support_is() {
    let service = Service::seeded();
    let lesson = service.get("/lesson/lesson-insites-local-partners.json", "").await.json();
    let computed = &lesson["computedStrength"];
    assert!(["weak", "moderate"].contains(&computed["grade"].as_str().expect("a grade")));
    assert_eq!(computed["workings"].as_array().map(Vec::len), Some(4));
    assert_eq!(computed["rule"], "/about#strength");
    assert!(service.get("/about", "text/html").await.text().contains("id=\"strength\""));
    let page = service.get("/lesson/lesson-insites-local-partners", "text/html").await.text();
    assert!(page.contains("How strong the support is") && page.contains("How that was worked out"));
    // What an illustrative lesson states of itself stays apart.
    let made_up = "/lesson/demonstration-agree-who-pays-afterwards";
    let lesson = service.get(&format!("{made_up}.json"), "").await.json();
    assert_eq!(lesson["properties"]["insites:strength"][0]["value"], "5");
    assert!(lesson["computedStrength"]["points"].as_u64().expect("points") <= 6);
    let page = service.get(made_up, "text/html").await.text();
    assert!(page.contains("Strength as its author states it"), "apart");
    let case = service.get("/case-study/ai-chest-diagnostics.json", "").await.json();
    assert!(case.get("computedStrength").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_a_lesson_is_for_and_who_owns_it_is_shown_where_recorded() {
    let service = Service::seeded_alone();
    let body = "<lesson/kept-up> a i:Lesson ; d:title \"Kept up to date\"@en ;
        d:description \"Somebody looks again.\"@en ; i:howToApply \"Put a date on it.\"@en ;
        d:audience <person-role/innovation-lead> , \"Ward managers\"@en ;
        i:owner <organisation/nhs-england> ;
        i:reviewDate \"2027-05-01\"^^<http://www.w3.org/2001/XMLSchema#date> ;
        i:status i:Unverified .";
    put(&service, "kept-up", "public", body).await;
    let page = service.get("/lesson/kept-up", "text/html").await.text();
    for part in [
        "Who it is for",
        "Ward managers",
        "Innovation lead",
        "Owner",
        "1 May 2027",
        "Put a date on it.",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let bare = service.get("/lesson/lesson-insites-local-partners", "text/html").await.text();
    assert!(!bare.contains("Who it is for") && !bare.contains("To be reviewed"));
    let strength = &service.get("/lesson/kept-up.json", "").await.json()["computedStrength"];
    assert_eq!((&strength["grade"], &strength["points"]), (&"none".into(), &0.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn feedback_is_evidence_that_a_curator_publishes() {
    let service = Service::seeded_alone();
    let lesson = "/lesson/lesson-insites-local-partners";
    let path = format!("{lesson}/feedback");
    let body = r#"{"verdict":"did-not-fit","comment":"Our xylophone wards share no inbox","role":"innovation-lead"}"#;
    assert_eq!(post(&service, &path, body).await.status, StatusCode::UNAUTHORIZED);
    let member = service.clone().with_role(Role::Member);
    for wrong in [
        "{}",
        r#"{"verdict":"perhaps"}"#,
        r#"{"verdict":"did-not-fit"}"#,
        r#"{"verdict":"used","role":"no-such-role"}"#,
    ] {
        let answer = post(&member, &path, wrong).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wrong}");
        assert!(answer.json()["hint"].is_string(), "{wrong}");
    }
    let long = format!(r#"{{"verdict":"used","comment":"{}"}}"#, "x".repeat(2001));
    assert_eq!(post(&member, &path, &long).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(post(&member, "/lesson/none/feedback", body).await.status, StatusCode::NOT_FOUND);
    let about = r#"{"verdict":"used","comment":"Ask Dr Example or write to ann@example.org"}"#;
    let refused = post(&member, &path, about).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.json()["finds"][1]["text"], "ann@example.org", "{}", refused.text());
    let before = service.get(&format!("{lesson}.json"), "").await.json();
    let public = compare(&service, "rows=evidence-kind&columns=dimension").await;
    let kept = post(&member, &path, body).await;
    assert_eq!(kept.status, StatusCode::OK, "{}", kept.text());
    let id = kept.json()["id"].as_str().expect("an identifier").to_owned();
    let evidence = id.split("/id").nth(1).expect("an address").to_owned();
    // Nobody but curators sees it, anywhere.
    for caller in [service.clone(), member.clone()] {
        for path in [
            evidence.clone(),
            format!("{evidence}.ttl"),
            format!("/id{evidence}"),
            lesson.to_owned(),
            format!("{lesson}.json"),
            format!("{lesson}.ttl"),
            format!("{lesson}/history"),
            format!("{lesson}/graph"),
            "/search?q=xylophone".to_owned(),
            "/api/search?q=xylophone".to_owned(),
            "/api/suggest?q=xylo".to_owned(),
            "/evidence".to_owned(),
            "/compare?rows=evidence-kind&columns=organisation".to_owned(),
            "/api/compare?rows=evidence-kind&columns=dimension&count=records".to_owned(),
            "/changes".to_owned(),
            "/changes.atom".to_owned(),
            "/changes/ldes".to_owned(),
            "/export".to_owned(),
            "/sitemap.xml".to_owned(),
            "/.well-known/void".to_owned(),
            "/graphs".to_owned(),
        ] {
            let text = caller.get(&path, "").await.text();
            let own = path.contains(&evidence);
            let shown =
                text.contains("xylophone wards") || (!own && text.contains("/feedback-lesson"));
            assert!(!shown, "{path} shows it");
        }
        assert_eq!(caller.get(&evidence, "").await.status, StatusCode::NOT_FOUND);
        let query = "SELECT ?g { GRAPH ?g { ?s <http://purl.org/dc/terms/description> ?o FILTER(CONTAINS(?o, 'xylophone')) } }";
        assert!(caller.column(query).await.is_empty());
        let query = "SELECT ?s { { ?s ?p ?o } UNION { GRAPH ?g { ?s ?p ?o } } FILTER(CONTAINS(STR(?s), '/feedback-lesson')) }";
        assert!(caller.column(query).await.is_empty(), "that there is feedback is not told");
        let now = caller.get(&format!("{lesson}.json"), "").await.json();
        assert_eq!(now["computedStrength"], before["computedStrength"]);
    }
    let again = compare(&service, "rows=evidence-kind&columns=dimension").await;
    assert_eq!((&again["cells"], &again["common"]), (&public["cells"], &public["common"]));
    let curator = service.clone().with_role(Role::Curator);
    let page = curator.get(lesson, "text/html").await.text();
    assert!(page.contains("Feedback that waits for a curator"));
    let seen = curator.get(&format!("{lesson}.json"), "").await.json();
    assert_eq!(seen["computedStrength"], before["computedStrength"], "a draft does not count");
    // Once published it is evidence like any other, and speaks against the lesson.
    let published = post(&curator, &format!("{evidence}/publish"), "{}").await;
    assert_eq!(published.status, StatusCode::OK, "{}", published.text());
    let text = service.get(&evidence, "text/html").await.text();
    assert!(text.contains("xylophone wards") && text.contains("Unverified"));
    let after = service.get(&format!("{lesson}.json"), "").await.json();
    assert_eq!(after["computedStrength"]["disputes"], 1);
    let page = service.get(lesson, "text/html").await.text();
    assert!(page.contains("contradicted by") && page.contains(&evidence));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_feedback_form_is_checked_like_any_other() {
    let service = Service::seeded_alone();
    let (secret, _) = service.token("ann", Role::Member);
    let send = |path: &'static str, cookie: String, origin: &'static str, body: String| {
        let request = Request::post(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "text/html")
            .header("host", "here.example")
            .header("origin", origin)
            .header("cookie", cookie);
        service.send(request.body(Body::from(body)).expect("a request"))
    };
    let here = "http://here.example";
    let signed_in = send("/sign-in", String::new(), here, format!("token={secret}")).await;
    let cookie = signed_in.header("set-cookie").split(';').next().expect("a pair").to_owned();
    let path = "/lesson/lesson-insites-local-partners/feedback";
    let page = Request::get("/lesson/lesson-insites-local-partners")
        .header("cookie", &cookie)
        .header("accept", "text/html")
        .body(Body::empty())
        .expect("a request");
    let page = service.send(page).await.text();
    let form = page.split("Did it fit?").nth(1).expect("the form");
    let secret = form
        .split("name=\"form-secret\" value=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("the form's secret")
        .to_owned();
    let body = |secret: &str| format!("verdict=used&comment=&form-secret={secret}");
    let wrong = send(path, cookie.clone(), here, body("wrong")).await;
    assert_eq!(wrong.status, StatusCode::FORBIDDEN);
    let elsewhere = send(path, cookie.clone(), "http://elsewhere.example", body(&secret)).await;
    assert_eq!(elsewhere.status, StatusCode::FORBIDDEN);
    let kept = send(path, cookie, here, body(&secret)).await;
    assert_eq!(kept.status, StatusCode::SEE_OTHER, "{}", kept.text());
    assert!(
        kept.header("location").starts_with("/lesson/lesson-insites-local-partners?feedback=kept")
    );
}
