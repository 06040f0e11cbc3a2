//! tantivy: the only file that knows it (with `words.rs` beside it, which
//! shares its analyser). Documents go in, numbers of records come out.

use crate::index::local::words::{analyser, words_of};
use crate::index::{Document, Error, Facet, Found, Hit, Request, Words, payload, shown_to};
use crate::rdf::Revision;
use crate::rdf::TermId;
use crate::rdf::Visibility;
use rustc_hash::{FxHashMap, FxHashSet};
use std::path::Path;
use std::sync::Arc;
use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::Column;
use tantivy::directory::RamDirectory;
use tantivy::query::{
    AllQuery, Bm25StatisticsProvider, BooleanQuery, BoostQuery, EmptyQuery, Occur, PhraseQuery,
    Query, TermQuery,
};
use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::{
    DocId, Index, IndexReader, IndexSettings, IndexWriter, ReloadPolicy, Score, Searcher,
    SegmentOrdinal, SegmentReader, SingleSegmentIndexWriter, TantivyDocument, Term,
};

/// Memory of the writer (bytes): one thread, above tantivy's minimum of 15 MB.
const WRITER_MEMORY: usize = 64 << 20;
/// Weight of the title field on top of the body, which holds the title too
/// (retrieval measurements of the project: 0.25 is best on `NFCorpus` dev).
const TITLE_WEIGHT: f32 = 0.25;
const ANALYSER: &str = "english";

#[derive(Clone, Copy)]
struct Fields {
    subject: Field,
    title: Field,
    body: Field,
    date: Field,
    fingerprint: Field,
    shown_to: Field,
    facets: [Field; Facet::ALL.len()],
}

fn schema() -> (Schema, Fields) {
    let mut schema = Schema::builder();
    let text = || {
        TextOptions::default().set_indexing_options(
            TextFieldIndexing::default()
                .set_tokenizer(ANALYSER)
                .set_index_option(IndexRecordOption::WithFreqsAndPositions),
        )
    };
    let fields = Fields {
        subject: schema.add_u64_field("subject", INDEXED | FAST),
        title: schema.add_text_field("title", text()),
        body: schema.add_text_field("body", text()),
        date: schema.add_u64_field("date", FAST),
        fingerprint: schema.add_u64_field("fingerprint", FAST),
        shown_to: schema.add_u64_field("shown_to", FAST),
        facets: Facet::ALL.map(|facet| schema.add_u64_field(facet.name(), FAST)),
    };
    (schema.build(), fields)
}

/// Small changes kept beside the index on disk before they are folded into it.
/// A commit of that index takes some 8 ms, a small part 0.3; each part costs
/// every search a little.
const PARTS: usize = 16;
/// A change with more subjects than this is folded in at once.
const SMALL: usize = 256;
/// Memory of the writer of a small part (bytes). It sizes a table that is gone
/// through whole, so that more would take longer.
const PART_MEMORY: usize = 256 << 10;

/// The index and its only writer. What is on disk is behind by the small
/// changes since; the ledger has them, and they are replayed at the next start.
pub struct TextIndex {
    fields: Fields,
    writer: IndexWriter,
    reader: IndexReader,
    /// The revision on disk.
    folded: Option<Revision>,
    /// The index on disk, then the small changes since, oldest first.
    parts: Vec<Part>,
    /// Subjects of the small changes.
    pending: FxHashSet<TermId>,
}

/// Documents, of which some are no more.
#[derive(Clone)]
struct Part {
    searcher: Arc<Searcher>,
    /// Subjects that a later part knows better.
    stale: Arc<FxHashSet<TermId>>,
}

/// The index at one revision. Cloning is cheap.
#[derive(Clone)]
pub struct Snapshot {
    fields: Fields,
    parts: Arc<[Part]>,
    /// Documents for these readers alone; 0 for all.
    shown_to: u64,
}

fn engine(error: impl std::fmt::Display) -> Error {
    Error::Engine(error.to_string())
}

