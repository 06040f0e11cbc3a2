//! The dataset of one query: which graphs it sees, as the evaluator asks for
//! it. Not for choosing the graphs: that happens at the edge.

use crate::graph::Snapshot;
use crate::graph::budget::{look_at_budget, touch};
use crate::graph::dictionary::{DEFAULT_GRAPH, decode, encode};
use crate::graph::quads::{GraphPattern, Matching};
use crate::rdf::QuadIds;
use crate::rdf::TermId;
use hashbrown::HashMap;
use oxigraph::model::Term;
use spareval::{InternalQuad, QueryableDataset};
use std::cell::RefCell;
use std::convert::Infallible;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

/// A term of the evaluation: a number. Cloning it counts as a step of work
/// (see [`crate::graph::budget`]), which is why it is not `Copy`.
pub(super) struct TermNumber(TermId);

impl Clone for TermNumber {
    fn clone(&self) -> Self {
        touch();
        Self(self.0)
    }
}

impl PartialEq for TermNumber {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for TermNumber {}

impl Hash for TermNumber {
    fn hash<H: Hasher>(&self, state: &mut H) {
        touch();
        self.0.hash(state);
    }
}

/// A set of graphs; 0 is the default graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum GraphSet {
    /// All there are.
    All,
    /// These, sorted.
    Only(Rc<[TermId]>),
}

impl GraphSet {
    /// A set of these graphs.
    pub(super) fn only(mut graphs: Vec<TermId>) -> Self {
        graphs.sort_unstable();
        graphs.dedup();
        Self::Only(graphs.into())
    }

    /// Whether the graph is in the set.
    pub(super) fn contains(&self, graph: TermId) -> bool {
        match self {
            Self::All => true,
            Self::Only(graphs) => graphs.binary_search(&graph).is_ok(),
        }
    }
}

/// Terms that a query computed and the data does not have. Their numbers count
/// down from the top, so they never meet the dictionary's.
#[derive(Default)]
struct Computed {
    terms: Vec<Term>,
    numbers: HashMap<Term, TermId>,
}

/// What a query sees of a snapshot.
pub(super) struct QueryDataset {
    snapshot: Snapshot,
    /// The graphs whose union is the query's default graph.
    default: GraphSet,
    /// The query's named graphs.
    named: GraphSet,
    computed: Rc<RefCell<Computed>>,
}

impl QueryDataset {
    /// A view of the snapshot.
    pub(super) fn new(snapshot: Snapshot, default: GraphSet, named: GraphSet) -> Self {
        Self { snapshot, default, named, computed: Rc::default() }
    }

    /// The graphs seen, default and named, sorted; `None` if these are all.
    pub(super) fn graphs(&self) -> Option<Vec<TermId>> {
        let GraphSet::Only(default) = &self.default else { return None };
        let mut all = default.to_vec();
        match &self.named {
            GraphSet::Only(named) => all.extend(named.iter()),
            // Strict: named graphs are seen only under GRAPH.
            GraphSet::All => {}
        }
        all.sort_unstable();
        all.dedup();
        Some(all)
    }

    fn text(&self, number: TermId) -> Term {
        if let Some(term) = self.snapshot.dictionary.bytes(number).and_then(decode) {
            return term;
        }
        let index = (TermId::MAX - number) as usize;
        let computed = self.computed.borrow().terms.get(index).cloned();
        // Only a graph that is not whole has a number without a term.
        computed.unwrap_or_else(|| Term::from(oxigraph::model::BlankNode::default()))
    }
}

