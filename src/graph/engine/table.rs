//! Tables of rows that are joined by the values they share: an index over a
//! table, and a set of rows that were seen.

use crate::graph::budget::{look_at_budget, touch};
use crate::graph::engine::batch::{Batch, CHUNK, Column, Slots, Table, UNBOUND, row_number};
use crate::graph::engine::run::{Flow, Sink};
use crate::rdf::TermId;
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::ops::ControlFlow::Continue;
use std::rc::Rc;

/// Numbers rows by their values in some slots, the first that are met first.
struct Numbering {
    slots: Vec<usize>,
    /// Of one or two values, or none.
    few: FxHashMap<u64, u32>,
    many: FxHashMap<Box<[TermId]>, u32>,
    /// The last of few, each at a place of its key (the highest number is of
    /// none): rows of a group often come soon after each other.
    last: Vec<(u64, u32)>,
}

impl Numbering {
    /// The bits of a place.
    const PLACE: u32 = 8;

    fn new(slots: Vec<usize>) -> Self {
        let last = vec![(0, u32::MAX); 1 << Self::PLACE];
        Self { slots, few: FxHashMap::default(), many: FxHashMap::default(), last }
    }

    fn len(&self) -> usize {
        self.few.len() + self.many.len()
    }

    fn few(&self, mut get: impl FnMut(usize) -> TermId) -> Option<u64> {
        match *self.slots {
            [] => Some(0),
            [a] => Some(u64::from(get(a))),
            [a, b] => Some(u64::from(get(a)) << 32 | u64::from(get(b))),
            _ => None,
        }
    }

    fn many(&self, mut get: impl FnMut(usize) -> TermId) -> Box<[TermId]> {
        self.slots.iter().map(|slot| get(*slot)).collect()
    }

    /// The number of a row, given by its values, and whether it is new.
    fn number(&mut self, mut get: impl FnMut(usize) -> TermId) -> (u32, bool) {
        touch();
        let next = row_number(self.len());
        let Some(key) = self.few(&mut get) else {
            let number = *self.many.entry(self.many(&mut get)).or_insert(next);
            return (number, number == next);
        };
        let place = key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (u64::BITS - Self::PLACE);
        let place = &mut self.last[usize::try_from(place).unwrap_or(0)];
        if place.0 == key && place.1 != u32::MAX {
            return (place.1, false);
        }
        let number = *self.few.entry(key).or_insert(next);
        *place = (key, number);
        (number, number == next)
    }

    /// The number of a row, if there is one with its values.
    fn find(&self, mut get: impl FnMut(usize) -> TermId) -> Option<u32> {
        touch();
        match self.few(&mut get) {
            Some(key) => self.few.get(&key).copied(),
            None => self.many.get(&self.many(&mut get)).copied(),
        }
    }
}

/// The rows of a table by their values in some slots.
struct ByKey {
    numbers: Numbering,
    /// Where the rows with each number begin, and the end.
    starts: Vec<u32>,
    rows: Vec<u32>,
}

impl ByKey {
    fn new(slots: Vec<usize>, rows: &[u32], cell: impl Fn(usize, u32) -> TermId) -> Self {
        let mut numbers = Numbering::new(slots);
        let mut of_rows = Vec::with_capacity(rows.len());
        let mut starts = Vec::new();
        for row in rows {
            let (number, is_new) = numbers.number(|slot| cell(slot, *row));
            if is_new {
                starts.push(0);
            }
            starts[number as usize] += 1;
            of_rows.push(number);
        }
        let mut end = 0;
        for start in &mut starts {
            end += *start;
            *start = end;
        }
        starts.push(end);
        // From the last to the first, each before those that were put already.
        let mut placed = vec![0; rows.len()];
        for (row, number) in rows.iter().zip(of_rows).rev() {
            let start = &mut starts[number as usize];
            *start -= 1;
            placed[*start as usize] = *row;
        }
        Self { numbers, starts, rows: placed }
    }

    fn get(&self, get: impl FnMut(usize) -> TermId) -> &[u32] {
        self.numbers.find(get).map_or(&[], |number| {
            let number = number as usize;
            &self.rows[self.starts[number] as usize..self.starts[number + 1] as usize]
        })
    }
}

/// A table, and indexes over it as joins ask for them.
pub(in crate::graph) struct Index {
    table: Table,
    /// By the slots that the table's row binds: its rows.
    ways: Vec<(Slots, Vec<u32>)>,
    by_key: RefCell<Vec<(Slots, Slots, Rc<ByKey>)>>,
}

impl Index {
    pub(in crate::graph) fn new(table: Table) -> Self {
        let all: Slots =
            table.slots.iter().fold(Slots::default(), |s, slot| s.or(Slots::one(*slot)));
        let holes: Vec<(usize, &Vec<TermId>)> = table
            .slots
            .iter()
            .copied()
            .zip(&table.columns)
            .filter(|(_, column)| column.contains(&UNBOUND))
            .collect();
        let mut ways: Vec<(Slots, Vec<u32>)> = Vec::new();
        if holes.is_empty() {
            ways.push((all, (0..row_number(table.len)).collect()));
        } else {
            for row in 0..table.len {
                let mut bound = all;
                for (slot, column) in &holes {
                    if column[row] == UNBOUND {
                        bound = bound.without(Slots::one(*slot));
                    }
                }
                match ways.iter_mut().find(|(way, _)| *way == bound) {
                    Some((_, rows)) => rows.push(row_number(row)),
                    None => ways.push((bound, vec![row_number(row)])),
                }
            }
        }
        Self { table, ways, by_key: RefCell::default() }
    }

