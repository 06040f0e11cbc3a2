//! The meaning view: vectors by the hash of the text that they were made from.
//! A snapshot's rows point at records; the same record serves every revision
//! in which the text is the same, and no other.

use crate::index::local::rows::Rows;
use crate::index::local::snapshot::{Segment, Snapshot, Top};
use crate::index::{Encoder, Row, Vector, Workspace};
use crate::rdf::TermId;
use insites_embedding::{LongText, Place, StoreError, VectorReader, VectorStore};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What happens to text beyond the 256 tokens that the model reads at once.
/// Records of that length are rare here; each further passage begins with the
/// first words, which are the title.
const LONG: LongText = LongText::Passages { most: 8, lead: 24 };
/// Documents that are compared together: their places stay in the fastest cache.
const TOGETHER_COMPARED: usize = 512;
/// Cosines that are looked at together.
const TOGETHER_PASSED: usize = 32;
/// Tokens that are given to the model together.
const TOGETHER: usize = 256;
/// Documents without a vector that are waited for.
pub const AWAITED: usize = 8;
/// How long they are waited for at most. A vector of a short text takes some 6
/// ms, one of 190 tokens 25 ms; a program made for tests takes longer for all else.
const PATIENCE: Duration = Duration::from_millis(if cfg!(debug_assertions) { 5_000 } else { 50 });

/// The vectors of a data folder. Clones share them.
#[derive(Clone)]
pub(super) struct Vectors {
    store: Arc<Mutex<VectorStore>>,
    pub(super) reader: VectorReader,
    making: Arc<Making>,
}

/// The making of vectors, for those who wait for some.
#[derive(Default)]
struct Making {
    /// Whether those that are missing are on their way.
    goes_on: AtomicBool,
    /// Counts how often some were made, and wakes those who wait.
    made: Mutex<u64>,
    bell: Condvar,
    /// Counts those who wait, and wakes those who make them.
    waiting: Mutex<usize>,
    call: Condvar,
}

/// Somebody waits for vectors.
struct Waits<'a>(&'a Making);

impl<'a> Waits<'a> {
    fn begin(making: &'a Making) -> Self {
        *making.waiting.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        making.call.notify_all();
        Self(making)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        *self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
    }
}

impl Vectors {
    pub(super) fn open(folder: &Path) -> Result<Self, StoreError> {
        let store = VectorStore::open(folder, Encoder::built_in().fingerprint())?;
        let reader = store.reader();
        Ok(Self { reader, store: Arc::new(Mutex::new(store)), making: Arc::default() })
    }

    pub(super) fn find(&self, hash: u64) -> Option<u32> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner).find(hash)
    }

    pub(super) fn place(&self, hash: u64) -> Option<Place> {
        self.reader.place(self.find(hash)?)
    }

    /// Makes the vectors of texts that have none yet.
    pub(super) fn embed(
        &self,
        texts: &[(u64, String)],
        workspace: &mut Workspace,
    ) -> Result<(), StoreError> {
        let encoder = Encoder::built_in();
        let mut waiting: Vec<(u64, usize)> = Vec::new();
        let mut passages: Vec<Vec<u32>> = Vec::new();
        let mut tokens = 0;
        for (hash, text) in texts {
            if self.find(*hash).is_some() || waiting.iter().any(|(h, _)| h == hash) {
                continue;
            }
            let more = encoder.passages(text, LONG);
            let length: usize = more.iter().map(|passage| passage.len() + 2).sum();
            if tokens > 0 && tokens + length > TOGETHER {
                self.append(encoder, &waiting, &passages, workspace)?;
                waiting.clear();
                passages.clear();
                tokens = 0;
            }
            waiting.push((*hash, more.len()));
            passages.extend(more);
            tokens += length;
        }
        self.append(encoder, &waiting, &passages, workspace)
    }

    fn append(
        &self,
        encoder: &Encoder,
        texts: &[(u64, usize)],
        passages: &[Vec<u32>],
        workspace: &mut Workspace,
    ) -> Result<(), StoreError> {
        // A long text alone may be many passages: the model takes a few at a time.
        let vectors: Vec<Vector> =
            passages.chunks(8).flat_map(|few| encoder.vectors(few, workspace)).collect();
        let mut rest = vectors.as_slice();
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        for (hash, count) in texts {
            let (these, others) = rest.split_at(*count);
            rest = others;
            if store.find(*hash).is_none() {
                store.append(*hash, these)?;
            }
        }
        drop(store);
        *self.making.made.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.making.bell.notify_all();
        Ok(())
    }
}

