//! Quads of term numbers: a base that is made seldom, and beside it what was
//! added and removed since. Immutable once shared. Not for terms or SPARQL.

use crate::graph::base::{Base, Cursor, Graphs, Seen};
use crate::graph::columns::KeptColumns;
use crate::rdf::QuadIds;
use crate::rdf::TermId;
use rustc_hash::FxHashSet;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// Recent quads fewer than this are never merged into the base.
const LEAST_RECENT: usize = 256;

/// The recent quads beside a base of so many at which a new base is begun. Making
/// it takes 30 ns for each of its quads, and the first query of a revision reads
/// all that is recent, at some 50 ns each: with a dozen quads a change, the sum
/// is least near the root of 24 times the quads where each revision is read
/// (4,200 for 740,000), and further off where none is.
fn recent_limit(base: usize, read: bool) -> usize {
    let worth = if read { 24 } else { 240 };
    (worth * base).isqrt().max(LEAST_RECENT)
}

/// With so many times the limit the new base is waited for.
const WAITED_FOR: usize = 4;

/// The sorted orders of recent quads. The last column of the first three is the
/// graph, so that equal triples of several graphs lie side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Spog,
    Posg,
    Opsg,
    Gspo,
}

impl Order {
    const ALL: [Self; 4] = [Self::Spog, Self::Posg, Self::Opsg, Self::Gspo];

    fn permute(self, [s, p, o, g]: QuadIds) -> [TermId; 4] {
        match self {
            Self::Spog => [s, p, o, g],
            Self::Posg => [p, o, s, g],
            Self::Opsg => [o, p, s, g],
            Self::Gspo => [g, s, p, o],
        }
    }

    fn restore(self, [a, b, c, d]: [TermId; 4]) -> QuadIds {
        match self {
            Self::Spog => [a, b, c, d],
            Self::Posg => [c, a, b, d],
            Self::Opsg => [c, b, a, d],
            Self::Gspo => [b, c, d, a],
        }
    }
}

/// The same quads sorted four ways.
#[derive(Clone, Default)]
struct Sorted([Vec<[TermId; 4]>; 4]);

impl Sorted {
    fn len(&self) -> usize {
        self.0[0].len()
    }

    fn rows(&self, order: Order) -> &[[TermId; 4]] {
        &self.0[order as usize]
    }

    fn contains(&self, quad: &QuadIds) -> bool {
        self.rows(Order::Spog).binary_search(quad).is_ok()
    }

    /// Where the rows with this beginning stand.
    fn range(&self, order: Order, prefix: &[TermId]) -> Range<usize> {
        let rows = self.rows(order);
        let start = rows.partition_point(|row| &row[..prefix.len()] < prefix);
        start..start + rows[start..].partition_point(|row| row.starts_with(prefix))
    }

    /// These quads without some and with others. Runs that stay are copied
    /// whole.
    fn changed(&self, without: &FxHashSet<QuadIds>, with: &FxHashSet<QuadIds>) -> Self {
        Self(Order::ALL.map(|order| {
            let sorted = |quads: &FxHashSet<QuadIds>| {
                let mut rows: Vec<_> = quads.iter().map(|quad| order.permute(*quad)).collect();
                rows.sort_unstable();
                rows
            };
            let old = self.rows(order);
            let (without, with) = (sorted(without), sorted(with));
            let (mut without, mut with) = (without.iter().peekable(), with.iter().peekable());
            let mut rows = Vec::with_capacity(old.len() + with.len());
            let mut from = 0;
            loop {
                let (next, gone) = match (without.peek(), with.peek()) {
                    (None, None) => break,
                    (Some(gone), Some(new)) if new < gone => (**new, false),
                    (Some(gone), _) => (**gone, true),
                    (None, Some(new)) => (**new, false),
                };
                let to = from + old[from..].partition_point(|row| *row < next);
                rows.extend_from_slice(&old[from..to]);
                from = to;
                if gone {
                    without.next();
                    from += usize::from(old.get(from) == Some(&next));
                } else {
                    with.next();
                    rows.push(next);
                }
            }
            rows.extend_from_slice(&old[from..]);
            rows
        }))
    }
}

/// Quads that recent changes added, and the columns of the revision. Those of
/// the last few changes lie apart, so that a change copies few.
#[derive(Default)]
struct Recent {
    runs: [Arc<Sorted>; 2],
    kept: KeptColumns,
}

impl Recent {
    /// The last few quads at most; with more they are put to the others.
    const FEW: usize = 512;

