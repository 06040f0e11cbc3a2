//! The quads of a store as they lie for long: by predicate, in two directions,
//! each distinct triple once, with the graphs that it is in. Immutable; recent
//! changes are kept beside it (see [`quads`](super::quads)). Not for terms.

use crate::graph::direction::{Direction, small};
use crate::rdf::{QuadIds, TermId};
use rustc_hash::{FxHashMap, FxHashSet};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// The graphs whose union is seen; `None` is all that are visible.
pub(super) type Graphs = Option<Arc<[TermId]>>;

/// Whether a graph is among those seen.
pub(super) fn sees(graphs: &Graphs, graph: TermId) -> bool {
    graphs.as_ref().is_none_or(|graphs| graphs.binary_search(&graph).is_ok())
}

/// Most sets of graphs for which something is kept.
const KEPT: usize = 8;

/// What was made for the graphs that are hidden and those that are seen.
pub(super) struct Kept<T>(Mutex<Vec<(Key, Arc<T>)>>);
type Key = (Arc<[TermId]>, Graphs);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Kept<T> {
    /// Whether nobody asked for anything yet.
    pub(super) fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// What was made for this key before, or is made now while others wait for
    /// it.
    pub(super) fn get(&self, key: &Key, make: impl FnOnce() -> T) -> Arc<T> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
}

/// From subjects to objects, or back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// From a subject to its objects.
    Forward,
    /// From an object to its subjects.
    Backward,
}

/// The distinct triples of a predicate, in both directions.
#[derive(Default)]
pub(super) struct Ways {
    forward: Direction,
    backward: Direction,
}

impl Ways {
    /// From pairs of subject and object, sorted, each once.
    fn new(pairs: &[(TermId, TermId)]) -> Self {
        let backward = turned(pairs);
        Self { forward: Direction::new(pairs.iter().copied()), backward }
    }

    /// One of the directions.
    pub(super) fn direction(&self, way: Way) -> &Direction {
        match way {
            Way::Forward => &self.forward,
            Way::Backward => &self.backward,
        }
    }

    /// Without the pairs that are not wanted.
    fn filtered(&self, wanted: impl Fn(Way, usize, TermId) -> bool) -> Self {
        let kept = |way| {
            let direction: &Direction = self.direction(way);
            let mut pairs = Vec::with_capacity(direction.len());
            direction.for_each(|key, range| {
                for at in range {
                    let value = direction.values()[at];
                    let subject = if way == Way::Forward { key } else { value };
                    if wanted(way, at, subject) {
                        pairs.push((key, value));
                    }
                }
            });
            Direction::new(pairs.into_iter())
        };
        Self { forward: kept(Way::Forward), backward: kept(Way::Backward) }
    }
}

/// The way back: counted out where the pairs are many among the numbers, sorted
/// where they are few.
fn turned(pairs: &[(TermId, TermId)]) -> Direction {
    let most = pairs.iter().map(|(_, object)| *object).max().unwrap_or(0) as usize;
    if most / 4 <= pairs.len() {
        return Direction::from_values(|each| pairs.iter().for_each(|(s, o)| each(*o, *s)));
    }
    let mut back: Vec<(TermId, TermId)> = pairs.iter().map(|(s, o)| (*o, *s)).collect();
    back.sort_unstable();
    Direction::new(back.into_iter())
}

/// The graphs that the triples of a predicate are in.
enum Placed {
    /// All in this one alone.
    One(TermId),
    /// Each in the set with this place among the sets, in the order of either
    /// direction.
    Each { sets: Vec<Box<[TermId]>>, forward: Places, backward: Places },
}

/// Places among the sets, in bytes where there are few.
enum Places {
    Bytes(Vec<u8>),
    Words(Vec<u32>),
}

impl Places {
    fn new(places: Vec<u32>, sets: usize) -> Self {
        if sets <= 1 << 8 {
            Self::Bytes(places.into_iter().map(|p| u8::try_from(p).unwrap_or(u8::MAX)).collect())
        } else {
            Self::Words(places)
        }
    }

