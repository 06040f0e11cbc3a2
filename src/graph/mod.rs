//! The graph view: every quad of one revision, in memory, immutable, and the
//! SPARQL evaluation over it. The evaluator is oxigraph's (`spareval`); the
//! store is our own, because oxigraph's cannot be held at a revision and
//! cannot be stopped inside a sort or a join. Not for words, not for rules on
//! what may be stored.

mod allocation;
mod base;
mod budget;
mod clause;
mod columns;
mod dataset;
mod dictionary;
mod direction;
mod engine;
mod evaluate;
mod expressions;
mod guard;
mod quads;
mod query;
mod ranks;
pub(crate) mod tokens;
mod update;
mod writer;

pub use budget::{Budget, Stopped, look_at_budget, run as within_budget};
pub use clause::{Column, SearchCell, SearchClause, SearchTable};
pub use dictionary::{DEFAULT_GRAPH, Dictionary, decode, encode};
pub use engine::Explained;
pub use evaluate::{
    Coverage, DefaultGraphs, EvaluationError, Explanation, Format, Scope, Solutions, coverage,
};
pub use guard::Size;
pub use quads::{GraphPattern, Quads};
pub use query::{ParseError, QueryForm, ReadQuery};
pub use update::{DEEPEST, ReadUpdate, Target, UpdateError, depth};

use crate::rdf::QuadIds;
use crate::rdf::TermId;
use oxigraph::model::{
    GraphName, GraphNameRef, NamedNode, NamedNodeRef, NamedOrBlankNode, Quad, Term, TermRef,
};
use std::sync::Arc;

/// The data at one revision. Cloning is cheap.
///
/// ```
/// use insites::graph::{Quads, Snapshot};
/// let empty = Snapshot::default();
/// assert_eq!(empty.len(), 0);
/// ```
#[derive(Clone, Default)]
pub struct Snapshot {
    dictionary: Dictionary,
    quads: Quads,
    /// Sorted numbers of the named graphs that hold a quad.
    named_graphs: Arc<[TermId]>,
}

impl Snapshot {
    /// A snapshot of these terms and quads.
    #[must_use]
    pub fn new(dictionary: Dictionary, quads: Quads) -> Self {
        let mut graphs = Vec::new();
        // One seek a graph: from each graph's first quad to the next graph.
        let mut next = 1;
        while let Some(graph) = quads.next_graph(next) {
            graphs.push(graph);
            next = graph + 1;
        }
        Self { dictionary, quads, named_graphs: graphs.into() }
    }

    /// The number of quads.
    #[must_use]
    pub fn len(&self) -> usize {
        self.quads.len()
    }

