//! What is known of the documents of one segment, in memory: read once from
//! the segment's fast fields, shared by every snapshot that has the segment.

use crate::index::local::meaning::Vectors;
use crate::index::local::rows::Bits;
use crate::index::local::text::engine;
use crate::index::local::values::Values;
use crate::index::{Error, Facet};
use crate::rdf::TermId;
use insites_embedding::Place;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};
use tantivy::SegmentReader;

/// No vector yet.
const NONE: u64 = u64::MAX;

/// The number of the year among facets, after all others.
pub(super) const YEAR: usize = Facet::ALL.len();

/// The columns of a segment.
pub(super) struct Columns {
    pub(super) subjects: Vec<TermId>,
    pub(super) dates: Vec<u32>,
    pub(super) shown_to: Vec<u8>,
    /// The first letters of the title, for sorting.
    pub(super) title_keys: Vec<u64>,
    pub(super) fingerprints: Vec<u64>,
    pub(super) hashes: Vec<u64>,
    /// Where titles end, and where descriptions end, in positions of words.
    pub(super) ends: Vec<[u32; 2]>,
    /// Those of all facets, then the year under [`YEAR`].
    pub(super) values: Values,
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
        let dates = narrow("date")?;
        let facets = Facet::ALL.map(|facet| fast.u64(facet.name()).map_err(engine));
        let facets = facets.into_iter().collect::<Result<Vec<_>, _>>()?;
        let values = Values::new(
            facets.len() + 1,
            (0..count).zip(&dates).map(|(doc, date)| {
                let year = (*date > 0).then_some((YEAR, u64::from(*date / 10_000)));
                let values = facets.iter().enumerate().flat_map(move |(facet, column)| {
                    column.values_for_doc(doc).map(move |value| (facet, value))
                });
                values.chain(year)
            }),
        );
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
            shown_to: one("shown_to")?.into_iter().map(|bits| (bits & 0xff) as u8).collect(),
            title_keys: one("title_key")?,
            fingerprints: one("fingerprint")?,
            ends: ends.map(|(titles, descriptions)| [titles, descriptions]).collect(),
            hashes,
            values,
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

    /// Those of these documents that have no vectors yet.
    pub(super) fn lacking(&self, documents: &Bits) -> impl Iterator<Item = u32> {
        let some = (self.missing() > 0).then(|| documents.iter());
        some.into_iter().flatten().filter(|doc| self.place(*doc).is_none())
    }

    /// How many of these documents have vectors.
    pub(super) fn embedded(&self, documents: &Bits) -> u64 {
        if self.missing() == 0 {
            return documents.count();
        }
        documents.iter().filter(|doc| self.place(*doc).is_some()).count() as u64
    }

    /// A document's vectors were made. Several may say so.
    pub(super) fn set_place(&self, doc: u32, place: Place) {
        let mut scan = self.scan.write().unwrap_or_else(PoisonError::into_inner);
        if self.place(doc).is_some() {
            return;
        }
        // Whoever sees the place finds it in the scan.
        scan.late.push((doc, place));
        self.places[doc as usize].store(place.bits(), Ordering::Release);
        self.missing.fetch_sub(1, Ordering::AcqRel);
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
