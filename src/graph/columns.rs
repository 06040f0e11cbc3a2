//! The triples of a set of graphs by predicate, in two directions: from a
//! subject to its objects and back, each two array reads away. The base's, and
//! over them the keys that recent changes touched. Not for named graphs as a
//! column, and not for terms.

use crate::graph::base::{Graphs, Kept, Seen, Way, Ways, sees};
use crate::graph::direction::Direction;
use crate::graph::quads::{GraphPattern, Quads};
use crate::rdf::TermId;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// The keys of one predicate that recent changes touched, with all values that
/// they have now.
#[derive(Default)]
struct Touched {
    forward: FxHashMap<TermId, Box<[TermId]>>,
    backward: FxHashMap<TermId, Box<[TermId]>>,
    length: usize,
    subjects: usize,
    objects: usize,
}

/// The triples of a set of graphs at one revision.
pub(super) struct Columns {
    base: Arc<Seen>,
    touched: FxHashMap<TermId, Touched>,
    /// The predicates that have a triple, sorted.
    predicates: Vec<TermId>,
}

impl Columns {
    /// The columns of these graphs, made now or kept from before.
    pub(super) fn of(quads: &Quads, graphs: &Graphs) -> Arc<Self> {
        let key = (quads.hidden(), graphs.clone());
        quads.kept_columns().get(&key, || Self::new(quads.seen(graphs), quads, graphs))
    }

    fn new(base: Arc<Seen>, quads: &Quads, graphs: &Graphs) -> Self {
        let mut pairs: FxHashMap<TermId, Vec<(TermId, TermId)>> = FxHashMap::default();
        quads.each_recent(|[s, p, o, _]| pairs.entry(p).or_default().push((s, o)));
        let touched: FxHashMap<TermId, Touched> = pairs
            .into_iter()
            .map(|(p, pairs)| {
                (p, touched(base.get(&p).map(|ways| &**ways), p, &pairs, quads, graphs))
            })
            .collect();
        let mut columns = Self { base, touched, predicates: Vec::new() };
        let mut predicates: Vec<TermId> = columns
            .base
            .keys()
            .chain(columns.touched.keys())
            .copied()
            .filter(|p| columns.predicate(*p).len() > 0)
            .collect();
        predicates.sort_unstable();
        predicates.dedup();
        columns.predicates = predicates;
        columns
    }

    /// The predicates that have a triple, sorted.
    pub(super) fn predicates(&self) -> &[TermId] {
        &self.predicates
    }

    /// The triples of a predicate, none if it is not known.
    pub(super) fn predicate(&self, id: TermId) -> PredicateView<'_> {
        PredicateView {
            base: self.base.get(&id).map(|ways| &**ways),
            touched: self.touched.get(&id),
        }
    }

    /// The number of distinct triples.
    pub(super) fn len(&self) -> usize {
        self.predicates.iter().map(|p| self.predicate(*p).len()).sum()
    }
}

/// What is kept with one revision.
pub(super) type KeptColumns = Kept<Columns>;

fn touched(
    base: Option<&Ways>,
    predicate: TermId,
    pairs: &[(TermId, TermId)],
    quads: &Quads,
    graphs: &Graphs,
) -> Touched {
    let mut touched = Touched {
        length: base.map_or(0, |b| b.direction(Way::Forward).len()),
        subjects: base.map_or(0, |b| b.direction(Way::Forward).keys()),
        objects: base.map_or(0, |b| b.direction(Way::Backward).keys()),
        ..Touched::default()
    };
    let mut forward: FxHashMap<TermId, Vec<TermId>> = FxHashMap::default();
    let mut backward: FxHashMap<TermId, Vec<TermId>> = FxHashMap::default();
    let ways = [Way::Forward, Way::Backward].map(|way| base.map(|base| base.direction(way)));
    let mut seen = rustc_hash::FxHashSet::default();
    for (s, o) in pairs {
        if !seen.insert((*s, *o)) {
            continue;
        }
        let was = ways[0].is_some_and(|forward| forward.of(*s).binary_search(o).is_ok());
        let is = quads
            .matching(Some(*s), Some(predicate), Some(*o), GraphPattern::Any)
            .any(|quad| sees(graphs, quad[3]));
        if was == is {
            continue;
        }
        let values = |direction: Option<&Direction>, key| {
            direction.map_or_else(Vec::new, |direction| direction.of(key).to_vec())
        };
        let objects = forward.entry(*s).or_insert_with(|| values(ways[0], *s));
        let subjects = backward.entry(*o).or_insert_with(|| values(ways[1], *o));
        for (list, value) in [(objects, o), (subjects, s)] {
            match list.binary_search(value) {
                Err(at) if is => list.insert(at, *value),
                Ok(at) if !is => {
                    list.remove(at);
                }
                _ => {}
            }
        }
        if is { touched.length += 1 } else { touched.length -= 1 }
    }
    let settle = |lists: FxHashMap<TermId, Vec<TermId>>,
                  direction: Option<&Direction>,
                  count: &mut usize| {
        lists
            .into_iter()
            .map(|(key, list)| {
                let had = direction.is_some_and(|direction| direction.has(key));
                match (had, list.is_empty()) {
                    (false, false) => *count += 1,
                    (true, true) => *count -= 1,
                    _ => {}
                }
                (key, list.into_boxed_slice())
            })
            .collect()
    };
    touched.forward = settle(forward, ways[0], &mut touched.subjects);
    touched.backward = settle(backward, ways[1], &mut touched.objects);
    touched
}

