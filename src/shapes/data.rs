//! What the validator needs of a data graph: its terms by number, and its
//! triples by pattern. Not for stores: those lend their own numbers.

use oxigraph::model::{Term, TermRef, Triple};
use std::collections::HashMap;

/// The number of a term in a data graph.
pub type Node = u32;

/// A data graph (SHACL §1.2; the union of the caller's graphs).
///
/// The validator asks with at least one of subject and object given, or with
/// the predicate of a target, never for everything. So an implementation with
/// an index for each of these patterns is never scanned.
pub trait DataGraph {
    /// The number of a term; none if no triple has it. Numbers stay well below
    /// [`Node::MAX`].
    fn node(&self, term: TermRef<'_>) -> Option<Node>;

    /// The term with this number; none if no term has it.
    fn term(&self, node: Node) -> Option<Term>;

    /// Goes through the triples that match, as long as `each` says so; `None`
    /// matches everything. A triple that is in several of the caller's graphs
    /// may come several times.
    fn triples(
        &self,
        subject: Option<Node>,
        predicate: Option<Node>,
        object: Option<Node>,
        each: &mut dyn FnMut([Node; 3]) -> bool,
    );
}

/// Triples in memory.
#[derive(Debug, Clone, Default)]
pub struct Triples {
    pub(super) numbers: HashMap<Term, Node>,
    pub(super) terms: Vec<Term>,
    /// As subject, predicate, object; predicate, object, subject; object,
    /// subject, predicate; each sorted.
    orders: [Vec<[Node; 3]>; 3],
}

impl Triples {
    /// These triples, with the numbers that terms have here already.
    #[must_use]
    pub fn with(&self, triples: impl IntoIterator<Item = Triple>) -> Self {
        let mut new = Self {
            numbers: self.numbers.clone(),
            terms: self.terms.clone(),
            orders: Default::default(),
        };
        for Triple { subject, predicate, object } in triples {
            let [s, p, o] = [subject.into(), predicate.into(), object].map(|term| new.number(term));
            for (order, row) in new.orders.iter_mut().zip([[s, p, o], [p, o, s], [o, s, p]]) {
                order.push(row);
            }
        }
        for order in &mut new.orders {
            order.sort_unstable();
            order.dedup();
        }
        new
    }

    fn number(&mut self, term: Term) -> Node {
        let next = Node::try_from(self.terms.len()).unwrap_or(Node::MAX);
        *self.numbers.entry(term).or_insert_with_key(|term| {
            self.terms.push(term.clone());
            next
        })
    }
}

impl FromIterator<Triple> for Triples {
    fn from_iter<I: IntoIterator<Item = Triple>>(triples: I) -> Self {
        Self::default().with(triples)
    }
}

impl DataGraph for Triples {
    fn node(&self, term: TermRef<'_>) -> Option<Node> {
        self.numbers.get(&term.into_owned()).copied()
    }

    fn term(&self, node: Node) -> Option<Term> {
        self.terms.get(node as usize).cloned()
    }

    fn triples(
        &self,
        subject: Option<Node>,
        predicate: Option<Node>,
        object: Option<Node>,
        each: &mut dyn FnMut([Node; 3]) -> bool,
    ) {
        // The order in which what is given stands first.
        let (turn, given) = match (subject, predicate, object) {
            (Some(s), None, Some(o)) => (2, vec![o, s]),
            (Some(s), p, o) => (0, [Some(s), p, o].into_iter().flatten().collect()),
            (None, Some(p), o) => (1, [Some(p), o].into_iter().flatten().collect()),
            (None, None, o) => (2, o.into_iter().collect()),
        };
        let order = &self.orders[turn];
        let from = order.partition_point(|row| row[..given.len()] < given[..]);
        for row in order[from..].iter().take_while(|row| row.starts_with(&given)) {
            let mut triple = *row;
            triple.rotate_right(turn);
            if !each(triple) {
                return;
            }
        }
    }
}