    fn get(&self, at: usize) -> usize {
        match self {
            Self::Bytes(places) => usize::from(places[at]),
            Self::Words(places) => places[at] as usize,
        }
    }

    fn memory(&self) -> usize {
        match self {
            Self::Bytes(places) => places.len(),
            Self::Words(places) => places.len() * 4,
        }
    }
}

impl Placed {
    /// The graphs of the triple at a place of a direction.
    fn of(&self, way: Way, at: usize) -> &[TermId] {
        match self {
            Self::One(graph) => std::slice::from_ref(graph),
            Self::Each { sets, forward, backward } => {
                let places = if way == Way::Forward { forward } else { backward };
                &sets[places.get(at)]
            }
        }
    }

    /// The distinct sets.
    fn sets(&self) -> impl Iterator<Item = &[TermId]> {
        let (one, sets) = match self {
            Self::One(graph) => (Some(std::slice::from_ref(graph)), &[][..]),
            Self::Each { sets, .. } => (None, &sets[..]),
        };
        one.into_iter().chain(sets.iter().map(|set| &**set))
    }
}

/// The quads of one predicate.
struct Part {
    predicate: TermId,
    ways: Arc<Ways>,
    placed: Placed,
    quads: usize,
}

impl Part {
    /// From rows of subject, object and graph, sorted, each once.
    fn new(predicate: TermId, rows: &[[TermId; 3]]) -> Self {
        let mut pairs: Vec<(TermId, TermId)> = Vec::with_capacity(rows.len());
        let mut places: Vec<u32> = Vec::new();
        let mut sets: Vec<Box<[TermId]>> = Vec::new();
        let mut known: FxHashMap<Vec<TermId>, u32> = FxHashMap::default();
        for row in rows.chunk_by(|a, b| a[..2] == b[..2]) {
            pairs.push((row[0][0], row[0][1]));
            let set = row.iter().map(|row| row[2]);
            let last = places.last().copied();
            if let Some(last) = last
                && set.clone().eq(sets[last as usize].iter().copied())
            {
                places.push(last);
                continue;
            }
            let set: Vec<TermId> = set.collect();
            let place = *known.entry(set).or_insert_with_key(|set| {
                sets.push(set.clone().into());
                small(sets.len() - 1)
            });
            places.push(place);
        }
        if let [only] = &sets[..]
            && let [graph] = **only
        {
            let ways = Arc::new(Ways::new(&pairs));
            return Self { predicate, ways, placed: Placed::One(graph), quads: rows.len() };
        }
        let mut order: Vec<(TermId, TermId, u32)> =
            pairs.iter().zip(&places).map(|((s, o), place)| (*o, *s, *place)).collect();
        order.sort_unstable();
        let ways = Ways {
            forward: Direction::new(pairs.into_iter()),
            backward: Direction::new(order.iter().map(|(o, s, _)| (*o, *s))),
        };
        let backward = order.into_iter().map(|(.., place)| place).collect();
        let placed = Placed::Each {
            forward: Places::new(places, sets.len()),
            backward: Places::new(backward, sets.len()),
            sets,
        };
        Self { predicate, ways: Arc::new(ways), placed, quads: rows.len() }
    }

    /// The rows that it was made of.
    fn rows(&self) -> Vec<[TermId; 3]> {
        let mut rows = Vec::with_capacity(self.quads);
        let forward = self.ways.direction(Way::Forward);
        forward.for_each(|subject, range| {
            for at in range {
                let object = forward.values()[at];
                let graphs = self.placed.of(Way::Forward, at);
                rows.extend(graphs.iter().map(|graph| [subject, object, *graph]));
            }
        });
        rows
    }

