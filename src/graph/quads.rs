//! Quads of term numbers in four sorted orders, with a small overlay for
//! recent changes. Immutable once shared. Not for terms or SPARQL.

use crate::graph::columns::{Base, Columns, Kept, KeptColumns};
use crate::rdf::QuadIds;
use crate::rdf::TermId;
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// An overlay of fewer quads than this is never merged into the base.
const LEAST_OVERLAY: usize = 256;

/// The overlay (quads) that is merged into a base of so many: merging costs one
/// pass over all quads, each change one pass over the overlay. With changes of
/// a dozen quads the sum of both is least where the overlay is the root of
/// twice the dozen times the quads; this is 4,200 for 740,000.
fn overlay_limit(base: usize) -> usize {
    (24 * base).isqrt().max(LEAST_OVERLAY)
}

/// The sorted orders kept. The last column of the first three is the graph,
/// so that equal triples of several graphs lie side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Spog,
    Posg,
    Ospg,
    Gspo,
}

impl Order {
    const ALL: [Self; 4] = [Self::Spog, Self::Posg, Self::Ospg, Self::Gspo];

    fn permute(self, [s, p, o, g]: QuadIds) -> [TermId; 4] {
        match self {
            Self::Spog => [s, p, o, g],
            Self::Posg => [p, o, s, g],
            Self::Ospg => [o, s, p, g],
            Self::Gspo => [g, s, p, o],
        }
    }

    fn restore(self, [a, b, c, d]: [TermId; 4]) -> QuadIds {
        match self {
            Self::Spog => [a, b, c, d],
            Self::Posg => [c, a, b, d],
            Self::Ospg => [b, c, a, d],
            Self::Gspo => [b, c, d, a],
        }
    }
}

/// The same quads sorted four ways, and the columns made of them.
#[derive(Default)]
struct Sorted([Vec<[TermId; 4]>; 4], KeptColumns);

impl Sorted {
    fn from_quads(quads: &[QuadIds]) -> Self {
        Self(
            Order::ALL.map(|order| {
                let mut rows: Vec<_> = quads.iter().map(|quad| order.permute(*quad)).collect();
                rows.sort_unstable();
                rows.dedup();
                rows
            }),
            KeptColumns::default(),
        )
    }

    /// These quads without some and with others, each order in one pass.
    fn merged(&self, without: &FxHashSet<QuadIds>, with: &[QuadIds]) -> Self {
        Self(
            Order::ALL.map(|order| {
                let mut new: Vec<_> = with.iter().map(|quad| order.permute(*quad)).collect();
                new.sort_unstable();
                let mut new = new.into_iter().peekable();
                let old = self.rows(order);
                let mut rows = Vec::with_capacity(old.len() + new.len());
                for row in old {
                    while let Some(next) = new.next_if(|next| next < row) {
                        rows.push(next);
                    }
                    if without.is_empty() || !without.contains(&order.restore(*row)) {
                        rows.push(*row);
                    }
                }
                rows.extend(new);
                rows
            }),
            KeptColumns::default(),
        )
    }

    fn rows(&self, order: Order) -> &[[TermId; 4]] {
        &self.0[order as usize]
    }

    fn range(&self, order: Order, prefix: &[TermId]) -> (usize, usize) {
        let rows = self.rows(order);
        let (mut least, mut most) = ([0; 4], [TermId::MAX; 4]);
        least[..prefix.len()].copy_from_slice(prefix);
        most[..prefix.len()].copy_from_slice(prefix);
        let (least, most) = (wide(least), wide(most));
        let start = rows.partition_point(|row| wide(*row) < least);
        // Few rows match, mostly: the end is near, so steps double from there.
        let mut step = 1;
        let mut from = start;
        while rows.get(from + step).is_some_and(|row| wide(*row) <= most) {
            from += step;
            step *= 2;
        }
        let to = rows.len().min(from + step);
        (start, from + rows[from..to].partition_point(|row| wide(*row) <= most))
    }
}