impl QueryableDataset<'static> for QueryDataset {
    type InternalTerm = TermNumber;
    type Error = Infallible;

    fn internal_quads_for_pattern(
        &self,
        subject: Option<&TermNumber>,
        predicate: Option<&TermNumber>,
        object: Option<&TermNumber>,
        graph_name: Option<Option<&TermNumber>>,
    ) -> impl Iterator<Item = Result<InternalQuad<TermNumber>, Infallible>> + use<> {
        touch();
        let id = |term: Option<&TermNumber>| term.map(|t| t.0);
        let (s, p, o) = (id(subject), id(predicate), id(object));
        let (kept, graph) = match graph_name {
            Some(None) => match &self.default {
                GraphSet::Only(graphs) if graphs.len() == 1 => {
                    (Kept::All, GraphPattern::Only(graphs[0]))
                }
                set => (Kept::Distinct(set.clone(), None), GraphPattern::Any),
            },
            Some(Some(graph)) if self.named.contains(graph.0) => {
                (Kept::All, GraphPattern::Only(graph.0))
            }
            Some(Some(_)) => (Kept::None, GraphPattern::Any),
            None => (Kept::Named(self.named.clone()), GraphPattern::Any),
        };
        let matching = self.snapshot.quads.matching(s, p, o, graph);
        Scan { matching, kept, shows_graph: graph_name != Some(None) }.map(Ok)
    }

    fn internal_named_graphs(
        &self,
    ) -> impl Iterator<Item = Result<TermNumber, Infallible>> + use<> {
        let named = self.named.clone();
        let graphs = self.snapshot.named_graphs();
        graphs.into_iter().filter(move |g| named.contains(*g)).map(|g| Ok(TermNumber(g)))
    }

    fn contains_internal_graph_name(&self, graph_name: &TermNumber) -> Result<bool, Infallible> {
        touch();
        let graph = GraphPattern::Only(graph_name.0);
        Ok(self.named.contains(graph_name.0)
            && self.snapshot.quads.matching(None, None, None, graph).next().is_some())
    }

    fn internalize_term(&self, term: Term) -> Result<TermNumber, Infallible> {
        touch();
        let mut encoded = Vec::with_capacity(64);
        encode(term.as_ref(), &mut encoded);
        if let Some(id) = self.snapshot.dictionary.find_encoded(&encoded) {
            return Ok(TermNumber(id));
        }
        if encoded.len() > 1 << 16 {
            look_at_budget();
        }
        let mut computed = self.computed.borrow_mut();
        if let Some(id) = computed.numbers.get(&term) {
            return Ok(TermNumber(*id));
        }
        let count = TermId::try_from(computed.terms.len()).unwrap_or(TermId::MAX);
        let id = TermId::MAX - count;
        computed.terms.push(term.clone());
        computed.numbers.insert(term, id);
        Ok(TermNumber(id))
    }

    fn externalize_term(&self, term: TermNumber) -> Result<Term, Infallible> {
        touch();
        Ok(self.text(term.0))
    }
}

/// Which quads of a scan an answer keeps.
enum Kept {
    /// Every one: the pattern already names the graph.
    All,
    /// None.
    None,
    /// One for each distinct triple in these graphs (the union). Equal triples
    /// come side by side.
    Distinct(GraphSet, Option<[TermId; 3]>),
    /// Those in these graphs, the default graph apart.
    Named(GraphSet),
}

struct Scan {
    matching: Matching,
    kept: Kept,
    shows_graph: bool,
}

impl Iterator for Scan {
    type Item = InternalQuad<TermNumber>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            touch();
            let [s, p, o, g]: QuadIds = self.matching.next()?;
            let keep = match &mut self.kept {
                Kept::All => true,
                Kept::None => return None,
                Kept::Distinct(graphs, last) => {
                    graphs.contains(g) && last.replace([s, p, o]) != Some([s, p, o])
                }
                Kept::Named(graphs) => g != DEFAULT_GRAPH && graphs.contains(g),
            };
            if keep {
                return Some(InternalQuad {
                    subject: TermNumber(s),
                    predicate: TermNumber(p),
                    object: TermNumber(o),
                    graph_name: self.shows_graph.then_some(TermNumber(g)),
                });
            }
        }
    }
}
