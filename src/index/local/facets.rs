//! Filters and counts over the columns.

use crate::index::Facet;
use crate::index::local::columns::YEAR;
use crate::index::local::rows::{Bits, Rows};
use crate::index::local::snapshot::{Segment, Snapshot};

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

/// How many of some rows have each value, of all facets.
pub struct Counted<'a> {
    segments: &'a [Segment],
    /// Of each segment, by the numbers of its values.
    counts: Vec<Vec<u32>>,
}

impl Counted<'_> {
    /// The values of a facet that some of the rows have, with how many do, by
    /// value.
    #[must_use]
    pub fn of(&self, facet: Facet) -> Vec<(u64, u64)> {
        self.merged(facet as usize)
    }

    /// How many of the rows have a date in each year.
    #[must_use]
    pub fn years(&self) -> Vec<(u32, u64)> {
        let year = |(year, count)| (u32::try_from(year).unwrap_or(0), count);
        self.merged(YEAR).into_iter().map(year).collect()
    }

    fn merged(&self, facet: usize) -> Vec<(u64, u64)> {
        let mut all: Vec<(u64, u64)> = Vec::new();
        for (segment, counts) in self.segments.iter().zip(&self.counts) {
            let mut before = std::mem::take(&mut all).into_iter().peekable();
            for (value, count) in segment.columns.values.counted(facet, counts) {
                all.extend(std::iter::from_fn(|| before.next_if(|(other, _)| *other < value)));
                let same = before.next_if(|(other, _)| *other == value);
                all.push((value, count + same.map_or(0, |(_, count)| count)));
            }
            all.extend(before);
        }
        all
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

    /// Counts what these rows have.
    #[must_use]
    pub fn counted(&self, rows: &Rows) -> Counted<'_> {
        let segments = self.segments();
        let counts = segments
            .iter()
            .zip(&rows.0)
            .map(|(segment, documents)| segment.columns.values.counts(documents));
        Counted { segments, counts: counts.collect() }
    }

    /// The values of a facet that a document has.
    pub fn values(&self, row: crate::index::Row, facet: Facet) -> impl Iterator<Item = u64> + '_ {
        self.place(row)
            .into_iter()
            .flat_map(move |(segment, doc)| segment.columns.values.of(facet as usize, doc))
    }
}

fn with_value(segment: &Segment, facet: Facet, values: &[u64]) -> Bits {
    let mut bits = Bits::none(segment.columns.len());
    segment.columns.values.having(facet as usize, values, &mut bits);
    bits
}