    fn of(quads: &FxHashSet<QuadIds>) -> Self {
        Self::default().changed(&FxHashSet::default(), quads)
    }

    /// These quads without some and with others.
    fn changed(&self, without: &FxHashSet<QuadIds>, with: &FxHashSet<QuadIds>) -> Self {
        let [old, last] = &self.runs;
        let apart =
            last.len() + with.len() <= Self::FEW && !without.iter().any(|quad| old.contains(quad));
        let runs = if apart {
            [Arc::clone(old), Arc::new(last.changed(without, with))]
        } else {
            let mut with = with.clone();
            with.extend(last.rows(Order::Spog).iter().filter(|quad| !without.contains(*quad)));
            [Arc::new(old.changed(without, &with)), Arc::default()]
        };
        Self { runs, kept: KeptColumns::default() }
    }

    fn len(&self) -> usize {
        self.runs.iter().map(|run| run.len()).sum()
    }

    /// Every quad, in no order.
    fn iter(&self) -> impl Iterator<Item = &QuadIds> {
        self.runs.iter().flat_map(|run| run.rows(Order::Spog))
    }

    fn contains(&self, quad: &QuadIds) -> bool {
        self.runs.iter().any(|run| run.contains(quad))
    }

    /// Where the rows with this beginning stand in each run.
    fn ranges(&self, order: Order, prefix: &[TermId]) -> [Range<usize>; 2] {
        [0, 1].map(|run| self.runs[run].range(order, prefix))
    }
}

/// A base that is being made of another and what was recent beside it.
struct Next {
    added: Arc<Recent>,
    removed: Arc<FxHashSet<QuadIds>>,
    base: OnceLock<Arc<Base>>,
}

