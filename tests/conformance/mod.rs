//! The suites of the W3C, run over the router or the library's public API. They
//! are not part of the project: the folder is `../shared/suites`, or the one
//! `INSITES_SUITES` names.

mod protocol;
mod query;
mod shacl;
mod solutions;
mod update;

use crate::support::suites;
use oxigraph::io::{RdfFormat, RdfParser};
use oxigraph::model::vocab::{rdf, rdfs};
use oxigraph::model::{
    Graph, NamedNode, NamedNodeRef, NamedOrBlankNode, Quad, Term, TermRef, Triple,
};
use std::io::Write;
use std::path::PathBuf;

const MF: &str = "http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#";
const QT: &str = "http://www.w3.org/2001/sw/DataAccess/tests/test-query#";

fn mf(name: &str) -> NamedNode {
    NamedNode::new_unchecked(format!("{MF}{name}"))
}

fn qt(name: &str) -> NamedNode {
    NamedNode::new_unchecked(format!("{QT}{name}"))
}

/// A suite: its folder, and the address under which it was published.
struct Suite {
    folder: PathBuf,
    base: &'static str,
}

impl Suite {
    /// `None`, and a line that says so, when the suites are not there.
    fn find(name: &str, base: &'static str) -> Option<Self> {
        let folder = suites()?.join(name);
        folder.is_dir().then_some(Self { folder, base })
    }

    fn sparql() -> Option<Self> {
        Self::find("sparql11", "http://www.w3.org/2009/sparql/docs/tests/data-sparql11/")
    }

    /// The file an address stands for.
    fn path(&self, iri: &str) -> PathBuf {
        self.folder.join(iri.strip_prefix(self.base).unwrap_or_else(|| panic!("{iri}")))
    }

    fn text(&self, iri: &str) -> String {
        let path = self.path(iri);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The quads of a file, its address being the base.
    fn quads(&self, iri: &str) -> Vec<Quad> {
        let path = self.path(iri);
        let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
        let format = RdfFormat::from_extension(extension).expect("an RDF file");
        let text = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        RdfParser::from_format(format)
            .with_base_iri(iri)
            .expect("an IRI")
            .rename_blank_nodes()
            .for_slice(&text)
            .collect::<Result<_, _>>()
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    fn manifest(&self, folder: &str) -> Manifest {
        let quads = self.quads(&format!("{}{folder}/manifest.ttl", self.base));
        Manifest { graph: quads.into_iter().map(Triple::from).collect() }
    }
}

/// A manifest's triples, or any graph that is read node by node.
struct Manifest {
    graph: Graph,
}

/// A test of a manifest.
struct Case {
    node: NamedOrBlankNode,
    /// Its address without the suite's.
    id: String,
    /// The local name of its type.
    kind: String,
}

impl Manifest {
    fn cases(&self, suite: &Suite) -> Vec<Case> {
        let entries = self.graph.triples_for_predicate(&mf("entries")).next().map(|t| t.object);
        self.list(entries.expect("entries").into_owned())
            .into_iter()
            .filter_map(|entry| {
                let node = NamedOrBlankNode::try_from(entry).expect("a node");
                let kind = self.object(&node, rdf::TYPE)?.to_string();
                let id = node.to_string();
                Some(Case {
                    id: id.replace(suite.base, "").trim_matches(['<', '>']).to_owned(),
                    kind: kind.trim_matches(['<', '>']).rsplit('#').next()?.to_owned(),
                    node,
                })
            })
            .collect()
    }

    fn object<'a>(
        &self,
        node: &'a NamedOrBlankNode,
        property: impl Into<NamedNodeRef<'a>>,
    ) -> Option<Term> {
        self.graph.object_for_subject_predicate(node, property).map(TermRef::into_owned)
    }

    fn objects<'a>(
        &self,
        node: &'a NamedOrBlankNode,
        property: impl Into<NamedNodeRef<'a>>,
    ) -> Vec<Term> {
        let property = property.into();
        self.graph.objects_for_subject_predicate(node, property).map(TermRef::into_owned).collect()
    }