impl TextIndex {
    /// Opens the index in a folder. One that cannot be read is thrown away: it
    /// is made again from the ledger.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        match Self::open_existing(folder) {
            Ok(index) => Ok(index),
            Err(error) => {
                if folder.exists() {
                    tracing::warn!(%error, "the text view is unreadable and will be made again");
                    std::fs::remove_dir_all(folder).map_err(engine)?;
                }
                Self::open_existing(folder)
            }
        }
    }

    fn open_existing(folder: &Path) -> Result<Self, Error> {
        std::fs::create_dir_all(folder).map_err(engine)?;
        let (schema, fields) = schema();
        let directory = tantivy::directory::MmapDirectory::open(folder).map_err(engine)?;
        let index = Index::builder()
            .schema(schema)
            .settings(IndexSettings::default())
            .open_or_create(directory)
            .map_err(engine)?;
        index.tokenizers().register(ANALYSER, analyser());
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
        let parts = vec![Part { searcher: Arc::new(reader.searcher()), stale: Arc::default() }];
        Ok(Self { fields, writer, reader, folded: revision, parts, pending: FxHashSet::default() })
    }

    /// The revision at which the index on disk stands; `None` if it must be
    /// rebuilt.
    #[must_use]
    pub fn revision(&self) -> Option<Revision> {
        self.folded
    }

    /// Forgets everything.
    pub fn clear(&mut self) -> Result<(), Error> {
        self.writer.delete_all_documents().map_err(engine)?;
        self.folded = None;
        Ok(())
    }

    /// Replaces the documents of these subjects and moves to a revision.
    pub fn apply(
        &mut self,
        revision: Revision,
        touched: &[TermId],
        documents: &dyn Fn(TermId) -> Vec<Document>,
    ) -> Result<(), Error> {
        if self.folded.is_some() && touched.len() <= SMALL && self.parts.len() <= PARTS {
            return self.add_part(touched, documents);
        }
        self.pending.extend(touched);
        let empty = self.folded.is_none() || self.parts[0].searcher.num_docs() == 0;
        for subject in &self.pending {
            if !empty {
                let term = Term::from_field_u64(self.fields.subject, u64::from(*subject));
                self.writer.delete_term(term);
            }
            for document in documents(*subject) {
                self.writer.add_document(self.document(&document)).map_err(engine)?;
            }
        }
        let mut commit = self.writer.prepare_commit().map_err(engine)?;
        commit.set_payload(&payload(revision));
        commit.commit().map_err(engine)?;
        self.reader.reload().map_err(engine)?;
        self.folded = Some(revision);
        self.pending.clear();
        self.parts =
            vec![Part { searcher: Arc::new(self.reader.searcher()), stale: Arc::default() }];
        Ok(())
    }

    /// Puts the documents of a small change beside the others, in memory.
    fn add_part(
        &mut self,
        touched: &[TermId],
        documents: &dyn Fn(TermId) -> Vec<Document>,
    ) -> Result<(), Error> {
        let index = self.writer.index();
        let mut writer: SingleSegmentIndexWriter = Index::builder()
            .schema(index.schema())
            .tokenizers(index.tokenizers().clone())
            // Nothing is stored, so a thread that compresses it would be for nothing.
            .settings(IndexSettings {
                docstore_compress_dedicated_thread: false,
                ..IndexSettings::default()
            })
            .single_segment_index_writer(RamDirectory::create(), PART_MEMORY)
            .map_err(engine)?;
        let mut any = false;
        for document in touched.iter().flat_map(|subject| documents(*subject)) {
            writer.add_document(self.document(&document)).map_err(engine)?;
            any = true;
        }
        for part in &mut self.parts {
            Arc::make_mut(&mut part.stale).extend(touched);
        }
        self.pending.extend(touched);
        if any {
            let index = writer.finalize().map_err(engine)?;
            let reader: IndexReader = index
                .reader_builder()
                .reload_policy(ReloadPolicy::Manual)
                .try_into()
                .map_err(engine)?;
            self.parts.push(Part { searcher: Arc::new(reader.searcher()), stale: Arc::default() });
        }
        Ok(())
    }

    fn document(&self, document: &Document) -> TantivyDocument {
        let mut out = TantivyDocument::new();
        out.add_u64(self.fields.subject, u64::from(document.subject));
        out.add_text(self.fields.title, &document.title);
        out.add_text(self.fields.body, &document.body);
        out.add_u64(self.fields.date, document.date);
        out.add_u64(self.fields.fingerprint, document.fingerprint());
        out.add_u64(self.fields.shown_to, document.shown_to);
        for (facet, value) in &document.facets {
            out.add_u64(self.fields.facets[*facet as usize], *value);
        }
        out
    }

    /// The index as it stands.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { fields: self.fields, parts: self.parts.clone().into(), shown_to: 0 }
    }
}

impl Snapshot {
    /// The same index as those see it who see this much.
    #[must_use]
    pub fn seen_by(&self, visibility: Visibility) -> Self {
        Self { shown_to: shown_to(visibility), ..self.clone() }
    }

