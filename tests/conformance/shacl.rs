//! SHACL Core, over the library's API.

use super::solutions::canonical;
use super::{Case, Manifest, Outcomes, Suite, mf};
use insites::shapes::{Focus, Shapes, Triples, validate};
use oxigraph::model::vocab::rdf;
use oxigraph::model::{Graph, NamedNode, NamedOrBlankNode, Term, Triple};
use std::collections::{BTreeSet, HashSet};

const BASE: &str = "http://www.w3.org/ns/shacl-suite/";
const SH: &str = "http://www.w3.org/ns/shacl#";
const SHT: &str = "http://www.w3.org/ns/shacl-test#";

const FOLDERS: [&str; 7] =
    ["complex", "misc", "node", "path", "property", "targets", "validation-reports"];

/// Tests we do not pass, with the reason.
const EXCEPTIONS: &[(&str, &str)] = &[];

#[test]
fn shacl_core_suite() {
    let Some(suite) = Suite::find("shacl", BASE) else { return };
    let mut outcomes = Outcomes::default();
    for folder in FOLDERS {
        let listing = suite.manifest(&format!("core/{folder}"));
        for file in listing.graph.triples_for_predicate(&mf("include")) {
            let Term::NamedNode(file) = file.object.into_owned() else { panic!("{file}") };
            let quads = suite.quads(file.as_str());
            let manifest = Manifest { graph: quads.into_iter().map(Triple::from).collect() };
            for case in manifest.cases(&suite) {
                outcomes.add(&case, run(&suite, &manifest, &case));
            }
        }
    }
    assert!(outcomes.passed.len() > 90, "the suite is cut short");
    outcomes.judge("W3C SHACL Core", EXCEPTIONS);
}

fn run(suite: &Suite, manifest: &Manifest, case: &Case) -> Result<(), String> {
    let action = manifest.node(&case.node, &mf("action")).expect("an action");
    let graph = |name: &str| -> Vec<Triple> {
        let property = NamedNode::new_unchecked(format!("{SHT}{name}"));
        let file = manifest.iri(&action, &property).expect("a file");
        let path = if suite.path(&file).is_file() { file } else { format!("{file}.ttl") };
        suite.quads(&path).into_iter().map(Triple::from).collect()
    };
    let result = manifest.object(&case.node, &mf("result")).expect("a result");
    let failure = NamedNode::new_unchecked(format!("{SHT}Failure"));
    let shapes = match Shapes::parse(graph("shapesGraph")) {
        Ok(shapes) => shapes,
        Err(_) if result == Term::from(failure) => return Ok(()),
        Err(error) => return Err(error.to_string()),
    };
    let data: Triples = graph("dataGraph").into_iter().collect();
    let report = validate(&shapes, &data, Focus::All);
    let wanted = report_of(&manifest.graph, result.clone());
    let triples: Graph = report.to_triples().into_iter().collect();
    let root = triples
        .subject_for_predicate_object(
            rdf::TYPE,
            &NamedNode::new_unchecked(format!("{SH}ValidationReport")),
        )
        .expect("a report")
        .into_owned();
    let got = report_of(&triples, root.into());
    if wanted == got { Ok(()) } else { Err(format!("wanted {wanted:#?}\ngot {got:#?}")) }
}

/// A report without messages and details, which the suite does not compare.
fn report_of(graph: &Graph, root: Term) -> BTreeSet<String> {
    let mut triples = Vec::new();
    let mut seen = HashSet::new();
    let mut open = vec![root];
    while let Some(node) = open.pop() {
        let Ok(subject) = NamedOrBlankNode::try_from(node) else { continue };
        if !seen.insert(subject.clone()) {
            continue;
        }
        for triple in graph.triples_for_subject(&subject) {
            let name = triple.predicate.as_str().strip_prefix(SH).unwrap_or_default();
            if matches!(name, "resultMessage" | "detail") {
                continue;
            }
            triples.push(triple.into_owned());
            let inner = matches!(triple.object, oxigraph::model::TermRef::BlankNode(_));
            // A path or a result belongs to the report; a blank shape or value does not.
            if inner && !matches!(name, "sourceShape" | "value" | "focusNode") {
                open.push(triple.object.into_owned());
            }
        }
    }
    canonical(triples)
}