    fn slots(&self) -> Slots {
        self.table.slots.iter().fold(Slots::default(), |all, slot| all.or(Slots::one(*slot)))
    }

    fn cell(&self, slot: usize, row: u32) -> TermId {
        self.table.position(slot).map_or(UNBOUND, |at| self.table.columns[at][row as usize])
    }

    /// The rows of a way by their values in some slots.
    fn by_key(&self, way: Slots, rows: &[u32], on: Slots) -> Rc<ByKey> {
        let found = self
            .by_key
            .borrow()
            .iter()
            .find(|(w, o, _)| *w == way && *o == on)
            .map(|f| f.2.clone());
        if let Some(found) = found {
            return found;
        }
        let made = ByKey::new(on.iter().collect(), rows, |slot, row| self.cell(slot, row));
        let made = Rc::new(made);
        self.by_key.borrow_mut().push((way, on, Rc::clone(&made)));
        made
    }

    /// Joins the table to rows (SPARQL 1.1 §18.5, Join).
    pub(in crate::graph) fn join(&self, input: &Batch, keep: Slots, sink: &mut Sink<'_>) -> Flow {
        for (bound, rows) in input.by_binding(self.slots()) {
            let rows = rows.unwrap_or_else(|| (0..row_number(input.len)).collect());
            for (way, own) in &self.ways {
                let on = bound.and(*way);
                let by_key = self.by_key(*way, own, on);
                let (mut left, mut right): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
                for row in &rows {
                    for other in by_key.get(|slot| input.get(slot, *row as usize)) {
                        left.push(*row);
                        right.push(*other);
                    }
                    if left.len() >= CHUNK {
                        self.give(input, *way, &left, &right, keep, sink)?;
                        left.clear();
                        right.clear();
                    }
                }
                if !left.is_empty() {
                    self.give(input, *way, &left, &right, keep, sink)?;
                }
            }
        }
        Continue(())
    }

    fn give(
        &self,
        input: &Batch,
        way: Slots,
        left: &[u32],
        right: &[u32],
        keep: Slots,
        sink: &mut Sink<'_>,
    ) -> Flow {
        look_at_budget();
        let mut found = input.gather(left, keep);
        for slot in way.and(keep).iter() {
            let values = right.iter().map(|row| self.cell(slot, *row)).collect();
            found.set(slot, Column::rows(values));
        }
        sink(found)
    }

    /// The rows that no row of the table agrees with (SPARQL 1.1 §18.5, Minus).
    pub(in crate::graph) fn disjoint(&self, batch: &Batch) -> Vec<u32> {
        let mut gone = vec![false; batch.len];
        for (bound, rows) in batch.by_binding(self.slots()) {
            let rows = rows.unwrap_or_else(|| (0..row_number(batch.len)).collect());
            for (way, own) in &self.ways {
                let on = bound.and(*way);
                if on.is_empty() {
                    continue;
                }
                let by_key = self.by_key(*way, own, on);
                for row in &rows {
                    let known = by_key.numbers.find(|slot| batch.get(slot, *row as usize));
                    gone[*row as usize] |= known.is_some();
                }
            }
        }
        (0..batch.len).filter(|row| !gone[*row]).map(row_number).collect()
    }
}

/// Rows that were seen before.
pub(in crate::graph) struct Seen(Numbering);

impl Seen {
    pub(in crate::graph) fn new(slots: Slots) -> Self {
        Self(Numbering::new(slots.iter().collect()))
    }

    /// The rows that were not seen, each once.
    pub(in crate::graph) fn fresh(&mut self, batch: &Batch) -> Vec<u32> {
        let len = if is_one_row(&self.0.slots, batch) { batch.len.min(1) } else { batch.len };
        let mut is_new = |row: &u32| self.0.number(|slot| batch.get(slot, *row as usize)).1;
        (0..row_number(len)).filter(|row| is_new(row)).collect()
    }
}

/// Whether all rows have the same values.
fn is_one_row(slots: &[usize], batch: &Batch) -> bool {
    slots.iter().all(|slot| matches!(batch.column(*slot), Some(Column::Same(_)) | None))
}

/// Numbers the rows by their values in some slots.
pub(in crate::graph) struct Groups {
    numbers: Numbering,
    /// The values of each group, one column a slot.
    pub(in crate::graph) table: Table,
}

impl Groups {
    pub(in crate::graph) fn new(slots: Slots) -> Self {
        let table = Table::new(slots);
        Self { numbers: Numbering::new(table.slots.clone()), table }
    }

    /// The group of each row; one number if all rows are of one group.
    pub(in crate::graph) fn of(&mut self, batch: &Batch) -> Column {
        if is_one_row(&self.numbers.slots, batch) {
            return Column::Same(self.number(batch, 0));
        }
        Column::rows((0..batch.len).map(|row| self.number(batch, row)).collect())
    }

    fn number(&mut self, batch: &Batch, row: usize) -> u32 {
        let (number, is_new) = self.numbers.number(|slot| batch.get(slot, row));
        if is_new {
            for (slot, column) in self.numbers.slots.iter().zip(&mut self.table.columns) {
                column.push(batch.get(*slot, row));
            }
            self.table.len += 1;
        }
        number
    }
}
