//! The quads of one revision as columns: for each predicate an index from
//! subjects to objects and one from objects to subjects (see
//! [`crate::graph::index`]). A triple is kept once, with the number of the
//! set of graphs that it is in, so that the union of graphs, which most
//! queries ask for, is read without looking at graphs at all. Numbers of terms
//! are those of the ledger, in order of first appearance: subjects of one kind
//! and the texts they own lie side by side in pages without renumbering, a
//! change needs no second numbering, and what needs an order of values has it
//! from the value table beside the terms ([`crate::graph::value`]). Immutable
//! once shared. Not for terms or SPARQL.

use crate::graph::index::{Index, Page, Put, Row, SetId};
use crate::rdf::QuadIds;
use crate::rdf::TermId;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// The triples of one predicate.
#[derive(Clone, Default)]
pub(super) struct Predicate {
    /// From subjects to objects, with the graphs of each triple.
    pub(super) forward: Index,
    /// From objects to subjects.
    pub(super) backward: Index,
    /// How many triples are in each set of graphs; sets without any are left
    /// out.
    sets: Vec<(SetId, usize)>,
}

/// Every set of graphs that a triple was ever in, numbered.
#[derive(Clone, Default)]
struct Sets {
    lists: Vec<Arc<[TermId]>>,
    numbers: FxHashMap<Arc<[TermId]>, SetId>,
}

impl Sets {
    fn number(&mut self, graphs: &[TermId]) -> SetId {
        if let Some(number) = self.numbers.get(graphs) {
            return *number;
        }
        let number = SetId::try_from(self.lists.len()).unwrap_or(SetId::MAX);
        let graphs: Arc<[TermId]> = graphs.into();
        self.lists.push(Arc::clone(&graphs));
        self.numbers.insert(graphs, number);
        number
    }
}