    fn memory(&self) -> usize {
        let ways = self.ways.forward.memory() + self.ways.backward.memory();
        let placed = match &self.placed {
            Placed::One(_) => 0,
            Placed::Each { sets, forward, backward } => {
                let sets: usize = sets.iter().map(|set| 16 + set.len() * 4).sum();
                sets + forward.memory() + backward.memory()
            }
        };
        ways + placed
    }
}

/// What a graph holds.
#[derive(Default)]
struct InGraph {
    graph: TermId,
    quads: usize,
    subjects: Vec<TermId>,
}

/// Quads, immutable.
#[derive(Default)]
pub(super) struct Base {
    /// By predicate, sorted.
    parts: Vec<Arc<Part>>,
    places: FxHashMap<TermId, usize>,
    /// From a subject, or an object, to the places of the parts that have it.
    subjects: Direction,
    objects: Direction,
    /// By graph, sorted.
    graphs: Vec<InGraph>,
    quads: usize,
    /// The triples of sets of graphs.
    kept: Kept<Seen>,
}

/// The triples of a set of graphs, by predicate. Predicates of which all is seen
/// are shared with the base.
pub(super) type Seen = FxHashMap<TermId, Arc<Ways>>;

impl Base {
    /// From quads in any order, duplicates allowed.
    pub(super) fn new(quads: &[QuadIds]) -> Self {
        let mut rows: FxHashMap<TermId, Vec<[TermId; 3]>> = FxHashMap::default();
        for [s, p, o, g] in quads {
            rows.entry(*p).or_default().push([*s, *o, *g]);
        }
        let parts = rows.into_iter().map(|(predicate, mut rows)| {
            rows.sort_unstable();
            rows.dedup();
            Arc::new(Part::new(predicate, &rows))
        });
        Self::of(parts.collect())
    }

    /// These quads without some and with others that are not among them.
    /// Predicates of neither are shared.
    pub(super) fn changed(&self, without: &FxHashSet<QuadIds>, with: &[QuadIds]) -> Self {
        let mut new: FxHashMap<TermId, Vec<[TermId; 3]>> = FxHashMap::default();
        for [s, p, o, g] in with {
            new.entry(*p).or_default().push([*s, *o, *g]);
        }
        let mut touched: FxHashSet<TermId> = without.iter().map(|quad| quad[1]).collect();
        touched.extend(new.keys());
        let untouched = self.parts.iter().filter(|part| !touched.contains(&part.predicate));
        let mut parts: Vec<Arc<Part>> = untouched.map(Arc::clone).collect();
        for predicate in touched {
            let mut rows = self.part(predicate).map_or_else(Vec::new, Part::rows);
            rows.retain(|[s, o, g]| !without.contains(&[*s, predicate, *o, *g]));
            rows.extend(new.remove(&predicate).unwrap_or_default());
            rows.sort_unstable();
            rows.dedup();
            if !rows.is_empty() {
                parts.push(Arc::new(Part::new(predicate, &rows)));
            }
        }
        Self::of(parts)
    }

    fn of(mut parts: Vec<Arc<Part>>) -> Self {
        parts.sort_unstable_by_key(|part| part.predicate);
        let keys = |way| {
            let parts = &parts;
            Direction::from_values(move |each| {
                for (place, part) in (0..).zip(parts) {
                    part.ways.direction(way).for_each(|key, _| each(key, place));
                }
            })
        };
        let (subjects, objects) = (keys(Way::Forward), keys(Way::Backward));
        let mut graphs: Vec<InGraph> = Vec::new();
        let mut known: FxHashMap<TermId, usize> = FxHashMap::default();
        let mut note = |graph: TermId, subject: TermId, quads: usize| {
            let at = *known.entry(graph).or_insert_with(|| {
                graphs.push(InGraph { graph, ..InGraph::default() });
                graphs.len() - 1
            });
            graphs[at].quads += quads;
            if graphs[at].subjects.last() != Some(&subject) {
                graphs[at].subjects.push(subject);
            }
        };
        subjects.for_each(|subject, range| {
            for place in &subjects.values()[range] {
                let part = &parts[*place as usize];
                let range = part.ways.forward.range(subject);
                match &part.placed {
                    Placed::One(graph) => note(*graph, subject, range.len()),
                    placed @ Placed::Each { .. } => range
                        .flat_map(|at| placed.of(Way::Forward, at))
                        .for_each(|graph| note(*graph, subject, 1)),
                }
            }
        });
        for graph in &mut graphs {
            graph.subjects.shrink_to_fit();
        }
        graphs.sort_unstable_by_key(|graph| graph.graph);
        let places = parts.iter().enumerate().map(|(at, part)| (part.predicate, at)).collect();
        let quads = parts.iter().map(|part| part.quads).sum();
        Self { parts, places, subjects, objects, graphs, quads, kept: Kept::default() }
    }

