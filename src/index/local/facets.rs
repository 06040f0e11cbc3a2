//! Filters and counts over the columns.

use crate::index::Facet;
use crate::index::local::columns::Columns;
use crate::index::local::rows::{Bits, Rows};
use crate::index::local::snapshot::{Segment, Snapshot};
use crate::index::local::values::{Documents, Facets};
use rustc_hash::FxHashMap;

/// The rows that filters let through.
pub struct Filters {
    /// Those that pass all filters.
    pub all: Rows,
    /// For each facet that is filtered by: those that pass all other filters.
    pub without: Vec<(Facet, Rows)>,
}

impl Filters {
    /// Where a facet is filtered by: the rows over which it is counted, those
    /// that pass all filters but its own. All others are counted over all that
    /// passes.
    #[must_use]
    pub fn without_own(&self, facet: Facet) -> Option<&Rows> {
        self.without.iter().find(|(f, _)| *f == facet).map(|(_, rows)| rows)
    }
}

/// Rows of which several facets are counted.
pub struct Counted<'a>(Vec<Documents<'a>>);

impl<'a> Counted<'a> {
    /// These rows.
    #[must_use]
    pub fn new(rows: &'a Rows) -> Self {
        Self(rows.0.iter().map(Documents::new).collect())
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
    pub fn counts(&self, facet: Facet, rows: &Counted<'_>) -> Vec<(u64, u64)> {
        self.tally(rows, |columns| &columns.facets[facet as usize])
    }

    /// The values that some of these rows have, with how many do.
    fn tally(&self, rows: &Counted<'_>, of: impl Fn(&Columns) -> &Facets) -> Vec<(u64, u64)> {
        let mut counts: Vec<(u64, u64)> = Vec::new();
        for (segment, documents) in self.segments().iter().zip(&rows.0) {
            let found = of(&segment.columns).counts(documents);
            if counts.is_empty() {
                counts = found;
                continue;
            }
            let mut more: FxHashMap<u64, u64> = found.into_iter().collect();
            for (value, count) in &mut counts {
                *count += more.remove(value).unwrap_or(0);
            }
            counts.extend(more);
        }
        counts
    }

    /// The values of a facet that a document has.
    pub fn values(&self, row: crate::index::Row, facet: Facet) -> impl Iterator<Item = u64> + '_ {
        self.place(row)
            .into_iter()
            .flat_map(move |(segment, doc)| segment.columns.facets[facet as usize].of(doc))
    }

    /// How many of these rows have a date in each year.
    #[must_use]
    pub fn years(&self, rows: &Counted<'_>) -> Vec<(u32, u64)> {
        let year = |(year, count)| (u32::try_from(year).unwrap_or(0), count);
        let mut years: Vec<(u32, u64)> =
            self.tally(rows, |columns| &columns.years).into_iter().map(year).collect();
        years.sort_unstable();
        years
    }
}

fn with_value(segment: &Segment, facet: Facet, values: &[u64]) -> Bits {
    let mut bits = Bits::none(segment.columns.len());
    segment.columns.facets[facet as usize].having(values, &mut bits);
    bits
}
