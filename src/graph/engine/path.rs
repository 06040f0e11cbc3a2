//! Property paths whose solutions are a set: breadth first over the columns,
//! from the end that is known. Not for sequences and alternatives outside of a
//! repetition, which are joins and unions.

use crate::graph::base::Way;
use crate::graph::budget::touch;
use crate::graph::columns::Columns;
use crate::graph::engine::batch::{Batch, Column, Slots, UNBOUND, row_number};
use crate::graph::engine::group::{End, Given};
use crate::graph::engine::plan::{Atom, Place, Steps};
use crate::graph::engine::run::{Engine, Flow, Sink};
use crate::rdf::TermId;
use rustc_hash::FxHashMap;
use std::ops::ControlFlow::Continue;

fn back(way: Way) -> Way {
    match way {
        Way::Forward => Way::Backward,
        Way::Backward => Way::Forward,
    }
}

/// Whether a path has solutions of no length.
fn can_be_empty(steps: &Steps) -> bool {
    match steps {
        Steps::Predicate(_) | Steps::Not(_) => false,
        Steps::Reverse(inner) => can_be_empty(inner),
        Steps::Sequence(a, b) => can_be_empty(a) && can_be_empty(b),
        Steps::Either(a, b) => can_be_empty(a) || can_be_empty(b),
        Steps::Repeat { inner, zero, .. } => *zero || can_be_empty(inner),
    }
}

