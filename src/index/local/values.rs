//! The values that the documents of one segment have of one facet, and how many
//! of some documents have each. What is asked for is few documents out of many,
//! so that it is reading memory that takes time: a document's values lie in one
//! place, and the documents of a common value are a set of bits.

use crate::index::local::rows::Bits;
use rustc_hash::FxHashMap;
use std::cell::OnceCell;

/// A value is common that one document in so many has: its set of bits then
/// takes no more than twice the memory of a list.
const COMMON: u32 = 64;
/// Where there are so few values, all count as common.
const FEW: usize = 64;
/// Places in the row of a document. What has no place in it is in a list.
const PLACES: usize = 16;
/// Words of a set (64 documents each) that are met in the time in which one
/// value of one document is counted; measured on 100,000 documents.
const WORDS: u64 = 4;

/// Some documents of a segment.
pub(super) struct Documents<'a> {
    set: &'a Bits,
    count: u64,
    list: OnceCell<Vec<u32>>,
}

impl<'a> Documents<'a> {
    pub(super) fn new(set: &'a Bits) -> Self {
        Self { set, count: set.count(), list: OnceCell::new() }
    }

    /// The documents one by one, taken out of the set once for all facets.
    fn list(&self) -> &[u32] {
        self.list.get_or_init(|| {
            let mut list = Vec::with_capacity(usize::try_from(self.count).unwrap_or(0));
            self.set.each(|document| list.push(document));
            list
        })
    }
}

/// Numbers of values, in as few bytes as they need: it is reading them that
/// takes the time.
enum Numbers {
    Bytes(Vec<u8>),
    Shorts(Vec<u16>),
    Words(Vec<u32>),
}

impl Default for Numbers {
    fn default() -> Self {
        Self::Bytes(Vec::new())
    }
}

impl Numbers {
    /// None yet, of numbers below a bound.
    fn below(bound: usize) -> Self {
        if bound <= 1 << 8 {
            Self::Bytes(Vec::new())
        } else if bound <= 1 << 16 {
            Self::Shorts(Vec::new())
        } else {
            Self::Words(Vec::new())
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "numbers are below the bound")]
    fn push(&mut self, number: u32) {
        match self {
            Self::Bytes(numbers) => numbers.push(number as u8),
            Self::Shorts(numbers) => numbers.push(number as u16),
            Self::Words(numbers) => numbers.push(number),
        }
    }

    fn get(&self, at: usize) -> u32 {
        match self {
            Self::Bytes(numbers) => numbers[at].into(),
            Self::Shorts(numbers) => numbers[at].into(),
            Self::Words(numbers) => numbers[at],
        }
    }

    /// Counts the numbers in the first places of some rows.
    fn count(&self, width: usize, places: usize, rows: &[u32], counts: &mut [u32]) {
        match self {
            Self::Bytes(numbers) => count(numbers, width, places, rows, counts),
            Self::Shorts(numbers) => count(numbers, width, places, rows, counts),
            Self::Words(numbers) => count(numbers, width, places, rows, counts),
        }
    }
}

fn count<N: Copy + Into<u32>>(
    numbers: &[N],
    width: usize,
    places: usize,
    rows: &[u32],
    counts: &mut [u32],
) {
    for row in rows {
        let row = *row as usize * width;
        for number in &numbers[row..row + places] {
            counts[(*number).into() as usize] += 1;
        }
    }
}

/// One facet of a segment.
#[derive(Default)]
pub(super) struct Facets {
    /// The values by number, the most common first.
    pub(super) values: Vec<u64>,
    /// Places of a row.
    width: usize,
    /// The first places of a row, in which all its numbers of values that are
    /// not common are.
    rare: usize,
    /// The numbers of each document's values, the least common first. A place
    /// without a value has a number of its own, beyond those of the values.
    rows: Numbers,
    /// Documents and numbers for which a row had no place, by document.
    more: Vec<(u32, u32)>,
    /// The documents of each common value, by number.
    sets: Vec<Bits>,
}

impl Facets {
    /// A facet from the values of each document.
    pub(super) fn new<V: Iterator<Item = u64>>(lists: impl Iterator<Item = V> + Clone) -> Self {
        let mut having: FxHashMap<u64, u32> = FxHashMap::default();
        let (mut documents, mut width) = (0_u32, 0);
        for list in lists.clone() {
            let mut length = 0;
            for value in list {
                *having.entry(value).or_default() += 1;
                length += 1;
            }
            documents += 1;
            width = width.max(length);
        }
        let mut having: Vec<(std::cmp::Reverse<u32>, u64)> =
            having.into_iter().map(|(value, count)| (std::cmp::Reverse(count), value)).collect();
        having.sort_unstable();
        let mut common = having.partition_point(|(count, _)| count.0 > documents / COMMON);
        if having.len() <= FEW {
            common = having.len();
        }
        let values: Vec<u64> = having.into_iter().map(|(_, value)| value).collect();
        let numbers: FxHashMap<u64, u32> = values.iter().copied().zip(0..).collect();
        let nothing = u32::try_from(values.len()).unwrap_or(u32::MAX);
        let width = width.min(PLACES);
        let mut facets = Self {
            rows: Numbers::below(values.len() + width),
            values,
            width,
            sets: vec![Bits::none(documents); common],
            ..Self::default()
        };
        let mut row = Vec::new();
        for (document, list) in (0..).zip(lists) {
            row.clear();
            row.extend(list.map(|value| numbers[&value]));
            row.sort_unstable_by_key(|number| std::cmp::Reverse(*number));
            let rare = row.iter().take_while(|number| **number as usize >= common).count();
            facets.rare = facets.rare.max(rare.min(facets.width));
            for number in &row[rare..] {
                facets.sets[*number as usize].set(document);
            }
            facets.more.extend(row.iter().skip(facets.width).map(|number| (document, *number)));
            let places = row.iter().copied().take(width).chain((nothing..).skip(row.len()));
            places.take(width).for_each(|number| facets.rows.push(number));
        }
        facets
    }