    /// The number of quads.
    pub(super) fn len(&self) -> usize {
        self.quads
    }

    /// The number of quads of a graph.
    pub(super) fn len_of(&self, graph: TermId) -> usize {
        self.graph(graph).map_or(0, |at| self.graphs[at].quads)
    }

    /// The first graph at or after this number.
    pub(super) fn graph_from(&self, number: TermId) -> Option<TermId> {
        let at = self.graphs.partition_point(|graph| graph.graph < number);
        self.graphs.get(at).map(|graph| graph.graph)
    }

    /// Whether this quad is here.
    pub(super) fn contains(&self, [s, p, o, g]: QuadIds) -> bool {
        self.part(p).is_some_and(|part| {
            let at = narrowed(&part.ways.forward, s, o);
            at.into_iter().any(|at| part.placed.of(Way::Forward, at).contains(&g))
        })
    }

    /// Its size in memory (bytes), without what is kept for sets of graphs.
    pub(super) fn memory(&self) -> usize {
        let parts: usize = self.parts.iter().map(|part| part.memory()).sum();
        let graphs: usize = self.graphs.iter().map(|graph| 40 + graph.subjects.len() * 4).sum();
        parts + self.subjects.memory() + self.objects.memory() + graphs
    }

    /// The triples of these graphs but of those that are hidden, and but of
    /// subjects that are themselves hidden graphs; made now or kept from before.
    pub(super) fn seen(&self, hidden: &[TermId], graphs: &Graphs) -> Arc<Seen> {
        // Most that is hidden is elsewhere: what is hidden here names the set.
        let here = |graph: &TermId| self.graph(*graph).is_some() || self.subjects.has(*graph);
        let hidden: Arc<[TermId]> = hidden.iter().copied().filter(here).collect();
        let key = (hidden, graphs.clone());
        self.kept.get(&key, || self.make_seen(&key.0, graphs))
    }

    fn make_seen(&self, hidden: &[TermId], graphs: &Graphs) -> Seen {
        let hides = |id: TermId| hidden.binary_search(&id).is_ok();
        if let Some(graphs) = graphs {
            let quads: usize = graphs.iter().map(|graph| self.len_of(*graph)).sum();
            if quads < self.quads / 8 {
                return self.few(graphs.iter().copied().filter(|graph| !hides(*graph)), hides);
            }
        }
        let shown = |graph: &TermId| sees(graphs, *graph) && !hides(*graph);
        let mut seen = Seen::default();
        for part in &self.parts {
            let all = part.placed.sets().all(|set| set.iter().any(shown));
            let none = !all && !part.placed.sets().any(|set| set.iter().any(shown));
            let subjects = hidden.iter().any(|graph| part.ways.forward.has(*graph));
            if none {
                continue;
            }
            let ways = if all && !subjects {
                Arc::clone(&part.ways)
            } else {
                Arc::new(part.ways.filtered(|way, at, subject| {
                    part.placed.of(way, at).iter().any(shown) && !(subjects && hides(subject))
                }))
            };
            if ways.forward.len() > 0 {
                seen.insert(part.predicate, ways);
            }
        }
        seen
    }