/// All quads of one revision. Cloning is cheap; a clone is a snapshot.
#[derive(Clone, Default)]
pub struct Quads {
    base: Arc<Base>,
    added: Arc<Recent>,
    removed: Arc<FxHashSet<QuadIds>>,
    next: Option<Arc<Next>>,
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
        Self { base: Arc::new(Base::new(quads)), ..Self::default() }
    }

    /// The number of quads.
    #[must_use]
    pub fn len(&self) -> usize {
        let all = self.base.len() + self.added.len() - self.removed.len();
        if self.hidden.is_empty() {
            return all;
        }
        let whole = self.without_graphs(Vec::new());
        let of_graph = |graph: TermId| {
            let ranges = self.added.ranges(Order::Gspo, &[graph]);
            self.base.len_of(graph) + ranges.iter().map(Range::len).sum::<usize>()
        };
        let gone = self.removed.iter().filter(|quad| self.hides_graph(quad[3])).count();
        let hidden: usize = self.hidden.iter().map(|graph| of_graph(*graph)).sum();
        let about = self
            .hidden
            .iter()
            .flat_map(|graph| whole.matching(Some(*graph), None, None, GraphPattern::Any));
        let about = about.filter(|quad| !self.hides_graph(quad[3])).count();
        all - (hidden - gone) - about
    }

    /// Quads of a hidden graph, and what is said of that graph elsewhere: its
    /// name alone may tell too much.
    fn hides(&self, quad: QuadIds) -> bool {
        !self.hidden.is_empty() && (self.hides_graph(quad[3]) || self.hides_graph(quad[0]))
    }

    fn hides_graph(&self, graph: TermId) -> bool {
        self.hidden.binary_search(&graph).is_ok()
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
        self.added.contains(&quad) || (self.base.contains(quad) && !self.removed.contains(&quad))
    }

    /// The quads after a change. Removals come first.
    #[must_use]
    pub fn with(&self, remove: &[QuadIds], add: &[QuadIds]) -> Self {
        let this = self.rebased();
        let mut removed = (*this.removed).clone();
        let mut dropped = FxHashSet::default();
        let mut new = FxHashSet::default();
        for quad in remove {
            if this.added.contains(quad) {
                dropped.insert(*quad);
            } else if this.base.contains(*quad) {
                removed.insert(*quad);
            }
        }
        for quad in add {
            let back = dropped.remove(quad) || removed.remove(quad);
            if !back && !this.added.contains(quad) && !this.base.contains(*quad) {
                new.insert(*quad);
            }
        }
        let recent = this.added.len() + new.len() - dropped.len() + removed.len();
        let limit = recent_limit(this.base.len(), !self.added.kept.is_empty());
        if recent > WAITED_FOR * limit {
            let mut with: Vec<QuadIds> = this.added.iter().copied().collect();
            with.retain(|quad| !dropped.contains(quad));
            with.extend(new);
            let base = Arc::new(this.base.changed(&removed, &with));
            return Self { base, hidden: this.hidden, ..Self::default() };
        }
        let mut quads = Self {
            added: Arc::new(this.added.changed(&dropped, &new)),
            removed: Arc::new(removed),
            ..this
        };
        if recent > limit && quads.next.is_none() {
            quads.next = quads.begin();
        }
        quads
    }

    /// Begins to make a new base in the background; none without a thread.
    fn begin(&self) -> Option<Arc<Next>> {
        let (added, removed) = (Arc::clone(&self.added), Arc::clone(&self.removed));
        let next = Arc::new(Next { added, removed, base: OnceLock::new() });
        let (base, made) = (Arc::clone(&self.base), Arc::clone(&next));
        let thread = std::thread::Builder::new().name("base".to_owned()).spawn(move || {
            let with: Vec<QuadIds> = made.added.iter().copied().collect();
            let changed = base.changed(&made.removed, &with);
            let _ = made.base.set(Arc::new(changed));
        });
        thread.ok().map(|_| next)
    }

    /// The same quads over the new base, if it is made.
    fn rebased(&self) -> Self {
        let Some((next, base)) = self.next.as_ref().and_then(|next| Some((next, next.base.get()?)))
        else {
            return self.clone();
        };
        let (mut added, mut removed) = (FxHashSet::default(), FxHashSet::default());
        added.extend(self.added.iter().filter(|quad| !next.added.contains(quad)));
        added.extend(next.removed.iter().filter(|quad| !self.removed.contains(*quad)));
        removed.extend(self.removed.iter().filter(|quad| !next.removed.contains(*quad)));
        let gone = next.added.iter().filter(|quad| !self.added.contains(quad));
        removed.extend(gone);
        Self {
            base: Arc::clone(base),
            added: Arc::new(Recent::of(&added)),
            removed: Arc::new(removed),
            next: None,
            hidden: Arc::clone(&self.hidden),
        }
    }

    /// The graphs that readers of this clone do not see, sorted.
    pub(super) fn hidden(&self) -> Arc<[TermId]> {
        Arc::clone(&self.hidden)
    }

    /// The quads that recent changes added to the base or removed.
    pub(super) fn each_recent(&self, each: impl FnMut(QuadIds)) {
        self.added.iter().chain(self.removed.iter()).copied().for_each(each);
    }

    /// The triples of the base that are in these graphs and may be seen, recent
    /// changes apart.
    pub(super) fn seen(&self, graphs: &Graphs) -> Arc<Seen> {
        self.base.seen(&self.hidden, graphs)
    }

    /// What is kept with this revision.
    pub(super) fn kept_columns(&self) -> &KeptColumns {
        &self.added.kept
    }

    /// The size in memory (bytes), what is kept for sets of graphs apart.
    #[must_use]
    pub fn memory(&self) -> usize {
        let quad = size_of::<QuadIds>();
        self.base.memory()
            + self.added.len() * quad * Order::ALL.len()
            + self.removed.capacity() * (quad + 1)
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
            let added = self.added.runs.iter().filter_map(|run| {
                let rows = run.rows(Order::Gspo);
                rows.get(rows.partition_point(|row| row[0] < from)).map(|row| row[0])
            });
            let graph = added.chain(self.base.graph_from(from)).min()?;
            // All of its quads may have been removed.
            if self.matching(None, None, None, GraphPattern::Only(graph)).next().is_some() {
                return Some(graph);
            }
            from = graph + 1;
        }
    }

    /// The quads that match; `None` matches everything. With a predicate and no
    /// subject they come by object, subject and graph; with an object alone by
    /// predicate, subject and graph; else by subject, predicate, object and
    /// graph. Equal triples of several graphs come side by side.
    #[must_use]
    pub fn matching(
        &self,
        subject: Option<TermId>,
        predicate: Option<TermId>,
        object: Option<TermId>,
        graph: GraphPattern,
    ) -> Matching {
        let graph = match graph {
            GraphPattern::Any => None,
            GraphPattern::Only(graph) => Some(graph),
        };
        let (order, prefix) = match (subject, predicate, object, graph) {
            (Some(_), ..) => (Order::Spog, [subject, predicate, object]),
            (None, Some(_), ..) => (Order::Posg, [predicate, object, None]),
            (None, None, Some(_), _) => (Order::Opsg, [object, None, None]),
            (None, None, None, Some(_)) => (Order::Gspo, [graph, None, None]),
            (None, None, None, None) => (Order::Spog, [None; 3]),
        };
        let given = prefix.iter().take_while(|id| id.is_some()).count();
        let prefix = &prefix.map(Option::unwrap_or_default)[..given];
        let mut matching = Matching {
            order,
            object,
            graph,
            cursor: self.base.matching(subject, predicate, object, graph),
            base: None,
            added: self.added.ranges(order, prefix),
            quads: self.clone(),
        };
        matching.base = matching.next_of_base();
        matching
    }
}