impl Engine<'_> {
    /// The triples of one step of a path, about, and its starts.
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    pub(in crate::graph) fn reach(steps: &Steps, columns: &Columns) -> (f64, f64) {
        match steps {
            Steps::Predicate(id) => {
                let view = columns.predicate(*id);
                (view.len() as f64, view.keys(Way::Forward) as f64)
            }
            Steps::Reverse(inner) | Steps::Repeat { inner, .. } => Self::reach(inner, columns),
            Steps::Sequence(a, b) | Steps::Either(a, b) => {
                let (a, b) = (Self::reach(a, columns), Self::reach(b, columns));
                (a.0 + b.0, a.1.max(b.1))
            }
            Steps::Not(_) => {
                let all = columns.len() as f64;
                (all, all / 4.0)
            }
        }
    }

    /// What one node leads to, each once.
    fn walk(&self, steps: &Steps, columns: &Columns, way: Way, from: TermId) -> Vec<TermId> {
        match steps {
            Steps::Predicate(id) => columns.predicate(*id).of(way, from).to_vec(),
            Steps::Reverse(inner) => self.walk(inner, columns, back(way), from),
            Steps::Sequence(a, b) => {
                let (a, b) = if way == Way::Forward { (a, b) } else { (b, a) };
                let mut found: Vec<TermId> = self
                    .walk(a, columns, way, from)
                    .into_iter()
                    .flat_map(|middle| self.walk(b, columns, way, middle))
                    .collect();
                found.sort_unstable();
                found.dedup();
                found
            }
            Steps::Either(a, b) => {
                let mut found = self.walk(a, columns, way, from);
                found.extend(self.walk(b, columns, way, from));
                found.sort_unstable();
                found.dedup();
                found
            }
            Steps::Not(not) => {
                let mut found: Vec<TermId> = columns
                    .predicates()
                    .iter()
                    .filter(|id| !not.contains(id))
                    .flat_map(|id| columns.predicate(*id).of(way, from).iter().copied())
                    .collect();
                found.sort_unstable();
                found.dedup();
                found
            }
            Steps::Repeat { inner, zero, many: false } => {
                let mut found = self.walk(inner, columns, way, from);
                if *zero && !found.contains(&from) {
                    found.push(from);
                }
                found
            }
            Steps::Repeat { inner, zero, many: true } => {
                self.closed(inner, columns, way, from, *zero)
            }
        }
    }

    /// All that repeating a path leads to.
    fn closed(
        &self,
        inner: &Steps,
        columns: &Columns,
        way: Way,
        from: TermId,
        zero: bool,
    ) -> Vec<TermId> {
        // A repetition inside a repetition needs marks of its own.
        let (mut marks, walk) = {
            let mut walks = self.walks.borrow_mut();
            let walk = walks.1 + 1;
            (std::mem::take(&mut walks.0), walk)
        };
        let nodes = self.snapshot.dictionary().len() + 1;
        marks.resize(nodes.max(marks.len()), 0);
        self.walks.borrow_mut().1 = walk;
        let mut found = Vec::new();
        let mut next = vec![from];
        if zero {
            found.push(from);
            if let Some(mark) = marks.get_mut(from as usize) {
                *mark = walk;
            }
        }
        while let Some(node) = next.pop() {
            touch();
            let mut visit = |to: TermId| {
                if let Some(mark) = marks.get_mut(to as usize)
                    && *mark != walk
                {
                    *mark = walk;
                    found.push(to);
                    next.push(to);
                }
            };
            if let Steps::Predicate(id) = inner {
                columns.predicate(*id).of(way, node).iter().copied().for_each(&mut visit);
            } else {
                self.walk(inner, columns, way, node).into_iter().for_each(&mut visit);
            }
        }
        self.walks.borrow_mut().0 = marks;
        found
    }

    /// The nodes that a path can begin at, all of the graph if it may be empty.
    fn starts(steps: &Steps, columns: &Columns) -> Vec<TermId> {
        let mut nodes = Vec::new();
        let ways: &[(TermId, Way)] = &match steps {
            Steps::Repeat { inner, zero: false, .. } => match &**inner {
                Steps::Predicate(id) => vec![(*id, Way::Forward)],
                Steps::Reverse(inner) => match &**inner {
                    Steps::Predicate(id) => vec![(*id, Way::Backward)],
                    _ => Vec::new(),
                },
                _ => Vec::new(),
            },
            _ => Vec::new(),
        };
        let all: Vec<(TermId, Way)>;
        let ways = if ways.is_empty() {
            all = columns
                .predicates()
                .iter()
                .flat_map(|id| [(*id, Way::Forward), (*id, Way::Backward)])
                .collect();
            &all
        } else {
            ways
        };
        for (id, way) in ways {
            columns.predicate(*id).for_each(*way, |key, _| {
                nodes.push(key);
                Continue(())
            });
        }
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    }

    fn in_graph(columns: &Columns, node: TermId) -> bool {
        columns.predicates().iter().any(|id| {
            let view = columns.predicate(*id);
            !view.of(Way::Forward, node).is_empty() || !view.of(Way::Backward, node).is_empty()
        })
    }

    /// Takes rows over a path.
    pub(in crate::graph) fn closure(
        &self,
        steps: &Steps,
        atom: &Atom,
        batch: &Batch,
        keep: Slots,
        sink: &mut Sink<'_>,
    ) -> Flow {
        let columns = &*self.columns[atom.graph];
        let zero = can_be_empty(steps);
        // A term of the query is a node by being named; a value that came from
        // elsewhere is one only if the graph has it (SPARQL 1.1 §9.3).
        let empty = |place: Place, node| {
            !zero || matches!(place, Place::Term(_)) || Self::in_graph(columns, node)
        };
        let from = |way: Way, place: Place, node: TermId| {
            let mut found = self.walk(steps, columns, way, node);
            if !empty(place, node) {
                found.retain(|other| *other != node);
            }
            found
        };
        let (s, o) = (End::of(atom.subject, batch), End::of(atom.object, batch));
        match (s, o) {
            (End::Known(s), End::Known(o)) => {
                // Walk from the end that is the same in each row.
                let turn = matches!(o, Column::Same(_)) && !matches!(s, Column::Same(_));
                let (way, starts, ends, place) = if turn {
                    (Way::Backward, o, s, atom.object)
                } else {
                    (Way::Forward, s, o, atom.subject)
                };
                let other = if turn { atom.subject } else { atom.object };
                let mut walks: FxHashMap<TermId, Vec<TermId>> = FxHashMap::default();
                let mut rows = Vec::new();
                for row in 0..batch.len {
                    let (start, end) = (starts.get(row), ends.get(row));
                    let reached = walks.entry(start).or_insert_with(|| {
                        let mut found = from(way, place, start);
                        if zero && !found.contains(&start) && empty(other, start) {
                            found.push(start);
                        }
                        found.sort_unstable();
                        found
                    });
                    if reached.binary_search(&end).is_ok() {
                        rows.push(row_number(row));
                    }
                }
                if rows.is_empty() { Continue(()) } else { sink(batch.gather(&rows, keep)) }
            }
            (End::Known(starts), End::Open(slot)) => {
                Self::reached(&starts, slot, batch, keep, sink, |node| {
                    from(Way::Forward, atom.subject, node)
                })
            }
            (End::Open(slot), End::Known(starts)) => {
                Self::reached(&starts, slot, batch, keep, sink, |node| {
                    from(Way::Backward, atom.object, node)
                })
            }
            (End::Open(subject), End::Open(object)) => {
                for row in 0..batch.len {
                    let outer = batch.gather(&[row_number(row)], keep);
                    let nodes = Self::starts(steps, columns);
                    if subject == object {
                        let mut loops = nodes;
                        loops.retain(|n| self.walk(steps, columns, Way::Forward, *n).contains(n));
                        let mut found = outer;
                        found.len = loops.len();
                        if found.len == 0 {
                            continue;
                        }
                        if keep.has(subject) {
                            found.set(subject, Column::rows(loops));
                        }
                        sink(found)?;
                        continue;
                    }
                    let mut starts = outer;
                    starts.len = nodes.len();
                    if starts.len == 0 {
                        continue;
                    }
                    let column = Column::rows(nodes);
                    if keep.has(subject) {
                        starts.set(subject, column.clone());
                    }
                    Self::reached(&column, object, &starts, keep, sink, |node| {
                        self.walk(steps, columns, Way::Forward, node)
                    })?;
                }
                Continue(())
            }
        }
    }

    fn reached(
        starts: &Column,
        slot: usize,
        batch: &Batch,
        keep: Slots,
        sink: &mut Sink<'_>,
        walk: impl Fn(TermId) -> Vec<TermId>,
    ) -> Flow {
        let mut given = Given::new(batch, keep, slot);
        let mut last = (UNBOUND, Vec::new());
        for row in 0..batch.len {
            let start = starts.get(row);
            if last.0 != start {
                last = (start, walk(start));
            }
            given.values.extend_from_slice(&last.1);
            given.rows.resize(given.rows.len() + last.1.len(), row_number(row));
            if given.rows.len() >= given.limit {
                given.give(sink)?;
            }
        }
        given.give(sink)
    }
}
