//! Rows of term numbers by column. Not for terms.

use crate::rdf::TermId;
use std::rc::Rc;

/// The number of no term: the variable is not bound in this row.
pub(in crate::graph) const UNBOUND: TermId = 0;

/// Rows that a step gives on at once, at most (some steps give a few more).
pub(in crate::graph) const CHUNK: usize = 1 << 16;

/// A set of slots; a slot is the place of a variable.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(in crate::graph) struct Slots(pub(in crate::graph) u128);

impl Slots {
    /// The most slots that a query can have.
    pub(in crate::graph) const MOST: usize = 128;

    pub(in crate::graph) fn one(slot: usize) -> Self {
        Self(1 << slot)
    }

    pub(in crate::graph) fn has(self, slot: usize) -> bool {
        self.0 >> slot & 1 == 1
    }

    pub(in crate::graph) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(in crate::graph) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(in crate::graph) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(in crate::graph) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(in crate::graph) fn within(self, other: Self) -> bool {
        self.without(other).is_empty()
    }

    pub(in crate::graph) fn add(&mut self, slot: usize) {
        self.0 |= 1 << slot;
    }

    pub(in crate::graph) fn iter(self) -> impl Iterator<Item = usize> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            (left != 0).then(|| {
                let slot = left.trailing_zeros() as usize;
                left &= left - 1;
                slot
            })
        })
    }
}

/// The values of one variable.
#[derive(Clone, Debug)]
pub(in crate::graph) enum Column {
    /// The same in each row.
    Same(TermId),
    /// One a row.
    Rows(Rc<Vec<TermId>>),
}

impl Column {
    pub(in crate::graph) fn rows(values: Vec<TermId>) -> Self {
        Self::Rows(Rc::new(values))
    }

    #[inline]
    pub(in crate::graph) fn get(&self, row: usize) -> TermId {
        match self {
            Self::Same(id) => *id,
            Self::Rows(rows) => rows[row],
        }
    }

    fn gather(&self, rows: &[u32]) -> Self {
        match self {
            Self::Same(id) => Self::Same(*id),
            Self::Rows(values) => {
                Self::rows(rows.iter().map(|row| values[*row as usize]).collect())
            }
        }
    }
}

/// Rows, column by column; a slot without a column is bound in no row.
#[derive(Clone, Debug, Default)]
pub(in crate::graph) struct Batch {
    pub(in crate::graph) len: usize,
    columns: Vec<Option<Column>>,
}

impl Batch {
    /// One row that binds nothing.
    pub(in crate::graph) fn unit() -> Self {
        Self::of(1)
    }

    /// Rows that bind nothing.
    pub(in crate::graph) fn of(len: usize) -> Self {
        Self { len, columns: Vec::new() }
    }

    pub(in crate::graph) fn is_unit(&self) -> bool {
        self.len == 1 && self.columns.iter().all(Option::is_none)
    }

    pub(in crate::graph) fn column(&self, slot: usize) -> Option<&Column> {
        self.columns.get(slot).and_then(Option::as_ref)
    }

    #[inline]
    pub(in crate::graph) fn get(&self, slot: usize, row: usize) -> TermId {
        self.column(slot).map_or(UNBOUND, |column| column.get(row))
    }

    pub(in crate::graph) fn set(&mut self, slot: usize, column: Column) {
        if self.columns.len() <= slot {
            self.columns.resize(slot + 1, None);
        }
        self.columns[slot] = Some(column);
    }

    pub(in crate::graph) fn clear(&mut self, slot: usize) {
        if let Some(column) = self.columns.get_mut(slot) {
            *column = None;
        }
    }

    /// The slots that have a column.
    pub(in crate::graph) fn slots(&self) -> Slots {
        let mut slots = Slots::default();
        for (slot, column) in self.columns.iter().enumerate() {
            if column.is_some() {
                slots.add(slot);
            }
        }
        slots
    }

    /// Drops the columns that are not wanted.
    pub(in crate::graph) fn keep(&mut self, wanted: Slots) {
        for (slot, column) in self.columns.iter_mut().enumerate() {
            if !wanted.has(slot) {
                *column = None;
            }
        }
    }

