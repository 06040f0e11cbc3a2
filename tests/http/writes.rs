//! Changing data: updates, graphs, shapes, undoing, the past.

use crate::support::{Answer, Service};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use insites::access::Role;

const LESSON: &str = "https://w3id.org/insites/id/lesson/test-lesson";

async fn update(service: &Service, text: &str) -> Answer {
    let request = Request::post("/update").header("content-type", "application/sparql-update");
    service.send(request.body(Body::from(text.to_owned())).expect("a request")).await
}

async fn send(service: &Service, method: &str, path: &str, body: &str) -> Answer {
    let request = Request::builder().method(method).uri(path).header(
        "content-type",
        if body.starts_with('{') { "application/json" } else { "text/turtle" },
    );
    service.send(request.body(Body::from(body.to_owned())).expect("a request")).await
}

fn lesson(slug: &str, title: &str) -> String {
    format!(
        "PREFIX insites: <https://w3id.org/insites/ontology#> PREFIX dct: <http://purl.org/dc/terms/>
         INSERT DATA {{ GRAPH <https://w3id.org/insites/graph/records> {{
           <https://w3id.org/insites/id/lesson/{slug}> a insites:Lesson ; dct:title \"{title}\"@en ;
             dct:description \"What was learnt.\"@en ; insites:status insites:Illustrative . }} }}"
    )
}

fn own() -> Service {
    Service::seeded_alone().with_role(Role::Curator)
}

#[tokio::test]
async fn an_update_is_seen_by_sparql_and_search_at_once() {
    let service = own();
    let before = service.app.reader.snapshot().revision;
    let answer = update(&service, &lesson("test-lesson", "Quokkas help")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(answer.json()["revision"], before + 1);
    assert_eq!(answer.json()["added"], 4);
    assert_eq!(answer.header("insites-revision"), (before + 1).to_string());
    let titles = service
        .column(&format!("SELECT ?t {{ <{LESSON}> <http://purl.org/dc/terms/title> ?t }}"))
        .await;
    assert_eq!(titles, ["Quokkas help"]);
    let found = service.get("/api/search?q=quokkas", "").await.json();
    assert_eq!((&found["total"], &found["revision"]), (&1.into(), &(before + 1).into()));
    let page = service.get("/lesson/test-lesson", "text/html").await;
    assert_eq!(page.status, StatusCode::OK);
    // Deleting everything in one WHERE is one change.
    let answer =
        update(&service, &format!("DELETE WHERE {{ GRAPH ?g {{ <{LESSON}> ?p ?o }} }}")).await;
    assert_eq!(answer.json()["removed"], 4, "{}", answer.text());
    assert_eq!(service.get("/api/search?q=quokkas", "").await.json()["total"], 0);
}

#[tokio::test]
async fn operations_of_one_update_see_each_other_and_fail_together() {
    let service = own();
    let text = "INSERT DATA { <http://x/a> <http://x/p> 1 } ;
                INSERT { ?s <http://x/q> 2 } WHERE { ?s <http://x/p> 1 } ;
                DELETE { ?s <http://x/p> 1 } WHERE { ?s <http://x/q> 2 }";
    let answer = update(&service, text).await;
    assert_eq!((&answer.json()["added"], &answer.json()["removed"]), (&1.into(), &0.into()));
    let revision = service.app.reader.snapshot().revision;
    let answer = update(
        &service,
        "INSERT DATA { <http://x/b> <http://x/p> 1 } ; DROP GRAPH <http://x/none>",
    )
    .await;
    assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (400, "invalid-parameter"));
    assert_eq!(service.app.reader.snapshot().revision, revision);
    assert!(service.column("SELECT ?o { <http://x/b> ?p ?o }").await.is_empty());
}

#[tokio::test]
async fn an_update_whose_where_runs_away_ends_and_changes_nothing() {
    let service = own();
    let request = Request::post("/update?timeout=0.3")
        .header("content-type", "application/sparql-update")
        .body(Body::from("INSERT { ?a ?e ?i } WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"))
        .expect("a request");
    let revision = service.app.reader.snapshot().revision;
    let answer = service.send(request).await;
    assert!(["query-timeout", "query-memory"].contains(&answer.problem().as_str()));
    assert_eq!(service.app.reader.snapshot().revision, revision);
    for (text, problem) in [
        ("LOAD <http://169.254.169.254/>", "forbidden"),
        ("INSERT { ?s ?p ?o } WHERE { SERVICE <http://x/> { ?s ?p ?o } }", "forbidden"),
        ("INSERT DATA {", "query-syntax"),
        ("SELECT * { ?s ?p ?o }", "query-syntax"),
    ] {
        assert_eq!(update(&service, text).await.problem(), problem, "{text}");
    }
}

#[tokio::test]
async fn what_breaks_the_shapes_is_refused_with_a_report() {
    let service = own();
    let text = "PREFIX insites: <https://w3id.org/insites/ontology#>
        INSERT DATA { <https://w3id.org/insites/id/lesson/bare> a insites:Lesson }";
    let revision = service.app.reader.snapshot().revision;
    let answer = update(&service, text).await;
    assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (422, "shapes-violated"));
    let violations = answer.json()["violations"].as_array().expect("a list").clone();
    let title = violations
        .iter()
        .find(|v| v["path"] == "http://purl.org/dc/terms/title")
        .expect("the title is missing");
    assert_eq!(title["focusNode"], "https://w3id.org/insites/id/lesson/bare");
    assert_eq!(title["severity"], "Violation");
    assert_eq!(title["message"], "needs at least 1 value of title");
    assert!(title["shape"].is_string());
    assert_eq!(service.app.reader.snapshot().revision, revision);
    let request = Request::post("/update")
        .header("content-type", "application/sparql-update")
        .header("accept", "text/turtle")
        .body(Body::from(text))
        .expect("a request");
    let report = service.send(request).await;
    assert_eq!(report.header("content-type").split(';').next(), Some("text/turtle"));
    assert!(report.text().contains("ValidationReport"), "{}", report.text());
    // Taking away what another record needs is refused as well.
    let text = "DELETE WHERE { GRAPH ?g {
        <https://w3id.org/insites/id/organisation/nhs-england> a ?class } }";
    assert_eq!(update(&service, text).await.problem(), "shapes-violated");
}

#[tokio::test]
async fn graphs_are_made_replaced_guarded_and_removed() {
    let service = own();
    let path = "/graphs?graph=http%3A%2F%2Fx%2Fg";
    assert_eq!(service.get(path, "text/turtle").await.status, StatusCode::NOT_FOUND);
    let made = send(&service, "PUT", path, "<http://x/s> <http://x/p> 1 , 2 .").await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let read = service.get(path, "text/turtle").await;
    let tag = read.header("etag").to_owned();
    assert!(!tag.is_empty() && read.text().contains("http://x/p"));
    let guarded = |tag: &str, body: &'static str| {
        let request =
            Request::put(path).header("content-type", "text/turtle").header("if-match", tag);
        service.send(request.body(Body::from(body)).expect("a request"))
    };
    assert_eq!(guarded("\"other\"", "").await.problem(), "precondition-failed");
    let replaced = guarded(&tag, "<http://x/s> <http://x/p> 3 .").await;
    assert_eq!((&replaced.json()["removed"], &replaced.json()["added"]), (&2.into(), &1.into()));
    assert_eq!(guarded(&tag, "").await.problem(), "precondition-failed", "it changed meanwhile");
    let merged = send(&service, "POST", path, "<http://x/s> <http://x/p> 4 .").await;
    assert_eq!(merged.json()["added"], 1);
    let broken = send(&service, "POST", path, "<http://x/s> <http://x/p> .\n").await;
    assert_eq!(
        (broken.problem().as_str(), &broken.json()["line"]),
        ("invalid-parameter", &1.into())
    );
    assert_eq!(send(&service, "DELETE", path, "").await.status, StatusCode::OK);
    assert_eq!(send(&service, "DELETE", path, "").await.status, StatusCode::NOT_FOUND);
    let here = send(&service, "PUT", "/graph/notes", "<http://x/s> <http://x/p> 5 .").await;
    assert_eq!(here.header("location"), "/graph/notes");
    let columns = service
        .column("SELECT ?o { GRAPH <https://w3id.org/insites/graph/notes> { ?s ?p ?o } }")
        .await;
    assert_eq!(columns, ["5"]);
}

#[tokio::test]
async fn a_change_is_undone_told_and_seen_as_of_before() {
    let service = own();
    update(&service, &lesson("test-lesson", "First title")).await;
    let first = service.app.reader.snapshot().revision;
    let rename = format!(
        "PREFIX dct: <http://purl.org/dc/terms/>
         DELETE {{ GRAPH ?g {{ <{LESSON}> dct:title ?t }} }}
         INSERT {{ GRAPH ?g {{ <{LESSON}> dct:title \"Second title\"@en }} }}
         WHERE {{ GRAPH ?g {{ <{LESSON}> dct:title ?t }} }}"
    );
    assert_eq!(update(&service, &rename).await.json()["revision"], first + 1);
    let title = format!("SELECT ?t {{ <{LESSON}> <http://purl.org/dc/terms/title> ?t }}");
    let as_of = |revision: u64| {
        let path = format!("/sparql?revision={revision}");
        let request = Request::post(path)
            .header("content-type", "application/sparql-query")
            .header("accept", "text/csv");
        service.send(request.body(Body::from(title.clone())).expect("a request"))
    };
    let then = as_of(first).await;
    assert_eq!(then.text(), "t\r\nFirst title\r\n");
    assert_eq!(then.header("insites-revision"), first.to_string());
    assert_eq!(as_of(first - 1).await.text(), "t\r\n");
    assert_eq!(as_of(first + 9).await.status, StatusCode::NOT_FOUND);
    let page = service.get(&format!("/lesson/test-lesson?revision={first}"), "text/html").await;
    assert!(page.text().contains("First title") && !page.header("memento-datetime").is_empty());
    let history = service.get("/lesson/test-lesson/history", "application/json").await.json();
    let changes = history["changes"].as_array().expect("a list");
    assert_eq!(changes.len(), 2);
    assert_eq!(changes[0]["revision"], first + 1);
    assert!(changes[0]["removed"][0].as_str().expect("a quad").contains("First title"));
    let page = service.get("/lesson/test-lesson/history", "text/html").await;
    assert!(page.text().contains("Second title") && page.text().contains("First title"));
    let map = service.get("/lesson/test-lesson/timemap", "").await;
    assert_eq!(map.header("content-type"), "application/link-format");
    assert!(map.text().contains(&format!("?revision={first}>; rel=\"first memento\"")));
    let gate = Request::get("/lesson/test-lesson")
        .header("accept-datetime", "Thu, 01 Jan 2099 00:00:00 GMT");
    let gate = service.send(gate.body(Body::empty()).expect("a request")).await;
    assert_eq!(gate.status, StatusCode::FOUND);
    assert_eq!(gate.header("location"), format!("/lesson/test-lesson?revision={}", first + 1));
    let undone = send(&service, "POST", &format!("/changes/{}/revert", first + 1), "{}").await;
    assert_eq!(undone.json()["revision"], first + 2, "{}", undone.text());
    assert_eq!(undone.json()["superseded"], 0);
    assert_eq!(service.column(&title).await, ["First title"]);
    // Undoing it again finds nothing left to undo, and says so.
    let again = send(&service, "POST", &format!("/changes/{}/revert", first + 1), "{}").await;
    let again = again.json();
    assert_eq!((&again["superseded"], &again["revision"]), (&2.into(), &(first + 2).into()));
    // The other ways to read the past.
    let graph = "/graphs?graph=https://w3id.org/insites/graph/records";
    let escaped = percent_encoding::utf8_percent_encode(&title, percent_encoding::NON_ALPHANUMERIC);
    let query = format!("/sparql?query={escaped}");
    for (path, accept) in [
        (format!("{graph}&revision={}", first + 1), "text/turtle"),
        (format!("/export?revision={}", first + 1), ""),
        (format!("{query}&revision={}", first + 1), "text/html"),
    ] {
        let then = service.get(&path, accept).await;
        assert_eq!(then.header("insites-revision"), (first + 1).to_string(), "{path}");
        let text = then.text();
        assert!(text.contains("Second title") && !text.contains("First title"), "{path}");
    }
    let saved = "/api/queries/records-by-status";
    let rows = |answer: Answer| answer.json()["results"]["bindings"].as_array().map(Vec::len);
    let now = rows(service.get(saved, "").await);
    let before = rows(service.get(&format!("{saved}?revision={}", first - 1), "").await);
    assert!(now.is_some() && before.is_some(), "{now:?} {before:?}");
    let feed = service.get(&format!("/changes?since={first}"), "").await.json();
    let feed = feed["changes"].as_array().expect("a list");
    assert_eq!(feed.len(), 2);
    assert_eq!(feed[0]["subjects"][0], LESSON);
    let atom = service.get("/changes.atom", "").await;
    assert!(atom.text().contains(&format!("Undo change {}", first + 1)));
    let one = service.get(&format!("/changes/{first}"), "").await.json();
    assert_eq!(one["addedQuads"].as_array().map(Vec::len), Some(4));
    let page = service.get("/changes/ldes?page=1", "").await;
    assert!(page.text().contains("ldes:EventStream"));
    assert_eq!(page.header("cache-control"), "private, no-cache");
    let page = service.anonymous().get("/changes/ldes?page=1", "").await;
    assert_eq!(page.header("cache-control"), "no-cache");
}

#[tokio::test]
async fn a_withdrawn_record_leaves_a_tombstone_and_its_slug_is_never_used_again() {
    let service = own();
    update(&service, &lesson("test-lesson", "Wrong after all")).await;
    let act = |path: &'static str, body: &'static str| send(&service, "POST", path, body);
    let bare = act("/lesson/test-lesson/withdraw", "{}").await;
    assert_eq!(bare.problem(), "invalid-parameter");
    let done = act(
        "/lesson/test-lesson/withdraw",
        r#"{"reason": "the figures were wrong", "replacement": "lesson/lesson-insites-local-partners"}"#,
    )
    .await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text());
    let page = service.get("/lesson/test-lesson", "text/html").await;
    assert_eq!(page.status, StatusCode::GONE);
    assert!(
        page.text().contains("the figures were wrong") && page.text().contains("Wrong after all")
    );
    let data = service.get("/lesson/test-lesson.ttl", "").await;
    assert_eq!(data.status, StatusCode::GONE);
    assert!(data.text().contains("isReplacedBy") || data.text().contains("insites:Withdrawn"));
    let identifier = service.get("/id/lesson/test-lesson", "text/turtle").await;
    assert_eq!(identifier.status, StatusCode::SEE_OTHER);
    assert_eq!(service.get("/api/search?q=%22wrong+after+all%22", "").await.json()["total"], 0);
    let again = update(&service, &lesson("test-lesson", "Something else")).await;
    assert_eq!(again.problem(), "shapes-violated", "{}", again.text());
    assert!(!service.get("/sitemap.xml", "").await.text().contains("/lesson/test-lesson<"));
}

#[tokio::test]
async fn a_merged_record_leads_to_the_survivor_for_ever() {
    let service = own();
    for (slug, title) in [("one", "One"), ("two", "Two"), ("three", "Three")] {
        update(&service, &lesson(slug, title)).await;
    }
    update(
        &service,
        "INSERT DATA { <http://x/s> <http://x/cites> <https://w3id.org/insites/id/lesson/one> }",
    )
    .await;
    for (from, into) in [("one", "two"), ("two", "three")] {
        let body = format!("{{\"into\": \"lesson/{into}\", \"reason\": \"the same\"}}");
        let done = send(&service, "POST", &format!("/lesson/{from}/merge"), &body).await;
        assert_eq!(done.status, StatusCode::OK, "{}", done.text());
    }
    for (path, wanted) in [
        ("/id/lesson/one", "/id/lesson/three"),
        ("/lesson/one", "/lesson/three"),
        ("/lesson/one.ttl", "/lesson/three.ttl"),
        ("/lesson/two", "/lesson/three"),
    ] {
        let answer = service.get(path, "").await;
        assert_eq!(answer.status, StatusCode::MOVED_PERMANENTLY, "{path}");
        assert_eq!(answer.header("location"), wanted, "{path}");
    }
    let cited = service.column("SELECT ?o { <http://x/s> <http://x/cites> ?o }").await;
    assert_eq!(cited, ["https://w3id.org/insites/id/lesson/three"]);
}

#[tokio::test]
async fn a_draft_is_submitted_returned_and_published() {
    let service = own();
    let draft = "@prefix insites: <https://w3id.org/insites/ontology#> .
        @prefix dct: <http://purl.org/dc/terms/> .
        <https://w3id.org/insites/id/lesson/a-draft> a insites:Lesson ; dct:title \"A draft of wombats\"@en ;
          dct:description \"Not yet.\"@en ; insites:status insites:Illustrative .";
    let made =
        send(&service, "PUT", "/graph/draft/lesson/a-draft?visibility=curators", draft).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let public = service.clone().anonymous();
    let act = |action: &'static str| {
        let body = r#"{"comment": "please look"}"#;
        let path = format!("/lesson/a-draft/{action}");
        let service = service.clone();
        async move { send(&service, "POST", &path, body).await.status.as_u16() }
    };
    assert_eq!(act("return").await, 400, "a draft that was not submitted");
    assert_eq!(act("submit").await, 200);
    assert_eq!(act("submit").await, 400, "it is in review already");
    assert_eq!(act("return").await, 200);
    assert_eq!(public.get("/lesson/a-draft", "").await.status, StatusCode::NOT_FOUND);
    assert_eq!(public.get("/api/search?q=wombats", "").await.json()["total"], 0);
    assert_eq!(service.get("/api/search?q=wombats", "").await.json()["total"], 1);
    assert_eq!(act("publish").await, 200);
    assert_eq!(public.get("/lesson/a-draft", "").await.status, StatusCode::OK);
    assert_eq!(public.get("/api/search?q=wombats", "").await.json()["total"], 1);
}

/// RDF 1.2: triple terms, reifiers and base directions, from each door in and
/// to each format that has them.
#[tokio::test]
async fn triple_terms_and_directions_go_in_and_come_out() {
    let service = own();
    let graph = "http://x/claims";
    let turtle = "PREFIX : <http://x/>
        :site :partner :clinic {| :saidBy _:who |} .
        _:who :name \"\\u0645\\u0631\\u062d\\u0628\\u0627\"@ar--rtl .
        :a :b <<( :c :d <<( _:who :e :f )>> )>> .";
    let path = format!("/graphs?graph={graph}");
    let answer = send(&service, "PUT", &path, turtle).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    let reified = format!(
        "PREFIX : <http://x/> SELECT ?n {{ GRAPH <{graph}> {{
           << :site :partner :clinic >> :saidBy ?w . ?w :name ?n
           FILTER(LANGDIR(?n) = 'rtl') }} }}"
    );
    assert_eq!(service.column(&reified).await, ["\u{645}\u{631}\u{62d}\u{628}\u{627}"]);
    // The node within the term is the node beside it.
    let nested = format!(
        "PREFIX : <http://x/> SELECT ?o {{ GRAPH <{graph}> {{
           :a :b <<( :c :d <<( ?w :e ?o )>> )>> . ?w :name ?n }} }}"
    );
    assert_eq!(service.column(&nested).await, ["http://x/f"]);
    // An update names the same term again, and takes it away.
    let data = "<http://x/s> <http://x/p> <<( <http://x/s> <http://x/q> \"v\" )>>";
    for (verb, count) in [("INSERT", "1"), ("DELETE", "0")] {
        let answer =
            update(&service, &format!("{verb} DATA {{ GRAPH <{graph}> {{ {data} }} }}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let asked = format!("SELECT (COUNT(*) AS ?n) {{ GRAPH <{graph}> {{ {data} }} }}");
        assert_eq!(service.column(&asked).await, [count]);
    }
    // Each format that can say it gives back what it was given.
    let mut sizes = Vec::new();
    for format in ["text/turtle", "application/n-triples", "application/rdf+xml"] {
        let written = service.get(&path, format).await;
        let copy = Request::put(format!("/graphs?graph=http://x/copy-{}", sizes.len()))
            .header("content-type", format)
            .body(Body::from(written.body.clone()))
            .expect("a request");
        let answer = service.send(copy).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{format}: {}", written.text());
        sizes.push(answer.json()["added"].clone());
    }
    assert_eq!(sizes, [5, 5, 5]);
    // One that cannot says so.
    for path in [path.as_str(), "/export?format=jsonld"] {
        let refused = service.get(path, "application/ld+json").await;
        assert_eq!(refused.problem(), "not-acceptable", "{path}");
    }
    let construct = "CONSTRUCT WHERE { ?s <http://x/b> ?o }";
    let refused = service.query(construct, "application/ld+json").await;
    assert_eq!(refused.problem(), "not-acceptable");
    let all = format!("SELECT ?o {{ GRAPH <{graph}> {{ <http://x/a> ?p ?o }} }}");
    let json = service.query(&all, "application/sparql-results+json").await.json();
    assert_eq!(json["results"]["bindings"][0]["o"]["type"], "triple");
    for (format, part) in [
        ("application/sparql-results+xml", "<triple>"),
        ("text/tab-separated-values", "<<( <http://x/c> <http://x/d> <<( _:"),
    ] {
        let answer = service.query(&all, format).await;
        assert!(answer.complete && answer.text().contains(part), "{format}: {}", answer.text());
    }
}

#[tokio::test]
async fn triple_terms_nested_without_end_are_refused() {
    let service = own();
    let nested =
        format!("<http://x/s> <http://x/p> {}", "<<( <http://x/a> <http://x/b> ".repeat(50_000));
    let closed = format!("{nested} 1 {} .", ")>>".repeat(50_000));
    let element =
        "<rdf:Description rdf:about='http://x/s'><p rdf:parseType='Triple' xmlns='http://x/'>";
    let xml = format!(
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' rdf:version='1.2'>{}
         <rdf:Description rdf:about='http://x/s'><p xmlns='http://x/'>v</p></rdf:Description>{}</rdf:RDF>",
        element.repeat(200),
        "</p></rdf:Description>".repeat(200)
    );
    for (media_type, text) in
        [("text/turtle", nested), ("text/turtle", closed), ("application/rdf+xml", xml)]
    {
        let request =
            Request::put("/graphs?graph=http://x/deep").header("content-type", media_type);
        let answer = service.send(request.body(Body::from(text)).expect("a request")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
        assert!(answer.text().contains("100 deep"), "{}", answer.text());
    }
    // One operation nests once more what the one before it left.
    let step = "DELETE { <http://x/s> <http://x/p> ?o } INSERT { <http://x/s> <http://x/p> ?t }
        WHERE { <http://x/s> <http://x/p> ?o BIND(TRIPLE(<http://x/a>, <http://x/b>, ?o) AS ?t) }";
    update(&service, "INSERT DATA { <http://x/s> <http://x/p> 1 }").await;
    let steps = [step; 40].join(";");
    for round in 1.. {
        let answer = update(&service, &steps).await;
        if answer.status == StatusCode::OK {
            assert!(round * 40 <= 100, "no end to it");
            continue;
        }
        assert_eq!(answer.problem(), "query-too-complex");
        break;
    }
    let all = service.query("SELECT ?o { <http://x/s> ?p ?o }", "text/tab-separated-values").await;
    assert_eq!(all.text().matches("<<(").count(), 80);
}