/// A row as one number that sorts as it does.
fn wide([a, b, c, d]: [TermId; 4]) -> u128 {
    u128::from(a) << 96 | u128::from(b) << 64 | u128::from(c) << 32 | u128::from(d)
}

/// All quads of one revision. Cloning is cheap; a clone is a snapshot.
#[derive(Clone, Default)]
pub struct Quads {
    base: Arc<Sorted>,
    added: Arc<Sorted>,
    removed: Arc<FxHashSet<QuadIds>>,
    /// Graphs that readers of this clone do not see, sorted.
    hidden: Arc<[TermId]>,
}

/// What a pattern asks for in the graph column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GraphPattern {
    /// Any graph, the default graph as well.
    Any,
    /// This graph alone; 0 is the default graph.
    Only(TermId),
}

impl Quads {
    /// Quads given in any order, duplicates allowed.
    #[must_use]
    pub fn from_quads(quads: &[QuadIds]) -> Self {
        Self { base: Arc::new(Sorted::from_quads(quads)), ..Self::default() }
    }

    /// The number of quads.
    #[must_use]
    pub fn len(&self) -> usize {
        let all = self.base.0[0].len() + self.added.0[0].len() - self.removed.len();
        let count = |sorted: &Sorted, graph: TermId| {
            let (start, end) = sorted.range(Order::Gspo, &[graph]);
            end - start
        };
        let about = |sorted: &Sorted, graph: TermId| {
            let (start, end) = sorted.range(Order::Spog, &[graph]);
            let rows = sorted.rows(Order::Spog)[start..end].iter();
            rows.filter(|row| self.hidden.binary_search(&row[3]).is_err()).count()
        };
        let hidden: usize = self
            .hidden
            .iter()
            .map(|graph| {
                [&self.base, &self.added]
                    .map(|sorted| count(sorted, *graph) + about(sorted, *graph))
                    .iter()
                    .sum::<usize>()
            })
            .sum();
        let gone = self.removed.iter().filter(|quad| self.hides(**quad)).count();
        all - (hidden - gone)
    }

    /// Quads of a hidden graph, and what is said of that graph elsewhere: its
    /// name alone may tell too much.
    fn hides(&self, quad: QuadIds) -> bool {
        !self.hidden.is_empty()
            && (self.hidden.binary_search(&quad[3]).is_ok()
                || self.hidden.binary_search(&quad[0]).is_ok())
    }

    /// Whether there is no quad.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether this quad holds.
    #[must_use]
    pub fn contains(&self, quad: QuadIds) -> bool {
        if self.hides(quad) {
            return false;
        }
        if self.added.0[0].binary_search(&quad).is_ok() {
            return true;
        }
        self.base.0[0].binary_search(&quad).is_ok() && !self.removed.contains(&quad)
    }

    /// The quads after a change. Removals come first.
    #[must_use]
    pub fn with(&self, remove: &[QuadIds], add: &[QuadIds]) -> Self {
        let mut removed = (*self.removed).clone();
        let mut dropped = FxHashSet::default();
        let mut new = FxHashSet::default();
        let in_base = |quad: &QuadIds| self.base.0[0].binary_search(quad).is_ok();
        let in_overlay = |quad: &QuadIds| self.added.0[0].binary_search(quad).is_ok();
        for quad in remove {
            if in_overlay(quad) {
                dropped.insert(*quad);
            } else if in_base(quad) {
                removed.insert(*quad);
            }
        }
        for quad in add {
            let back = dropped.remove(quad) || removed.remove(quad);
            if !back && !in_overlay(quad) && !in_base(quad) {
                new.insert(*quad);
            }
        }
        let new: Vec<QuadIds> = new.into_iter().collect();
        let size = self.added.0[0].len() + new.len() - dropped.len() + removed.len();
        if size > overlay_limit(self.base.0[0].len()) {
            let added = self.added.merged(&dropped, &new);
            let base = self.base.merged(&removed, &added.0[0]);
            return Self { base: Arc::new(base), ..self.visible_alike() };
        }
        Self {
            added: Arc::new(self.added.merged(&dropped, &new)),
            removed: Arc::new(removed),
            ..self.clone()
        }
    }

