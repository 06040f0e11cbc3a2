//! Counting: rows by columns, with the units and records of each cell, and who
//! is missing. Pure functions over what was gathered.

use crate::compare::asked::{Asked, Axis, Source, Unit};
use crate::compare::gather::Gathered;
use crate::compare::statistics::Share;
use crate::rdf::TermId;

/// A row or a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Head {
    /// Its value: a term, a year, or a number of a source.
    pub value: u32,
    /// Units with this value.
    pub units: u32,
    /// Records with this value.
    pub records: u32,
    /// Of a row: units that also have a value for the columns.
    pub within: u32,
}

/// A cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cell {
    /// Units with both values.
    pub units: u32,
    /// Records with both values.
    pub records: u32,
}

/// Rows by columns.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// The rows, those with most units first.
    pub rows: Vec<Head>,
    /// The columns, likewise; the units of a column are what its cells are out
    /// of.
    pub columns: Vec<Head>,
    /// Cells, row by row.
    pub cells: Vec<Cell>,
    /// Rows that had no room.
    pub more_rows: usize,
    /// Columns that had no room.
    pub more_columns: usize,
    /// Units in all.
    pub units: u32,
    /// Units that have a value for the columns.
    pub within: u32,
    /// Records in all.
    pub records: u32,
    /// Records without a value for the rows.
    pub without_row: u32,
    /// Records without a value for the columns.
    pub without_column: u32,
    /// Records that name no organisation, and are left out where organisations
    /// are counted.
    pub without_organisation: u32,
}

/// Rows or columns that are given.
pub type Given<'a> = Option<(&'a [u32], &'a [u32])>;

impl Table {
    /// The cell of a row and a column, by their places.
    #[must_use]
    pub fn cell(&self, row: usize, column: usize) -> Cell {
        self.cells.get(row * self.columns.len() + column).copied().unwrap_or_default()
    }

    /// How many of how many.
    #[must_use]
    pub fn share(&self, row: usize, column: usize) -> Share {
        Share::new(self.cell(row, column).units, self.columns.get(column).map_or(0, |c| c.units))
    }
}

/// An item that is counted: a record at one organisation where organisations
/// are counted, or a record.
#[derive(Debug, Clone, Copy)]
pub struct Item {
    /// The record's place among those gathered.
    pub record: usize,
    /// The organisation.
    pub organisation: Option<TermId>,
}

impl Item {
    fn unit(self) -> u32 {
        self.organisation.unwrap_or_else(|| small(self.record))
    }
}

