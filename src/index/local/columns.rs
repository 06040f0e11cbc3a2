//! What is known of the documents of one segment, in memory: read once from
//! the segment's fast fields, shared by every snapshot that has the segment.

use crate::index::local::meaning::Vectors;
use crate::index::local::rows::Bits;
use crate::index::local::text::engine;
use crate::index::{Error, Facet};
use crate::rdf::TermId;
use insites_embedding::Place;
use rustc_hash::FxHashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};
use tantivy::SegmentReader;

/// No vector yet.
const NONE: u64 = u64::MAX;

/// The columns of a segment.
pub(super) struct Columns {
    pub(super) subjects: Vec<TermId>,
    pub(super) dates: Vec<u32>,
    pub(super) years: Facets,
    pub(super) shown_to: Vec<u8>,
    /// The first letters of the title, for sorting.
    pub(super) title_keys: Vec<u64>,
    pub(super) fingerprints: Vec<u64>,
    pub(super) hashes: Vec<u64>,
    /// Where titles end, and where descriptions end, in positions of words.
    pub(super) ends: Vec<[u32; 2]>,
    pub(super) facets: [Facets; Facet::ALL.len()],
    /// Subjects and documents, sorted.
    by_subject: Vec<(TermId, u32)>,
    /// Where each document's vectors are. Filled in as vectors are
    /// made; a record is found by the hash of the text, so it is always right.
    places: Vec<AtomicU64>,
    /// The same in the order in which they lie in the file: memory is read from
    /// front to back, which is three times as fast.
    scan: RwLock<Scan>,
    /// Documents without vectors, those no longer live included.
    missing: AtomicUsize,
}

/// Documents with their places.
#[derive(Default)]
struct Scan {
    /// By place.
    sorted: (Vec<u32>, Vec<Place>),
    /// What came since; a small part of all.
    late: Vec<(u32, Place)>,
}

impl Scan {
    fn sort(&mut self) {
        let (docs, places) = std::mem::take(&mut self.sorted);
        let mut all: Vec<(u32, Place)> = docs.into_iter().zip(places).collect();
        all.append(&mut self.late);
        all.sort_unstable_by_key(|(_, place)| place.first());
        self.sorted = all.into_iter().unzip();
    }
}

/// Documents that may be out of order, and their share of all.
const LATE: (usize, usize) = (1_024, 8);

/// One facet: numbers of values, a list a document.
#[derive(Default)]
pub(super) struct Facets {
    /// The values by number.
    pub(super) values: Vec<u64>,
    /// Where a document's numbers begin; one more than documents.
    offsets: Vec<u32>,
    numbers: Vec<u32>,
    /// The documents of each value, where there are few values.
    documents: Vec<Bits>,
}

/// The most values of a facet for which sets of documents are kept (12 kB each
/// for 100,000 documents).
const FEW_VALUES: usize = 64;

impl Facets {
    /// A facet from the values of each document.
    fn new<V: Iterator<Item = u64>>(lists: impl Iterator<Item = V>) -> Self {
        let mut facets = Self { offsets: vec![0], ..Self::default() };
        let mut known: FxHashMap<u64, u32> = FxHashMap::default();
        for list in lists {
            for value in list {
                let next = u32::try_from(facets.values.len()).unwrap_or(u32::MAX);
                let number = *known.entry(value).or_insert_with(|| {
                    facets.values.push(value);
                    next
                });
                facets.numbers.push(number);
            }
            facets.offsets.push(u32::try_from(facets.numbers.len()).unwrap_or(u32::MAX));
        }
        if facets.values.len() <= FEW_VALUES {
            let count = u32::try_from(facets.offsets.len() - 1).unwrap_or(u32::MAX);
            facets.documents = vec![Bits::none(count); facets.values.len()];
            for doc in 0..count {
                let range = facets.range(doc);
                for number in &facets.numbers[range] {
                    facets.documents[*number as usize].set(doc);
                }
            }
        }
        facets
    }

    fn range(&self, doc: u32) -> std::ops::Range<usize> {
        self.offsets[doc as usize] as usize..self.offsets[doc as usize + 1] as usize
    }

    /// How many of some documents, of which there are so many, have each value.
    /// Values that none has may be left out.
    pub(super) fn counts(&self, documents: &Bits, count: u64) -> Vec<(u64, u64)> {
        // Sets are met word by word, documents one by one.
        let words = self.values.len() as u64 * u64::from(documents.len()) / 64;
        if self.documents.len() == self.values.len() && words / 8 < count {
            let sets = self.values.iter().zip(&self.documents);
            return sets.map(|(value, set)| (*value, documents.common(set))).collect();
        }
        if count < self.values.len() as u64 / 4 {
            let mut counts: FxHashMap<u32, u64> = FxHashMap::default();
            documents.each(|doc| {
                for number in self.of(doc) {
                    *counts.entry(*number).or_default() += 1;
                }
            });
            let value = |(number, count)| (self.values[number as usize], count);
            return counts.into_iter().map(value).collect();
        }
        let mut counts = vec![0; self.values.len()];
        documents.each(|doc| {
            for number in self.of(doc) {
                counts[*number as usize] += 1;
            }
        });
        self.values.iter().copied().zip(counts).filter(|(_, count)| *count > 0).collect()
    }

