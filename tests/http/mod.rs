//! The routes, as a client sees them.

mod access;
mod capture;
mod compare;
mod interviews;
mod records;
mod search;
mod sheets;
mod sparql;
mod walk;
mod writes;

use crate::support::Service;
use axum::http::StatusCode;

#[tokio::test]
async fn operation_routes_answer() {
    let service = Service::seeded();
    assert_eq!(service.get("/healthz", "").await.text(), "ok\n");
    let ready = service.get("/readyz", "").await;
    assert_eq!(ready.status, StatusCode::OK);
    assert_eq!(ready.json()["ready"], true);
    assert!(ready.json()["documents"].as_u64() > Some(600), "{}", ready.text());
    let metrics = service.get("/metrics", "").await;
    assert!(metrics.text().contains("insites_quads "), "{}", metrics.text());
    assert!(metrics.text().contains("insites_http_request_duration_seconds_bucket"));
}

#[tokio::test]
async fn a_service_that_is_starting_says_so() {
    let config = insites::config::Config::new([], [], None).expect("usable settings");
    let state = insites::http::State::new(std::sync::Arc::new(config));
    state.tell("reading the ledger");
    let router = insites::http::router(state);
    for path in ["/readyz", "/sparql?query=ASK%7B%7D", "/lesson/x", "/api/search?q=x", "/"] {
        let request = axum::http::Request::get(path).body(axum::body::Body::empty());
        let response = tower::ServiceExt::oneshot(router.clone(), request.expect("a request"))
            .await
            .expect("infallible");
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(response.headers().contains_key("retry-after"), "{path}");
    }
}

#[tokio::test]
async fn every_answer_has_its_revision_and_its_protection() {
    let service = Service::seeded();
    for path in
        ["/", "/sparql", "/search?q=culture", "/api/queries", "/nowhere/at/all", "/ontology"]
    {
        let answer = service.get(path, "").await;
        assert_eq!(answer.header("insites-revision"), "1", "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
        assert!(answer.header("content-security-policy").contains("default-src 'none'"), "{path}");
        assert!(!answer.header("x-request-id").is_empty(), "{path}");
    }
}

#[tokio::test]
async fn pages_are_pages_and_problems_are_problems() {
    let service = Service::seeded();
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    for path in [
        "/",
        "/search?q=culture",
        "/lesson",
        "/case-study",
        "/organisation?page=2",
        "/sparql",
        "/queries",
        "/ontology",
        "/about",
        "/problem/busy",
    ] {
        let answer = service.get(path, browser).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
        assert!(answer.header("content-type").starts_with("text/html"), "{path}");
        assert_eq!(answer.text().matches("<h1").count(), 1, "{path}");
    }
    let page = service.get("/no/such", browser).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert!(page.text().contains("Nothing found here"));
    let problem = service.get("/no/such", "application/json").await;
    assert_eq!(problem.header("content-type"), "application/problem+json");
    assert_eq!(problem.problem(), "not-found");
    assert_eq!(problem.json()["instance"], "/no/such");
}

#[tokio::test]
async fn the_dataset_describes_itself() {
    let service = Service::seeded();
    let void = service.get("/.well-known/void", "text/turtle").await.text();
    assert!(void.contains("void:classPartition") && void.contains("insites:Lesson"), "{void}");
    let map = service.get("/sitemap.xml", "").await.text();
    assert!(map.contains("/lesson/lesson-insites-local-partners</loc>"), "no lesson");
    let ontology = service.get("/ontology", "text/turtle").await.text();
    assert!(
        ontology.contains("insites:Lesson a owl:Class"),
        "{}",
        &ontology[..2000.min(ontology.len())]
    );
}

#[tokio::test]
async fn the_feed_tells_the_changes() {
    let answer = Service::seeded().get("/changes", "").await;
    let changes = answer.json();
    assert_eq!(changes["changes"][0]["revision"], 1);
    assert_eq!(changes["changes"][0]["author"], "system");
    assert!(changes["changes"][0]["added"].as_u64() > Some(16_000));
    assert!(changes["next"].is_null());
}

#[tokio::test]
async fn an_export_gives_every_quad() {
    let service = Service::seeded();
    let answer = service.get("/export", "").await;
    let count = service.app.reader.snapshot().graph.len();
    assert!(answer.complete);
    assert_eq!(answer.text().lines().count(), count);
}

#[tokio::test]
async fn other_methods_and_preflights_are_answered() {
    let service = Service::seeded();
    let send = |method: &str, path: &str| {
        let request = axum::http::Request::builder().method(method).uri(path);
        service.send(request.body(axum::body::Body::empty()).expect("a request"))
    };
    let refused = send("DELETE", "/api/search").await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed")
    );
    let preflight = send("OPTIONS", "/sparql").await;
    assert_eq!(preflight.status, StatusCode::NO_CONTENT);
    assert!(preflight.header("access-control-allow-methods").contains("POST"));
}