fn small(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Calls `each` with every item that is asked for; gives the number of records
/// that name no organisation where one is needed.
pub fn visit(gathered: &Gathered, asked: &Asked, mut each: impl FnMut(Item)) -> u32 {
    let mut without = 0;
    let mut values = Vec::new();
    let (of_organisation, own): (Vec<_>, Vec<_>) =
        asked.filters.iter().partition(|(axis, _)| axis.of_organisation());
    let wanted: Vec<bool> =
        Source::ALL.iter().map(|source| asked.sources.contains(source)).collect();
    for (place, record) in gathered.records().iter().enumerate() {
        if record.illustrative != asked.illustrative || !wanted[record.source.number() as usize] {
            continue;
        }
        let mut fits = |filters: &[&(Axis, Vec<u32>)], organisation| {
            filters.iter().all(|(axis, any)| {
                gathered.values(*axis, place, organisation, &mut values);
                values.iter().any(|value| any.contains(value))
            })
        };
        if !fits(&own, None) {
            continue;
        }
        match asked.unit {
            Unit::Records => {
                if fits(&of_organisation, None) {
                    each(Item { record: place, organisation: None });
                }
            }
            Unit::Organisations => {
                let organisations = gathered.organisations(place);
                if organisations.is_empty() && of_organisation.is_empty() {
                    without += 1;
                }
                for organisation in organisations {
                    if fits(&of_organisation, Some(*organisation)) {
                        each(Item { record: place, organisation: Some(*organisation) });
                    }
                }
            }
        }
    }
    without
}

/// Distinct pairs of key and other, counted by key.
fn by_key(mut pairs: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
    pairs.sort_unstable();
    pairs.dedup();
    let mut counts: Vec<(u32, u32)> = Vec::new();
    for (key, _) in pairs {
        match counts.last_mut() {
            Some((last, count)) if *last == key => *count += 1,
            _ => counts.push((key, 1)),
        }
    }
    counts
}

/// The heads of one side: those given, or the most frequent.
fn heads(
    units: Vec<(u32, u32)>,
    records: Vec<(u32, u32)>,
    given: Option<&[u32]>,
    asked: (Axis, usize),
) -> (Vec<Head>, usize) {
    let (units, records) = (by_key(units), by_key(records));
    let mut all: Vec<Head> = units
        .iter()
        .zip(&records)
        .map(|((value, units), (_, records))| Head {
            value: *value,
            units: *units,
            records: *records,
            within: 0,
        })
        .collect();
    if let Some(given) = given {
        let find = |value: u32| all.binary_search_by_key(&value, |head| head.value).ok();
        let heads = given.iter().map(|value| {
            find(*value).map_or(Head { value: *value, ..Head::default() }, |at| all[at])
        });
        return (heads.collect(), 0);
    }
    let (axis, limit) = asked;
    // Of equals the one with the lower number, so that an answer comes again.
    all.sort_by_key(|head| (std::cmp::Reverse((head.units, head.records)), head.value));
    let more = all.len().saturating_sub(limit);
    all.truncate(limit);
    if axis == Axis::Period {
        all.sort_by_key(|head| head.value);
    }
    (all, more)
}

/// Counts. The most frequent rows and columns are chosen, unless they are
/// given.
#[must_use]
pub fn count(gathered: &Gathered, asked: &Asked, given: Given<'_>) -> Table {
    let mut items: Vec<Item> = Vec::new();
    let without_organisation = visit(gathered, asked, |item| items.push(item));
    let (mut row_units, mut row_records) = (Vec::new(), Vec::new());
    let (mut column_units, mut column_records) = (Vec::new(), Vec::new());
    let (mut rows, mut columns) = (Vec::new(), Vec::new());
    let (mut no_row, mut no_column) = (Vec::new(), Vec::new());
    let (mut row_within, mut within) = (Vec::new(), Vec::new());
    for item in &items {
        let (unit, record) = (item.unit(), small(item.record));
        gathered.values(asked.rows, item.record, item.organisation, &mut rows);
        gathered.values(asked.columns, item.record, item.organisation, &mut columns);
        row_units.extend(rows.iter().map(|row| (*row, unit)));
        row_records.extend(rows.iter().map(|row| (*row, record)));
        column_units.extend(columns.iter().map(|column| (*column, unit)));
        column_records.extend(columns.iter().map(|column| (*column, record)));
        if rows.is_empty() {
            no_row.push(record);
        }
        if columns.is_empty() {
            no_column.push(record);
        } else {
            row_within.extend(rows.iter().map(|row| (*row, unit)));
            within.push(unit);
        }
    }
    let (row_given, column_given) = given.unzip();
    let (mut row_heads, more_rows) =
        heads(row_units, row_records, row_given, (asked.rows, asked.limit));
    let (column_heads, more_columns) =
        heads(column_units, column_records, column_given, (asked.columns, asked.limit));
    let row_within = by_key(row_within);
    for head in &mut row_heads {
        let found = row_within.binary_search_by_key(&head.value, |(value, _)| *value);
        head.within = found.map_or(0, |at| row_within[at].1);
    }
    let cells = cells(gathered, asked, &items, &row_heads, &column_heads);
    let distinct = |mut all: Vec<u32>| {
        all.sort_unstable();
        all.dedup();
        small(all.len())
    };
    Table {
        units: distinct(items.iter().map(|item| item.unit()).collect()),
        records: distinct(items.iter().map(|item| small(item.record)).collect()),
        within: distinct(within),
        rows: row_heads,
        columns: column_heads,
        cells,
        more_rows,
        more_columns,
        without_row: distinct(no_row),
        without_column: distinct(no_column),
        without_organisation,
    }
}

fn cells(
    gathered: &Gathered,
    asked: &Asked,
    items: &[Item],
    row_heads: &[Head],
    column_heads: &[Head],
) -> Vec<Cell> {
    let place = |heads: &[Head]| {
        let mut places: Vec<(u32, u32)> =
            heads.iter().zip(0..).map(|(head, place)| (head.value, place)).collect();
        places.sort_unstable();
        places
    };
    let (row_places, column_places) = (place(row_heads), place(column_heads));
    let find = |places: &[(u32, u32)], value: u32| {
        places.binary_search_by_key(&value, |(value, _)| *value).ok().map(|at| places[at].1)
    };
    let (mut units, mut records) = (Vec::new(), Vec::new());
    let (mut rows, mut columns) = (Vec::new(), Vec::new());
    let width = small(column_heads.len());
    for item in items {
        gathered.values(asked.rows, item.record, item.organisation, &mut rows);
        if rows.is_empty() {
            continue;
        }
        gathered.values(asked.columns, item.record, item.organisation, &mut columns);
        for column in columns.iter().filter_map(|value| find(&column_places, *value)) {
            for row in rows.iter().filter_map(|value| find(&row_places, *value)) {
                let cell = row * width + column;
                units.push((cell, item.unit()));
                if asked.unit == Unit::Organisations {
                    records.push((cell, small(item.record)));
                }
            }
        }
    }
    let mut cells = vec![Cell::default(); row_heads.len() * column_heads.len()];
    for (cell, count) in by_key(units) {
        cells[cell as usize].units = count;
        cells[cell as usize].records = count;
    }
    for (cell, count) in by_key(records) {
        cells[cell as usize].records = count;
    }
    cells
}

/// What stands behind a cell, or behind a whole row or column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Behind {
    /// Records.
    pub records: Vec<TermId>,
    /// Units with both values: organisations, or records.
    pub with: Vec<TermId>,
    /// Units of the column without the value of the row.
    pub missing: Vec<TermId>,
}