/// A document that has no vector yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unembedded {
    /// Its record.
    pub subject: TermId,
    /// The hash of its text.
    pub hash: u64,
}

impl Snapshot {
    /// Documents with a vector, and documents.
    #[must_use]
    pub fn coverage(&self) -> (u64, u64) {
        let mut with = 0;
        for segment in self.segments() {
            with += segment.columns.embedded(&segment.visible);
        }
        (with, self.len())
    }

    /// Whether every document has its vector.
    #[must_use]
    pub fn all_embedded(&self) -> bool {
        self.segments().iter().all(|segment| {
            segment.columns.missing() == 0
                || segment.columns.embedded(&segment.visible) == segment.visible.count()
        })
    }

    /// Whether meaning can be compared at all.
    #[must_use]
    pub fn has_vectors(&self) -> bool {
        self.segments()
            .iter()
            .any(|segment| segment.visible.iter().any(|doc| segment.columns.place(doc).is_some()))
    }

    /// Documents without a vector, the latest first, at most so many.
    #[must_use]
    pub fn unembedded(&self, most: usize) -> Vec<Unembedded> {
        self.parts.unembedded(most)
    }

    /// Makes vectors of texts, by their hash, and shows them to this snapshot
    /// and to all that share its documents.
    pub fn embed(
        &self,
        texts: &[(Unembedded, String)],
        workspace: &mut Workspace,
    ) -> Result<(), crate::index::Error> {
        let hashed: Vec<(u64, String)> =
            texts.iter().map(|(document, text)| (document.hash, text.clone())).collect();
        self.vectors
            .embed(&hashed, workspace)
            .map_err(|error| crate::index::Error::Engine(error.to_string()))?;
        let documents: Vec<Unembedded> = texts.iter().map(|(document, _)| *document).collect();
        self.parts.embedded(&documents);
        Ok(())
    }

    /// Tells those who look for meaning whether vectors that are missing are on
    /// their way.
    pub fn vectors_come(&self, come: bool) {
        self.vectors.making.goes_on.store(come, Ordering::Release);
    }

    /// Whether somebody waits for vectors, now or within this time.
    #[must_use]
    pub fn vectors_wanted_within(&self, time: Duration) -> bool {
        let making = &self.vectors.making;
        let waiting = making.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = making.call.wait_timeout_while(waiting, time, |waiting| *waiting == 0);
        *waited.unwrap_or_else(PoisonError::into_inner).0 > 0
    }

    /// Waits until the last few documents have their vectors, so that what was
    /// just written is found by its meaning. With more missing, as after an
    /// import, or after some tens of milliseconds, it goes on without them.
    pub fn await_vectors(&self) {
        let until = Instant::now() + PATIENCE;
        let making = &self.vectors.making;
        let mut waits = None;
        loop {
            let before = *making.made.lock().unwrap_or_else(PoisonError::into_inner);
            let missing = self.missing_after_another_look();
            if missing == 0 || missing > AWAITED || !making.goes_on.load(Ordering::Acquire) {
                return;
            }
            waits.get_or_insert_with(|| Waits::begin(making));
            let mut made = making.made.lock().unwrap_or_else(PoisonError::into_inner);
            while *made == before {
                let left = until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return;
                }
                let waited = making.bell.wait_timeout(made, left);
                made = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
        }
    }

    /// How many documents lack a vector, one more than are awaited at most.
    /// Those of which one was made meanwhile get it.
    fn missing_after_another_look(&self) -> usize {
        let mut missing = 0;
        for segment in self.segments().iter().rev() {
            for doc in segment.columns.lacking(&segment.visible) {
                match self.vectors.place(segment.columns.hashes[doc as usize]) {
                    Some(place) => segment.columns.set_place(doc, place),
                    None => missing += 1,
                }
                if missing > AWAITED {
                    return missing;
                }
            }
        }
        missing
    }

