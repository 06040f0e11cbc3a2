//! One direction of one predicate: for each key (say a subject) the sorted
//! values (its objects). Keys are kept in blocks of 1,024 numbers, a page a
//! block behind a reference count, so that a change copies the pages it
//! touches and shares all others with the snapshots before it. Not for which
//! graphs a reader may see: the sets that stand beside the values are only
//! kept here.

use crate::rdf::TermId;
use std::sync::Arc;

/// The number of a set of graphs; see [`crate::graph::quads`].
pub(super) type SetId = u32;

const BLOCK_BITS: u32 = 10;
/// Keys of one page.
const BLOCK: usize = 1 << BLOCK_BITS;

/// The keys of one block and their values.
#[derive(Default)]
pub(super) struct Page {
    /// Which keys there are: one bit each.
    bits: [u64; BLOCK / 64],
    /// Keys before each word of bits.
    ranks: [u16; BLOCK / 64],
    /// Where the values of the n-th key begin; empty when each key has one.
    offsets: Vec<u32>,
    values: Vec<TermId>,
    /// The graphs of each value; one entry when all have the same, none when
    /// this direction does not keep them.
    sets: Vec<SetId>,
}

/// A key, a value and the graphs of both.
pub(super) type Row = (TermId, TermId, SetId);

impl Page {
    /// A page of sorted rows of one block.
    fn build(rows: &[Row], keeps_sets: bool) -> Self {
        let mut page = Self { values: Vec::with_capacity(rows.len()), ..Self::default() };
        let mut offsets = Vec::new();
        let mut last = None;
        for (key, value, _) in rows {
            if last != Some(*key) {
                last = Some(*key);
                offsets.push(position(page.values.len()));
                let low = *key as usize % BLOCK;
                page.bits[low / 64] |= 1 << (low % 64);
            }
            page.values.push(*value);
        }
        let mut rank = 0;
        for (word, bits) in page.bits.iter().enumerate() {
            page.ranks[word] = rank;
            rank += u16::try_from(bits.count_ones()).unwrap_or(0);
        }
        if offsets.len() < rows.len() {
            offsets.push(position(rows.len()));
            offsets.shrink_to_fit();
            page.offsets = offsets;
        }
        if keeps_sets && let Some((_, _, first)) = rows.first() {
            if rows.iter().all(|(_, _, set)| set == first) {
                page.sets = vec![*first];
            } else {
                page.sets = rows.iter().map(|(_, _, set)| *set).collect();
            }
        }
        page
    }

    fn slot(&self, low: usize) -> Option<usize> {
        let word = self.bits[low / 64];
        let bit = 1_u64 << (low % 64);
        (word & bit != 0)
            .then(|| self.ranks[low / 64] as usize + (word & (bit - 1)).count_ones() as usize)
    }

    fn range(&self, slot: usize) -> (usize, usize) {
        if self.offsets.is_empty() {
            (slot, slot + 1)
        } else {
            (self.offsets[slot] as usize, self.offsets[slot + 1] as usize)
        }
    }

    /// The number of keys.
    fn keys(&self) -> usize {
        if self.offsets.is_empty() { self.values.len() } else { self.offsets.len() - 1 }
    }

    /// The graphs of the value at a place.
    fn set(&self, place: usize) -> SetId {
        match self.sets.len() {
            0 => 0,
            1 => self.sets[0],
            _ => self.sets[place],
        }
    }

    /// The set of all values, if they share one.
    pub(super) fn common_set(&self) -> Option<SetId> {
        if self.sets.len() == 1 { Some(self.sets[0]) } else { None }
    }

    /// Calls back with each key of the block, its values and where they begin.
    pub(super) fn each(&self, block: usize, mut found: impl FnMut(TermId, &[TermId], usize)) {
        let mut slot = 0;
        for (word, bits) in self.bits.iter().enumerate() {
            let mut bits = *bits;
            while bits != 0 {
                let low = word * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                let (start, end) = self.range(slot);
                slot += 1;
                found(position(block * BLOCK + low), &self.values[start..end], start);
            }
        }
    }

    fn rows(&self, block: usize) -> Vec<Row> {
        let mut rows = Vec::with_capacity(self.values.len());
        self.each(block, |key, values, start| {
            for (n, value) in values.iter().enumerate() {
                rows.push((key, *value, self.set(start + n)));
            }
        });
        rows
    }

    fn bytes(&self) -> usize {
        size_of::<Self>() + 4 * (self.offsets.len() + self.values.len() + self.sets.len())
    }
}

