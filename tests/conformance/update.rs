//! SPARQL 1.1 Update evaluation and syntax, over `/update`.

use super::{Case, Manifest, Outcomes, Suite, cut, mf};
use crate::support::Service;
use axum::body::Body;
use axum::http::Request;
use oxigraph::model::dataset::{CanonicalizationAlgorithm, Dataset};
use oxigraph::model::{NamedNode, Quad};
use std::collections::BTreeSet;

/// Tests we do not pass, with the reason.
const EXCEPTIONS: &[(&str, &str)] = &[];

const UT: &str = "http://www.w3.org/2009/sparql/tests/test-update#";
const FOLDERS: [&str; 14] = [
    "add",
    "basic-update",
    "clear",
    "copy",
    "delete",
    "delete-data",
    "delete-insert",
    "delete-where",
    "drop",
    "move",
    "update-silent",
    "syntax-update-1",
    "syntax-update-2",
    "syntax-fed",
];

#[tokio::test(flavor = "multi_thread")]
async fn sparql_1_1_update_suite() {
    let Some(suite) = Suite::sparql() else { return };
    let service = Service::with(&[], &[("default-graph", "strict")]).administrator();
    let mut outcomes = Outcomes::default();
    for folder in FOLDERS {
        let manifest = suite.manifest(folder);
        for case in manifest.cases(&suite) {
            let outcome = match case.kind.as_str() {
                "UpdateEvaluationTest" => evaluation(&suite, &manifest, &case, &service).await,
                "PositiveUpdateSyntaxTest11" => {
                    syntax(&suite, &manifest, &case, &service, true).await
                }
                "NegativeUpdateSyntaxTest11" | "NegativeSyntaxTest11" => {
                    syntax(&suite, &manifest, &case, &service, false).await
                }
                // The queries of syntax-fed run with the queries.
                "PositiveSyntaxTest11" => continue,
                other => panic!("{}: unknown kind {other}", case.id),
            };
            outcomes.add(&case, outcome);
        }
    }
    assert!(outcomes.passed.len() + outcomes.failed.len() > 140, "the suite is cut short");
    outcomes.judge("W3C SPARQL 1.1 Update", EXCEPTIONS);
}

async fn send(service: &Service, update: String) -> crate::support::Answer {
    let request = Request::post("/update").header("content-type", "application/sparql-update");
    service.send(request.body(Body::from(update)).expect("a request")).await
}

async fn syntax(
    suite: &Suite,
    manifest: &Manifest,
    case: &Case,
    service: &Service,
    good: bool,
) -> Result<(), String> {
    service.replace(&[]);
    let address = manifest.iri(&case.node, &mf("action")).expect("an update");
    let update = suite.text(&address);
    let answer = send(service, update.clone()).await;
    let refused = !answer.status.is_success() && answer.problem() == "query-syntax";
    if refused == good || answer.status.is_server_error() {
        return Err(format!("{} for\n{}\n{}", answer.status, cut(&update), cut(&answer.text())));
    }
    Ok(())
}

async fn evaluation(
    suite: &Suite,
    manifest: &Manifest,
    case: &Case,
    service: &Service,
) -> Result<(), String> {
    let property = |name: &str| NamedNode::new_unchecked(format!("{UT}{name}"));
    let action = manifest.node(&case.node, &mf("action")).expect("an action");
    let result = manifest.node(&case.node, &mf("result")).expect("a result");
    service.replace(&manifest.dataset(suite, &action, UT));
    let address = manifest.iri(&action, &property("request")).expect("an update");
    let update = format!("BASE <{address}>\n{}", suite.text(&address));
    let answer = send(service, update.clone()).await;
    if !answer.status.is_success() {
        return Err(format!("{}\n{}\n{}", answer.status, cut(&update), cut(&answer.text())));
    }
    let wanted = canonical(manifest.dataset(suite, &result, UT));
    let got = canonical(service.app.reader.snapshot().graph.iter().collect());
    if wanted == got {
        Ok(())
    } else {
        Err(format!("{}\nwanted {wanted:#?}\ngot {got:#?}", cut(&update)))
    }
}

fn canonical(quads: Vec<Quad>) -> BTreeSet<String> {
    let mut dataset: Dataset = quads.into_iter().collect();
    dataset.canonicalize(CanonicalizationAlgorithm::Unstable);
    dataset.iter().map(|quad| quad.to_string()).collect()
}