    /// The vector of a document: that of its first passage.
    #[must_use]
    pub fn vector(&self, row: Row) -> Option<Vector> {
        let (segment, doc) = self.place(row)?;
        Some(self.vectors.reader.record(segment.columns.place(doc)?.first())?.vector())
    }

    /// How near a document's meaning is to a vector: the cosine of its best
    /// passage.
    #[must_use]
    pub fn cosine(&self, row: Row, vector: &Vector) -> Option<f32> {
        let (segment, doc) = self.place(row)?;
        let passages = self.vectors.reader.passages(segment.columns.place(doc)?.first());
        passages.map(|passage| passage.cosine(vector)).max_by(f32::total_cmp)
    }

    /// The documents nearest to a vector, nearest first, at most so many. An
    /// exact scan.
    #[must_use]
    pub fn nearest(&self, vector: &Vector, within: &Rows, most: usize) -> Vec<(Row, f32)> {
        self.scan(vector, within, most).nearest
    }

    /// The same, with what was found of all documents, for a second scan.
    #[must_use]
    pub fn scan(&self, vector: &Vector, within: &Rows, most: usize) -> Scan {
        let mut top = Top::new(most);
        let mut cosines = Vec::with_capacity(self.segments().len());
        for (segment, bits) in self.segments().iter().zip(&within.0) {
            let mut all = vec![ABSENT; segment.columns.len() as usize];
            let some = bits.count() < u64::from(bits.len());
            let among = |doc| bits.contains(doc);
            let wanted: Option<&dyn Fn(u32) -> bool> = if some { Some(&among) } else { None };
            self.compare(segment, vector, wanted, |doc, cosine| {
                all[doc as usize] = cosine;
                if cosine >= top.threshold() {
                    let subject = segment.columns.subjects[doc as usize];
                    top.push(cosine, subject, segment.first + doc);
                }
            });
            cosines.push(all);
        }
        Scan { nearest: top.into_sorted(), cosines }
    }

    /// The documents nearest to a vector that is near the one of a scan. Of many
    /// documents only those are compared again that came first there
    /// (`SHARE`); of few, all.
    #[must_use]
    pub fn nearest_after(
        &self,
        scan: &Scan,
        vector: &Vector,
        within: &Rows,
        most: usize,
    ) -> Vec<(Row, f32)> {
        let bound = scan.bound();
        let mut top = Top::new(most);
        let (mut docs, mut places, mut again) = (Vec::new(), Vec::new(), Vec::new());
        for ((segment, bits), cosines) in self.segments().iter().zip(&within.0).zip(&scan.cosines) {
            docs.clear();
            places.clear();
            for (first, some) in (0..).step_by(TOGETHER_PASSED).zip(cosines.chunks(TOGETHER_PASSED))
            {
                if some.iter().copied().fold(ABSENT, f32::max) < bound {
                    continue;
                }
                for (doc, cosine) in (first..).zip(some) {
                    if *cosine > ABSENT
                        && *cosine >= bound
                        && bits.contains(doc)
                        && let Some(place) = segment.columns.place(doc)
                    {
                        docs.push(doc);
                        places.push(place);
                    }
                }
            }
            self.vectors.reader.cosines(vector, &places, &mut again);
            for (doc, cosine) in docs.iter().zip(&again) {
                if *cosine >= top.threshold() {
                    let subject = segment.columns.subjects[*doc as usize];
                    top.push(*cosine, subject, segment.first + doc);
                }
            }
        }
        top.into_sorted()
    }