    /// How many of some documents have each value that any of them has.
    pub(super) fn counts(&self, documents: &Documents<'_>) -> Vec<(u64, u64)> {
        let Documents { set, count, .. } = documents;
        if self.width == 0 || *count == 0 {
            return Vec::new();
        }
        // Sets are met word by word, rows are read one by one.
        let words = self.sets.len() as u64 * u64::from(set.len()) / 64;
        let by_sets = words / WORDS < count * (self.width - self.rare) as u64;
        let places = if by_sets { self.rare } else { self.width };
        let mut counts = vec![0_u32; self.values.len() + self.width];
        if places > 0 {
            self.rows.count(self.width, places, documents.list(), &mut counts);
        }
        for (document, number) in &self.more {
            if set.contains(*document) {
                counts[*number as usize] += 1;
            }
        }
        counts.truncate(self.values.len());
        let mut counts: Vec<(u64, u64)> =
            self.values.iter().copied().zip(counts.into_iter().map(u64::from)).collect();
        if by_sets {
            for ((_, count), having) in counts.iter_mut().zip(&self.sets) {
                *count = set.common(having);
            }
        }
        counts.retain(|(_, count)| *count > 0);
        counts
    }

    /// The values of a document.
    pub(super) fn of(&self, document: u32) -> impl Iterator<Item = u64> + '_ {
        let more = self.more.partition_point(|(other, _)| *other < document);
        let more = self.more[more..].iter().take_while(move |(other, _)| *other == document);
        let row = document as usize * self.width;
        let numbers = (row..row + self.width).map(|at| self.rows.get(at));
        let numbers = numbers.chain(more.map(|(_, number)| *number));
        numbers.filter_map(|number| self.values.get(number as usize).copied())
    }

    /// Adds the documents that have one of these values.
    pub(super) fn having(&self, values: &[u64], documents: &mut Bits) {
        let wanted: Vec<bool> = self.values.iter().map(|value| values.contains(value)).collect();
        for (set, _) in self.sets.iter().zip(&wanted).filter(|(_, wanted)| **wanted) {
            documents.or(set);
        }
        if !wanted.iter().skip(self.sets.len()).any(|wanted| *wanted) {
            return;
        }
        let is_wanted = |number: &u32| wanted.get(*number as usize).is_some_and(|wanted| *wanted);
        for document in 0..documents.len() {
            let row = document as usize * self.width;
            if (row..row + self.rare).any(|at| is_wanted(&self.rows.get(at))) {
                documents.set(document);
            }
        }
        for (document, _) in self.more.iter().filter(|(_, number)| is_wanted(number)) {
            documents.set(*document);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Documents, Facets};
    use crate::index::local::rows::Bits;
    use std::collections::BTreeMap;

    /// Documents of few or many values, common and rare, in an order that looks
    /// like none.
    fn lists(documents: u64, most: u64) -> Vec<Vec<u64>> {
        let list = |document: u64| {
            let length = document.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33;
            let value = |n: u64| {
                let any = (document * 31 + n).wrapping_mul(0xD6E8_FEB8_6659_FD93) >> 40;
                if n.is_multiple_of(2) { any % 7 } else { 100 + any % 300 }
            };
            let mut list: Vec<u64> = (0..length % (most + 1)).map(value).collect();
            list.sort_unstable();
            list.dedup();
            list
        };
        (0..documents).map(list).collect()
    }

    #[test]
    fn counts_are_those_of_a_plain_count() {
        for (documents, most) in [(0, 3), (70, 0), (900, 1), (3_000, 5), (2_000, 14)] {
            let lists = lists(documents, most);
            let facets = Facets::new(lists.iter().map(|list| list.iter().copied()));
            for every in [1, 2, 9, 130, 1_000] {
                let mut some = Bits::none(u32::try_from(documents).expect("few documents"));
                let mut expected: BTreeMap<u64, u64> = BTreeMap::new();
                let mut having = some.clone();
                for (document, list) in (0..).zip(&lists).step_by(every) {
                    some.set(document);
                    for value in list {
                        *expected.entry(*value).or_default() += 1;
                    }
                }
                let counts: BTreeMap<u64, u64> =
                    facets.counts(&Documents::new(&some)).into_iter().collect();
                assert_eq!(counts, expected, "{documents} {most} {every}");
                let wanted = [3, 101, 150, 9_999];
                facets.having(&wanted, &mut having);
                for (document, list) in (0..).zip(&lists) {
                    let has = list.iter().any(|value| wanted.contains(value));
                    assert_eq!(having.contains(document), has);
                    let mut values: Vec<u64> = facets.of(document).collect();
                    values.sort_unstable();
                    assert_eq!(values, *list);
                }
            }
        }
    }
}