    /// These rows, in this order, of the wanted columns.
    pub(in crate::graph) fn gather(&self, rows: &[u32], wanted: Slots) -> Self {
        let whole =
            rows.len() == self.len && rows.iter().enumerate().all(|(at, row)| at == *row as usize);
        let columns = self
            .columns
            .iter()
            .enumerate()
            .map(|(slot, column)| {
                let column = column.as_ref().filter(|_| wanted.has(slot))?;
                Some(match column {
                    Column::Rows(values) if rows.len() == 1 => {
                        Column::Same(values[rows[0] as usize])
                    }
                    Column::Rows(values) if self.len == 1 => Column::Same(values[0]),
                    column if whole => column.clone(),
                    column => column.gather(rows),
                })
            })
            .collect();
        Self { len: rows.len(), columns }
    }

    /// The rows from here, so many of them.
    pub(in crate::graph) fn slice(&self, from: usize, len: usize) -> Self {
        let columns = self
            .columns
            .iter()
            .map(|column| {
                column.as_ref().map(|column| match column {
                    Column::Same(id) => Column::Same(*id),
                    Column::Rows(rows) => Column::rows(rows[from..from + len].to_vec()),
                })
            })
            .collect();
        Self { len, columns }
    }

    /// The slots, among these, that are bound in each row, and a set of rows
    /// for each way in which the others are bound.
    pub(in crate::graph) fn by_binding(&self, among: Slots) -> Vec<(Slots, Option<Vec<u32>>)> {
        let present = self.slots().and(among);
        let mut mixed = Vec::new();
        let mut bound = present;
        for slot in present.iter() {
            match self.column(slot) {
                Some(Column::Same(UNBOUND)) => bound = bound.without(Slots::one(slot)),
                Some(Column::Rows(rows)) if rows.contains(&UNBOUND) => mixed.push((slot, rows)),
                _ => {}
            }
        }
        if mixed.is_empty() {
            return vec![(bound, None)];
        }
        let mut ways: Vec<(Slots, Option<Vec<u32>>)> = Vec::new();
        for row in 0..self.len {
            let mut own = bound;
            for (slot, rows) in &mixed {
                if rows[row] == UNBOUND {
                    own = own.without(Slots::one(*slot));
                }
            }
            let row = row_number(row);
            match ways.iter_mut().find(|(slots, _)| *slots == own) {
                Some((_, Some(rows))) => rows.push(row),
                _ => ways.push((own, Some(vec![row]))),
            }
        }
        ways
    }
}

/// A row as it is kept in lists of rows.
#[inline]
pub(in crate::graph) fn row_number(row: usize) -> u32 {
    u32::try_from(row).unwrap_or(u32::MAX)
}

/// Rows gathered whole: what blocks (a sub-select, a sort) makes of its input.
#[derive(Default, Debug)]
pub(in crate::graph) struct Table {
    pub(in crate::graph) len: usize,
    pub(in crate::graph) slots: Vec<usize>,
    pub(in crate::graph) columns: Vec<Vec<TermId>>,
}

impl Table {
    pub(in crate::graph) fn new(slots: Slots) -> Self {
        let slots: Vec<usize> = slots.iter().collect();
        Self { len: 0, columns: slots.iter().map(|_| Vec::new()).collect(), slots }
    }

    pub(in crate::graph) fn push(&mut self, batch: &Batch) {
        for (slot, values) in self.slots.iter().zip(&mut self.columns) {
            match batch.column(*slot) {
                Some(Column::Rows(rows)) => values.extend_from_slice(&rows[..batch.len]),
                Some(Column::Same(id)) => values.resize(values.len() + batch.len, *id),
                None => values.resize(values.len() + batch.len, UNBOUND),
            }
        }
        self.len += batch.len;
    }

    /// These rows as a batch.
    pub(in crate::graph) fn rows(&self, rows: &[u32]) -> Batch {
        let mut batch = Batch::of(rows.len());
        for (slot, values) in self.slots.iter().zip(&self.columns) {
            batch.set(*slot, Column::rows(rows.iter().map(|row| values[*row as usize]).collect()));
        }
        batch
    }

    /// All rows as a batch.
    pub(in crate::graph) fn batch(&self) -> Batch {
        let mut batch = Batch::of(self.len);
        for (slot, values) in self.slots.iter().zip(&self.columns) {
            batch.set(*slot, Column::rows(values.clone()));
        }
        batch
    }

    pub(in crate::graph) fn position(&self, slot: usize) -> Option<usize> {
        self.slots.iter().position(|other| *other == slot)
    }
}
