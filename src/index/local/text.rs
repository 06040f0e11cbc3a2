//! tantivy: the only file that knows it (with `words.rs` beside it, which
//! shares its analyser). Documents go in, numbers of records come out.

use crate::index::local::words::{analyser, words_of};
use crate::index::{Document, Error, Facet, Found, Hit, Request, Words, payload, shown_to};
use crate::rdf::Revision;
use crate::rdf::TermId;
use crate::rdf::Visibility;
use rustc_hash::FxHashMap;
use std::path::Path;
use std::sync::Arc;
use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::Column;
use tantivy::query::{
    AllQuery, BooleanQuery, BoostQuery, EmptyQuery, Occur, PhraseQuery, Query, TermQuery,
};
use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::{
    DocId, Index, IndexReader, IndexSettings, IndexWriter, ReloadPolicy, Score, Searcher,
    SegmentOrdinal, SegmentReader, TantivyDocument, Term,
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

/// The index and its only writer.
pub struct TextIndex {
    fields: Fields,
    writer: IndexWriter,
    reader: IndexReader,
    revision: Option<Revision>,
}

/// The index at one revision. Cloning is cheap.
#[derive(Clone)]
pub struct Snapshot {
    fields: Fields,
    searcher: Arc<Searcher>,
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
        Ok(Self { fields, writer, reader, revision })
    }

    /// The revision at which the index stands; `None` if it must be rebuilt.
    #[must_use]
    pub fn revision(&self) -> Option<Revision> {
        self.revision
    }

    /// Forgets everything.
    pub fn clear(&mut self) -> Result<(), Error> {
        self.writer.delete_all_documents().map_err(engine)?;
        self.revision = None;
        Ok(())
    }

    /// Replaces the documents of these subjects and moves to a revision.
    pub fn apply(
        &mut self,
        revision: Revision,
        forget: &[TermId],
        documents: impl Iterator<Item = Document>,
    ) -> Result<(), Error> {
        for subject in forget {
            let term = Term::from_field_u64(self.fields.subject, u64::from(*subject));
            self.writer.delete_term(term);
        }
        for document in documents {
            self.writer.add_document(self.document(&document)).map_err(engine)?;
        }
        let mut commit = self.writer.prepare_commit().map_err(engine)?;
        commit.set_payload(&payload(revision));
        commit.commit().map_err(engine)?;
        self.reader.reload().map_err(engine)?;
        self.revision = Some(revision);
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
        Snapshot { fields: self.fields, searcher: Arc::new(self.reader.searcher()), shown_to: 0 }
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
        if self.shown_to == 0 {
            return self.searcher.num_docs();
        }
        let count = |segment: &SegmentReader| {
            let shown = segment.fast_fields().u64("shown_to").ok()?;
            let alive = segment.doc_ids_alive();
            let shown = alive.filter(|doc| shown.first(*doc).unwrap_or(0) & self.shown_to != 0);
            Some(shown.count() as u64)
        };
        self.searcher.segment_readers().iter().filter_map(count).sum()
    }

    /// Whether there is no document.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Finds records.
    pub fn find(&self, request: &Request) -> Result<Found, Error> {
        let query = self.query(&request.words);
        let collector = Gather { request, fields: self.fields, shown_to: self.shown_to };
        self.searcher.search(&*query, &collector).map_err(engine)
    }

    /// Subject and fingerprint of every document.
    pub fn fingerprints(&self) -> Result<Vec<(TermId, u64)>, Error> {
        let mut all = Vec::new();
        for segment in self.searcher.segment_readers() {
            let subject = segment.fast_fields().u64("subject").map_err(engine)?;
            let fingerprint = segment.fast_fields().u64("fingerprint").map_err(engine)?;
            for doc in segment.doc_ids_alive() {
                let id = TermId::try_from(subject.first(doc).unwrap_or(0)).unwrap_or(0);
                all.push((id, fingerprint.first(doc).unwrap_or(0)));
            }
        }
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

/// Collects every hit with its facets.
struct Gather<'a> {
    request: &'a Request,
    fields: Fields,
    shown_to: u64,
}

struct GatherSegment {
    subject: Column<u64>,
    date: Column<u64>,
    shown: Column<u64>,
    shown_to: u64,
    facets: Vec<Column<u64>>,
    filters: Vec<(Facet, Vec<u64>)>,
    from: u64,
    to: u64,
    hits: Vec<Hit>,
    counts: [FxHashMap<u64, u64>; Facet::ALL.len()],
}

impl Collector for Gather<'_> {
    type Fruit = Found;
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

    fn merge_fruits(&self, fruits: Vec<(Vec<Hit>, FacetCounts)>) -> tantivy::Result<Found> {
        let mut found = Found::default();
        let mut merged: FacetCounts = Default::default();
        for (hits, counts) in fruits {
            found.hits.extend(hits);
            for (into, from) in merged.iter_mut().zip(counts) {
                for (value, count) in from {
                    *into.entry(value).or_default() += count;
                }
            }
        }
        for (facet, counts) in Facet::ALL.into_iter().zip(merged) {
            found.facets.extend(counts.into_iter().map(|(value, count)| (facet, value, count)));
        }
        Ok(found)
    }
}

type FacetCounts = [FxHashMap<u64, u64>; Facet::ALL.len()];

impl SegmentCollector for GatherSegment {
    type Fruit = (Vec<Hit>, FacetCounts);

    fn collect(&mut self, doc: DocId, score: Score) {
        if self.shown_to != 0 && self.shown.first(doc).unwrap_or(0) & self.shown_to == 0 {
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
            let subject = self.subject.first(doc).unwrap_or(0);
            let subject = TermId::try_from(subject).unwrap_or(0);
            self.hits.push(Hit { score, date, subject });
        }
    }

    fn harvest(self) -> (Vec<Hit>, FacetCounts) {
        (self.hits, self.counts)
    }
}
