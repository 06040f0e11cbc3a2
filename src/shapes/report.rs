//! Validation reports (SHACL §3.6), in memory and as RDF. Not for deciding what
//! follows from them.

use crate::shapes::path::Path;
use crate::shapes::shape::Severity;
use crate::shapes::vocabulary as sh;
use oxigraph::model::vocab::rdf;
use oxigraph::model::{BlankNode, Literal, NamedNode, Term, Triple};

/// What a validation found (SHACL §3.6.1).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use = "a report that nobody reads lets everything pass"]
pub struct Report {
    /// The results, by shape, then by focus node.
    pub results: Vec<ValidationResult>,
}

/// One thing found (SHACL §3.6.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidationResult {
    /// The node that was judged (§3.6.2.1).
    pub focus_node: Term,
    /// The path of the property shape, or the property that a closed shape
    /// does not allow (§3.6.2.2).
    pub path: Option<Path>,
    /// The value that is wrong, if one is (§3.6.2.3).
    pub value: Option<Term>,
    /// The shape that is broken (§3.6.2.4).
    pub source_shape: Term,
    /// The kind of constraint that is broken (§3.6.2.5).
    pub component: NamedNode,
    /// The results of nested shapes that led to this one (§3.6.2.6).
    pub details: Vec<ValidationResult>,
    /// The shape's messages, or one of ours in English (§3.6.2.7).
    pub messages: Vec<Literal>,
    /// How grave it is (§3.6.2.8).
    pub severity: Severity,
}

impl Report {
    /// Whether nothing was found, of whatever severity (SHACL §3.6.1.1).
    #[must_use]
    pub fn conforms(&self) -> bool {
        self.results.is_empty()
    }

    /// The results that must not be. A severity of the author's own is none
    /// of them.
    pub fn violations(&self) -> impl Iterator<Item = &ValidationResult> {
        self.results.iter().filter(|result| result.severity == Severity::Violation)
    }

    /// The results that should be looked at.
    pub fn warnings(&self) -> impl Iterator<Item = &ValidationResult> {
        self.results.iter().filter(|result| result.severity == Severity::Warning)
    }

    /// The report as a graph: the node of the report and its triples
    /// (SHACL §3.6). The blank nodes are new each time.
    #[must_use]
    pub fn to_triples(&self) -> Vec<Triple> {
        let mut triples = Vec::new();
        let report = BlankNode::default();
        triples.push(Triple::new(report.clone(), rdf::TYPE, sh::VALIDATION_REPORT));
        triples.push(Triple::new(report.clone(), sh::CONFORMS, Literal::from(self.conforms())));
        for result in &self.results {
            let node = result.write(&mut triples);
            triples.push(Triple::new(report.clone(), sh::RESULT, node));
        }
        triples
    }
}

impl ValidationResult {
    fn write(&self, into: &mut Vec<Triple>) -> BlankNode {
        let Self { focus_node, path, value, source_shape, component, details, messages, severity } =
            self;
        let node = BlankNode::default();
        let mut say = |property, value: Term| into.push(Triple::new(node.clone(), property, value));
        say(rdf::TYPE, sh::VALIDATION_RESULT.into());
        say(sh::FOCUS_NODE, focus_node.clone());
        say(sh::RESULT_SEVERITY, severity.iri().into());
        say(sh::SOURCE_SHAPE, source_shape.clone());
        say(sh::SOURCE_CONSTRAINT_COMPONENT, component.clone().into());
        if let Some(value) = value {
            say(sh::VALUE, value.clone());
        }
        for message in messages {
            say(sh::RESULT_MESSAGE, message.clone().into());
        }
        if let Some(path) = path {
            let path = path.write(into);
            into.push(Triple::new(node.clone(), sh::RESULT_PATH, path));
        }
        for detail in details {
            let detail = detail.write(into);
            into.push(Triple::new(node.clone(), sh::DETAIL, detail));
        }
        node
    }
}
