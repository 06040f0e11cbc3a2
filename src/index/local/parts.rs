//! The parts of the index at one revision: what is on disk, and the small
//! changes since. A change is put into an index of its own when somebody first
//! searches at its revision or a later one, since making one costs several
//! times what recording the change does. Not for what is on disk.

use crate::index::local::columns::Columns;
use crate::index::local::meaning::Vectors;
use crate::index::local::rows::Bits;
use crate::index::local::snapshot::Segment;
use crate::index::local::text::{Fields, engine, written};
use crate::index::{Document, Error, Unembedded, text_hash};
use crate::rdf::TermId;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::{Arc, OnceLock};
use tantivy::directory::RamDirectory;
use tantivy::index::SegmentId;
use tantivy::schema::Schema;
use tantivy::tokenizer::TokenizerManager;
use tantivy::{
    Index, IndexReader, IndexSettings, ReloadPolicy, Searcher, SingleSegmentIndexWriter,
};

/// Memory of the writer of a small part (bytes). It sizes a table that is gone
/// through whole, so that more would take longer.
const PART_MEMORY: usize = 256 << 10;

/// Some segments, with which of their documents still hold.
#[derive(Clone)]
pub(super) struct Part {
    searcher: Arc<Searcher>,
    segments: Vec<(SegmentId, Arc<Columns>, Arc<Bits>)>,
}

impl Part {
    /// Reads the segments of a searcher, but those known from before.
    pub(super) fn new(
        searcher: Searcher,
        vectors: &Vectors,
        before: &[Self],
    ) -> Result<Self, Error> {
        let known: FxHashMap<SegmentId, &Arc<Columns>> = before
            .iter()
            .flat_map(|part| part.segments.iter().map(|(id, columns, _)| (*id, columns)))
            .collect();
        let mut segments = Vec::new();
        for reader in searcher.segment_readers() {
            let id = reader.segment_id();
            let columns = match known.get(&id) {
                Some(columns) => Arc::clone(columns),
                None => Arc::new(Columns::read(reader, vectors)?),
            };
            let mut live = Bits::all(reader.max_doc());
            if let Some(alive) = reader.alive_bitset() {
                for doc in 0..reader.max_doc() {
                    if alive.is_deleted(doc) {
                        live.unset(doc);
                    }
                }
            }
            segments.push((id, columns, Arc::new(live)));
        }
        Ok(Self { searcher: Arc::new(searcher), segments })
    }

    /// The number of documents that hold.
    pub(super) fn len(&self) -> u64 {
        self.segments.iter().map(|(_, _, live)| live.count()).sum()
    }

    /// Documents of these subjects no longer hold.
    fn forget(&mut self, subjects: &FxHashSet<TermId>) {
        for (_, columns, live) in &mut self.segments {
            for doc in subjects.iter().flat_map(|subject| columns.documents_of(*subject)) {
                if live.contains(doc) {
                    Arc::make_mut(live).unset(doc);
                }
            }
        }
    }
}

/// What small parts are made with.
#[derive(Clone)]
pub(super) struct Maker {
    pub(super) fields: Fields,
    pub(super) schema: Schema,
    pub(super) tokenizers: TokenizerManager,
    pub(super) vectors: Vectors,
}

impl Maker {
    fn part(&self, documents: &[&Document]) -> Result<Part, Error> {
        let mut writer: SingleSegmentIndexWriter = Index::builder()
            .schema(self.schema.clone())
            .tokenizers(self.tokenizers.clone())
            // Nothing is stored, so a thread that compresses it would be for nothing.
            .settings(IndexSettings {
                docstore_compress_dedicated_thread: false,
                ..IndexSettings::default()
            })
            .single_segment_index_writer(RamDirectory::create(), PART_MEMORY)
            .map_err(engine)?;
        for document in documents {
            writer.add_document(written(self.fields, document)).map_err(engine)?;
        }
        let reader: IndexReader = writer
            .finalize()
            .map_err(engine)?
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .try_into()
            .map_err(engine)?;
        Part::new(reader.searcher(), &self.vectors, &[])
    }
}

/// A small change: whom it touched, and the documents they have after it.
pub(super) struct Change {
    touched: Vec<TermId>,
    documents: Vec<Document>,
    /// The hashes of their texts, made by whoever first looks for those without
    /// a vector.
    hashes: OnceLock<Vec<u64>>,
}

impl Change {
    pub(super) fn new(touched: Vec<TermId>, documents: Vec<Document>) -> Self {
        Self { touched, documents, hashes: OnceLock::new() }
    }

    /// Whom it touched.
    pub(super) fn touched(&self) -> &[TermId] {
        &self.touched
    }

    fn hashes(&self) -> &[u64] {
        let hashes = || self.documents.iter().map(|d| text_hash(&d.meaning())).collect();
        self.hashes.get_or_init(hashes)
    }
}

/// The subjects that changes touched, each with the documents it has after the
/// last of them.
pub(super) fn last_of(changes: &[Arc<Change>]) -> FxHashMap<TermId, Vec<&Document>> {
    let mut last: FxHashMap<TermId, Vec<&Document>> = FxHashMap::default();
    for change in changes {
        for subject in &change.touched {
            last.entry(*subject).or_default().clear();
        }
        for document in &change.documents {
            last.entry(document.subject).or_default().push(document);
        }
    }
    last
}

