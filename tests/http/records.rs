//! Identifiers, pages and data of records.

use crate::support::Service;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use insites::access::Role;

const LESSON: &str = "/lesson/lesson-insites-local-partners";

#[tokio::test]
async fn identifiers_redirect_by_accept() {
    let service = Service::seeded();
    for (accept, ending) in [
        ("", ""),
        ("*/*", ""),
        ("text/*", ""),
        ("text/html,application/xhtml+xml,*/*;q=0.8", ""),
        ("text/turtle", ".ttl"),
        ("application/json", ".json"),
        ("application/ld+json", ".jsonld"),
        ("application/n-triples", ".nt"),
        ("application/rdf+xml, text/rdf;q=0.6", ".rdf"),
        ("text/turtle;q=0.9, application/n-triples;q=0.8, text/html;q=0.2", ".ttl"),
    ] {
        let answer = service.get(&format!("/id{LESSON}"), accept).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{accept}");
        assert_eq!(answer.header("location"), format!("{LESSON}{ending}"), "{accept}");
        assert!(answer.header("vary").contains("Accept"), "{accept}");
        assert!(answer.header("link").contains("rel=\"cite-as\""), "{accept}");
    }
    let unfit = service.get(&format!("/id{LESSON}"), "image/png").await;
    assert_eq!(
        (unfit.status, unfit.problem().as_str()),
        (StatusCode::NOT_ACCEPTABLE, "not-acceptable")
    );
    assert_eq!(unfit.json()["variants"].as_array().map(Vec::len), Some(6));
}

#[tokio::test]
async fn every_format_has_a_strong_validator_and_equal_head() {
    let service = Service::seeded();
    let mut tags = Vec::new();
    for (ending, media_type) in [
        ("", "text/html; charset=utf-8"),
        (".ttl", "text/turtle"),
        (".jsonld", "application/ld+json"),
        (".nt", "application/n-triples"),
        (".rdf", "application/rdf+xml"),
        (".json", "application/json"),
    ] {
        let path = format!("{LESSON}{ending}");
        let answer = service.get(&path, "").await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert_eq!(answer.header("content-type"), media_type);
        let tag = answer.header("etag").to_owned();
        assert!(tag.starts_with('"') && tag.len() > 20, "{tag}");
        let again = service.get(&path, "").await;
        assert_eq!(again.header("etag"), tag, "{path}: the same bytes each time");
        let conditional = Request::get(&path).header("if-none-match", format!("W/\"x\", {tag}"));
        let unchanged = service.send(conditional.body(Body::empty()).expect("a request")).await;
        assert_eq!(unchanged.status, StatusCode::NOT_MODIFIED, "{path}");
        assert_eq!(unchanged.header("etag"), tag);
        assert!(unchanged.body.is_empty());
        let head = service.send(Request::head(&path).body(Body::empty()).expect("a request")).await;
        assert_eq!((head.status, head.header("etag")), (StatusCode::OK, tag.as_str()));
        assert!(head.body.is_empty());
        tags.push(tag);
    }
    tags.sort_unstable();
    tags.dedup();
    assert_eq!(tags.len(), 6, "each representation has its own");
}

