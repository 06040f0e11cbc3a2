//! The triples of a set of graphs by predicate, in two directions: from a
//! subject to its objects and back, each two array reads away. Made from the
//! sorted quads when a query first asks for the set, kept with them, and
//! carried over small changes by the keys that they touch. Not for named
//! graphs as a column, and not for terms.

use crate::graph::quads::{GraphPattern, Quads};
use crate::rdf::TermId;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// The graphs whose union is seen; `None` is all that are visible.
pub(super) type Graphs = Option<Arc<[TermId]>>;

/// Most sets of graphs that are kept for one revision.
const KEPT: usize = 8;

/// The keys of a direction, and the rank of each.
enum Keys {
    /// A bit for each number from `first` (a multiple of 64) on, and before
    /// each word the number of bits that came before.
    Bits { first: TermId, words: Vec<u64>, ranks: Vec<u32> },
    /// Few keys, far apart.
    Sorted(Vec<TermId>),
}

impl Keys {
    fn new(keys: Vec<TermId>) -> Self {
        let (Some(low), Some(high)) = (keys.first(), keys.last()) else {
            return Self::Sorted(keys);
        };
        let first = low & !63;
        let span = (high - first) as usize / 64 + 1;
        // Twelve bytes a word against four a key, found by halving.
        if span > 2 * keys.len() + 16 {
            return Self::Sorted(keys);
        }
        let mut words = vec![0_u64; span];
        for key in &keys {
            words[((key - first) / 64) as usize] |= 1 << (key % 64);
        }
        let mut before = 0;
        let ranks = words
            .iter()
            .map(|word| {
                let rank = before;
                before += word.count_ones();
                rank
            })
            .collect();
        Self::Bits { first, words, ranks }
    }

    #[inline]
    fn rank(&self, key: TermId) -> Option<usize> {
        match self {
            Self::Bits { first, words, ranks } => {
                let at = key.wrapping_sub(*first);
                let word = *words.get((at / 64) as usize)?;
                let bit = 1_u64 << (at % 64);
                if word & bit == 0 {
                    return None;
                }
                let before = (word & (bit - 1)).count_ones();
                Some((ranks[(at / 64) as usize] + before) as usize)
            }
            Self::Sorted(keys) => keys.binary_search(&key).ok(),
        }
    }

    fn for_each(&self, mut each: impl FnMut(TermId)) {
        match self {
            Self::Bits { first, words, .. } => {
                let mut base = *first;
                for word in words {
                    let mut left = *word;
                    while left != 0 {
                        each(base + left.trailing_zeros());
                        left &= left - 1;
                    }
                    base = base.wrapping_add(64);
                }
            }
            Self::Sorted(keys) => keys.iter().copied().for_each(each),
        }
    }
}

/// One direction of one predicate: sorted keys, each with its sorted values.
pub(super) struct Direction {
    keys: Keys,
    count: usize,
    /// Where the values of the nth key begin, and the end; `None` if each key
    /// has one value.
    starts: Option<Vec<u32>>,
    values: Vec<TermId>,
}

impl Direction {
    /// From pairs of key and value, sorted, each once.
    fn new(pairs: impl Iterator<Item = (TermId, TermId)>) -> Self {
        let (mut keys, mut starts, mut values) = (Vec::new(), Vec::new(), Vec::new());
        for (key, value) in pairs {
            if keys.last() != Some(&key) {
                keys.push(key);
                starts.push(small(values.len()));
            }
            values.push(value);
        }
        starts.push(small(values.len()));
        values.shrink_to_fit();
        let starts = (keys.len() != values.len()).then(|| {
            starts.shrink_to_fit();
            starts
        });
        Self { count: keys.len(), keys: Keys::new(keys), starts, values }
    }

    #[inline]
    fn of(&self, key: TermId) -> &[TermId] {
        let Some(rank) = self.keys.rank(key) else { return &[] };
        match &self.starts {
            None => &self.values[rank..=rank],
            Some(starts) => &self.values[starts[rank] as usize..starts[rank + 1] as usize],
        }
    }
}