/// The triples of one predicate.
#[derive(Clone, Copy)]
pub(super) struct PredicateView<'a> {
    base: Option<&'a Ways>,
    touched: Option<&'a Touched>,
}

impl<'a> PredicateView<'a> {
    /// The number of triples.
    pub(super) fn len(self) -> usize {
        self.touched.map_or_else(
            || self.base.map_or(0, |base| base.direction(Way::Forward).len()),
            |touched| touched.length,
        )
    }

    /// The number of distinct subjects, or objects.
    pub(super) fn keys(self, way: Way) -> usize {
        match (self.touched, way) {
            (Some(touched), Way::Forward) => touched.subjects,
            (Some(touched), Way::Backward) => touched.objects,
            (None, way) => self.base.map_or(0, |base| base.direction(way).keys()),
        }
    }

    /// The sorted values of a key.
    #[inline]
    pub(super) fn of(self, way: Way, key: TermId) -> &'a [TermId] {
        if let Some(touched) = self.touched
            && let Some(list) = touched.lists(way).get(&key)
        {
            return list;
        }
        self.base.map_or(&[], |base| base.direction(way).of(key))
    }

    /// Whether the subject has the object.
    #[inline]
    pub(super) fn contains(self, subject: TermId, object: TermId) -> bool {
        let objects = self.of(Way::Forward, subject);
        match objects {
            [] => false,
            [one] => *one == object,
            // A hub on this side may be a leaf on the other.
            many if many.len() <= 16 => many.contains(&object),
            many => many.binary_search(&object).is_ok(),
        }
    }

    /// The keys of a direction, and the values of each: those of the base in
    /// order, then those that are new. Each is given once.
    pub(super) fn for_each(
        self,
        way: Way,
        mut each: impl FnMut(TermId, &'a [TermId]) -> std::ops::ControlFlow<()>,
    ) {
        let mut stopped = false;
        if let Some(base) = self.base {
            let direction = base.direction(way);
            direction.for_each(|key, range| {
                if stopped {
                    return;
                }
                let list = self
                    .touched
                    .and_then(|touched| touched.lists(way).get(&key))
                    .map_or_else(|| &direction.values()[range], |list| &**list);
                if !list.is_empty() {
                    stopped = each(key, list).is_break();
                }
            });
        }
        if let Some(touched) = self.touched {
            for (key, list) in touched.lists(way) {
                let known = self.base.is_some_and(|base| base.direction(way).has(*key));
                if stopped || known || list.is_empty() {
                    continue;
                }
                stopped = each(*key, list).is_break();
            }
        }
    }
}

impl Touched {
    fn lists(&self, way: Way) -> &FxHashMap<TermId, Box<[TermId]>> {
        match way {
            Way::Forward => &self.forward,
            Way::Backward => &self.backward,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rdf::QuadIds;
    use std::collections::BTreeSet;
    use std::ops::ControlFlow;

    /// After random changes the columns hold what a plain set holds, for all
    /// graphs, for some, and where graphs are hidden.
    #[test]
    fn random_changes_agree_with_a_plain_set() {
        let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = |n: u32| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            u32::try_from(seed >> 33).unwrap_or(0) % n
        };
        let mut plain: BTreeSet<QuadIds> = BTreeSet::new();
        let mut quads = Quads::default();
        for round in 0..60 {
            let many = round % 20 == 19;
            let (size, spread) = if many { (9_000, 300) } else { (40, 12) };
            let mut quad = || [random(spread) + 1, random(5) + 1, random(spread) + 1, random(3)];
            let remove: Vec<QuadIds> = (0..size / 2).map(|_| quad()).collect();
            let add: Vec<QuadIds> = (0..size).map(|_| quad()).collect();
            quads = quads.with(&remove, &add);
            for quad in &remove {
                plain.remove(quad);
            }
            plain.extend(add);
            let sets: [(Vec<TermId>, Graphs); 3] =
                [(vec![], None), (vec![2], None), (vec![], Some(Arc::from([0, 1])))];
            for (hidden, graphs) in sets {
                let columns = Columns::of(&quads.without_graphs(hidden.clone()), &graphs);
                let expected: BTreeSet<[TermId; 3]> = plain
                    .iter()
                    .filter(|q| {
                        !hidden.contains(&q[3]) && !hidden.contains(&q[0]) && sees(&graphs, q[3])
                    })
                    .map(|q| [q[0], q[1], q[2]])
                    .collect();
                assert_eq!(columns.len(), expected.len());
                let mut both = [BTreeSet::new(), BTreeSet::new()];
                for p in columns.predicates() {
                    let view = columns.predicate(*p);
                    for (way, found) in [Way::Forward, Way::Backward].into_iter().zip(&mut both) {
                        let mut keys = 0;
                        view.for_each(way, |key, values| {
                            keys += 1;
                            assert_eq!(view.of(way, key), values);
                            for value in values {
                                let [s, o] =
                                    if way == Way::Forward { [key, *value] } else { [*value, key] };
                                assert!(found.insert([s, *p, o]), "each triple once");
                                assert!(view.contains(s, o));
                            }
                            ControlFlow::Continue(())
                        });
                        assert_eq!(view.keys(way), keys);
                    }
                    assert!(!view.contains(spread + 2, 1));
                }
                assert_eq!(both[0], expected);
                assert_eq!(both[1], expected);
            }
        }
    }
}