    /// The number of documents.
    #[must_use]
    pub fn len(&self) -> u64 {
        // Fields that cannot be read would have failed the opening.
        self.count().unwrap_or(0)
    }

    fn count(&self) -> Result<u64, Error> {
        let mut all = 0;
        self.each_document(|subject, part, segment, doc| {
            let shown = segment.1.first(doc).unwrap_or(0);
            let is_shown = self.shown_to == 0 || shown & self.shown_to != 0;
            all += u64::from(is_shown && !part.stale.contains(&subject));
        })?;
        Ok(all)
    }

    /// Calls with each document: its subject, part, columns of fingerprint and
    /// of who is shown it, and number.
    fn each_document(
        &self,
        mut each: impl FnMut(TermId, &Part, (&Column<u64>, &Column<u64>), DocId),
    ) -> Result<(), Error> {
        for part in self.parts.iter() {
            for segment in part.searcher.segment_readers() {
                let column = |name: &str| segment.fast_fields().u64(name).map_err(engine);
                let (subject, fingerprint) = (column("subject")?, column("fingerprint")?);
                let shown = column("shown_to")?;
                for doc in segment.doc_ids_alive() {
                    let id = TermId::try_from(subject.first(doc).unwrap_or(0)).unwrap_or(0);
                    each(id, part, (&fingerprint, &shown), doc);
                }
            }
        }
        Ok(())
    }

    /// Whether there is no document.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Finds records.
    pub fn find(&self, request: &Request) -> Result<Found, Error> {
        let query = self.query(&request.words);
        let statistics = Statistics(&self.parts);
        let mut hits = Vec::new();
        let mut all: FacetCounts = Default::default();
        for part in self.parts.iter() {
            let collector = Gather {
                request,
                fields: self.fields,
                shown_to: self.shown_to,
                stale: &part.stale,
            };
            let (found, counts) = part
                .searcher
                .search_with_statistics_provider(&*query, &collector, &statistics)
                .map_err(engine)?;
            hits.extend(found);
            add_counts(&mut all, counts);
        }
        let mut found = Found { hits, facets: Vec::new() };
        for (facet, counts) in Facet::ALL.into_iter().zip(all) {
            found.facets.extend(counts.into_iter().map(|(value, count)| (facet, value, count)));
        }
        Ok(found)
    }

    /// Subject and fingerprint of every document.
    pub fn fingerprints(&self) -> Result<Vec<(TermId, u64)>, Error> {
        let mut all = Vec::new();
        self.each_document(|subject, part, columns, doc| {
            if !part.stale.contains(&subject) {
                all.push((subject, columns.0.first(doc).unwrap_or(0)));
            }
        })?;
        Ok(all)
    }

    fn query(&self, words: &Words) -> Box<dyn Query> {
        let mut clauses: Vec<(Occur, Box<dyn Query>)> = Vec::new();
        for word in &words.any {
            let occur = if words.all { Occur::Must } else { Occur::Should };
            clauses.push((occur, self.word(word)));
        }
        for phrase in &words.phrases {
            clauses.push((Occur::Must, self.phrase(phrase)));
        }
        let positive = !clauses.is_empty();
        for word in &words.none {
            clauses.push((Occur::MustNot, self.phrase(word)));
        }
        if !positive {
            clauses.push((Occur::Must, Box::new(AllQuery)));
        }
        Box::new(BooleanQuery::new(clauses))
    }

    /// A word as typed: it may fall apart into several index words, all of
    /// which then count.
    fn word(&self, word: &str) -> Box<dyn Query> {
        let terms = words_of(word);
        let mut clauses: Vec<(Occur, Box<dyn Query>)> = Vec::new();
        for (text, _) in &terms {
            let term = |field| {
                let term = Term::from_field_text(field, text);
                TermQuery::new(term, IndexRecordOption::WithFreqs)
            };
            clauses.push((Occur::Should, Box::new(term(self.fields.body))));
            let title = BoostQuery::new(Box::new(term(self.fields.title)), TITLE_WEIGHT);
            clauses.push((Occur::Should, Box::new(title)));
        }
        if clauses.is_empty() { Box::new(EmptyQuery) } else { Box::new(BooleanQuery::new(clauses)) }
    }

    fn phrase(&self, phrase: &str) -> Box<dyn Query> {
        let terms: Vec<Term> = words_of(phrase)
            .into_iter()
            .map(|(text, _)| Term::from_field_text(self.fields.body, &text))
            .collect();
        match terms.len() {
            0 => Box::new(EmptyQuery),
            1 => self.word(phrase),
            _ => Box::new(PhraseQuery::new(terms)),
        }
    }
}

