//! The writer of the index: documents go in, snapshots come out. What is in
//! memory beside the files on disk is behind nothing: the ledger has it.

use crate::index::local::look_alikes::LookAlikes;
use crate::index::local::meaning::Vectors;
use crate::index::local::parts::{Change, Maker, Part, Parts, last_of};
use crate::index::local::snapshot::Snapshot;
use crate::index::local::words::{analyser, each_word, surface_analyser};
use crate::index::{Document, Error, Facet, payload, text_hash};
use crate::rdf::Revision;
use crate::rdf::TermId;
use rustc_hash::FxHashSet;
use std::borrow::Borrow;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::{
    Index, IndexReader, IndexSettings, IndexWriter, ReloadPolicy, TantivyDocument, Term,
};

/// Memory of the writer (bytes): one thread, above tantivy's minimum of 15 MB.
const WRITER_MEMORY: usize = 64 << 20;
const STEMS: &str = "stems";
const WORDS: &str = "words";

#[derive(Clone, Copy)]
pub(super) struct Fields {
    subject: Field,
    /// Stems of the title.
    pub(super) title: Field,
    /// Stems of the whole text, the title included.
    pub(super) body: Field,
    /// The words of the whole text as they are written, at the same positions.
    pub(super) surface: Field,
    /// Those of the titles alone, without their positions.
    pub(super) title_words: Field,
    titles_end: Field,
    descriptions_end: Field,
    title_key: Field,
    text_hash: Field,
    date: Field,
    fingerprint: Field,
    shown_to: Field,
    facets: [Field; Facet::ALL.len()],
}

fn schema() -> (Schema, Fields) {
    let mut schema = Schema::builder();
    let text = |analyser| {
        TextOptions::default().set_indexing_options(
            TextFieldIndexing::default()
                .set_tokenizer(analyser)
                .set_index_option(IndexRecordOption::WithFreqsAndPositions),
        )
    };
    let fields = Fields {
        subject: schema.add_u64_field("subject", INDEXED | FAST),
        title: schema.add_text_field("title", text(STEMS)),
        body: schema.add_text_field("body", text(STEMS)),
        surface: schema.add_text_field("surface", text(WORDS)),
        title_words: schema.add_text_field(
            "title_words",
            TextOptions::default().set_indexing_options(
                TextFieldIndexing::default()
                    .set_tokenizer(WORDS)
                    .set_fieldnorms(false)
                    .set_index_option(IndexRecordOption::Basic),
            ),
        ),
        titles_end: schema.add_u64_field("titles_end", FAST),
        descriptions_end: schema.add_u64_field("descriptions_end", FAST),
        title_key: schema.add_u64_field("title_key", FAST),
        text_hash: schema.add_u64_field("text_hash", FAST),
        date: schema.add_u64_field("date", FAST),
        fingerprint: schema.add_u64_field("fingerprint", FAST),
        shown_to: schema.add_u64_field("shown_to", FAST),
        facets: Facet::ALL.map(|facet| schema.add_u64_field(facet.name(), FAST)),
    };
    (schema.build(), fields)
}

/// Small parts kept beside the index on disk before they are folded into it:
/// each costs every search a little.
const PARTS: usize = 16;
/// Subjects of one small change.
const SMALL: usize = 256;
/// Subjects of small changes kept beside it; with more they are folded in. To
/// begin a fold takes about as long as to write a hundred documents.
const BESIDE: usize = 1_024;
/// Small changes that may come while earlier ones are folded in, for each of
/// those; with more they wait, so that they do not pile up.
const PILE: usize = 16;
/// Documents up to which look-alikes are made anew after every change; with
/// more, after large changes only.
const FEW_DOCUMENTS: u64 = 5_000;

/// The index: what is on disk, and beside it the small changes since, which are
/// folded into it in the background. The ledger has them, and they are replayed
/// at the next start.
pub struct TextIndex {
    fields: Fields,
    disk: Arc<Mutex<Disk>>,
    /// The revision on disk.
    folded: Option<Revision>,
    /// The small changes since.
    since: Vec<Arc<Change>>,
    folding: Option<Folding>,
    parts: Arc<Parts>,
    maker: Maker,
    vectors: Vectors,
    look_alikes: Arc<OnceLock<LookAlikes>>,
}

/// Small changes that are being put into the index on disk.
struct Folding {
    /// The last of them.
    revision: Revision,
    /// How many they are, the first of all.
    changes: usize,
    made: JoinHandle<Result<Part, Error>>,
}

/// The index on disk and its only writer.
struct Disk {
    fields: Fields,
    writer: IndexWriter,
    reader: IndexReader,
    vectors: Vectors,
    /// As it was last read.
    part: Part,
}

pub(super) fn engine(error: impl std::fmt::Display) -> Error {
    Error::Engine(error.to_string())
}

