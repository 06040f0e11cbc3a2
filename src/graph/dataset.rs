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
use std::sync::Arc;

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

    /// The same for another thread.
    pub(super) fn shared(&self) -> Option<Arc<[TermId]>> {
        match self {
            Self::All => None,
            Self::Only(graphs) => Some(Arc::from(&graphs[..])),
        }
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
    rows: Option<Rc<BridgeRows>>,
}

/// Rows of arguments, shown to the evaluator as triples: a row's number, a
/// column's predicate, the cell.
pub(super) struct BridgeRows {
    predicates: Vec<TermId>,
    columns: Vec<Vec<TermId>>,
}

/// The number of the first row; the dictionary does not reach so far, and
/// computed terms do not come down to it.
const FIRST_ROW: TermId = 0xF000_0000;

impl QueryDataset {
    /// A view of the snapshot.
    pub(super) fn new(snapshot: Snapshot, default: GraphSet, named: GraphSet) -> Self {
        Self { snapshot, default, named, computed: Rc::default(), rows: None }
    }

    /// The graphs of the default graph.
    pub(super) fn default_set(&self) -> &GraphSet {
        &self.default
    }

    /// A named graph by itself; none if the query does not see it.
    pub(super) fn named_set(&self, graph: TermId) -> GraphSet {
        let seen = graph != DEFAULT_GRAPH && self.named.contains(graph);
        GraphSet::only(if seen { vec![graph] } else { Vec::new() })
    }

    /// The named graphs that the query sees, as numbers.
    pub(super) fn named_graph_numbers(&self) -> Vec<TermId> {
        let graphs = self.snapshot.named_graphs();
        graphs.into_iter().filter(|graph| self.named.contains(*graph)).collect()
    }

    /// The number of a term, of the data or of this query.
    pub(super) fn number(&self, term: Term) -> TermId {
        let Ok(number) = self.internalize_term(term);
        number.0
    }

    /// The encoded form of a term of the data.
    pub(super) fn stored(&self, number: TermId) -> Option<&[u8]> {
        self.snapshot.dictionary.bytes(number)
    }

    /// How the encoded form of a term begins; that of a literal that was computed
    /// as if it were typed.
    pub(super) fn tag(&self, number: TermId) -> u8 {
        match self.stored(number) {
            Some(bytes) => bytes.first().copied().unwrap_or_default(),
            None => match self.term(number) {
                Term::NamedNode(_) => b'I',
                Term::BlankNode(_) => b'B',
                Term::Literal(_) => b'T',
                Term::Triple(_) => b'Q',
            },
        }
    }

    /// Predicates and objects of a subject in the default graph, each once.
    pub(super) fn about(&self, subject: TermId) -> impl Iterator<Item = [TermId; 2]> + use<> {
        let quads =
            self.internal_quads_for_pattern(Some(&TermNumber(subject)), None, None, Some(None));
        quads.map(|quad| {
            let Ok(quad) = quad;
            [quad.predicate.0, quad.object.0]
        })
    }

    /// Brings terms of the data near before they are read one by one.
    pub(super) fn read_ahead(&self, numbers: impl Iterator<Item = TermId>) {
        self.snapshot.dictionary.read_ahead(numbers);
    }

    /// The term of a number.
    pub(super) fn term(&self, number: TermId) -> Term {
        self.text(number)
    }

    /// The same terms over rows of arguments instead of the data: the nth
    /// column is the predicate `urn:insites:internal:column:N`.
    pub(super) fn with_rows(&self, columns: Vec<Vec<TermId>>) -> Self {
        let name = |at| format!("urn:insites:internal:column:{at}");
        let predicate =
            |at| self.number(oxigraph::model::NamedNode::new_unchecked(name(at)).into());
        let predicates = (0..columns.len()).map(predicate).collect();
        Self {
            snapshot: self.snapshot.clone(),
            default: self.default.clone(),
            named: self.named.clone(),
            computed: Rc::clone(&self.computed),
            rows: Some(Rc::new(BridgeRows { predicates, columns })),
        }
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
        if self.rows.is_some() && (FIRST_ROW..FIRST_ROW + (1 << 26)).contains(&number) {
            return oxigraph::model::Literal::from(number - FIRST_ROW).into();
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
        if let Some(rows) = &self.rows {
            let column = p.and_then(|p| rows.predicates.iter().position(|known| *known == p));
            let range = match s {
                Some(s) => {
                    let row = s.wrapping_sub(FIRST_ROW) as usize;
                    row..row + 1
                }
                None => 0..usize::MAX,
            };
            return Scanned::Rows { rows: Rc::clone(rows), column, range, object: o };
        }
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
        Scanned::Quads(Scan { matching, kept, shows_graph: graph_name != Some(None) })
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

/// What a pattern is answered from.
enum Scanned {
    Quads(Scan),
    Rows {
        rows: Rc<BridgeRows>,
        column: Option<usize>,
        range: std::ops::Range<usize>,
        object: Option<TermId>,
    },
}

impl Iterator for Scanned {
    type Item = Result<InternalQuad<TermNumber>, Infallible>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Quads(scan) => scan.next().map(Ok),
            Self::Rows { rows, column, range, object } => {
                let cells = &rows.columns[(*column)?];
                loop {
                    touch();
                    let row = range.next()?;
                    let cell = *cells.get(row)?;
                    if object.is_none_or(|object| object == cell) {
                        let number = TermId::try_from(row).unwrap_or(0);
                        return Some(Ok(InternalQuad {
                            subject: TermNumber(FIRST_ROW + number),
                            predicate: TermNumber(rows.predicates[(*column)?]),
                            object: TermNumber(cell),
                            graph_name: None,
                        }));
                    }
                }
            }
        }
    }
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