    /// The triples of small graphs, found from their subjects.
    fn few(&self, graphs: impl Iterator<Item = TermId>, hides: impl Fn(TermId) -> bool) -> Seen {
        let mut pairs: FxHashMap<TermId, Vec<(TermId, TermId)>> = FxHashMap::default();
        for graph in graphs {
            let mut cursor = self.matching(None, None, None, Some(graph));
            while let Some([s, p, o, _]) = cursor.next(self) {
                if !hides(s) {
                    pairs.entry(p).or_default().push((s, o));
                }
            }
        }
        let ways = pairs.into_iter().map(|(predicate, mut pairs)| {
            pairs.sort_unstable();
            pairs.dedup();
            (predicate, Arc::new(Ways::new(&pairs)))
        });
        ways.collect()
    }

    fn part(&self, predicate: TermId) -> Option<&Part> {
        self.places.get(&predicate).map(|at| &*self.parts[*at])
    }

    fn graph(&self, graph: TermId) -> Option<usize> {
        self.graphs.binary_search_by_key(&graph, |in_graph| in_graph.graph).ok()
    }

    /// The quads that match; `None` matches everything. With a predicate and no
    /// subject they come by object, subject and graph; with an object alone by
    /// predicate, subject and graph; else by subject, predicate, object and graph.
    pub(super) fn matching(
        &self,
        subject: Option<TermId>,
        predicate: Option<TermId>,
        object: Option<TermId>,
        graph: Option<TermId>,
    ) -> Cursor {
        let place = predicate.map(|predicate| self.places.get(&predicate).copied());
        let (runs, run) = match (subject, place, object, graph) {
            (_, Some(None), ..) => (Runs::None, Run::default()),
            (Some(subject), Some(Some(part)), object, _) => {
                let forward = &self.parts[part].ways.forward;
                let range = object.map_or_else(
                    || forward.range(subject),
                    |object| narrowed(forward, subject, object),
                );
                (Runs::None, Run { part, way: Way::Forward, key: subject, range })
            }
            (None, Some(Some(part)), Some(object), _) => {
                let range = self.parts[part].ways.backward.range(object);
                (Runs::None, Run { part, way: Way::Backward, key: object, range })
            }
            (None, Some(Some(part)), None, _) => (Runs::Keys { part, next: 0 }, Run::default()),
            (Some(subject), None, object, _) => {
                let parts = self.subjects.range(subject);
                (Runs::Parts { way: Way::Forward, key: subject, parts, object }, Run::default())
            }
            (None, None, Some(object), _) => {
                let parts = self.objects.range(object);
                let runs = Runs::Parts { way: Way::Backward, key: object, parts, object: None };
                (runs, Run::default())
            }
            (None, None, None, Some(graph)) => {
                let runs = self.graph(graph).map_or(Runs::None, |graph| Runs::InGraph {
                    graph,
                    next: 0,
                    key: 0,
                    parts: 0..0,
                });
                (runs, Run::default())
            }
            (None, None, None, None) => {
                (Runs::Subjects { next: 0, key: 0, parts: 0..0 }, Run::default())
            }
        };
        Cursor { graph, runs, run, nth: 0 }
    }
}

/// Where a pair stands, or nowhere.
fn narrowed(direction: &Direction, key: TermId, value: TermId) -> Range<usize> {
    let range = direction.range(key);
    match direction.values()[range.clone()].binary_search(&value) {
        Ok(at) => range.start + at..range.start + at + 1,
        Err(_) => 0..0,
    }
}

/// Values of one key of one part.
struct Run {
    part: usize,
    way: Way,
    key: TermId,
    range: Range<usize>,
}

impl Default for Run {
    fn default() -> Self {
        Self { part: 0, way: Way::Forward, key: 0, range: 0..0 }
    }
}