/// All quads of one revision. Cloning is cheap; a clone is a snapshot.
#[derive(Clone, Default)]
pub struct Quads {
    /// Sorted by number.
    predicates: Arc<Vec<(TermId, Arc<Predicate>)>>,
    sets: Arc<Sets>,
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
        let mut sorted: Vec<QuadIds> = quads.iter().map(|[s, p, o, g]| [*p, *s, *o, *g]).collect();
        sorted.sort_unstable();
        sorted.dedup();
        let mut sets = Sets::default();
        let mut predicates = Vec::new();
        let mut graphs = Vec::new();
        for quads in sorted.chunk_by(|a, b| a[0] == b[0]) {
            let mut rows: Vec<Row> = Vec::with_capacity(quads.len());
            for triple in quads.chunk_by(|a, b| a[..3] == b[..3]) {
                graphs.clear();
                graphs.extend(triple.iter().map(|quad| quad[3]));
                rows.push((triple[0][1], triple[0][2], sets.number(&graphs)));
            }
            let mut counts: FxHashMap<SetId, usize> = FxHashMap::default();
            for (_, _, set) in &rows {
                *counts.entry(*set).or_default() += 1;
            }
            let forward = Index::build(&rows, true);
            for row in &mut rows {
                *row = (row.1, row.0, 0);
            }
            rows.sort_unstable();
            let backward = Index::build(&rows, false);
            let mut counts: Vec<_> = counts.into_iter().collect();
            counts.sort_unstable();
            predicates
                .push((quads[0][0], Arc::new(Predicate { forward, backward, sets: counts })));
        }
        Self { predicates: Arc::new(predicates), sets: Arc::new(sets), hidden: Arc::default() }
    }

    /// The number of quads.
    #[must_use]
    pub fn len(&self) -> usize {
        let seen = |set: SetId| self.graphs_of(set).filter(|g| !self.is_hidden(*g)).count();
        let per_set: Vec<usize> = (0..self.sets.lists.len())
            .map(|set| seen(SetId::try_from(set).unwrap_or(SetId::MAX)))
            .collect();
        let mut count = 0;
        for (_, predicate) in self.predicates.iter() {
            count += predicate.sets.iter().map(|(set, n)| n * per_set[*set as usize]).sum::<usize>();
            for graph in self.hidden.iter() {
                if let Some(about) = predicate.forward.find(*graph) {
                    let sets = (0..about.values.len()).map(|n| about.set(n) as usize);
                    count -= sets.map(|set| per_set[set]).sum::<usize>();
                }
            }
        }
        count
    }

    fn graphs_of(&self, set: SetId) -> impl Iterator<Item = TermId> + '_ {
        self.sets.lists[set as usize].iter().copied()
    }

    fn is_hidden(&self, graph: TermId) -> bool {
        self.hidden.binary_search(&graph).is_ok()
    }

    /// Quads of a hidden graph, and what is said of that graph elsewhere: its
    /// name alone may tell too much.
    fn hides(&self, quad: QuadIds) -> bool {
        !self.hidden.is_empty() && (self.is_hidden(quad[3]) || self.is_hidden(quad[0]))
    }

    /// Whether there is no quad.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Memory of the indexes (bytes).
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.predicates.iter().map(|(_, p)| p.forward.bytes() + p.backward.bytes()).sum()
    }

    /// The predicates that have or had triples, sorted, each with its triples.
    pub(super) fn predicates(&self) -> &[(TermId, Arc<Predicate>)] {
        &self.predicates
    }

    /// The triples of a predicate.
    pub(super) fn predicate(&self, predicate: TermId) -> Option<&Predicate> {
        let at = self.predicates.binary_search_by_key(&predicate, |(id, _)| *id).ok()?;
        Some(&self.predicates[at].1)
    }

    /// Whether this quad holds.
    #[must_use]
    pub fn contains(&self, quad: QuadIds) -> bool {
        !self.hides(quad) && self.holds(quad)
    }

    fn holds(&self, [s, p, o, g]: QuadIds) -> bool {
        let set = self.predicate(p).and_then(|predicate| predicate.forward.set(s, o));
        set.is_some_and(|set| self.graphs_of(set).any(|graph| graph == g))
    }

    /// The quads after a change. Removals come first.
    #[must_use]
    pub fn with(&self, remove: &[QuadIds], add: &[QuadIds]) -> Self {
        // One entry a quad, the last word on it at the end.
        let mut changes: Vec<([TermId; 4], bool)> =
            remove.iter().map(|[s, p, o, g]| ([*p, *s, *o, *g], false)).collect();
        changes.extend(add.iter().map(|[s, p, o, g]| ([*p, *s, *o, *g], true)));
        changes.sort_unstable();
        let mut changed = self.clone();
        let predicates = Arc::make_mut(&mut changed.predicates);
        let mut sets = Arc::clone(&self.sets);
        for changes in changes.chunk_by(|a, b| a.0[0] == b.0[0]) {
            let id = changes[0].0[0];
            let place = predicates.binary_search_by_key(&id, |(id, _)| *id);
            let nothing = Predicate {
                forward: Index::build(&[], true),
                backward: Index::build(&[], false),
                sets: Vec::new(),
            };
            let old = place.map_or(&nothing, |at| &*predicates[at].1);
            let Some(new) = changed_predicate(old, changes, &mut sets) else { continue };
            match place {
                Ok(at) if new.forward.values() == 0 => {
                    predicates.remove(at);
                }
                Ok(at) => predicates[at].1 = Arc::new(new),
                Err(at) => predicates.insert(at, (id, Arc::new(new))),
            }
        }
        changed.sets = sets;
        changed
    }

    /// The same quads without those of some graphs. Hiding again replaces what
    /// was hidden before.
    #[must_use]
    pub fn without_graphs(&self, mut graphs: Vec<TermId>) -> Self {
        graphs.sort_unstable();
        graphs.dedup();
        Self { hidden: graphs.into(), ..self.clone() }
    }

    /// The named graphs that hold a quad, sorted.
    #[must_use]
    pub fn named_graphs(&self) -> Vec<TermId> {
        let mut graphs = Vec::new();
        let mut counts: FxHashMap<SetId, usize> = FxHashMap::default();
        for (_, predicate) in self.predicates.iter() {
            for (set, count) in &predicate.sets {
                *counts.entry(*set).or_default() += count;
            }
            // What is said of a hidden graph is in no graph for its reader.
            for graph in self.hidden.iter() {
                if let Some(about) = predicate.forward.find(*graph) {
                    for n in 0..about.values.len() {
                        *counts.entry(about.set(n)).or_default() -= 1;
                    }
                }
            }
        }
        for (set, count) in counts {
            if count > 0 {
                graphs.extend(self.graphs_of(set).filter(|g| *g != 0 && !self.is_hidden(*g)));
            }
        }
        graphs.sort_unstable();
        graphs.dedup();
        graphs
    }

    /// Which sets hold a triple of the union of these graphs; hidden ones do
    /// not count.
    pub(super) fn sets_in(&self, graphs: impl Fn(TermId) -> bool) -> Vec<bool> {
        let lists = self.sets.lists.iter();
        lists.map(|set| set.iter().any(|g| graphs(*g) && !self.is_hidden(*g))).collect()
    }

    /// Graphs that readers do not see, sorted.
    pub(super) fn hidden(&self) -> &[TermId] {
        &self.hidden
    }

    /// The quads that match; `None` matches everything. With a subject they
    /// come sorted; equal triples of several graphs always come side by side.
    #[must_use]
    pub fn matching(
        &self,
        subject: Option<TermId>,
        predicate: Option<TermId>,
        object: Option<TermId>,
        graph: GraphPattern,
    ) -> Matching {
        let blocks = match (subject, predicate, object) {
            (None, Some(predicate), None) => {
                self.predicate(predicate).map(|predicate| predicate.forward.blocks())
            }
            (None, None, None) => {
                let ranges = self.predicates.iter().map(|(_, p)| p.forward.blocks());
                ranges.reduce(|a, b| a.start.min(b.start)..a.end.max(b.end))
            }
            _ => None,
        };
        Matching {
            quads: self.clone(),
            pattern: [subject, predicate, object],
            graph,
            buffer: Vec::new(),
            next: 0,
            predicate: predicate
                .map_or(0, |id| self.predicates.partition_point(|(other, _)| *other < id)),
            place: 0,
            blocks: blocks.unwrap_or(0..0),
        }
    }
}

