//! Joins triple patterns: picks the order by exact counts, then takes each
//! pattern from the rows so far to those that it adds, two array reads a step.

use crate::graph::base::Way;
use crate::graph::budget::look_at_budget;
use crate::graph::columns::{Columns, PredicateView};
use crate::graph::engine::batch::{Batch, CHUNK, Column, Slots, UNBOUND, row_number};
use crate::graph::engine::plan::{Atom, Filter, Link, Place};
use crate::graph::engine::run::{Engine, Flow, Sink};
use crate::rdf::TermId;
use std::ops::ControlFlow::{Break, Continue};

/// A path is taken to lead to so many times the triples of one step.
const REACH: f64 = 8.0;

impl Engine<'_> {
    /// Joins the patterns to the rows.
    pub(in crate::graph) fn group(
        &self,
        atoms: &[Atom],
        filters: &[Filter],
        input: &Batch,
        keep: Slots,
        sink: &mut Sink<'_>,
    ) -> Flow {
        let used = atoms.iter().fold(Slots::default(), |all, atom| all.or(atom.slots()));
        for (bound, rows) in input.by_binding(used) {
            let mut batch = match rows {
                None => input.clone(),
                Some(rows) => input.gather(&rows, input.slots()),
            };
            for slot in used.and(batch.slots()).without(bound).iter() {
                batch.clear(slot);
            }
            let order = self.order(atoms, bound, batch.len);
            let mut waiting: Vec<&Filter> = filters.iter().collect();
            let mut known = bound;
            let mut steps = Vec::new();
            for at in order {
                let atom = &atoms[at];
                known = known.or(atom.slots());
                let (ready, rest): (Vec<&Filter>, Vec<&Filter>) =
                    waiting.into_iter().partition(|filter| filter.slots().within(known));
                waiting = rest;
                steps.push(Step { atom, filters: ready, keep });
            }
            let mut wanted = keep;
            for step in steps.iter_mut().rev() {
                for filter in &step.filters {
                    wanted = wanted.or(filter.slots());
                }
                step.keep = wanted;
                wanted = wanted.or(step.atom.slots());
            }
            if steps.is_empty() {
                batch.keep(keep);
                sink(batch)?;
            } else {
                self.steps(&steps, batch, keep, sink)?;
            }
        }
        Continue(())
    }

    fn steps(&self, steps: &[Step<'_>], batch: Batch, keep: Slots, sink: &mut Sink<'_>) -> Flow {
        let Some((step, rest)) = steps.split_first() else {
            let mut batch = batch;
            batch.keep(keep);
            return sink(batch);
        };
        let timer = self.begun();
        let flow = self.expand(step.atom, &batch, step.keep, &mut |mut found| {
            for filter in &step.filters {
                if found.len == 0 {
                    return Continue(());
                }
                found = self.filtered(filter, found, step.keep)?;
            }
            if found.len == 0 {
                return Continue(());
            }
            self.counted(std::ptr::from_ref(step.atom).addr(), found.len);
            self.steps(rest, found, keep, sink)
        });
        self.ended(std::ptr::from_ref(step.atom).addr(), timer);
        flow
    }

    /// The order of least work: each pattern is tried as the first, the next
    /// is always the one that leaves the fewest rows.
    pub(in crate::graph) fn order(&self, atoms: &[Atom], bound: Slots, rows: usize) -> Vec<usize> {
        if atoms.len() < 2 {
            return (0..atoms.len()).collect();
        }
        let starts = if atoms.len() <= 12 { atoms.len() } else { 1 };
        let mut best: Option<(f64, Vec<usize>)> = None;
        for start in 0..starts {
            let mut left: Vec<usize> = (0..atoms.len()).collect();
            let (mut order, mut bound) = (Vec::new(), bound);
            #[expect(clippy::cast_precision_loss, reason = "an estimate")]
            let (mut rows, mut cost) = (rows as f64, 0.0);
            while !left.is_empty() {
                let pick = if order.is_empty() && starts > 1 {
                    start
                } else {
                    (0..left.len())
                        .min_by(|a, b| {
                            let [a, b] = [a, b].map(|at| self.fan(&atoms[left[*at]], bound));
                            a.total_cmp(&b)
                        })
                        .unwrap_or(0)
                };
                let at = left.remove(pick);
                rows *= self.fan(&atoms[at], bound);
                cost += rows + 1.0;
                bound = bound.or(atoms[at].slots());
                order.push(at);
            }
            if best.as_ref().is_none_or(|(least, _)| cost < *least) {
                best = Some((cost, order));
            }
        }
        best.map(|(_, order)| order).unwrap_or_default()
    }

    /// Rows that a pattern makes of one row, about; exact where the row is the
    /// first.
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    pub(in crate::graph) fn fan(&self, atom: &Atom, bound: Slots) -> f64 {
        let columns = &self.columns[atom.graph];
        let known = |place: Place| match place {
            Place::Term(id) => (true, Some(id)),
            Place::Slot(slot) => (bound.has(slot), None),
        };
        let ((s, subject), (o, object)) = (known(atom.subject), known(atom.object));
        let one = |view: PredicateView<'_>| -> f64 {
            let length = view.len() as f64;
            let subjects = view.keys(Way::Forward).max(1) as f64;
            let objects = view.keys(Way::Backward).max(1) as f64;
            match (s, o) {
                (false, false) => length,
                (true, false) => {
                    subject.map_or(length / subjects, |s| view.of(Way::Forward, s).len() as f64)
                }
                (false, true) => {
                    object.map_or(length / objects, |o| view.of(Way::Backward, o).len() as f64)
                }
                (true, true) => match (subject, object) {
                    (Some(s), Some(o)) => f64::from(u8::from(view.contains(s, o))),
                    (None, Some(o)) => view.of(Way::Backward, o).len() as f64 / subjects,
                    (Some(s), None) => view.of(Way::Forward, s).len() as f64 / objects,
                    (None, None) => length / (subjects * objects),
                },
            }
        };
        match &atom.link {
            Link::Predicate(id) => one(columns.predicate(*id)),
            Link::Variable(_) | Link::Not(_) => {
                columns.predicates().iter().map(|p| one(columns.predicate(*p))).sum()
            }
            Link::Closure(steps) => {
                let (length, keys) = Self::reach(steps, columns);
                match (s, o) {
                    (false, false) => length * REACH,
                    (true, true) => 0.5,
                    _ => (length / keys.max(1.0)).max(1.0) * REACH,
                }
            }
        }
    }

    /// Takes rows over one pattern.
    pub(in crate::graph) fn expand(
        &self,
        atom: &Atom,
        batch: &Batch,
        keep: Slots,
        sink: &mut Sink<'_>,
    ) -> Flow {
        look_at_budget();
        let columns = &self.columns[atom.graph];
        match &atom.link {
            Link::Predicate(id) => {
                Self::along(columns.predicate(*id), atom, batch, keep, None, sink)
            }
            Link::Not(not) => {
                for id in columns.predicates() {
                    if !not.contains(id) {
                        Self::along(columns.predicate(*id), atom, batch, keep, None, sink)?;
                    }
                }
                Continue(())
            }
            Link::Variable(slot) => Self::along_any(columns, *slot, atom, batch, keep, sink),
            Link::Closure(steps) => self.closure(steps, atom, batch, keep, sink),
        }
    }

    fn along_any(
        columns: &Columns,
        slot: usize,
        atom: &Atom,
        batch: &Batch,
        keep: Slots,
        sink: &mut Sink<'_>,
    ) -> Flow {
        let Some(column) = batch.column(slot) else {
            let shown = keep.has(slot).then_some(slot);
            for id in columns.predicates() {
                let shown = shown.map(|slot| (slot, *id));
                Self::along(columns.predicate(*id), atom, batch, keep, shown, sink)?;
            }
            return Continue(());
        };
        if let Column::Same(id) = column {
            return Self::along(columns.predicate(*id), atom, batch, keep, None, sink);
        }
        let mut order: Vec<u32> = (0..row_number(batch.len)).collect();
        order.sort_by_key(|row| column.get(*row as usize));
        let all = batch.slots();
        for rows in order.chunk_by(|a, b| column.get(*a as usize) == column.get(*b as usize)) {
            let part = batch.gather(rows, all);
            let id = column.get(rows[0] as usize);
            Self::along(columns.predicate(id), atom, &part, keep, None, sink)?;
        }
        Continue(())
    }

    /// Over one predicate.
    fn along(
        view: PredicateView<'_>,
        atom: &Atom,
        batch: &Batch,
        keep: Slots,
        shown: Option<(usize, TermId)>,
        sink: &mut Sink<'_>,
    ) -> Flow {
        if view.len() == 0 {
            return Continue(());
        }
        let mut give = |mut found: Batch| {
            if let Some((slot, id)) = shown {
                found.set(slot, Column::Same(id));
            }
            sink(found)
        };
        let (s, o) = (End::of(atom.subject, batch), End::of(atom.object, batch));
        match (s, o) {
            (End::Known(s), End::Known(o)) => {
                let rows: Vec<u32> = if let Some((asked, members)) = Members::asked(view, &s, &o) {
                    let is_member = |row: &u32| members.has(asked[*row as usize]);
                    (0..row_number(batch.len)).filter(is_member).collect()
                } else {
                    let holds = |row: &u32| {
                        let row = *row as usize;
                        view.contains(s.get(row), o.get(row))
                    };
                    (0..row_number(batch.len)).filter(holds).collect()
                };
                if rows.is_empty() { Continue(()) } else { give(batch.gather(&rows, keep)) }
            }
            (End::Known(s), End::Open(slot)) => {
                Self::list(view, Way::Forward, &s, slot, batch, keep, &mut give)
            }
            (End::Open(slot), End::Known(o)) => {
                Self::list(view, Way::Backward, &o, slot, batch, keep, &mut give)
            }
            (End::Open(subject), End::Open(object)) => {
                Self::scan(view, subject, object, batch, keep, &mut give)
            }
        }
    }

    /// Each row with each value that its key has.
    fn list(
        view: PredicateView<'_>,
        way: Way,
        keys: &Column,
        slot: usize,
        batch: &Batch,
        keep: Slots,
        sink: &mut Sink<'_>,
    ) -> Flow {
        let shown = keep.has(slot);
        if !shown
            && keep.and(batch.slots()).is_empty()
            && let Column::Same(key) = keys
        {
            return sink(Batch::of(batch.len * view.of(way, *key).len()));
        }
        let mut given = Given::new(batch, keep, slot);
        for row in 0..batch.len {
            let values = view.of(way, keys.get(row));
            let row = row_number(row);
            let mut left = values;
            while !left.is_empty() {
                let room = given.limit - given.rows.len();
                let (part, rest) = left.split_at(room.min(left.len()));
                left = rest;
                if shown {
                    given.values.extend_from_slice(part);
                }
                given.rows.resize(given.rows.len() + part.len(), row);
                if given.rows.len() >= given.limit {
                    given.give(sink)?;
                }
            }
        }
        given.give(sink)
    }

    /// All triples of a predicate, with each row.
    fn scan(
        view: PredicateView<'_>,
        subject: usize,
        object: usize,
        batch: &Batch,
        keep: Slots,
        sink: &mut Sink<'_>,
    ) -> Flow {
        let (s, o) = (keep.has(subject), keep.has(object));
        if subject != object && !s && !o && keep.and(batch.slots()).is_empty() {
            return sink(Batch::of(batch.len * view.len()));
        }
        // Read the side whose keys are wanted, in the order of that side.
        let way = if s || !o { Way::Forward } else { Way::Backward };
        let (key_slot, value_slot) =
            if way == Way::Forward { (subject, object) } else { (object, subject) };
        for row in 0..batch.len {
            let row = [row_number(row)];
            let outer = batch.gather(&row, keep);
            let mut limit = if batch.len == 1 { 256 } else { CHUNK };
            let (mut keys, mut values): (Vec<TermId>, Vec<TermId>) = (Vec::new(), Vec::new());
            let mut flow = Continue(());
            let mut give = |keys: &mut Vec<TermId>, values: &mut Vec<TermId>| {
                look_at_budget();
                let mut found = outer.clone();
                found.len = keys.len();
                let (keys, values) = (std::mem::take(keys), std::mem::take(values));
                // One row was made into columns that are the same throughout.
                if keep.has(value_slot) && value_slot != key_slot {
                    found.set(value_slot, Column::rows(values));
                }
                if keep.has(key_slot) {
                    found.set(key_slot, Column::rows(keys));
                }
                if found.len == 0 { Continue(()) } else { sink(found) }
            };
            view.for_each(way, |key, list| {
                if subject == object {
                    if list.contains(&key) {
                        keys.push(key);
                        values.push(key);
                    }
                } else {
                    keys.resize(keys.len() + list.len(), key);
                    if keep.has(value_slot) {
                        values.extend_from_slice(list);
                    }
                }
                if keys.len() >= limit {
                    limit = (limit * 4).min(CHUNK);
                    flow = give(&mut keys, &mut values);
                }
                flow
            });
            flow?;
            give(&mut keys, &mut values)?;
        }
        Continue(())
    }
}