    /// Whether there is no quad.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The size of terms and quads in memory (bytes), what is kept for single
    /// sets of graphs apart.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.dictionary.memory() + self.quads.memory()
    }

    /// The terms.
    #[must_use]
    pub fn dictionary(&self) -> &Dictionary {
        &self.dictionary
    }

    /// The quads, as numbers.
    #[must_use]
    pub fn quads(&self) -> &Quads {
        &self.quads
    }

    /// The named graphs that hold a quad.
    #[must_use]
    pub fn named_graphs(&self) -> Vec<TermId> {
        self.named_graphs.to_vec()
    }

    /// The number of a term.
    #[must_use]
    pub fn id(&self, term: TermRef<'_>) -> Option<TermId> {
        self.dictionary.find(term)
    }

    /// The number of an IRI.
    #[must_use]
    pub fn iri_id(&self, iri: &str) -> Option<TermId> {
        self.dictionary.find(TermRef::NamedNode(NamedNodeRef::new_unchecked(iri)))
    }

    /// The term with this number.
    #[must_use]
    pub fn term(&self, id: TermId) -> Option<Term> {
        self.dictionary.term(id)
    }

    /// The text of a term: the IRI, the label of a blank node, the value of a
    /// literal, a triple term as N-Triples writes it.
    #[must_use]
    pub fn text(&self, id: TermId) -> Option<String> {
        self.term(id).map(|term| match term {
            Term::NamedNode(iri) => iri.into_string(),
            Term::BlankNode(node) => node.into_string(),
            Term::Literal(literal) => literal.destruct().0,
            Term::Triple(triple) => triple.to_string(),
        })
    }

    /// The value of a string or a language-tagged string, and its language.
    /// `None` for other terms. Nothing is copied.
    #[must_use]
    pub fn string(&self, id: TermId) -> Option<(&str, Option<&str>)> {
        let typed = self.dictionary.bytes(id)?.first() == Some(&b'T');
        if typed { None } else { self.literal(id) }
    }

    /// The same of any literal.
    #[must_use]
    pub fn literal(&self, id: TermId) -> Option<(&str, Option<&str>)> {
        let (tag, rest) = self.dictionary.bytes(id)?.split_first()?;
        match tag {
            b'S' => Some((std::str::from_utf8(rest).ok()?, None)),
            b'L' => {
                let zero = rest.iter().position(|byte| *byte == 0)?;
                let (language, value) = (&rest[..zero], &rest[zero + 1..]);
                let language = std::str::from_utf8(dictionary::undirected(language)).ok()?;
                Some((std::str::from_utf8(value).ok()?, Some(language)))
            }
            b'T' => {
                let zero = rest.iter().position(|byte| *byte == 0)?;
                Some((std::str::from_utf8(&rest[zero + 1..]).ok()?, None))
            }
            _ => None,
        }
    }

    /// Whether a triple term is the object of a quad of this graph, or of any.
    #[must_use]
    pub fn has_triple_terms(&self, graph: Option<TermId>) -> bool {
        let pattern = graph.map_or(GraphPattern::Any, GraphPattern::Only);
        let mut quads = self.quads.matching(None, None, None, pattern);
        quads.any(|quad| {
            self.dictionary.bytes(quad[2]).is_some_and(|term| term.first() == Some(&b'Q'))
        })
    }

    /// Objects of a subject and predicate in any graph, each once.
    #[must_use]
    pub fn objects(&self, subject: TermId, predicate: &str) -> Vec<TermId> {
        let Some(predicate) = self.iri_id(predicate) else { return Vec::new() };
        let mut objects: Vec<TermId> = self
            .quads
            .matching(Some(subject), Some(predicate), None, GraphPattern::Any)
            .map(|quad| quad[2])
            .collect();
        objects.dedup();
        objects
    }

    /// Subjects that have this object under the predicate, each once, sorted.
    #[must_use]
    pub fn subjects(&self, predicate: &str, object: TermId) -> Vec<TermId> {
        let Some(predicate) = self.iri_id(predicate) else { return Vec::new() };
        let mut subjects: Vec<TermId> = self
            .quads
            .matching(None, Some(predicate), Some(object), GraphPattern::Any)
            .map(|quad| quad[0])
            .collect();
        subjects.dedup();
        subjects
    }

    /// A quad of numbers as a quad of terms. `None` only if the numbers are
    /// not of this snapshot.
    #[must_use]
    pub fn quad(&self, [s, p, o, g]: QuadIds) -> Option<Quad> {
        let subject = match self.term(s)? {
            Term::NamedNode(iri) => NamedOrBlankNode::NamedNode(iri),
            Term::BlankNode(node) => NamedOrBlankNode::BlankNode(node),
            Term::Literal(_) | Term::Triple(_) => return None,
        };
        let Term::NamedNode(predicate) = self.term(p)? else { return None };
        let graph = if g == DEFAULT_GRAPH {
            GraphName::DefaultGraph
        } else {
            match self.term(g)? {
                Term::NamedNode(iri) => GraphName::NamedNode(iri),
                Term::BlankNode(node) => GraphName::BlankNode(node),
                Term::Literal(_) | Term::Triple(_) => return None,
            }
        };
        Some(Quad::new(subject, predicate, self.term(o)?, graph))
    }

    /// All quads as terms, sorted by number.
    pub fn iter(&self) -> impl Iterator<Item = Quad> + '_ {
        self.quads.matching(None, None, None, GraphPattern::Any).filter_map(|q| self.quad(q))
    }

    /// The same triples as somebody sees them who may not see some graphs.
    #[must_use]
    pub fn without_graphs(&self, hidden: Vec<TermId>) -> Self {
        if hidden.is_empty() {
            return self.clone();
        }
        Self::new(self.dictionary.clone(), self.quads.without_graphs(hidden))
    }

    /// The number of a graph's name, if the graph was ever named.
    #[must_use]
    pub fn graph_id(&self, graph: GraphNameRef<'_>) -> Option<TermId> {
        match graph {
            GraphNameRef::DefaultGraph => Some(DEFAULT_GRAPH),
            GraphNameRef::NamedNode(iri) => self.id(iri.into()),
            GraphNameRef::BlankNode(node) => self.id(node.into()),
        }
    }

    /// The quads of a change as numbers, with new terms added to a dictionary
    /// that the next snapshot will have.
    pub fn number(&self, dictionary: &mut Dictionary, quad: &Quad) -> QuadIds {
        let mut buffer = Vec::with_capacity(128);
        let mut intern = |term: TermRef<'_>| {
            buffer.clear();
            encode(term, &mut buffer);
            dictionary.intern_encoded(&buffer)
        };
        let subject = intern(quad.subject.as_ref().into());
        let predicate = intern(quad.predicate.as_ref().into());
        let object = intern(quad.object.as_ref());
        let graph = match &quad.graph_name {
            GraphName::DefaultGraph => DEFAULT_GRAPH,
            GraphName::NamedNode(iri) => intern(iri.as_ref().into()),
            GraphName::BlankNode(node) => intern(node.as_ref().into()),
        };
        [subject, predicate, object, graph]
    }

    /// The named graphs as terms.
    #[must_use]
    pub fn named_graph_iris(&self) -> Vec<NamedNode> {
        self.named_graphs
            .iter()
            .filter_map(|g| match self.term(*g) {
                Some(Term::NamedNode(iri)) => Some(iri),
                _ => None,
            })
            .collect()
    }
}
