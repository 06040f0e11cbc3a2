//! The saved queries and the checks: all run, all say something.

use crate::support::Service;
use axum::http::StatusCode;
use insites::check::built_in;
use oxigraph::io::{RdfFormat, RdfParser};
use std::path::Path;

#[tokio::test]
async fn every_saved_query_returns_rows_on_the_seed() {
    let service = Service::seeded();
    let list = service.get("/api/queries", "").await.json();
    let list = list.as_array().expect("a list");
    assert!(list.len() >= 25, "{} saved queries", list.len());
    let mut wrong = Vec::new();
    for query in list {
        for member in ["name", "title", "says", "gives", "takes", "url"] {
            assert!(!query[member].is_null(), "{member} of {query}");
        }
        let mut url = query["url"].as_str().expect("an address").to_owned();
        let mut separator = '?';
        for parameter in query["takes"].as_array().expect("a list") {
            if parameter["default"].is_null() && !parameter["example"].is_null() {
                let value = parameter["example"].as_str().expect("text");
                let value = percent_encoding::utf8_percent_encode(
                    value,
                    percent_encoding::NON_ALPHANUMERIC,
                );
                url.push_str(&format!(
                    "{separator}{}={value}",
                    parameter["name"].as_str().expect("text")
                ));
                separator = '&';
            }
        }
        let answer = service.get(&url, "application/sparql-results+json").await;
        if answer.status != StatusCode::OK {
            // CONSTRUCT and DESCRIBE give graphs.
            let graph = service.get(&url, "application/n-triples").await;
            if graph.status != StatusCode::OK || graph.body.is_empty() {
                wrong.push(format!("{url}: {} {}", answer.status, answer.text()));
            }
            continue;
        }
        let json = answer.json();
        let rows = json["results"]["bindings"].as_array().map_or(0, Vec::len);
        if rows == 0 && json["boolean"].is_null() {
            wrong.push(format!("{url}: no rows"));
        }
        let page = service.get(&url.replacen("/api", "", 1), "text/html").await;
        if page.status != StatusCode::OK || page.text().contains("role=\"alert\"") {
            wrong.push(format!("{url}: its page fails"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn saved_queries_know_their_parameters() {
    let service = Service::seeded();
    let unknown = service.get("/api/queries/no-such-query", "").await;
    assert_eq!(unknown.problem(), "not-found");
    let list = service.get("/api/queries", "").await.json();
    let name = list[0]["name"].as_str().expect("text").to_owned();
    let wrong = service.get(&format!("/api/queries/{name}?colour=red"), "").await;
    assert_eq!(wrong.problem(), "invalid-parameter");
    let csv = service.get(&format!("/api/queries/{name}?format=csv"), "").await;
    assert!(csv.header("content-type").starts_with("text/csv"));
}

#[test]
fn the_checks_find_nothing_on_the_seed() {
    let graph = Service::seeded().app.reader.snapshot().graph.clone();
    let findings = insites::check::queries(&graph).expect("checks that run");
    let violations: Vec<_> = findings.iter().filter(|f| f.violation).collect();
    assert!(violations.is_empty(), "{violations:#?}");
}

/// A check that cannot fire is no check: each has data that breaks it.
#[test]
fn every_check_fires_on_data_that_breaks_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("queries/checks/broken");
    let mut wrong = Vec::new();
    let checks = built_in().expect("readable checks");
    assert!(checks.len() >= 15, "{} checks", checks.len());
    let ontology = Service::seeded().app.reader.snapshot();
    let own = insites::rdf::Names::default().graph("ontology");
    let base: Vec<_> =
        ontology.graph.iter().filter(|quad| quad.graph_name == own.clone().into()).collect();
    for check in checks {
        let path = folder.join(format!("{}.trig", check.name));
        let Ok(text) = std::fs::read(&path) else {
            wrong.push(format!("{}: no {}", check.name, path.display()));
            continue;
        };
        let mut quads = base.clone();
        for quad in RdfParser::from_format(RdfFormat::TriG).for_slice(&text) {
            quads.push(quad.expect("valid TriG"));
        }
        let broken = Service::with(&quads, &[]);
        let graph = broken.app.reader.snapshot().graph.clone();
        let findings = insites::check::queries(&graph).expect("checks that run");
        if !findings.iter().any(|f| f.check == check.name) {
            wrong.push(format!("{} does not fire", check.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