    /// Calls with the cosine of each document of a segment, or of those wanted.
    fn compare(
        &self,
        segment: &Segment,
        vector: &Vector,
        wanted: Option<&dyn Fn(u32) -> bool>,
        mut each: impl FnMut(u32, f32),
    ) {
        let (mut docs, mut places, mut cosines) = (Vec::new(), Vec::new(), Vec::new());
        segment.columns.scan(TOGETHER_COMPARED, |all_docs, all_places| {
            let (docs, places): (&[u32], &[Place]) = if let Some(wanted) = wanted {
                docs.clear();
                places.clear();
                for (doc, place) in all_docs.iter().zip(all_places) {
                    if wanted(*doc) {
                        docs.push(*doc);
                        places.push(*place);
                    }
                }
                (&docs, &places)
            } else {
                (all_docs, all_places)
            };
            self.vectors.reader.cosines(vector, places, &mut cosines);
            for (doc, cosine) in docs.iter().zip(&cosines) {
                each(*doc, *cosine);
            }
        });
    }
}

/// What a scan found.
pub struct Scan {
    /// The nearest documents, nearest first.
    pub nearest: Vec<(Row, f32)>,
    /// Of every document of each segment.
    cosines: Vec<Vec<f32>>,
}

/// The cosine of a document that was not compared.
const ABSENT: f32 = -2.0;
/// Documents from which it is told where so many of all end.
const SAMPLE: usize = 4_096;
/// Documents that a second scan compares: one of so many, and so many at least.
/// On 100,920 generated texts, 99.8 of 100 of the nearest by the moved vector are
/// among them.
const SHARE: (usize, usize) = (32, 4_096);

impl Scan {
    /// The least cosine of what a second scan compares.
    fn bound(&self) -> f32 {
        let all: usize = self.cosines.iter().map(Vec::len).sum();
        let wanted = (all / SHARE.0).max(SHARE.1);
        if all <= wanted {
            return ABSENT;
        }
        // Every so many tell where the nearest share ends.
        let every = (all / SAMPLE).max(1);
        let mut sample: Vec<f32> = self.cosines.iter().flatten().copied().step_by(every).collect();
        let last = (wanted / every).min(sample.len() - 1);
        *sample.select_nth_unstable_by(last, |a, b| b.total_cmp(a)).1
    }
}

/// Vectors of queries that are kept: 2 MB.
const QUERIES: usize = 4_096;

/// The vector of what a person asks. Repeated questions, typing ahead and
/// paging cost nothing: the last few thousand are kept, by their words.
#[must_use]
pub fn meaning_of(text: &str) -> Vector {
    use lru::LruCache;
    use std::num::NonZeroUsize;
    use std::sync::LazyLock;
    static KEPT: LazyLock<Mutex<LruCache<String, Vector>>> = LazyLock::new(|| {
        Mutex::new(LruCache::new(NonZeroUsize::new(QUERIES).unwrap_or(NonZeroUsize::MIN)))
    });
    thread_local! {
        static WORKSPACE: std::cell::RefCell<Workspace> = std::cell::RefCell::default();
    }
    let key = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let kept = || KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(vector) = kept().get(&key) {
        return *vector;
    }
    let encoder = Encoder::built_in();
    let vector = WORKSPACE.with_borrow_mut(|workspace| encoder.vector(&key, workspace));
    kept().put(key, vector);
    vector
}

#[cfg(test)]
mod tests {
    use super::{ABSENT, Scan};

    #[test]
    fn a_second_scan_compares_about_the_share_it_promises() {
        let scan = |cosines: Vec<f32>| Scan { nearest: Vec::new(), cosines: vec![cosines] };
        // Few documents are all compared.
        assert!(scan(vec![-0.5; 4_000]).bound() <= ABSENT);
        // Of 160,000 the nearest 5,000, give or take.
        let numbers = (0..160_u16).flat_map(|a| (0..1_000_u16).map(move |b| (a, b)));
        let mut cosines: Vec<f32> =
            numbers.map(|(a, b)| (f32::from(a) * 1e3 + f32::from(b)) / 160e3).collect();
        cosines.sort_unstable_by_key(|cosine| cosine.to_bits().wrapping_mul(2_654_435_761));
        let bound = scan(cosines.clone()).bound();
        let compared = cosines.iter().filter(|cosine| **cosine >= bound).count();
        assert!((4_000..6_500).contains(&compared), "{compared}");
    }
}