    /// The numbers of a document's values.
    pub(super) fn of(&self, doc: u32) -> &[u32] {
        &self.numbers[self.range(doc)]
    }
}

impl Columns {
    /// Reads the columns of a segment.
    pub(super) fn read(reader: &SegmentReader, vectors: &Vectors) -> Result<Self, Error> {
        let count = reader.max_doc();
        let fast = reader.fast_fields();
        let one = |name: &str| -> Result<Vec<u64>, Error> {
            let column = fast.u64(name).map_err(engine)?;
            Ok((0..count).map(|doc| column.first(doc).unwrap_or(0)).collect())
        };
        let narrow = |name: &str| -> Result<Vec<u32>, Error> {
            let wide = one(name)?;
            Ok(wide.into_iter().map(|value| u32::try_from(value).unwrap_or(u32::MAX)).collect())
        };
        let subjects = narrow("subject")?;
        let mut by_subject: Vec<(TermId, u32)> = subjects.iter().copied().zip(0..).collect();
        by_subject.sort_unstable();
        let mut facets: [Facets; Facet::ALL.len()] = Default::default();
        for (facet, facets) in Facet::ALL.into_iter().zip(&mut facets) {
            let column = fast.u64(facet.name()).map_err(engine)?;
            *facets = Facets::new((0..count).map(|doc| column.values_for_doc(doc)));
        }
        let dates = narrow("date")?;
        let year = |date: &u32| (*date > 0).then_some(u64::from(*date / 10_000)).into_iter();
        let years = Facets::new(dates.iter().map(year));
        let hashes = one("text_hash")?;
        let place = |hash: &u64| vectors.place(*hash).map_or(NONE, Place::bits);
        let places: Vec<AtomicU64> =
            hashes.iter().map(|hash| AtomicU64::new(place(hash))).collect();
        let late = (0..).zip(&places).filter_map(|(doc, place)| {
            let bits = place.load(Ordering::Relaxed);
            (bits != NONE).then(|| (doc, Place::from_bits(bits)))
        });
        let missing = places.iter().filter(|p| p.load(Ordering::Relaxed) == NONE).count();
        let mut scan = Scan { sorted: Default::default(), late: late.collect() };
        scan.sort();
        let ends = narrow("titles_end")?.into_iter().zip(narrow("descriptions_end")?);
        Ok(Self {
            by_subject,
            dates,
            years,
            shown_to: one("shown_to")?.into_iter().map(|bits| (bits & 0xff) as u8).collect(),
            title_keys: one("title_key")?,
            fingerprints: one("fingerprint")?,
            ends: ends.map(|(titles, descriptions)| [titles, descriptions]).collect(),
            hashes,
            facets,
            places,
            scan: RwLock::new(scan),
            missing: AtomicUsize::new(missing),
            subjects,
        })
    }

    /// Documents there are, deleted ones included.
    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.subjects.len()).unwrap_or(u32::MAX)
    }

    /// The documents of a subject.
    pub(super) fn documents_of(&self, subject: TermId) -> impl Iterator<Item = u32> + '_ {
        let start = self.by_subject.partition_point(|(s, _)| *s < subject);
        self.by_subject[start..].iter().take_while(move |(s, _)| *s == subject).map(|(_, doc)| *doc)
    }

    /// Where a document's vectors are, once there are any.
    pub(super) fn place(&self, doc: u32) -> Option<Place> {
        let bits = self.places[doc as usize].load(Ordering::Acquire);
        (bits != NONE).then(|| Place::from_bits(bits))
    }

    /// How many documents have no vectors yet.
    pub(super) fn missing(&self) -> usize {
        self.missing.load(Ordering::Acquire)
    }

    /// How many of these documents have vectors.
    pub(super) fn embedded(&self, documents: &Bits) -> u64 {
        if self.missing() == 0 {
            return documents.count();
        }
        documents.iter().filter(|doc| self.place(*doc).is_some()).count() as u64
    }

    /// A document's vectors were made.
    pub(super) fn set_place(&self, doc: u32, place: Place) {
        if self.places[doc as usize].swap(place.bits(), Ordering::AcqRel) == NONE {
            self.missing.fetch_sub(1, Ordering::AcqRel);
        }
        let mut scan = self.scan.write().unwrap_or_else(PoisonError::into_inner);
        scan.late.push((doc, place));
        if scan.late.len() > LATE.0 && scan.late.len() > scan.sorted.0.len() / LATE.1 {
            scan.sort();
        }
    }

    /// Calls with all documents that have vectors, and where, some at a time.
    pub(super) fn scan(&self, together: usize, mut each: impl FnMut(&[u32], &[Place])) {
        let scan = self.scan.read().unwrap_or_else(PoisonError::into_inner);
        let late = scan.late.iter().copied().unzip();
        for (docs, places) in [&scan.sorted, &late] {
            for (docs, places) in docs.chunks(together).zip(places.chunks(together)) {
                each(docs, places);
            }
        }
    }
}