#[tokio::test]
async fn a_compressed_body_has_a_tag_of_its_own() {
    let service = Service::seeded();
    let plain = service.get(LESSON, "").await;
    let request = || Request::get(LESSON).header("accept-encoding", "gzip");
    let gzip = service.send(request().body(Body::empty()).expect("a request")).await;
    assert_eq!(gzip.header("content-encoding"), "gzip");
    assert_ne!(gzip.header("etag"), plain.header("etag"));
    let conditional = request().header("if-none-match", gzip.header("etag"));
    let unchanged = service.send(conditional.body(Body::empty()).expect("a request")).await;
    assert_eq!(unchanged.status, StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn records_that_are_not_there_are_not_found_on_every_address() {
    let service = Service::seeded();
    for path in [
        "/id/lesson/none",
        "/lesson/none",
        "/lesson/none.ttl",
        "/id/Lesson/x",
        "/lesson/..%2f..%2fetc",
        "/id/lesson/a%00b",
        "/lesson/%ff",
        "/lesson/lesson-insites-local-partners.exe",
        "/site/none",
    ] {
        let answer = service.get(path, "application/json").await;
        assert!(
            matches!(answer.status, StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST),
            "{path}: {}",
            answer.status
        );
        assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
    }
}

#[tokio::test]
async fn roles_lead_to_the_organisation() {
    let service = Service::seeded();
    for role in ["site", "partner"] {
        let answer = service.get(&format!("/{role}/mid-and-south-essex-nhs-ft.ttl"), "").await;
        assert_eq!(answer.status, StatusCode::MOVED_PERMANENTLY);
        assert_eq!(answer.header("location"), "/organisation/mid-and-south-essex-nhs-ft.ttl");
    }
}

#[tokio::test]
async fn a_page_shows_facts_sources_links_and_status() {
    let service = Service::seeded();
    let page = service.get("/case-study/deep-medical-mse", "").await.text();
    for part in [
        "Sourced",
        "The problem",
        "What came of it",
        "Everything recorded",
        "Sources",
        "Cite it",
        "Permanent address",
        "application/ld+json",
    ] {
        assert!(page.contains(part), "no {part}");
    }
    let column = service
        .column(
            "PREFIX insites: <https://w3id.org/insites/ontology#>
             SELECT ?c { ?c a insites:CaseStudy ; insites:status insites:Illustrative } LIMIT 1",
        )
        .await;
    let path = column[0].replace("https://w3id.org/insites/id", "");
    let page = service.get(&path, "text/html").await.text();
    assert!(page.contains("Illustrative record."), "{page}");
}

#[tokio::test]
async fn compact_json_needs_no_rdf() {
    let json = Service::seeded().get("/lesson/lesson-insites-local-partners.json", "").await.json();
    assert_eq!(json["status"], "Sourced");
    assert_eq!(json["title"], "Work with many local partners to mobilise resources");
    assert_eq!(json["types"][0], "insites:Lesson");
    assert_eq!(json["properties"]["dct:subject"][0]["url"], "/theme/local-partners");
}

/// Answers are kept for a revision: never beyond it, and never for others.
#[tokio::test]
async fn a_kept_page_is_of_its_revision_and_for_the_public() {
    let service = Service::seeded_alone().with_role(Role::Curator);
    let public = service.clone().anonymous();
    let page = LESSON;
    let first = public.get(page, "text/html").await;
    let again = public.get(page, "text/html").await;
    assert_eq!((first.status, &first.body), (StatusCode::OK, &again.body));
    assert_eq!(first.header("etag"), again.header("etag"));
    assert_ne!(first.header("x-request-id"), again.header("x-request-id"));
    // What only curators see is in nobody else's page, whoever asks first.
    let note = format!("<https://w3id.org/insites/id{page}> <http://x/note> 'Not for all' .");
    let secret = Request::put("/graphs?graph=http://x/secret&visibility=curators")
        .header("content-type", "text/turtle")
        .body(Body::from(note))
        .expect("a request");
    assert_eq!(service.send(secret).await.status, StatusCode::CREATED);
    for _ in 0..2 {
        assert!(service.get(page, "text/html").await.text().contains("Not for all"));
        assert!(!public.get(page, "text/html").await.text().contains("Not for all"));
    }
    let data = public.get("/lesson/lesson-insites-local-partners.ttl", "").await;
    assert_eq!(data.header("content-type"), "text/turtle");
    let change = "INSERT DATA { GRAPH <https://w3id.org/insites/graph/records> {
        <https://w3id.org/insites/id/lesson/lesson-insites-local-partners>
        <http://www.w3.org/2004/02/skos/core#note> \"Kept no longer\" } }";
    let request = Request::post("/update").header("content-type", "application/sparql-update");
    let changed = service.send(request.body(Body::from(change)).expect("a request")).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
    let after = public.get(page, "text/html").await;
    assert!(after.text().contains("Kept no longer"));
    assert_eq!(after.header("insites-revision"), changed.header("insites-revision"));
}