/// The values of a key as bits, for when so many are asked of them that making
/// these takes less than finding each (memory is then read in one place).
struct Members {
    first: TermId,
    bits: Vec<u64>,
}

impl Members {
    /// Fewer are asked one by one.
    const FEW: usize = 256;
    /// A list, and its bits in words, may be so many times longer than what is
    /// asked of it.
    const LONGER: usize = 8;

    /// If one end of a pattern is the same in all rows and the other is not: the
    /// values there, and those that are wanted.
    fn asked<'a>(
        view: PredicateView<'_>,
        s: &'a Column,
        o: &'a Column,
    ) -> Option<(&'a [TermId], Self)> {
        let (asked, list) = match (s, o) {
            (Column::Rows(asked), Column::Same(o)) => (asked, view.of(Way::Backward, *o)),
            (Column::Same(s), Column::Rows(asked)) => (asked, view.of(Way::Forward, *s)),
            _ => return None,
        };
        if asked.len() < Self::FEW || list.len() > Self::LONGER * asked.len() {
            return None;
        }
        let (first, last) = (*list.first()?, *list.last()?);
        let words = (last - first) as usize / 64 + 1;
        if words > Self::LONGER * asked.len() {
            return None;
        }
        let mut bits = vec![0; words];
        for id in list {
            let at = id - first;
            bits[at as usize / 64] |= 1 << (at % 64);
        }
        Some((asked, Self { first, bits }))
    }

    fn has(&self, id: TermId) -> bool {
        let at = id.wrapping_sub(self.first);
        self.bits.get(at as usize / 64).is_some_and(|bits| bits >> (at % 64) & 1 == 1)
    }
}