/// The runs that follow.
enum Runs {
    None,
    /// All objects of a part.
    Keys {
        part: usize,
        next: TermId,
    },
    /// The parts of a subject or an object.
    Parts {
        way: Way,
        key: TermId,
        parts: Range<usize>,
        object: Option<TermId>,
    },
    /// All parts of all subjects.
    Subjects {
        next: TermId,
        key: TermId,
        parts: Range<usize>,
    },
    /// All parts of the subjects of a graph.
    InGraph {
        graph: usize,
        next: usize,
        key: TermId,
        parts: Range<usize>,
    },
}

/// A place among matching quads.
pub(super) struct Cursor {
    graph: Option<TermId>,
    runs: Runs,
    run: Run,
    /// Graphs of the current triple that were given already.
    nth: usize,
}

impl Cursor {
    /// The next quad of the base that the cursor was made of.
    pub(super) fn next(&mut self, base: &Base) -> Option<QuadIds> {
        loop {
            if self.run.range.start == self.run.range.end {
                self.run = self.runs.next(base, self.graph)?;
                continue;
            }
            let Run { part, way, key, ref mut range } = self.run;
            let part = &base.parts[part];
            let graphs = part.placed.of(way, range.start);
            let Some(graph) = graphs.get(self.nth).copied() else {
                range.start += 1;
                self.nth = 0;
                continue;
            };
            self.nth += 1;
            if self.graph.is_some_and(|wanted| wanted != graph) {
                continue;
            }
            let value = part.ways.direction(way).values()[range.start];
            let (s, o) = if way == Way::Forward { (key, value) } else { (value, key) };
            return Some([s, part.predicate, o, graph]);
        }
    }
}

impl Runs {
    /// The next run that may hold a quad of this graph; it can be empty.
    fn next(&mut self, base: &Base, graph: Option<TermId>) -> Option<Run> {
        let elsewhere = |part: &Part| match part.placed {
            Placed::One(one) => graph.is_some_and(|graph| graph != one),
            Placed::Each { .. } => false,
        };
        match self {
            Self::None => None,
            Self::Keys { part, next } => {
                let backward = &base.parts[*part].ways.backward;
                if elsewhere(&base.parts[*part]) {
                    return None;
                }
                let key = backward.key_from(*next)?;
                *next = key + 1;
                Some(Run { part: *part, way: Way::Backward, key, range: backward.range(key) })
            }
            Self::Parts { way, key, parts, object } => {
                let places =
                    if *way == Way::Forward { &base.subjects } else { &base.objects }.values();
                loop {
                    let part = places[parts.next()?] as usize;
                    if elsewhere(&base.parts[part]) {
                        continue;
                    }
                    let direction = base.parts[part].ways.direction(*way);
                    let range = object.map_or_else(
                        || direction.range(*key),
                        |object| narrowed(direction, *key, object),
                    );
                    return Some(Run { part, way: *way, key: *key, range });
                }
            }
            Self::Subjects { next, key, parts } => {
                if parts.start == parts.end {
                    *key = base.subjects.key_from(*next)?;
                    *next = *key + 1;
                    *parts = base.subjects.range(*key);
                }
                Some(run_of_subject(base, *key, parts.next()?))
            }
            Self::InGraph { graph, next, key, parts } => loop {
                if parts.start == parts.end {
                    *key = *base.graphs[*graph].subjects.get(*next)?;
                    *next += 1;
                    *parts = base.subjects.range(*key);
                }
                let run = run_of_subject(base, *key, parts.next()?);
                if !elsewhere(&base.parts[run.part]) {
                    return Some(run);
                }
            },
        }
    }
}

fn run_of_subject(base: &Base, key: TermId, place: usize) -> Run {
    let part = base.subjects.values()[place] as usize;
    let range = base.parts[part].ways.forward.range(key);
    Run { part, way: Way::Forward, key, range }
}