/// A predicate after changes, sorted by subject, object and graph with
/// removals before additions. `None` when nothing differs.
fn changed_predicate(
    old: &Predicate,
    changes: &[([TermId; 4], bool)],
    sets: &mut Arc<Sets>,
) -> Option<Predicate> {
    let mut forward: Vec<Put> = Vec::new();
    let mut backward: Vec<Put> = Vec::new();
    let mut counts: FxHashMap<SetId, usize> = old.sets.iter().copied().collect();
    for triple in changes.chunk_by(|a, b| a.0[..3] == b.0[..3]) {
        let [_, s, o, _] = triple[0].0;
        let before = old.forward.set(s, o);
        let mut graphs: Vec<TermId> =
            before.map_or_else(Vec::new, |set| sets.lists[set as usize].to_vec());
        for ([.., graph], added) in triple {
            match (graphs.binary_search(graph), added) {
                (Ok(at), false) => {
                    graphs.remove(at);
                }
                (Err(at), true) => graphs.insert(at, *graph),
                _ => {}
            }
        }
        let after = if graphs.is_empty() {
            None
        } else if let Some(number) = sets.numbers.get(&graphs[..]) {
            Some(*number)
        } else {
            Some(Arc::make_mut(sets).number(&graphs))
        };
        if before == after {
            continue;
        }
        if let Some(before) = before
            && let Some(count) = counts.get_mut(&before)
        {
            *count -= 1;
        }
        if let Some(after) = after {
            *counts.entry(after).or_default() += 1;
        }
        forward.push((s, o, after));
        if before.is_none() != after.is_none() {
            backward.push((o, s, after.map(|_| 0)));
        }
    }
    if forward.is_empty() {
        return None;
    }
    backward.sort_unstable();
    let mut counts: Vec<(SetId, usize)> = counts.into_iter().filter(|(_, n)| *n > 0).collect();
    counts.sort_unstable();
    Some(Predicate {
        forward: old.forward.with(&forward),
        backward: old.backward.with(&backward),
        sets: counts,
    })
}

impl Predicate {
    /// The sets that triples of the predicate are in.
    pub(super) fn sets(&self) -> impl Iterator<Item = SetId> + '_ {
        self.sets.iter().map(|(set, _)| *set)
    }
}