    fn node<'a>(
        &self,
        node: &'a NamedOrBlankNode,
        property: impl Into<NamedNodeRef<'a>>,
    ) -> Option<NamedOrBlankNode> {
        self.object(node, property).and_then(|term| NamedOrBlankNode::try_from(term).ok())
    }

    fn iri<'a>(
        &self,
        node: &'a NamedOrBlankNode,
        property: impl Into<NamedNodeRef<'a>>,
    ) -> Option<String> {
        match self.object(node, property)? {
            Term::NamedNode(iri) => Some(iri.into_string()),
            _ => None,
        }
    }

    fn text<'a>(
        &self,
        node: &'a NamedOrBlankNode,
        property: impl Into<NamedNodeRef<'a>>,
    ) -> Option<String> {
        match self.object(node, property)? {
            Term::Literal(literal) => Some(literal.value().to_owned()),
            _ => None,
        }
    }

    fn list(&self, mut head: Term) -> Vec<Term> {
        let mut members = Vec::new();
        while head.as_ref() != rdf::NIL.into() {
            let node = NamedOrBlankNode::try_from(head).expect("a list");
            members.push(self.object(&node, rdf::FIRST).expect("a member"));
            head = self.object(&node, rdf::REST).expect("a rest");
        }
        members
    }

    /// `qt:data`, `qt:graphData` and their kin: quads of a dataset. A graph
    /// is an address, or a node with the file and its name as a label.
    fn dataset(&self, suite: &Suite, action: &NamedOrBlankNode, vocabulary: &str) -> Vec<Quad> {
        let property = |name: &str| NamedNode::new_unchecked(format!("{vocabulary}{name}"));
        let mut quads = Vec::new();
        for file in self.objects(action, &property("data")) {
            let Term::NamedNode(file) = file else { panic!("{file}") };
            quads.extend(suite.quads(file.as_str()));
        }
        for graph in self.objects(action, &property("graphData")) {
            let (file, name) = match NamedOrBlankNode::try_from(graph).expect("a node") {
                NamedOrBlankNode::NamedNode(file) => (file.as_str().to_owned(), file.into_string()),
                node @ NamedOrBlankNode::BlankNode(_) => (
                    self.iri(&node, &property("graph")).expect("a file"),
                    self.text(&node, rdfs::LABEL).expect("a name"),
                ),
            };
            let name = NamedNode::new_unchecked(name);
            quads.extend(
                suite
                    .quads(&file)
                    .into_iter()
                    .map(|quad| Triple::from(quad).in_graph(name.clone())),
            );
        }
        quads
    }
}

/// Outcomes of tests, against a table of exceptions (id, reason).
#[derive(Default)]
struct Outcomes {
    passed: Vec<String>,
    failed: Vec<(String, String)>,
}

impl Outcomes {
    fn add(&mut self, case: &Case, outcome: Result<(), String>) {
        match outcome {
            Ok(()) => self.passed.push(case.id.clone()),
            Err(reason) => self.failed.push((case.id.clone(), reason)),
        }
    }

    /// Fails when a test fails that is no exception, and when an exception
    /// passes or is not run.
    fn judge(&self, what: &str, exceptions: &[(&str, &str)]) {
        let total = self.passed.len() + self.failed.len();
        let line = format!(
            "{what}: {} of {total} pass, {} known exceptions",
            self.passed.len(),
            exceptions.len()
        );
        tell(&line);
        let mut wrong = String::new();
        for (id, reason) in &self.failed {
            if !exceptions.iter().any(|(exception, _)| exception == id) {
                wrong += &format!("{id} fails: {reason}\n");
            }
        }
        for (id, _) in exceptions {
            if self.passed.iter().any(|passed| passed == id) {
                wrong += &format!("{id} passes and is no exception any more\n");
            } else if !self.failed.iter().any(|(failed, _)| failed == id) {
                wrong += &format!("{id} is an exception that was not run\n");
            }
        }
        assert!(wrong.is_empty(), "{line}\n{wrong}");
    }
}

/// A line that is seen also when tests pass.
fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// A file's text, for messages.
fn cut(text: &str) -> String {
    text.chars().take(1_500).collect()
}
