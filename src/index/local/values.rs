//! The values that the documents of one segment have, of all facets, and how
//! many of some documents have each. What is asked for is few documents out of
//! many, so that it is reading memory that takes time: a document's values lie
//! in one place, and the documents of a common value are a set of bits.

use crate::index::local::rows::Bits;
use rustc_hash::FxHashMap;
use std::cmp::Reverse;

/// A value is common that one document in so many has: its set of bits then
/// takes no more than twice the memory of a list.
const COMMON: u32 = 64;
/// Where there are so few values, all count as common.
const FEW: usize = 64;
/// Places in the row of a document at most.
const PLACES: usize = 32;
/// Rows are so long that they have a place for all values but for so many, in
/// relation to the documents. Those are in a list.
const BEYOND: usize = 64;
/// Words of a set (64 documents each) that are met in the time in which one
/// value of one document is counted; measured on 100,000 documents.
const WORDS: u64 = 4;

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

    /// Counts the numbers in the first places of the rows of some documents.
    fn count(&self, width: usize, places: usize, documents: &Bits, counts: &mut [u32]) {
        match self {
            Self::Bytes(numbers) => count(numbers, width, places, documents, counts),
            Self::Shorts(numbers) => count(numbers, width, places, documents, counts),
            Self::Words(numbers) => count(numbers, width, places, documents, counts),
        }
    }
}

fn count<N: Copy + Into<u32>>(
    numbers: &[N],
    width: usize,
    places: usize,
    documents: &Bits,
    counts: &mut [u32],
) {
    // Which documents there are is found out first: rows are then read far ahead
    // of where they are counted.
    let mut some = Vec::with_capacity(usize::try_from(documents.count()).unwrap_or(0));
    documents.each(|document| some.push(document));
    for document in some {
        let row = document as usize * width;
        for number in &numbers[row..row + places] {
            counts[(*number).into() as usize] += 1;
        }
    }
}

/// A value of a facet, which has this number.
type Value = (usize, u64);

/// What the documents of a segment have.
#[derive(Default)]
pub(super) struct Values {
    /// The values by number, the most common first.
    all: Vec<Value>,
    /// The numbers of each facet's values, by value.
    of_facets: Vec<Vec<u32>>,
    /// Places of a row.
    width: usize,
    /// The first places of a row, in which all its numbers are that are this
    /// high or higher; up to the first number that is not common.
    places: Vec<usize>,
    /// The numbers of each document's values, the least common first. A place
    /// without a value has a number of its own, beyond those of the values.
    rows: Numbers,
    /// Documents and numbers for which a row had no place, by document.
    more: Vec<(u32, u32)>,
    /// The documents of each common value, by number.
    sets: Vec<Bits>,
}

impl Values {
    /// So many facets, from the values of each document.
    pub(super) fn new<V: Iterator<Item = Value>>(
        facets: usize,
        lists: impl Iterator<Item = V> + Clone,
    ) -> Self {
        let mut having: FxHashMap<Value, u32> = FxHashMap::default();
        // How many documents have so many values.
        let mut lengths: Vec<usize> = Vec::new();
        for list in lists.clone() {
            let mut length = 0;
            for value in list {
                *having.entry(value).or_default() += 1;
                length += 1;
            }
            lengths.resize(lengths.len().max(length + 1), 0);
            lengths[length] += 1;
        }
        let documents = lengths.iter().sum::<usize>();
        let beyond = |width: usize| {
            let longer = lengths.iter().enumerate().skip(width);
            longer.map(|(length, count)| (length - width) * count).sum::<usize>()
        };
        let widths = 0..lengths.len().min(PLACES + 1);
        let most = widths.end.saturating_sub(1);
        let width = widths.into_iter().find(|w| beyond(*w) <= documents / BEYOND).unwrap_or(most);
        let documents = u32::try_from(documents).unwrap_or(u32::MAX);
        let mut having: Vec<(Reverse<u32>, Value)> =
            having.into_iter().map(|(value, count)| (Reverse(count), value)).collect();
        having.sort_unstable();
        let mut common = having.partition_point(|(count, _)| count.0 > documents / COMMON);
        if having.len() <= FEW {
            common = having.len();
        }
        let values: Vec<Value> = having.into_iter().map(|(_, value)| value).collect();
        let mut numbers: Vec<(Value, u32)> = values.iter().copied().zip(0..).collect();
        numbers.sort_unstable();
        let mut of_facets = vec![Vec::new(); facets];
        for ((facet, _), number) in &numbers {
            of_facets[*facet].push(*number);
        }
        let numbers: FxHashMap<Value, u32> = numbers.into_iter().collect();
        let nothing = u32::try_from(values.len()).unwrap_or(u32::MAX);
        let mut made = Self {
            rows: Numbers::below(values.len() + width),
            all: values,
            of_facets,
            width,
            places: vec![0; common + 1],
            sets: vec![Bits::none(documents); common],
            more: Vec::new(),
        };
        let mut row = Vec::new();
        for (document, list) in (0..).zip(lists) {
            row.clear();
            row.extend(list.map(|value| numbers[&value]));
            row.sort_unstable_by_key(|number| Reverse(*number));
            for (place, number) in row.iter().enumerate() {
                if let Some(set) = made.sets.get_mut(*number as usize) {
                    set.set(document);
                }
                let places = &mut made.places[common.min(*number as usize)];
                *places = (*places).max((place + 1).min(width));
            }
            made.more.extend(row.iter().skip(width).map(|number| (document, *number)));
            let places = row.iter().copied().take(width).chain((nothing..).skip(row.len()));
            places.take(width).for_each(|number| made.rows.push(number));
        }
        for number in (0..common).rev() {
            made.places[number] = made.places[number].max(made.places[number + 1]);
        }
        made
    }

