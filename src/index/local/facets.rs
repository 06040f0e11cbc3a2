//! Filters and counts over the columns.

use crate::index::Facet;
use crate::index::local::columns::{Columns, Facets};
use crate::index::local::rows::{Bits, Rows};
use crate::index::local::snapshot::{Segment, Snapshot};
use rustc_hash::FxHashMap;

/// The rows that filters let through.
pub struct Filters {
    /// Those that pass all filters.
    pub all: Rows,
    /// For each facet that is filtered by: those that pass all other filters.
    pub without: Vec<(Facet, Rows)>,
}

impl Filters {
    /// The rows over which a facet is counted: all filters but its own.
    #[must_use]
    pub fn for_counts_of(&self, facet: Facet) -> &Rows {
        self.without.iter().find(|(f, _)| *f == facet).map_or(&self.all, |(_, rows)| rows)
    }
}

impl Snapshot {
    /// The rows that pass: values of one facet are alternatives, different
    /// facets must all hold; dates are `yyyymmdd`, inclusive, and a document
    /// without a date is in no range.
    #[must_use]
    pub fn filters(
        &self,
        facets: &[(Facet, Vec<u64>)],
        from: Option<u64>,
        to: Option<u64>,
    ) -> Filters {
        let mut dated = self.visible();
        if from.is_some() || to.is_some() {
            let range = from.unwrap_or(1)..=to.unwrap_or(u64::MAX);
            for (segment, bits) in self.segments().iter().zip(&mut dated.0) {
                for (doc, date) in (0..).zip(&segment.columns.dates) {
                    if *date == 0 || !range.contains(&u64::from(*date)) {
                        bits.unset(doc);
                    }
                }
            }
        }
        let each: Vec<(Facet, Rows)> = facets
            .iter()
            .map(|(facet, values)| {
                let rows =
                    self.segments().iter().map(|segment| with_value(segment, *facet, values));
                (*facet, Rows(rows.collect()))
            })
            .collect();
        let mut all = dated.clone();
        for (_, rows) in &each {
            all.and(rows);
        }
        let without = each.iter().map(|(facet, _)| {
            let mut rows = dated.clone();
            for (_, other) in each.iter().filter(|(other, _)| other != facet) {
                rows.and(other);
            }
            (*facet, rows)
        });
        Filters { without: without.collect(), all }
    }

    /// How many of these rows have each value of a facet.
    #[must_use]
    pub fn counts(&self, facet: Facet, rows: &Rows) -> Vec<(u64, u64)> {
        self.tally(rows, |columns| &columns.facets[facet as usize])
    }

    /// The values that some of these rows have, with how many do.
    fn tally(&self, rows: &Rows, of: impl Fn(&Columns) -> &Facets) -> Vec<(u64, u64)> {
        let mut counts: Vec<(u64, u64)> = Vec::new();
        for (segment, bits) in self.segments().iter().zip(&rows.0) {
            let found = of(&segment.columns).counts(bits, bits.count());
            if counts.is_empty() {
                counts = found;
                continue;
            }
            let mut all: FxHashMap<u64, u64> = counts.drain(..).collect();
            for (value, count) in found {
                *all.entry(value).or_default() += count;
            }
            counts.extend(all);
        }
        counts.retain(|(_, count)| *count > 0);
        counts
    }

    /// The values of a facet that a document has.
    pub fn values(&self, row: crate::index::Row, facet: Facet) -> impl Iterator<Item = u64> + '_ {
        self.place(row).into_iter().flat_map(move |(segment, doc)| {
            let facets = &segment.columns.facets[facet as usize];
            facets.of(doc).iter().map(|number| facets.values[*number as usize])
        })
    }

    /// How many of these rows have a date in each year.
    #[must_use]
    pub fn years(&self, rows: &Rows) -> Vec<(u32, u64)> {
        let year = |(year, count)| (u32::try_from(year).unwrap_or(0), count);
        let mut years: Vec<(u32, u64)> =
            self.tally(rows, |columns| &columns.years).into_iter().map(year).collect();
        years.sort_unstable();
        years
    }
}

fn with_value(segment: &Segment, facet: Facet, values: &[u64]) -> Bits {
    let facets = &segment.columns.facets[facet as usize];
    let wanted: Vec<bool> = facets.values.iter().map(|value| values.contains(value)).collect();
    let mut bits = Bits::none(segment.columns.len());
    if wanted.contains(&true) {
        for doc in 0..segment.columns.len() {
            if facets.of(doc).iter().any(|number| wanted[*number as usize]) {
                bits.set(doc);
            }
        }
    }
    bits
}
