//! The triples of the shapes graph by subject, in the order of the document, so
//! that shapes and reports come in an order their author knows. Not for data.

use oxigraph::model::vocab::rdf;
use oxigraph::model::{NamedNode, NamedNodeRef, NamedOrBlankNode, Term, Triple};
use std::collections::{HashMap, HashSet};

/// A shapes graph, as read.
#[derive(Default)]
pub(super) struct Source {
    subjects: Vec<NamedOrBlankNode>,
    triples: HashMap<NamedOrBlankNode, Vec<(NamedNode, Term)>>,
}

impl Source {
    /// Collects triples; a triple that comes twice counts once.
    pub(super) fn new(triples: impl IntoIterator<Item = Triple>) -> Self {
        let mut source = Self::default();
        let mut seen = HashSet::new();
        for triple in triples {
            if !seen.insert(triple.clone()) {
                continue;
            }
            let of_subject = source.triples.entry(triple.subject.clone()).or_insert_with(|| {
                source.subjects.push(triple.subject);
                Vec::new()
            });
            of_subject.push((triple.predicate, triple.object));
        }
        source
    }

    /// The subjects, in the order of their first triple.
    pub(super) fn subjects(&self) -> &[NamedOrBlankNode] {
        &self.subjects
    }

    /// All that is said of a subject.
    pub(super) fn about(&self, subject: &NamedOrBlankNode) -> &[(NamedNode, Term)] {
        self.triples.get(subject).map_or(&[], Vec::as_slice)
    }

    /// The values of a property.
    pub(super) fn objects<'a>(
        &'a self,
        subject: &NamedOrBlankNode,
        predicate: NamedNodeRef<'a>,
    ) -> impl Iterator<Item = &'a Term> + use<'a> {
        self.about(subject).iter().filter(move |(p, _)| p.as_ref() == predicate).map(|(_, o)| o)
    }

    /// The first value of a property.
    pub(super) fn object<'a>(
        &'a self,
        subject: &NamedOrBlankNode,
        predicate: NamedNodeRef<'a>,
    ) -> Option<&'a Term> {
        self.objects(subject, predicate).next()
    }

    /// The members of the list that begins here; none if it is not a
    /// well-formed list (SHACL §1.3, "SHACL list").
    pub(super) fn list(&self, head: &Term) -> Option<Vec<Term>> {
        let mut members = Vec::new();
        let mut seen = HashSet::new();
        let mut node = head.clone();
        while node.as_ref() != rdf::NIL.into() {
            let subject = NamedOrBlankNode::try_from(node).ok()?;
            members.push(self.object(&subject, rdf::FIRST)?.clone());
            node = self.object(&subject, rdf::REST)?.clone();
            // A list that bites its own tail would never end.
            if !seen.insert(subject) {
                return None;
            }
        }
        Some(members)
    }
}