/// The parts at one revision.
pub(super) struct Parts {
    /// Parts that are made, the one on disk first.
    base: Vec<Part>,
    /// The changes since, in their order.
    changes: Vec<Arc<Change>>,
    maker: Maker,
    made: OnceLock<(Vec<Part>, bool)>,
}

impl Parts {
    /// What is on disk, and the small changes since.
    pub(super) fn of(part: Part, changes: Vec<Arc<Change>>, maker: Maker) -> Self {
        Self { base: vec![part], changes, maker, made: OnceLock::new() }
    }

    /// The parts after another small change.
    pub(super) fn with(&self, change: Arc<Change>) -> Self {
        let (base, mut changes) = match self.made.get() {
            Some((made, _)) => (made.clone(), Vec::new()),
            None => (self.base.clone(), self.changes.clone()),
        };
        changes.push(change);
        Self { base, changes, maker: self.maker.clone(), made: OnceLock::new() }
    }

    /// The part on disk.
    pub(super) fn on_disk(&self) -> &Part {
        &self.base[0]
    }

    /// How many parts there are or will be.
    pub(super) fn count(&self) -> usize {
        self.base.len() + usize::from(!self.changes.is_empty())
    }

    /// Whether the changes could not be put into an index.
    pub(super) fn failed(&self) -> bool {
        self.made.get().is_some_and(|(_, failed)| *failed)
    }

    /// The parts, made now if nobody asked before.
    fn made(&self) -> &[Part] {
        let (parts, _) = self.made.get_or_init(|| {
            let mut parts = self.base.clone();
            let last = last_of(&self.changes);
            if last.is_empty() {
                return (parts, false);
            }
            let subjects: FxHashSet<TermId> = last.keys().copied().collect();
            for part in &mut parts {
                part.forget(&subjects);
            }
            let documents: Vec<&Document> = last.into_values().flatten().collect();
            if documents.is_empty() {
                return (parts, false);
            }
            match self.maker.part(&documents) {
                Ok(part) => {
                    parts.push(part);
                    (parts, false)
                }
                Err(error) => {
                    // The next change finds out, and the index is made again.
                    tracing::error!(%error, "small changes could not be put into the index");
                    (parts, true)
                }
            }
        });
        parts
    }

    /// The parts that are made, and the changes that are not in them.
    fn as_they_are(&self) -> (&[Part], &[Arc<Change>]) {
        match self.made.get() {
            Some((parts, _)) => (parts, &[]),
            None => (&self.base, &self.changes),
        }
    }

    /// Documents without a vector, the latest first, at most so many. Makes no
    /// part: making one takes longer than some vectors do.
    pub(super) fn unembedded(&self, most: usize) -> Vec<Unembedded> {
        let (parts, changes) = self.as_they_are();
        let mut later: FxHashSet<TermId> = FxHashSet::default();
        let mut found = Vec::new();
        for change in changes.iter().rev() {
            for (document, hash) in change.documents.iter().zip(change.hashes()) {
                let subject = document.subject;
                if !later.contains(&subject) && self.maker.vectors.find(*hash).is_none() {
                    found.push(Unembedded { subject, hash: *hash });
                }
            }
            later.extend(&change.touched);
        }
        for (_, columns, live) in parts.iter().rev().flat_map(|part| part.segments.iter().rev()) {
            let lacking = columns
                .lacking(live)
                .filter(|doc| !later.contains(&columns.subjects[*doc as usize]));
            found.extend(lacking.take(most.saturating_sub(found.len())).map(|doc| {
                let (subject, hash) =
                    (columns.subjects[doc as usize], columns.hashes[doc as usize]);
                Unembedded { subject, hash }
            }));
        }
        found.truncate(most);
        found
    }

    /// Vectors were made of these: they are shown by all that share the parts.
    pub(super) fn embedded(&self, documents: &[Unembedded]) {
        let (parts, _) = self.as_they_are();
        for Unembedded { subject, hash } in documents {
            let Some(place) = self.maker.vectors.place(*hash) else { continue };
            for (_, columns, _) in parts.iter().flat_map(|part| &part.segments) {
                for doc in columns.documents_of(*subject) {
                    if columns.hashes[doc as usize] == *hash {
                        columns.set_place(doc, place);
                    }
                }
            }
        }
    }

    pub(super) fn searchers(&self) -> Arc<[Arc<Searcher>]> {
        self.made().iter().map(|part| Arc::clone(&part.searcher)).collect()
    }

    pub(super) fn segments(&self) -> Vec<Segment> {
        let mut segments = Vec::new();
        let mut first = 0;
        for (number, part) in self.made().iter().enumerate() {
            for (ordinal, (_, columns, live)) in (0..).zip(&part.segments) {
                segments.push(Segment {
                    part: number,
                    ordinal,
                    first,
                    columns: Arc::clone(columns),
                    visible: Arc::clone(live),
                });
                first += columns.len();
            }
        }
        segments
    }
}
