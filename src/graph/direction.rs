//! One direction of one predicate: sorted keys, each with its sorted values,
//! two array reads away. Not for graphs, and not for terms.

use crate::rdf::TermId;
use std::ops::Range;

/// The keys of a direction, and the rank of each.
enum Keys {
    /// A bit for each number from `first` (a multiple of 64) on, and before
    /// each word the number of bits that came before.
    Bits { first: TermId, words: Vec<u64>, ranks: Vec<u32> },
    /// Few keys, far apart.
    Sorted(Vec<TermId>),
}

impl Default for Keys {
    fn default() -> Self {
        Self::Sorted(Vec::new())
    }
}

impl Keys {
    fn new(mut keys: Vec<TermId>) -> Self {
        keys.shrink_to_fit();
        let (Some(low), Some(high)) = (keys.first(), keys.last()) else {
            return Self::Sorted(keys);
        };
        let first = low & !63;
        let span = (high - first) as usize / 64 + 1;
        // Twelve bytes a word against four a key, found by halving.
        if span > 2 * keys.len() + 16 {
            return Self::Sorted(keys);
        }
        let mut words = vec![0_u64; span];
        for key in &keys {
            words[((key - first) / 64) as usize] |= 1 << (key % 64);
        }
        let mut before = 0;
        let ranks = words
            .iter()
            .map(|word| {
                let rank = before;
                before += word.count_ones();
                rank
            })
            .collect();
        Self::Bits { first, words, ranks }
    }

    #[inline]
    fn rank(&self, key: TermId) -> Option<usize> {
        match self {
            Self::Bits { first, words, ranks } => {
                let at = key.wrapping_sub(*first);
                let word = *words.get((at / 64) as usize)?;
                let bit = 1_u64 << (at % 64);
                if word & bit == 0 {
                    return None;
                }
                let before = (word & (bit - 1)).count_ones();
                Some((ranks[(at / 64) as usize] + before) as usize)
            }
            Self::Sorted(keys) => keys.binary_search(&key).ok(),
        }
    }

    /// The first key at or after this number.
    fn from(&self, number: TermId) -> Option<TermId> {
        match self {
            Self::Bits { first, words, .. } => {
                let at = number.saturating_sub(*first);
                let mut place = (at / 64) as usize;
                let mut word = words.get(place)? & (u64::MAX << (at % 64));
                while word == 0 {
                    place += 1;
                    word = *words.get(place)?;
                }
                Some(first + small(place * 64) + word.trailing_zeros())
            }
            Self::Sorted(keys) => keys.get(keys.partition_point(|key| *key < number)).copied(),
        }
    }

    fn for_each(&self, mut each: impl FnMut(TermId)) {
        match self {
            Self::Bits { first, words, .. } => {
                let mut base = *first;
                for word in words {
                    let mut left = *word;
                    while left != 0 {
                        each(base + left.trailing_zeros());
                        left &= left - 1;
                    }
                    base = base.wrapping_add(64);
                }
            }
            Self::Sorted(keys) => keys.iter().copied().for_each(each),
        }
    }

    fn memory(&self) -> usize {
        match self {
            Self::Bits { words, .. } => words.len() * 12,
            Self::Sorted(keys) => keys.len() * 4,
        }
    }
}

/// Keys and their values, immutable.
#[derive(Default)]
pub(super) struct Direction {
    keys: Keys,
    count: usize,
    /// Where the values of the nth key begin, and the end; `None` if each key
    /// has one value.
    starts: Option<Vec<u32>>,
    values: Vec<TermId>,
}

impl Direction {
    /// From pairs of key and value, sorted, each once.
    pub(super) fn new(pairs: impl Iterator<Item = (TermId, TermId)>) -> Self {
        let (mut keys, mut starts, mut values) = (Vec::new(), Vec::new(), Vec::new());
        for (key, value) in pairs {
            if keys.last() != Some(&key) {
                keys.push(key);
                starts.push(small(values.len()));
            }
            values.push(value);
        }
        starts.push(small(values.len()));
        values.shrink_to_fit();
        let starts = (keys.len() != values.len()).then(|| {
            starts.shrink_to_fit();
            starts
        });
        Self { count: keys.len(), keys: Keys::new(keys), starts, values }
    }