/// Iterator over matching quads; keeps its snapshot alive.
pub struct Matching {
    quads: Quads,
    pattern: [Option<TermId>; 3],
    graph: GraphPattern,
    /// Quads found and not yet given.
    buffer: Vec<QuadIds>,
    next: usize,
    /// The place of the predicate to look at next.
    predicate: usize,
    /// The value to look at next within a list of values.
    place: usize,
    /// The blocks of subjects still to be read.
    blocks: std::ops::Range<usize>,
}

/// Quads gathered in one step from a long list.
const STEP: usize = 256;

impl Matching {
    /// Gathers more quads. `false` when there are no more.
    fn fill(&mut self) -> bool {
        self.buffer.clear();
        self.next = 0;
        let quads = self.quads.clone();
        match self.pattern {
            [None, _, None] => {
                let Some(block) = self.blocks.next() else { return false };
                self.fill_block(&quads, block);
            }
            [Some(subject), predicate, object] => {
                let Some((id, entry)) = self.current(&quads, predicate) else { return false };
                self.predicate += 1;
                if let Some(found) = entry.forward.find(subject) {
                    let places = match object {
                        None => 0..found.values.len(),
                        Some(object) => match found.values.binary_search(&object) {
                            Ok(at) => at..at + 1,
                            Err(_) => 0..0,
                        },
                    };
                    for n in places {
                        self.push(&quads, [subject, id, found.values[n]], found.set(n));
                    }
                }
            }
            [None, predicate, Some(object)] => {
                let Some((id, entry)) = self.current(&quads, predicate) else { return false };
                let subjects = entry.backward.get(object);
                let end = subjects.len().min(self.place + STEP);
                for subject in &subjects[self.place..end] {
                    if let Some(set) = entry.forward.set(*subject, object) {
                        self.push(&quads, [*subject, id, object], set);
                    }
                }
                self.place = end;
                if end == subjects.len() {
                    self.place = 0;
                    self.predicate += 1;
                }
            }
        }
        true
    }

    /// The predicate to look at now: the one asked for, or the next of all.
    fn current<'a>(
        &self,
        quads: &'a Quads,
        asked: Option<TermId>,
    ) -> Option<(TermId, &'a Predicate)> {
        let (id, entry) = quads.predicates.get(self.predicate)?;
        asked.is_none_or(|asked| asked == *id).then_some((*id, &**entry))
    }

    fn fill_block(&mut self, quads: &Quads, block: usize) {
        let predicates = match self.pattern[1] {
            Some(_) => quads.predicates.get(self.predicate..=self.predicate).unwrap_or_default(),
            None => &quads.predicates[..],
        };
        for (id, entry) in predicates {
            let Some(page) = entry.forward.page(block) else { continue };
            if let (GraphPattern::Only(graph), Some(set)) = (self.graph, page.common_set())
                && !quads.graphs_of(set).any(|g| g == graph)
            {
                continue;
            }
            self.fill_page(quads, *id, page, block);
        }
        if self.pattern[1].is_none() {
            self.buffer.sort_unstable();
        }
    }

    fn fill_page(&mut self, quads: &Quads, id: TermId, page: &Page, block: usize) {
        page.each(block, |subject, values, start| {
            for (n, object) in values.iter().enumerate() {
                self.push(quads, [subject, id, *object], page.set_at(start + n));
            }
        });
    }

    fn push(&mut self, quads: &Quads, [s, p, o]: [TermId; 3], set: SetId) {
        for graph in quads.graphs_of(set) {
            let quad = [s, p, o, graph];
            let wanted = match self.graph {
                GraphPattern::Any => true,
                GraphPattern::Only(only) => only == graph,
            };
            if wanted && !quads.hides(quad) {
                self.buffer.push(quad);
            }
        }
    }
}

impl Iterator for Matching {
    type Item = QuadIds;

    fn next(&mut self) -> Option<QuadIds> {
        while self.next == self.buffer.len() {
            if !self.fill() {
                return None;
            }
        }
        self.next += 1;
        Some(self.buffer[self.next - 1])
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
                let triple = |quad: &QuadIds| [quad[0], quad[1], quad[2]];
                let mut triples: Vec<_> = found.iter().map(triple).collect();
                triples.dedup();
                let all = triples.len();
                triples.sort_unstable();
                triples.dedup();
                assert_eq!(triples.len(), all, "equal triples lie side by side");
                assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected);
            }
        }
    }
}
