//! The shapes of the ontology, their examples, and the seed.

use crate::support::Service;
use insites::commit::Gate;
use insites::graph::GraphPattern;
use insites::shapes::{Focus, Report, Severity, Triples, validate};
use oxigraph::io::{RdfFormat, RdfParser};
use oxigraph::model::Triple;
use std::path::Path;

fn turtle(text: &str) -> Vec<Triple> {
    RdfParser::from_format(RdfFormat::Turtle)
        .for_slice(text)
        .map(|quad| quad.map(Triple::from))
        .collect::<Result<_, _>>()
        .expect("valid Turtle")
}

/// The report on an example, among the ontology and its vocabularies.
fn judge(text: &str) -> Report {
    let files = insites::ontology::ontology_files();
    let triples = files.into_iter().flat_map(|file| turtle(file.text)).chain(turtle(text));
    let graph: Triples = triples.collect();
    validate(Gate::built_in().shapes(), &graph, Focus::All)
}

fn examples(folder: &str) -> Vec<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ontology/examples").join(folder);
    let mut found: Vec<(String, String)> = std::fs::read_dir(path)
        .expect("examples")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).expect("a file"))
        })
        .collect();
    found.sort();
    found
}

#[test]
fn shapes_hold_nothing_without_effect() {
    let gate = Gate::built_in();
    let remarks: Vec<String> = gate.shapes().remarks().iter().map(ToString::to_string).collect();
    assert!(remarks.is_empty(), "{remarks:#?}");
}

#[test]
fn every_class_with_records_has_a_shape_and_a_valid_example() {
    let service = Service::seeded();
    let snapshot = service.app.reader.snapshot();
    let type_ = snapshot.graph.iri_id("http://www.w3.org/1999/02/22-rdf-syntax-ns#type");
    let ontology = snapshot.graph.iri_id("https://w3id.org/insites/graph/ontology");
    let mut classes: Vec<String> = snapshot
        .graph
        .quads()
        .matching(None, type_, None, GraphPattern::Any)
        .filter(|quad| Some(quad[3]) != ontology)
        .filter_map(|quad| snapshot.graph.text(quad[2]))
        .collect();
    classes.sort();
    classes.dedup();
    let shapes = Gate::built_in();
    let valid: String = examples("valid").into_iter().map(|(_, text)| text).collect();
    for class in &classes {
        let node = oxigraph::model::NamedNode::new_unchecked(class);
        assert!(
            shapes.shapes().for_class(&node).next().is_some() || class.ends_with("#Report"),
            "{class} has no shape"
        );
        let local = class.rsplit(['#', '/']).next().unwrap_or_default();
        assert!(
            valid.contains(&format!(":{local} ")) || class.ends_with("#Report"),
            "{class} has no valid example"
        );
    }
    assert!(classes.len() >= 15, "{classes:?}");
}

#[test]
fn valid_examples_conform() {
    let examples = examples("valid");
    assert!(examples.len() >= 15);
    for (name, text) in examples {
        let report = judge(&text);
        assert!(report.conforms(), "{name}: {:#?}", report.results);
    }
}

#[test]
fn invalid_examples_are_refused_for_what_they_show() {
    let examples = examples("invalid");
    assert!(examples.len() >= 20);
    for (name, text) in examples {
        let wanted = text.lines().next().and_then(|l| l.strip_prefix("# path: ")).expect(&name);
        let report = judge(&text);
        let shown = report.violations().any(|result| {
            let path = result.path.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
            let local = wanted.rsplit(':').next().unwrap_or_default();
            if wanted == "-" { path == "-" } else { path.ends_with(&format!("{local}>")) }
        });
        assert!(shown, "{name} should break {wanted}: {:#?}", report.results);
    }
}

#[test]
fn the_seed_has_no_violation() {
    let report = Gate::built_in().judge_all(&Service::seeded().app.reader.snapshot().graph);
    let violations: Vec<_> = report.violations().collect();
    assert!(violations.is_empty(), "{violations:#?}");
    assert!(report.results.iter().all(|r| r.severity == Severity::Warning));
}