fn small(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// A predicate in both directions.
struct Predicate {
    forward: Direction,
    backward: Direction,
}

/// The triples of the sorted base.
pub(super) struct Base {
    predicates: FxHashMap<TermId, Predicate>,
}

impl Base {
    /// From the quads of a base without recent changes.
    fn new(quads: &Quads, graphs: &Graphs) -> Self {
        let mut forward: FxHashMap<TermId, Vec<(TermId, TermId)>> = FxHashMap::default();
        let mut backward: FxHashMap<TermId, Vec<(TermId, TermId)>> = FxHashMap::default();
        quads.each_base(false, |[s, p, o, g]| {
            if sees(graphs, g) {
                let pairs = forward.entry(p).or_default();
                if pairs.last() != Some(&(s, o)) {
                    pairs.push((s, o));
                }
            }
        });
        quads.each_base(true, |[s, p, o, g]| {
            if sees(graphs, g) {
                let pairs = backward.entry(p).or_default();
                if pairs.last() != Some(&(o, s)) {
                    pairs.push((o, s));
                }
            }
        });
        let predicates = forward
            .into_iter()
            .map(|(p, pairs)| {
                let back = backward.remove(&p).unwrap_or_default();
                let (forward, backward) = (pairs.into_iter(), back.into_iter());
                let predicate = Predicate {
                    forward: Direction::new(forward),
                    backward: Direction::new(backward),
                };
                (p, predicate)
            })
            .collect();
        Self { predicates }
    }
}

fn sees(graphs: &Graphs, graph: TermId) -> bool {
    graphs.as_ref().is_none_or(|graphs| graphs.binary_search(&graph).is_ok())
}

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
    base: Arc<Base>,
    touched: FxHashMap<TermId, Touched>,
    /// The predicates that have a triple, sorted.
    predicates: Vec<TermId>,
}

impl Columns {
    /// The columns of these graphs, made now or kept from before.
    pub(super) fn of(quads: &Quads, graphs: &Graphs) -> Arc<Self> {
        let key = (quads.hidden(), graphs.clone());
        let base = keep(quads.kept_bases(), &key, || Base::new(quads, graphs));
        keep(quads.kept_columns(), &key, || Self::new(base, quads, graphs))
    }

    fn new(base: Arc<Base>, quads: &Quads, graphs: &Graphs) -> Self {
        let mut pairs: FxHashMap<TermId, Vec<(TermId, TermId)>> = FxHashMap::default();
        quads.each_recent(|[s, p, o, _]| pairs.entry(p).or_default().push((s, o)));
        let touched: FxHashMap<TermId, Touched> = pairs
            .into_iter()
            .map(|(p, pairs)| (p, touched(base.predicates.get(&p), p, &pairs, quads, graphs)))
            .collect();
        let mut columns = Self { base, touched, predicates: Vec::new() };
        let mut predicates: Vec<TermId> = columns
            .base
            .predicates
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
        PredicateView { base: self.base.predicates.get(&id), touched: self.touched.get(&id) }
    }

    /// The number of distinct triples.
    pub(super) fn len(&self) -> usize {
        self.predicates.iter().map(|p| self.predicate(*p).len()).sum()
    }
}

pub(super) type Kept<T> = std::sync::Mutex<Vec<((Arc<[TermId]>, Graphs), Arc<T>)>>;

/// What was made for this key before, or is made now while others wait for it.
fn keep<T>(kept: &Kept<T>, key: &(Arc<[TermId]>, Graphs), make: impl FnOnce() -> T) -> Arc<T> {
    let mut kept = kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some((_, found)) = kept.iter().find(|(other, _)| other == key) {
        return Arc::clone(found);
    }
    let made = Arc::new(make());
    if kept.len() == KEPT {
        kept.remove(0);
    }
    kept.push((key.clone(), Arc::clone(&made)));
    made
}