/// Counts of terms over all parts: a word is as rare as it is in the whole.
struct Statistics<'a>(&'a [Part]);

impl Bm25StatisticsProvider for Statistics<'_> {
    fn total_num_tokens(&self, field: Field) -> tantivy::Result<u64> {
        self.0.iter().map(|part| part.searcher.total_num_tokens(field)).sum()
    }

    fn total_num_docs(&self) -> tantivy::Result<u64> {
        self.0.iter().map(|part| part.searcher.total_num_docs()).sum()
    }

    fn doc_freq(&self, term: &Term) -> tantivy::Result<u64> {
        self.0.iter().map(|part| Bm25StatisticsProvider::doc_freq(&*part.searcher, term)).sum()
    }
}

/// Collects every hit with its facets.
struct Gather<'a> {
    request: &'a Request,
    fields: Fields,
    shown_to: u64,
    stale: &'a Arc<FxHashSet<TermId>>,
}

struct GatherSegment {
    subject: Column<u64>,
    date: Column<u64>,
    shown: Column<u64>,
    shown_to: u64,
    stale: Arc<FxHashSet<TermId>>,
    facets: Vec<Column<u64>>,
    filters: Vec<(Facet, Vec<u64>)>,
    from: u64,
    to: u64,
    hits: Vec<Hit>,
    counts: [FxHashMap<u64, u64>; Facet::ALL.len()],
}

impl Collector for Gather<'_> {
    type Fruit = (Vec<Hit>, FacetCounts);
    type Child = GatherSegment;

    fn for_segment(
        &self,
        _segment: SegmentOrdinal,
        reader: &SegmentReader,
    ) -> tantivy::Result<GatherSegment> {
        let fast = reader.fast_fields();
        let schema = reader.schema();
        let column = |field: Field| fast.u64(schema.get_field_name(field));
        Ok(GatherSegment {
            subject: column(self.fields.subject)?,
            date: column(self.fields.date)?,
            shown: column(self.fields.shown_to)?,
            shown_to: self.shown_to,
            stale: Arc::clone(self.stale),
            facets: self.fields.facets.into_iter().map(column).collect::<Result<_, _>>()?,
            filters: self.request.filters.clone(),
            from: self.request.from.unwrap_or(0),
            to: self.request.to.unwrap_or(u64::MAX),
            hits: Vec::new(),
            counts: Default::default(),
        })
    }

    fn requires_scoring(&self) -> bool {
        true
    }

    fn merge_fruits(&self, fruits: Vec<Self::Fruit>) -> tantivy::Result<Self::Fruit> {
        let mut all: Self::Fruit = Default::default();
        for (hits, counts) in fruits {
            all.0.extend(hits);
            add_counts(&mut all.1, counts);
        }
        Ok(all)
    }
}

fn add_counts(all: &mut FacetCounts, more: FacetCounts) {
    for (into, from) in all.iter_mut().zip(more) {
        for (value, count) in from {
            *into.entry(value).or_default() += count;
        }
    }
}

type FacetCounts = [FxHashMap<u64, u64>; Facet::ALL.len()];

impl SegmentCollector for GatherSegment {
    type Fruit = (Vec<Hit>, FacetCounts);

    fn collect(&mut self, doc: DocId, score: Score) {
        if self.shown_to != 0 && self.shown.first(doc).unwrap_or(0) & self.shown_to == 0 {
            return;
        }
        let subject = TermId::try_from(self.subject.first(doc).unwrap_or(0)).unwrap_or(0);
        if !self.stale.is_empty() && self.stale.contains(&subject) {
            return;
        }
        let date = self.date.first(doc).unwrap_or(0);
        if (self.from > 0 || self.to < u64::MAX)
            && (date == 0 || date < self.from || date > self.to)
        {
            return;
        }
        let mut failed = None;
        for (facet, wanted) in &self.filters {
            let column = &self.facets[*facet as usize];
            if !column.values_for_doc(doc).any(|value| wanted.contains(&value)) {
                if failed.is_some() {
                    return;
                }
                failed = Some(*facet);
            }
        }
        for facet in Facet::ALL {
            if failed.is_none_or(|failed| failed == facet) {
                for value in self.facets[facet as usize].values_for_doc(doc) {
                    *self.counts[facet as usize].entry(value).or_default() += 1;
                }
            }
        }
        if failed.is_none() {
            self.hits.push(Hit { score, date, subject });
        }
    }

    fn harvest(self) -> (Vec<Hit>, FacetCounts) {
        (self.hits, self.counts)
    }
}