/// Places fit: no page and no numbering has more than 2^32 entries, since a
/// term's number has 32 bits.
fn position(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// What becomes of a key and value: the graphs they are in from now on, or
/// `None` when they are in none.
pub(super) type Put = (TermId, TermId, Option<SetId>);

/// The pages of one direction. Cloning shares them.
#[derive(Clone, Default)]
pub(super) struct Index {
    /// Pages from block `first` on.
    pages: Vec<Option<Arc<Page>>>,
    first: usize,
    keys: usize,
    values: usize,
    keeps_sets: bool,
}

impl Index {
    /// An index of sorted rows without duplicates.
    pub(super) fn build(rows: &[Row], keeps_sets: bool) -> Self {
        let mut index = Self { keeps_sets, ..Self::default() };
        for rows in rows.chunk_by(|a, b| a.0 >> BLOCK_BITS == b.0 >> BLOCK_BITS) {
            let block = (rows[0].0 >> BLOCK_BITS) as usize;
            index.set_page(block, Some(Page::build(rows, keeps_sets)));
        }
        index.pages.shrink_to_fit();
        index
    }

    fn set_page(&mut self, block: usize, page: Option<Page>) {
        if self.pages.is_empty() {
            self.first = block;
        }
        if block < self.first {
            let missing = self.first - block;
            self.pages.splice(0..0, std::iter::repeat_n(None, missing));
            self.first = block;
        }
        let at = block - self.first;
        if at >= self.pages.len() {
            self.pages.resize(at + 1, None);
        }
        if let Some(old) = &self.pages[at] {
            self.keys -= old.keys();
            self.values -= old.values.len();
        }
        if let Some(new) = &page {
            self.keys += new.keys();
            self.values += new.values.len();
        }
        self.pages[at] = page.map(Arc::new);
    }

    /// The index after changes, which are sorted by key and value, each pair
    /// once.
    pub(super) fn with(&self, puts: &[Put]) -> Self {
        let mut changed = self.clone();
        for puts in puts.chunk_by(|a, b| a.0 >> BLOCK_BITS == b.0 >> BLOCK_BITS) {
            let block = (puts[0].0 >> BLOCK_BITS) as usize;
            let old = self.page(block).map_or_else(Vec::new, |page| page.rows(block));
            let mut rows = Vec::with_capacity(old.len() + puts.len());
            let mut puts = puts.iter().peekable();
            let mut put_before = |rows: &mut Vec<Row>, until: Option<(TermId, TermId)>| {
                let mut replaced = false;
                while let Some((key, value, set)) =
                    puts.next_if(|(key, value, _)| until.is_none_or(|u| (*key, *value) <= u))
                {
                    replaced |= until == Some((*key, *value));
                    if let Some(set) = set {
                        rows.push((*key, *value, *set));
                    }
                }
                replaced
            };
            for row in old {
                if !put_before(&mut rows, Some((row.0, row.1))) {
                    rows.push(row);
                }
            }
            put_before(&mut rows, None);
            let page = (!rows.is_empty()).then(|| Page::build(&rows, self.keeps_sets));
            changed.set_page(block, page);
        }
        changed
    }

    /// The page of a block.
    pub(super) fn page(&self, block: usize) -> Option<&Page> {
        self.pages.get(block.wrapping_sub(self.first))?.as_deref()
    }

    /// The blocks that may have a page.
    pub(super) fn blocks(&self) -> std::ops::Range<usize> {
        self.first..self.first + self.pages.len()
    }

    /// The sorted values of a key.
    #[inline]
    pub(super) fn get(&self, key: TermId) -> &[TermId] {
        let Some(page) = self.page((key >> BLOCK_BITS) as usize) else { return &[] };
        let Some(slot) = page.slot(key as usize % BLOCK) else { return &[] };
        let (start, end) = page.range(slot);
        &page.values[start..end]
    }

    /// The sorted values of a key, the page and where they begin in it.
    #[inline]
    pub(super) fn find(&self, key: TermId) -> Option<Found<'_>> {
        let page = self.page((key >> BLOCK_BITS) as usize)?;
        let (start, end) = page.range(page.slot(key as usize % BLOCK)?);
        Some(Found { values: &page.values[start..end], page, start })
    }

    /// The graphs of a key and value.
    pub(super) fn set(&self, key: TermId, value: TermId) -> Option<SetId> {
        let found = self.find(key)?;
        let place = found.values.binary_search(&value).ok()?;
        Some(found.set(place))
    }

    /// The number of keys.
    pub(super) fn keys(&self) -> usize {
        self.keys
    }

    /// The number of values of all keys.
    pub(super) fn values(&self) -> usize {
        self.values
    }

    /// Memory of the pages (bytes).
    pub(super) fn bytes(&self) -> usize {
        let pages: usize = self.pages.iter().flatten().map(|page| page.bytes()).sum();
        pages + self.pages.len() * size_of::<usize>()
    }
}

/// The values of one key.
pub(super) struct Found<'a> {
    /// Sorted.
    pub(super) values: &'a [TermId],
    page: &'a Page,
    start: usize,
}

impl Found<'_> {
    /// The graphs of the n-th value.
    pub(super) fn set(&self, n: usize) -> SetId {
        self.page.set(self.start + n)
    }
}

impl Page {
    /// The graphs of the value at a place that [`Page::each`] told.
    pub(super) fn set_at(&self, place: usize) -> SetId {
        self.set(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn changes_equal_an_index_built_from_nothing() {
        let mut seed = 88_172_645_463_325_252_u64;
        let mut random = |n: u32| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            u32::try_from(seed >> 33).unwrap_or(0) % n
        };
        let mut plain: BTreeMap<(TermId, TermId), SetId> = BTreeMap::new();
        let mut index = Index { keeps_sets: true, ..Index::default() };
        for round in 0..300 {
            let base = if round < 10 { 9_000 } else { 0 };
            let mut puts: BTreeMap<(TermId, TermId), Option<SetId>> = BTreeMap::new();
            for _ in 0..random(40) {
                let set = (random(3) > 0).then(|| random(3));
                puts.insert((base + random(5_000), random(4)), set);
            }
            let list: Vec<Put> = puts.iter().map(|((k, v), set)| (*k, *v, *set)).collect();
            index = index.with(&list);
            for (pair, set) in puts {
                match set {
                    Some(set) => plain.insert(pair, set),
                    None => plain.remove(&pair),
                };
            }
            let rows: Vec<Row> = plain.iter().map(|((k, v), set)| (*k, *v, *set)).collect();
            let fresh = Index::build(&rows, true);
            assert_eq!((index.keys(), index.values()), (fresh.keys(), fresh.values()));
            for key in 0..14_000 {
                assert_eq!(index.get(key), fresh.get(key));
            }
            for ((key, value), set) in &plain {
                assert_eq!(index.set(*key, *value), Some(*set));
            }
        }
    }
}