/// What a base and its recent changes keep.
#[derive(Default)]
pub(super) struct KeptColumns {
    pub(super) bases: Kept<Base>,
    pub(super) columns: Kept<Columns>,
}

fn touched(
    base: Option<&Predicate>,
    predicate: TermId,
    pairs: &[(TermId, TermId)],
    quads: &Quads,
    graphs: &Graphs,
) -> Touched {
    let mut touched = Touched {
        length: base.map_or(0, |b| b.forward.values.len()),
        subjects: base.map_or(0, |b| b.forward.count),
        objects: base.map_or(0, |b| b.backward.count),
        ..Touched::default()
    };
    let mut forward: FxHashMap<TermId, Vec<TermId>> = FxHashMap::default();
    let mut backward: FxHashMap<TermId, Vec<TermId>> = FxHashMap::default();
    let mut seen = rustc_hash::FxHashSet::default();
    for (s, o) in pairs {
        if !seen.insert((*s, *o)) {
            continue;
        }
        let was = base.is_some_and(|base| base.forward.of(*s).binary_search(o).is_ok());
        let is = quads
            .matching(Some(*s), Some(predicate), Some(*o), GraphPattern::Any)
            .any(|quad| sees(graphs, quad[3]));
        if was == is {
            continue;
        }
        let values = |direction: Option<&Direction>, key| {
            direction.map_or_else(Vec::new, |direction| direction.of(key).to_vec())
        };
        let objects =
            forward.entry(*s).or_insert_with(|| values(base.map(|base| &base.forward), *s));
        let subjects =
            backward.entry(*o).or_insert_with(|| values(base.map(|base| &base.backward), *o));
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
                let had = direction.is_some_and(|direction| !direction.of(key).is_empty());
                match (had, list.is_empty()) {
                    (false, false) => *count += 1,
                    (true, true) => *count -= 1,
                    _ => {}
                }
                (key, list.into_boxed_slice())
            })
            .collect()
    };
    touched.forward = settle(forward, base.map(|base| &base.forward), &mut touched.subjects);
    touched.backward = settle(backward, base.map(|base| &base.backward), &mut touched.objects);
    touched
}

/// The triples of one predicate.
#[derive(Clone, Copy)]
pub(super) struct PredicateView<'a> {
    base: Option<&'a Predicate>,
    touched: Option<&'a Touched>,
}

impl<'a> PredicateView<'a> {
    /// The number of triples.
    pub(super) fn len(self) -> usize {
        self.touched.map_or_else(|| self.base.map_or(0, |b| b.forward.values.len()), |t| t.length)
    }

    /// The number of distinct subjects, or objects.
    pub(super) fn keys(self, way: Way) -> usize {
        match (self.touched, way) {
            (Some(touched), Way::Forward) => touched.subjects,
            (Some(touched), Way::Backward) => touched.objects,
            (None, way) => self.base.map_or(0, |base| base.direction(way).count),
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
            let mut rank = 0;
            direction.keys.for_each(|key| {
                let own = match &direction.starts {
                    None => &direction.values[rank..=rank],
                    Some(starts) => {
                        &direction.values[starts[rank] as usize..starts[rank + 1] as usize]
                    }
                };
                rank += 1;
                if stopped {
                    return;
                }
                let list = self
                    .touched
                    .and_then(|touched| touched.lists(way).get(&key))
                    .map_or(own, |list| list);
                if !list.is_empty() {
                    stopped = each(key, list).is_break();
                }
            });
        }
        if let Some(touched) = self.touched {
            for (key, list) in touched.lists(way) {
                let known = self.base.is_some_and(|b| b.direction(way).keys.rank(*key).is_some());
                if stopped || known || list.is_empty() {
                    continue;
                }
                stopped = each(*key, list).is_break();
            }
        }
    }
}

impl Predicate {
    fn direction(&self, way: Way) -> &Direction {
        match way {
            Way::Forward => &self.forward,
            Way::Backward => &self.backward,
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

/// From subjects to objects, or back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// From a subject to its objects.
    Forward,
    /// From an object to its subjects.
    Backward,
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