impl TextIndex {
    /// Opens the index in a folder. One that cannot be read is thrown away: it
    /// is made again from the ledger.
    pub fn open(folder: &Path, vectors: &Path) -> Result<Self, Error> {
        let vectors = Vectors::open(vectors).map_err(engine)?;
        match Self::open_existing(folder, &vectors) {
            Ok(index) => Ok(index),
            Err(error) => {
                if folder.exists() {
                    tracing::warn!(%error, "the text view is unreadable and will be made again");
                    std::fs::remove_dir_all(folder).map_err(engine)?;
                }
                Self::open_existing(folder, &vectors)
            }
        }
    }

    fn open_existing(folder: &Path, vectors: &Vectors) -> Result<Self, Error> {
        std::fs::create_dir_all(folder).map_err(engine)?;
        let (schema, fields) = schema();
        let directory = tantivy::directory::MmapDirectory::open(folder).map_err(engine)?;
        let index = Index::builder()
            .schema(schema)
            .settings(IndexSettings::default())
            .open_or_create(directory)
            .map_err(engine)?;
        index.tokenizers().register(STEMS, analyser());
        index.tokenizers().register(WORDS, surface_analyser());
        let written = index.load_metas().map_err(engine)?.payload.unwrap_or_default();
        let revision = written
            .rsplit(' ')
            .next()
            .and_then(|number| number.parse().ok())
            .filter(|revision| payload(*revision) == written);
        let writer = index.writer_with_num_threads(1, WRITER_MEMORY).map_err(engine)?;
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .try_into()
            .map_err(engine)?;
        let maker = Maker {
            fields,
            schema: index.schema(),
            tokenizers: index.tokenizers().clone(),
            vectors: vectors.clone(),
        };
        let part = Part::new(reader.searcher(), vectors, &[])?;
        let parts = Arc::new(Parts::of(part.clone(), Vec::new(), maker.clone()));
        let disk = Disk { fields, writer, reader, vectors: vectors.clone(), part };
        Ok(Self {
            fields,
            disk: Arc::new(Mutex::new(disk)),
            folded: revision,
            since: Vec::new(),
            folding: None,
            parts,
            maker,
            vectors: vectors.clone(),
            look_alikes: Arc::default(),
        })
    }

    /// The revision at which the index on disk stands; `None` if it must be
    /// rebuilt.
    #[must_use]
    pub fn revision(&self) -> Option<Revision> {
        self.folded
    }

    /// Forgets everything.
    pub fn clear(&mut self) -> Result<(), Error> {
        self.stop_folding();
        self.folded = None;
        self.since.clear();
        self.disk().writer.delete_all_documents().map_err(engine)?;
        Ok(())
    }

    /// Replaces the documents of these subjects and moves to a revision.
    pub fn apply(
        &mut self,
        revision: Revision,
        touched: &[TermId],
        documents: &dyn Fn(TermId) -> Vec<Document>,
    ) -> Result<(), Error> {
        if self.folded.is_some() && self.parts.failed() {
            return Err(Error::Engine("an earlier change is not in the index".to_owned()));
        }
        let few = self.parts.on_disk().len() <= FEW_DOCUMENTS;
        if few || touched.len() > SMALL {
            self.look_alikes = Arc::default();
        }
        if self.folded.is_none() || touched.len() > SMALL {
            return self.apply_at_once(revision, touched, documents);
        }
        let made = touched.iter().flat_map(|subject| documents(*subject)).collect();
        let change = Arc::new(Change::new(touched.to_vec(), made));
        self.since.push(Arc::clone(&change));
        self.parts = Arc::new(self.parts.with(change));
        let pile = |folding: &Folding| self.since.len() >= (1 + PILE) * folding.changes;
        if self.folding.as_ref().is_some_and(|f| f.made.is_finished() || pile(f)) {
            self.folded_in()?;
        }
        let many =
            || self.since.iter().map(|change| change.touched().len()).sum::<usize>() > BESIDE;
        if self.folding.is_none() && (self.parts.count() > PARTS || many()) {
            self.fold(revision)?;
        }
        Ok(())
    }

    /// Puts a change that is not small into the index on disk, with those
    /// before it.
    fn apply_at_once(
        &mut self,
        revision: Revision,
        touched: &[TermId],
        documents: &dyn Fn(TermId) -> Vec<Document>,
    ) -> Result<(), Error> {
        self.folded_in()?;
        let mut subjects: FxHashSet<TermId> = touched.iter().copied().collect();
        subjects.extend(self.since.iter().flat_map(|change| change.touched()));
        let all = subjects.into_iter().map(|subject| (subject, documents(subject)));
        let renewed = self.folded.is_none();
        let part = self.disk().replace(revision, renewed, all)?;
        self.folded = Some(revision);
        self.since.clear();
        self.parts = Arc::new(Parts::of(part, Vec::new(), self.maker.clone()));
        Ok(())
    }

    /// Begins to fold the small changes into the index on disk.
    fn fold(&mut self, revision: Revision) -> Result<(), Error> {
        let (disk, changes) = (Arc::clone(&self.disk), self.since.clone());
        let work = move || {
            let last = last_of(&changes);
            let disk = disk.lock();
            disk.unwrap_or_else(PoisonError::into_inner).replace(revision, false, last.into_iter())
        };
        let made = std::thread::Builder::new().name("fold".to_owned()).spawn(work);
        let made = made.map_err(engine)?;
        self.folding = Some(Folding { revision, changes: self.since.len(), made });
        Ok(())
    }