/// Iterator over matching quads; keeps its snapshot alive.
pub struct Matching {
    quads: Quads,
    order: Order,
    object: Option<TermId>,
    graph: Option<TermId>,
    cursor: Cursor,
    /// The next quad of the base.
    base: Option<QuadIds>,
    /// Those of each run of what was added.
    added: [Range<usize>; 2],
}

impl Matching {
    /// The next quad of the base that was not removed.
    fn next_of_base(&mut self) -> Option<QuadIds> {
        loop {
            let quad = self.cursor.next(&self.quads.base)?;
            if self.quads.removed.is_empty() || !self.quads.removed.contains(&quad) {
                return Some(quad);
            }
        }
    }

    /// The next quad of a run of what was added, left where it is.
    fn next_of_run(&mut self, run: usize) -> Option<QuadIds> {
        loop {
            let rows = self.quads.added.runs[run].rows(self.order);
            let quad = self.order.restore(*rows[self.added[run].clone()].first()?);
            // The prefix ends where a predicate is not given.
            if self.object.is_none_or(|object| object == quad[2])
                && self.graph.is_none_or(|graph| graph == quad[3])
            {
                return Some(quad);
            }
            self.added[run].start += 1;
        }
    }

    /// The next quad that was added, and its run.
    fn next_added(&mut self) -> Option<(QuadIds, usize)> {
        let order = self.order;
        let row = |quad| order.permute(quad);
        match (self.next_of_run(0), self.next_of_run(1)) {
            (Some(one), Some(other)) if row(other) < row(one) => Some((other, 1)),
            (Some(one), _) => Some((one, 0)),
            (None, other) => Some((other?, 1)),
        }
    }
}

impl Iterator for Matching {
    type Item = QuadIds;

    fn next(&mut self) -> Option<QuadIds> {
        loop {
            let order = self.order;
            let row = |quad| order.permute(quad);
            let quad = match (self.base, self.next_added()) {
                (Some(base), Some((added, run))) if row(added) < row(base) => {
                    self.added[run].start += 1;
                    added
                }
                (Some(base), _) => {
                    self.base = self.next_of_base();
                    base
                }
                (None, added) => {
                    let (added, run) = added?;
                    self.added[run].start += 1;
                    added
                }
            };
            if !self.quads.hides(quad) {
                return Some(quad);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// A base made in the background takes over with all that came meanwhile.
    #[test]
    fn a_new_base_takes_over() {
        let quad = |n: u32| [n, 1, n % 7, n % 3];
        let all: Vec<QuadIds> = (1..1_000).map(quad).collect();
        let recent: Vec<QuadIds> = (1_000..1_600).map(quad).collect();
        let quads = Quads::from_quads(&all).with(&all[..5], &recent);
        let next = quads.next.clone().expect("a new base is begun");
        // Meanwhile: of what was recent then, some is undone, and more comes.
        let later = quads.with(&recent[..10], &all[..2]).with(&all[7..9], &[quad(5_000)]);
        let base = next.base.wait();
        let over = later.with(&[], &[quad(6_000)]);
        assert!(over.next.is_none() && Arc::ptr_eq(&over.base, base));
        assert!(over.added.len() < 10, "little is recent: {}", over.added.len());
        let expected: BTreeSet<QuadIds> = all[..2]
            .iter()
            .chain(&all[5..7])
            .chain(&all[9..])
            .chain(&recent[10..])
            .copied()
            .chain([quad(5_000), quad(6_000)])
            .collect();
        let found = over.matching(None, None, None, GraphPattern::Any).collect::<BTreeSet<_>>();
        assert_eq!(found, expected);
        assert_eq!(over.len(), expected.len());
    }

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
                let order = match mask & 7 {
                    2 | 6 => Order::Posg,
                    4 => Order::Opsg,
                    _ => Order::Spog,
                };
                assert!(found.is_sorted_by_key(|quad| order.permute(*quad)));
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