    /// The graphs that readers of this clone do not see, sorted.
    pub(super) fn hidden(&self) -> Arc<[TermId]> {
        Arc::clone(&self.hidden)
    }

    /// The quads that may be seen of the base, sorted by subject or, `by_object`,
    /// by predicate and object; recent changes apart.
    pub(super) fn each_base(&self, by_object: bool, mut each: impl FnMut(QuadIds)) {
        let order = if by_object { Order::Posg } else { Order::Spog };
        for row in self.base.rows(order) {
            let quad = order.restore(*row);
            if !self.hides(quad) {
                each(quad);
            }
        }
    }

    /// The quads that recent changes added to the base or removed.
    pub(super) fn each_recent(&self, each: impl FnMut(QuadIds)) {
        self.added.0[0].iter().chain(self.removed.iter()).copied().for_each(each);
    }

    /// What is kept with the base.
    pub(super) fn kept_bases(&self) -> &Kept<Base> {
        &self.base.1.bases
    }

    /// What is kept with this revision.
    pub(super) fn kept_columns(&self) -> &Kept<Columns> {
        &self.added.1.columns
    }

    fn visible_alike(&self) -> Self {
        Self { hidden: Arc::clone(&self.hidden), ..Self::default() }
    }

    /// The same quads without those of some graphs. Hiding again replaces what
    /// was hidden before.
    #[must_use]
    pub fn without_graphs(&self, mut graphs: Vec<TermId>) -> Self {
        graphs.sort_unstable();
        graphs.dedup();
        Self { hidden: graphs.into(), ..self.clone() }
    }

    /// The first graph at or after this number that holds a quad.
    #[must_use]
    pub fn next_graph(&self, from: TermId) -> Option<TermId> {
        let mut from = from;
        loop {
            let first = |sorted: &Sorted| {
                let rows = sorted.rows(Order::Gspo);
                rows.get(rows.partition_point(|row| row[0] < from)).map(|row| row[0])
            };
            let graph = match (first(&self.base), first(&self.added)) {
                (Some(a), Some(b)) => a.min(b),
                (a, b) => a.or(b)?,
            };
            // All of its quads may have been removed.
            if self.matching(None, None, None, GraphPattern::Only(graph)).next().is_some() {
                return Some(graph);
            }
            from = graph + 1;
        }
    }

    /// The quads that match; `None` matches everything. They come sorted, and
    /// equal triples of several graphs side by side, unless only the graph is
    /// given.
    #[must_use]
    pub fn matching(
        &self,
        subject: Option<TermId>,
        predicate: Option<TermId>,
        object: Option<TermId>,
        graph: GraphPattern,
    ) -> Matching {
        let mut prefix = [0; 4];
        let mut length = 0;
        let mut push = |id: Option<TermId>| {
            if let Some(id) = id {
                prefix[length] = id;
                length += 1;
            }
        };
        let order = match (subject, predicate, object, graph) {
            (Some(_), Some(_), ..) => {
                push(subject);
                push(predicate);
                push(object);
                Order::Spog
            }
            (Some(_), None, Some(_), _) => {
                push(object);
                push(subject);
                Order::Ospg
            }
            (Some(_), None, None, _) => {
                push(subject);
                Order::Spog
            }
            (None, Some(_), ..) => {
                push(predicate);
                push(object);
                Order::Posg
            }
            (None, None, Some(_), _) => {
                push(object);
                Order::Ospg
            }
            (None, None, None, GraphPattern::Only(graph)) => {
                push(Some(graph));
                Order::Gspo
            }
            (None, None, None, GraphPattern::Any) => Order::Spog,
        };
        let prefix = &prefix[..length];
        let (base_position, base_end) = self.base.range(order, prefix);
        let (added_position, added_end) = self.added.range(order, prefix);
        Matching {
            quads: self.clone(),
            order,
            graph,
            base_position,
            base_end,
            added_position,
            added_end,
        }
    }
}