    /// Takes over the index on disk into which changes were being folded, if any
    /// were; waits for it.
    fn folded_in(&mut self) -> Result<(), Error> {
        let Some(Folding { revision, changes, made }) = self.folding.take() else {
            return Ok(());
        };
        let part =
            made.join().map_err(|_| Error::Engine("folding changes failed".to_owned()))??;
        self.folded = Some(revision);
        self.since.drain(..changes);
        self.parts = Arc::new(Parts::of(part, self.since.clone(), self.maker.clone()));
        Ok(())
    }

    /// Waits until nothing is being folded; what it came to does not matter.
    fn stop_folding(&mut self) {
        if let Some(folding) = self.folding.take() {
            let _ = folding.made.join();
        }
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The index as it stands.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            fields: self.fields,
            parts: Arc::clone(&self.parts),
            sees: None,
            view: Arc::default(),
            vectors: self.vectors.clone(),
            look_alikes: Arc::clone(&self.look_alikes),
            memory: Arc::default(),
        }
    }
}

impl Drop for TextIndex {
    /// Whoever opens the folder next finds it free.
    fn drop(&mut self) {
        self.stop_folding();
    }
}

impl Disk {
    /// Replaces the documents of subjects and moves to a revision. With
    /// `renewed`, no document from before is left.
    fn replace<D: Borrow<Document>>(
        &mut self,
        revision: Revision,
        renewed: bool,
        subjects: impl Iterator<Item = (TermId, Vec<D>)>,
    ) -> Result<Part, Error> {
        let before = self.part.len();
        let empty = renewed || before == 0;
        for (subject, documents) in subjects {
            if !empty {
                let term = Term::from_field_u64(self.fields.subject, u64::from(subject));
                self.writer.delete_term(term);
            }
            for document in documents {
                let document = written(self.fields, document.borrow());
                self.writer.add_document(document).map_err(engine)?;
            }
        }
        let mut commit = self.writer.prepare_commit().map_err(engine)?;
        commit.set_payload(&payload(revision));
        commit.commit().map_err(engine)?;
        self.reader.reload().map_err(engine)?;
        self.merge(before);
        let before = std::slice::from_ref(&self.part);
        self.part = Part::new(self.reader.searcher(), &self.vectors, before)?;
        Ok(self.part.clone())
    }

    /// Makes one segment of all after a change that at least doubled the index:
    /// every search pays for each segment, and a document is so written again a
    /// few times at most.
    fn merge(&mut self, before: u64) {
        let ids = self
            .reader
            .searcher()
            .segment_readers()
            .iter()
            .map(tantivy::SegmentReader::segment_id)
            .collect();
        let merged = Vec::len(&ids) > 1 && self.reader.searcher().num_docs() >= 2 * before;
        if merged && let Err(error) = self.writer.merge(&ids).wait() {
            // They are as right as before.
            tracing::debug!(%error, "the segments of the index stay apart");
        }
        if merged && let Err(error) = self.reader.reload() {
            tracing::debug!(%error, "the merged segment is read later");
        }
    }
}

/// A document as the index takes it.
pub(super) fn written(fields: Fields, document: &Document) -> TantivyDocument {
    let mut ends = [0, 0];
    each_word(&document.body, false, |token| {
        let after = token.position as u64 + 1;
        if token.offset_to <= document.titles_end {
            ends[0] = after;
        }
        if token.offset_to <= document.descriptions_end {
            ends[1] = after;
        }
    });
    let mut out = TantivyDocument::new();
    out.add_u64(fields.subject, u64::from(document.subject));
    out.add_text(fields.title, &document.title);
    out.add_text(fields.body, &document.body);
    out.add_text(fields.surface, &document.body);
    out.add_text(fields.title_words, &document.body[..document.titles_end]);
    out.add_u64(fields.titles_end, ends[0]);
    out.add_u64(fields.descriptions_end, ends[1].max(ends[0]));
    out.add_u64(fields.title_key, title_key(&document.title));
    out.add_u64(fields.text_hash, text_hash(&document.meaning()));
    out.add_u64(fields.date, document.date);
    out.add_u64(fields.fingerprint, document.fingerprint());
    out.add_u64(fields.shown_to, document.shown_to);
    for (facet, value) in &document.facets {
        out.add_u64(fields.facets[*facet as usize], *value);
    }
    out
}

/// The first eight letters and digits of a title, lower case, as a number that
/// sorts as they do.
#[must_use]
pub fn title_key(title: &str) -> u64 {
    let mut bytes = [0; 8];
    let lower = title.chars().flat_map(char::to_lowercase).collect::<String>();
    for (byte, letter) in bytes.iter_mut().zip(lower.bytes()) {
        *byte = letter;
    }
    u64::from_be_bytes(bytes)
}