/// Looks behind a cell; `None` for a row or a column means all.
#[must_use]
pub fn behind(gathered: &Gathered, asked: &Asked, row: Option<u32>, column: Option<u32>) -> Behind {
    let mut found = Behind::default();
    let mut base = Vec::new();
    let mut values = Vec::new();
    visit(gathered, asked, |item| {
        let id = gathered.records()[item.record].id;
        let unit = item.organisation.unwrap_or(id);
        let mut has = |axis, wanted: Option<u32>| {
            wanted.is_none_or(|wanted| {
                gathered.values(axis, item.record, item.organisation, &mut values);
                values.contains(&wanted)
            })
        };
        if has(asked.columns, column) {
            base.push(unit);
            if has(asked.rows, row) {
                found.records.push(id);
                found.with.push(unit);
            }
        }
    });
    for list in [&mut found.records, &mut found.with, &mut base] {
        list.sort_unstable();
        list.dedup();
    }
    base.retain(|unit| found.with.binary_search(unit).is_err());
    found.missing = base;
    found
}

/// For each value of the rows: the units that have it, of all units, each
/// sorted; values in no order that means anything.
#[must_use]
pub fn holders(gathered: &Gathered, asked: &Asked) -> (Vec<u32>, Vec<(u32, Vec<u32>)>) {
    let (mut all, mut pairs, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    visit(gathered, asked, |item| {
        gathered.values(asked.rows, item.record, item.organisation, &mut rows);
        all.push(item.unit());
        pairs.extend(rows.iter().map(|row| (*row, item.unit())));
    });
    all.sort_unstable();
    all.dedup();
    pairs.sort_unstable();
    pairs.dedup();
    let mut groups: Vec<(u32, Vec<u32>)> = Vec::new();
    for (row, unit) in pairs {
        match groups.last_mut() {
            Some((last, units)) if *last == row => units.push(unit),
            _ => groups.push((row, vec![unit])),
        }
    }
    (all, groups)
}