    /// How many of some documents have each value, by its number.
    pub(super) fn counts(&self, documents: &Bits) -> Vec<u32> {
        let mut counts = vec![0; self.all.len() + self.width];
        let count = documents.count();
        if count == 0 {
            return counts;
        }
        // The most common are counted by sets, which are met word by word, as long
        // as that takes less than going through the rows, one by one.
        let words = u64::from(documents.len()) / 64;
        let time =
            |by_sets: usize| by_sets as u64 * words / WORDS + count * self.places[by_sets] as u64;
        let by_sets = (0..=self.sets.len()).min_by_key(|number| time(*number)).unwrap_or(0);
        if self.places[by_sets] > 0 {
            self.rows.count(self.width, self.places[by_sets], documents, &mut counts);
        }
        for (document, number) in &self.more {
            if documents.contains(*document) {
                counts[*number as usize] += 1;
            }
        }
        for (count, having) in counts.iter_mut().zip(&self.sets).take(by_sets) {
            *count = u32::try_from(documents.common(having)).unwrap_or(u32::MAX);
        }
        counts
    }

    /// The values of a facet that were counted at all, in their order.
    pub(super) fn counted<'a>(
        &'a self,
        facet: usize,
        counts: &'a [u32],
    ) -> impl Iterator<Item = (u64, u64)> {
        let numbers = self.of_facets[facet].iter().map(|number| *number as usize);
        let found = numbers.filter(|number| counts[*number] > 0);
        found.map(|number| (self.all[number].1, u64::from(counts[number])))
    }

    /// The values that a document has of a facet.
    pub(super) fn of(&self, facet: usize, document: u32) -> impl Iterator<Item = u64> + '_ {
        let more = self.more.partition_point(|(other, _)| *other < document);
        let more = self.more[more..].iter().take_while(move |(other, _)| *other == document);
        let row = document as usize * self.width;
        let numbers = (row..row + self.width).map(|at| self.rows.get(at));
        let numbers = numbers.chain(more.map(|(_, number)| *number));
        let values = numbers.filter_map(|number| self.all.get(number as usize));
        values.filter(move |(other, _)| *other == facet).map(|(_, value)| *value)
    }

    /// Adds the documents that have one of these values of a facet.
    pub(super) fn having(&self, facet: usize, values: &[u64], documents: &mut Bits) {
        let is_wanted = |(other, value): &Value| *other == facet && values.contains(value);
        let wanted: Vec<bool> = self.all.iter().map(is_wanted).collect();
        for (set, _) in self.sets.iter().zip(&wanted).filter(|(_, wanted)| **wanted) {
            documents.or(set);
        }
        if !wanted.iter().skip(self.sets.len()).any(|wanted| *wanted) {
            return;
        }
        let is_wanted = |number: &u32| wanted.get(*number as usize).is_some_and(|wanted| *wanted);
        let places = self.places[self.sets.len()];
        for document in 0..documents.len() {
            let row = document as usize * self.width;
            if (row..row + places).any(|at| is_wanted(&self.rows.get(at))) {
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
    use super::Values;
    use crate::index::local::rows::Bits;
    use std::collections::BTreeMap;

    /// Documents of few or many values of two facets, common and rare, in an order
    /// that looks like none.
    fn lists(documents: u64, most: u64) -> Vec<Vec<(usize, u64)>> {
        let list = |document: u64| {
            let length = document.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33;
            let value = |n: u64| {
                let any = (document * 31 + n).wrapping_mul(0xD6E8_FEB8_6659_FD93) >> 40;
                let value = if n.is_multiple_of(2) { any % 7 } else { 100 + any % 300 };
                (usize::from(any.is_multiple_of(3)), value)
            };
            let mut list: Vec<(usize, u64)> = (0..length % (most + 1)).map(value).collect();
            list.sort_unstable();
            list.dedup();
            list
        };
        (0..documents).map(list).collect()
    }

    #[test]
    fn counts_are_those_of_a_plain_count() {
        for (documents, most) in [(0, 3), (70, 0), (900, 1), (3_000, 5), (2_000, 14), (800, 60)] {
            let lists = lists(documents, most);
            let values = Values::new(2, lists.iter().map(|list| list.iter().copied()));
            for every in [1, 2, 9, 130, 1_000] {
                let mut some = Bits::none(u32::try_from(documents).expect("few documents"));
                let mut expected: BTreeMap<(usize, u64), u64> = BTreeMap::new();
                let mut having = some.clone();
                for (document, list) in (0..).zip(&lists).step_by(every) {
                    some.set(document);
                    for value in list {
                        *expected.entry(*value).or_default() += 1;
                    }
                }
                let counts = values.counts(&some);
                let of_facet =
                    |facet| values.counted(facet, &counts).map(move |(v, n)| ((facet, v), n));
                let counted: Vec<((usize, u64), u64)> = (0..2).flat_map(of_facet).collect();
                assert_eq!(counted, Vec::from_iter(expected), "{documents} {most} {every}");
                let wanted = [3, 101, 150, 9_999];
                values.having(1, &wanted, &mut having);
                for (document, list) in (0..).zip(&lists) {
                    let has = list.iter().any(|(facet, v)| *facet == 1 && wanted.contains(v));
                    assert_eq!(having.contains(document), has);
                    for facet in [0, 1] {
                        let mut found: Vec<_> =
                            values.of(facet, document).map(|v| (facet, v)).collect();
                        found.sort_unstable();
                        assert!(found.iter().eq(list.iter().filter(|(other, _)| *other == facet)));
                    }
                }
            }
        }
    }
}