/// A pattern, what filters can be asked after it, and what is read further on.
struct Step<'a> {
    atom: &'a Atom,
    filters: Vec<&'a Filter>,
    keep: Slots,
}

/// An end of a pattern as the rows have it.
pub(in crate::graph) enum End {
    Known(Column),
    Open(usize),
}

impl End {
    pub(in crate::graph) fn of(place: Place, batch: &Batch) -> Self {
        match place {
            Place::Term(id) => Self::Known(Column::Same(id)),
            Place::Slot(slot) => match batch.column(slot) {
                Some(Column::Same(UNBOUND)) | None => Self::Open(slot),
                Some(column) => Self::Known(column.clone()),
            },
        }
    }
}

/// Rows of a step that are not given on yet.
pub(in crate::graph) struct Given<'a> {
    batch: &'a Batch,
    keep: Slots,
    slot: usize,
    pub(in crate::graph) rows: Vec<u32>,
    pub(in crate::graph) values: Vec<TermId>,
    pub(in crate::graph) limit: usize,
}

impl<'a> Given<'a> {
    pub(in crate::graph) fn new(batch: &'a Batch, keep: Slots, slot: usize) -> Self {
        // Few at first: who asks for one row gets it at once.
        let limit = if batch.len == 1 { 256 } else { CHUNK };
        Self { batch, keep, slot, rows: Vec::new(), values: Vec::new(), limit }
    }

    pub(in crate::graph) fn give(&mut self, sink: &mut Sink<'_>) -> Flow {
        if self.rows.is_empty() {
            return Continue(());
        }
        look_at_budget();
        self.limit = (self.limit * 4).min(CHUNK);
        let rows = std::mem::take(&mut self.rows);
        let values = std::mem::take(&mut self.values);
        let mut found = self.batch.gather(&rows, self.keep);
        if self.keep.has(self.slot) {
            found.set(self.slot, Column::rows(values));
        }
        if sink(found).is_break() { Break(()) } else { Continue(()) }
    }
}