    /// From pairs in the order of their values (and, with equal values, of
    /// their keys), which are gone through twice. Takes room for all numbers up
    /// to the largest key while it is made.
    pub(super) fn from_values(walk: impl Fn(&mut dyn FnMut(TermId, TermId))) -> Self {
        // How many values each key has, then where the next one goes.
        let mut next: Vec<u32> = Vec::new();
        walk(&mut |key, _| {
            let key = key as usize;
            if key >= next.len() {
                next.resize(key + 1, 0);
            }
            next[key] += 1;
        });
        let (mut keys, mut starts, mut sum) = (Vec::new(), Vec::new(), 0);
        for (key, place) in (0..).zip(&mut next) {
            let count = std::mem::replace(place, sum);
            if count > 0 {
                keys.push(key);
                starts.push(sum);
                sum += count;
            }
        }
        starts.push(sum);
        starts.shrink_to_fit();
        let mut values = vec![0; sum as usize];
        walk(&mut |key, value| {
            let place = &mut next[key as usize];
            values[*place as usize] = value;
            *place += 1;
        });
        let starts = (keys.len() != values.len()).then_some(starts);
        Self { count: keys.len(), keys: Keys::new(keys), starts, values }
    }

    /// The number of keys.
    pub(super) fn keys(&self) -> usize {
        self.count
    }

    /// The number of pairs.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether this is a key.
    #[inline]
    pub(super) fn has(&self, key: TermId) -> bool {
        self.keys.rank(key).is_some()
    }

    /// The first key at or after this number.
    pub(super) fn key_from(&self, number: TermId) -> Option<TermId> {
        self.keys.from(number)
    }

    /// Where the values of a key stand in [`values`](Self::values).
    #[inline]
    pub(super) fn range(&self, key: TermId) -> Range<usize> {
        self.keys.rank(key).map_or(0..0, |rank| self.nth(rank))
    }

    fn nth(&self, rank: usize) -> Range<usize> {
        match &self.starts {
            None => rank..rank + 1,
            Some(starts) => starts[rank] as usize..starts[rank + 1] as usize,
        }
    }

    /// The sorted values of a key.
    #[inline]
    pub(super) fn of(&self, key: TermId) -> &[TermId] {
        &self.values[self.range(key)]
    }

    /// The values of all keys, one key after the other.
    pub(super) fn values(&self) -> &[TermId] {
        &self.values
    }

    /// The keys in order, each with where its values stand.
    pub(super) fn for_each(&self, mut each: impl FnMut(TermId, Range<usize>)) {
        let mut rank = 0;
        self.keys.for_each(|key| {
            each(key, self.nth(rank));
            rank += 1;
        });
    }

    /// Its size in memory (bytes).
    pub(super) fn memory(&self) -> usize {
        let starts = self.starts.as_ref().map_or(0, Vec::len);
        self.keys.memory() + 4 * (starts + self.values.len())
    }
}

/// A place in an array of fewer than 2³² elements.
pub(super) fn small(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    /// Keys close together and far apart, one value each and many, made in both
    /// ways, against a plain map.
    #[test]
    fn directions_agree_with_a_plain_map() {
        for (step, values) in [(1, 1), (1, 3), (1_000, 1), (1_000, 4)] {
            let pairs: BTreeSet<(TermId, TermId)> = (0..200)
                .flat_map(|n| (0..values).map(move |v| (100 + n * step, 7 + (n * 13 + v * 5) % 50)))
                .collect();
            let mut plain: BTreeMap<TermId, Vec<TermId>> = BTreeMap::new();
            for (key, value) in &pairs {
                plain.entry(*key).or_default().push(*value);
            }
            let mut turned: Vec<(TermId, TermId)> = pairs.iter().copied().collect();
            turned.sort_unstable_by_key(|(key, value)| (*value, *key));
            let made = [
                Direction::new(pairs.iter().copied()),
                Direction::from_values(|each| turned.iter().for_each(|(k, v)| each(*k, *v))),
            ];
            for direction in made {
                let mut found = Vec::new();
                direction.for_each(|key, range| {
                    found.extend(direction.values()[range].iter().map(|value| (key, *value)));
                });
                assert_eq!(found, pairs.iter().copied().collect::<Vec<_>>());
                assert_eq!((direction.keys(), direction.len()), (plain.len(), pairs.len()));
                for key in 0..100 + 201 * step {
                    let expected = plain.get(&key).map_or(&[][..], Vec::as_slice);
                    assert_eq!(direction.of(key), expected);
                    assert_eq!(direction.has(key), !expected.is_empty());
                    let next = plain.range(key..).next().map(|(key, _)| *key);
                    assert_eq!(direction.key_from(key), next);
                }
            }
        }
        assert_eq!(Direction::default().key_from(0), None);
    }
}
