//! Tables of rows that are joined by the values they share: an index over a
//! table, and a set of rows that were seen.

use crate::graph::budget::{look_at_budget, touch};
use crate::graph::engine::batch::{Batch, CHUNK, Column, Slots, Table, UNBOUND, row_number};
use crate::graph::engine::run::{Flow, Sink};
use crate::rdf::TermId;
use rustc_hash::{FxHashMap, FxHashSet};
use std::cell::RefCell;
use std::ops::ControlFlow::Continue;
use std::rc::Rc;

/// The values of a row in some slots.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    /// One or two values.
    Few(u64),
    Many(Box<[TermId]>),
}

impl Key {
    fn new(slots: &[usize], mut get: impl FnMut(usize) -> TermId) -> Self {
        match slots {
            [] => Self::Few(0),
            [a] => Self::Few(u64::from(get(*a))),
            [a, b] => Self::Few(u64::from(get(*a)) << 32 | u64::from(get(*b))),
            many => Self::Many(many.iter().map(|slot| get(*slot)).collect()),
        }
    }
}

type Rows = Rc<FxHashMap<Key, Vec<u32>>>;

/// A table, and indexes over it as joins ask for them.
pub(in crate::graph) struct Index {
    table: Table,
    /// By the slots that the table's row binds: its rows.
    ways: Vec<(Slots, Vec<u32>)>,
    by_key: RefCell<Vec<(Slots, Slots, Rows)>>,
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
    fn by_key(&self, way: Slots, rows: &[u32], on: Slots) -> Rows {
        let found = self
            .by_key
            .borrow()
            .iter()
            .find(|(w, o, _)| *w == way && *o == on)
            .map(|f| f.2.clone());
        if let Some(found) = found {
            return found;
        }
        let slots: Vec<usize> = on.iter().collect();
        let mut map: FxHashMap<Key, Vec<u32>> = FxHashMap::default();
        for row in rows {
            touch();
            map.entry(Key::new(&slots, |slot| self.cell(slot, *row))).or_default().push(*row);
        }
        let map = Rc::new(map);
        self.by_key.borrow_mut().push((way, on, Rc::clone(&map)));
        map
    }

    /// Joins the table to rows (SPARQL 1.1 §18.5, Join).
    pub(in crate::graph) fn join(&self, input: &Batch, keep: Slots, sink: &mut Sink<'_>) -> Flow {
        for (bound, rows) in input.by_binding(self.slots()) {
            let rows = rows.unwrap_or_else(|| (0..row_number(input.len)).collect());
            for (way, own) in &self.ways {
                let on = bound.and(*way);
                let map = self.by_key(*way, own, on);
                let slots: Vec<usize> = on.iter().collect();
                let (mut left, mut right): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
                for row in &rows {
                    let key = Key::new(&slots, |slot| input.get(slot, *row as usize));
                    for other in map.get(&key).into_iter().flatten() {
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
                let map = self.by_key(*way, own, on);
                let slots: Vec<usize> = on.iter().collect();
                for row in &rows {
                    let key = Key::new(&slots, |slot| batch.get(slot, *row as usize));
                    if map.contains_key(&key) {
                        gone[*row as usize] = true;
                    }
                }
            }
        }
        (0..batch.len).filter(|row| !gone[*row]).map(row_number).collect()
    }
}

/// Rows that were seen before.
pub(in crate::graph) struct Seen {
    slots: Vec<usize>,
    keys: FxHashSet<Key>,
}

impl Seen {
    pub(in crate::graph) fn new(slots: Slots) -> Self {
        Self { slots: slots.iter().collect(), keys: FxHashSet::default() }
    }

    /// The rows that were not seen, each once.
    pub(in crate::graph) fn fresh(&mut self, batch: &Batch) -> Vec<u32> {
        let mut rows = Vec::new();
        let one_row = self
            .slots
            .iter()
            .all(|slot| matches!(batch.column(*slot), Some(Column::Same(_)) | None));
        let len = if one_row { batch.len.min(1) } else { batch.len };
        for row in 0..len {
            if self.keys.insert(Key::new(&self.slots, |slot| batch.get(slot, row))) {
                rows.push(row_number(row));
            }
        }
        rows
    }
}

/// Numbers the rows by their values in some slots.
pub(in crate::graph) struct Groups {
    slots: Vec<usize>,
    numbers: FxHashMap<Key, u32>,
    /// The values of each group, one column a slot.
    pub(in crate::graph) table: Table,
}

impl Groups {
    pub(in crate::graph) fn new(slots: Slots) -> Self {
        let table = Table::new(slots);
        Self { slots: table.slots.clone(), numbers: FxHashMap::default(), table }
    }

    /// The group of each row; one number if all rows are of one group.
    pub(in crate::graph) fn of(&mut self, batch: &Batch) -> Column {
        let same = self
            .slots
            .iter()
            .all(|slot| matches!(batch.column(*slot), Some(Column::Same(_)) | None));
        if same {
            return Column::Same(self.number(batch, 0));
        }
        // Rows of one group often follow each other.
        let mut numbers = Vec::with_capacity(batch.len);
        let mut last: Option<(u64, u32)> = None;
        for row in 0..batch.len {
            let short = match &*self.slots {
                [a] => Some(u64::from(batch.get(*a, row))),
                [a, b] => Some(u64::from(batch.get(*a, row)) << 32 | u64::from(batch.get(*b, row))),
                _ => None,
            };
            let number = match (short, last) {
                (Some(key), Some((known, number))) if key == known => number,
                _ => self.number(batch, row),
            };
            last = short.map(|key| (key, number));
            numbers.push(number);
        }
        Column::rows(numbers)
    }

    fn number(&mut self, batch: &Batch, row: usize) -> u32 {
        let key = Key::new(&self.slots, |slot| batch.get(slot, row));
        let next = row_number(self.numbers.len());
        let number = *self.numbers.entry(key).or_insert(next);
        if number == next {
            for (slot, column) in self.slots.iter().zip(&mut self.table.columns) {
                column.push(batch.get(*slot, row));
            }
            self.table.len += 1;
        }
        number
    }
}