/// Iterator over matching quads; keeps its snapshot alive.
pub struct Matching {
    quads: Quads,
    order: Order,
    graph: GraphPattern,
    base_position: usize,
    base_end: usize,
    added_position: usize,
    added_end: usize,
}

impl Matching {
    /// An upper bound of what is left, exact for patterns without a graph on
    /// data without recent removals.
    pub fn bound(&self) -> usize {
        self.base_end - self.base_position + self.added_end - self.added_position
    }
}

impl Iterator for Matching {
    type Item = QuadIds;

    fn next(&mut self) -> Option<QuadIds> {
        loop {
            let base = (self.base_position < self.base_end)
                .then(|| self.quads.base.rows(self.order)[self.base_position]);
            let added = (self.added_position < self.added_end)
                .then(|| self.quads.added.rows(self.order)[self.added_position]);
            let (row, from_base) = match (base, added) {
                (None, None) => return None,
                (Some(base), Some(added)) if added < base => (added, false),
                (Some(base), _) => (base, true),
                (None, Some(added)) => (added, false),
            };
            let quad = self.order.restore(row);
            if from_base {
                self.base_position += 1;
                if !self.quads.removed.is_empty() && self.quads.removed.contains(&quad) {
                    continue;
                }
            } else {
                self.added_position += 1;
            }
            if let GraphPattern::Only(graph) = self.graph
                && quad[3] != graph
            {
                continue;
            }
            if self.quads.hides(quad) {
                continue;
            }
            return Some(quad);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Random changes against a plain set and a linear scan.
    #[test]
    fn random_changes_agree_with_a_plain_set() {
        let mut seed = 0x2545_f491_4f6c_dd1d_u64;
        let mut random = |n: u32| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            u32::try_from(seed >> 33).unwrap_or(0) % n
        };
        let mut plain: BTreeSet<QuadIds> = BTreeSet::new();
        let mut quads = Quads::default();
        for round in 0..200 {
            let size = if round % 50 == 49 { 25_000 } else { 40 };
            let spread = if round % 50 == 49 { 400 } else { 12 };
            let mut quad = || [random(spread) + 1, random(5) + 1, random(spread) + 1, random(3)];
            let remove: Vec<QuadIds> = (0..size / 2).map(|_| quad()).collect();
            let add: Vec<QuadIds> = (0..size).map(|_| quad()).collect();
            quads = quads.with(&remove, &add);
            for quad in &remove {
                plain.remove(quad);
            }
            plain.extend(add);
            assert_eq!(quads.len(), plain.len());
            for mask in 0..16_u32 {
                let [s, p, o, g] = [random(12) + 1, random(5) + 1, random(12) + 1, random(3)];
                let pick = |bit: u32, id: TermId| (mask & bit != 0).then_some(id);
                let graph = if mask & 8 == 0 { GraphPattern::Any } else { GraphPattern::Only(g) };
                let found: Vec<QuadIds> =
                    quads.matching(pick(1, s), pick(2, p), pick(4, o), graph).collect();
                let expected: BTreeSet<QuadIds> = plain
                    .iter()
                    .filter(|q| {
                        (mask & 1 == 0 || q[0] == s)
                            && (mask & 2 == 0 || q[1] == p)
                            && (mask & 4 == 0 || q[2] == o)
                            && (mask & 8 == 0 || q[3] == g)
                    })
                    .copied()
                    .collect();
                assert_eq!(found.len(), expected.len(), "no quad twice");
                assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected);
            }
        }
    }
}
