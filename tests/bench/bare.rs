//! Tantivy alone over the texts of all records, as benchmarks compare with it:
//! stemmed titles and texts, stored; the ten best hits, or a page of them.

use insites::commit::{Documents, Snapshot};
use insites::index::Facet;
use insites::rdf::Names;
use rustc_hash::FxHashMap;
use serde::Serialize;
use tantivy::collector::{Collector, SegmentCollector, TopDocs};
use tantivy::columnar::Column;
use tantivy::query::QueryParser;
use tantivy::schema::Value as _;
use tantivy::schema::{FAST, Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::snippet::SnippetGenerator;
use tantivy::{DocId, Index, Score, Searcher, SegmentOrdinal, SegmentReader, TantivyDocument};

/// An index in memory.
pub(crate) struct Bare {
    searcher: Searcher,
    /// Over the texts alone, and over titles as well.
    parser: QueryParser,
    with_titles: QueryParser,
    body: Field,
    title: Field,
}

/// Themes that a page tells.
const THEMES: usize = 10;

/// What a bare page tells.
#[derive(Serialize)]
pub(crate) struct Page {
    /// Titles and passages of the ten best.
    hits: Vec<(String, String)>,
    /// Hits in all.
    total: u64,
    /// The largest themes, by number, with their hits.
    themes: Vec<(u64, u64)>,
}

impl Bare {
    /// Of all documents of a snapshot.
    pub(crate) fn new(snapshot: &Snapshot, names: &Names) -> Self {
        let mut schema = Schema::builder();
        let indexing = TextFieldIndexing::default()
            .set_tokenizer("en_stem")
            .set_index_option(IndexRecordOption::WithFreqsAndPositions);
        let options = TextOptions::default().set_indexing_options(indexing).set_stored();
        let body = schema.add_text_field("body", options.clone());
        let title = schema.add_text_field("title", options);
        let theme = schema.add_u64_field(THEME, FAST);
        let index = Index::create_in_ram(schema.build());
        let mut writer = index.writer_with_num_threads(1, 200_000_000).expect("a writer");
        let reader = Documents::new(&snapshot.graph, names);
        for document in reader.subjects().into_iter().flat_map(|subject| reader.documents(subject))
        {
            let mut out = TantivyDocument::new();
            out.add_text(title, &document.title);
            out.add_text(body, &document.body);
            for (facet, value) in &document.facets {
                if *facet == Facet::Theme {
                    out.add_u64(theme, *value);
                }
            }
            writer.add_document(out).expect("added");
        }
        writer.commit().expect("committed");
        let parts = index.searchable_segment_ids().expect("segments");
        writer.merge(&parts).wait().expect("merged");
        writer.wait_merging_threads().expect("merged");
        let searcher = index.reader().expect("a reader").searcher();
        let parser = QueryParser::for_index(&index, vec![body]);
        let mut with_titles = QueryParser::for_index(&index, vec![title, body]);
        with_titles.set_field_boost(title, 2.0);
        Self { searcher, parser, with_titles, body, title }
    }

    /// Ten hits with titles and passages, the total and the largest themes, as
    /// one would write it: the best are found in one pass, the rest is counted
    /// in another.
    pub(crate) fn page(&self, words: &str) -> Page {
        let (query, _) = self.with_titles.parse_query_lenient(words);
        let top = TopDocs::with_limit(10).order_by_score();
        let hits = self.searcher.search(&query, &top).expect("searched");
        let (total, counts) = self.searcher.search(&query, &Themes).expect("counted");
        let mut themes: Vec<(u64, u64)> = counts.into_iter().collect();
        themes.sort_unstable_by_key(|(theme, count)| (std::cmp::Reverse(*count), *theme));
        themes.truncate(THEMES);
        let mut made = SnippetGenerator::create(&self.searcher, &*query, self.body).expect("made");
        made.set_max_num_chars(220);
        let read = |(_, address)| {
            let found: TantivyDocument = self.searcher.doc(address).expect("a document");
            let title = found.get_first(self.title).and_then(|value| value.as_str());
            (title.expect("a title").to_owned(), made.snippet_from_doc(&found).to_html())
        };
        Page { hits: hits.into_iter().map(read).collect(), total, themes }
    }

    /// Titles of the ten best, or passages of them.
    pub(crate) fn hits(&self, words: &str, passages: bool) -> Vec<String> {
        let (query, _) = self.parser.parse_query_lenient(words);
        let top = TopDocs::with_limit(10).order_by_score();
        let hits = self.searcher.search(&query, &top).expect("searched");
        let generator = passages.then(|| {
            let mut made =
                SnippetGenerator::create(&self.searcher, &*query, self.body).expect("made");
            made.set_max_num_chars(220);
            made
        });
        let read = |(_, address)| {
            let found: TantivyDocument = self.searcher.doc(address).expect("a document");
            let title = found.get_first(self.title).and_then(|value| value.as_str());
            let title = title.expect("a title").to_owned();
            generator.as_ref().map_or(title, |made| made.snippet_from_doc(&found).to_html())
        };
        hits.into_iter().map(read).collect()
    }
}

/// The field of themes.
const THEME: &str = "theme";

/// Counts hits and their themes.
struct Themes;

/// Counts of one segment.
struct Counts {
    column: Column<u64>,
    total: u64,
    themes: FxHashMap<u64, u64>,
}

impl Collector for Themes {
    type Fruit = (u64, FxHashMap<u64, u64>);
    type Child = Counts;

    fn for_segment(
        &self,
        _: SegmentOrdinal,
        segment: &SegmentReader,
    ) -> tantivy::Result<Self::Child> {
        let column = segment.fast_fields().u64(THEME)?;
        Ok(Counts { column, total: 0, themes: FxHashMap::default() })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(&self, parts: Vec<Self::Fruit>) -> tantivy::Result<Self::Fruit> {
        let mut all = (0, FxHashMap::default());
        for (total, themes) in parts {
            all.0 += total;
            for (theme, count) in themes {
                *all.1.entry(theme).or_default() += count;
            }
        }
        Ok(all)
    }
}

impl SegmentCollector for Counts {
    type Fruit = (u64, FxHashMap<u64, u64>);

    fn collect(&mut self, doc: DocId, _: Score) {
        self.total += 1;
        for theme in self.column.values_for_doc(doc) {
            *self.themes.entry(theme).or_default() += 1;
        }
    }

    fn harvest(self) -> Self::Fruit {
        (self.total, self.themes)
    }
}

/// Of these times, in milliseconds.
pub(crate) fn percentile(times: &[std::time::Duration], of: usize) -> f64 {
    let mut times = times.to_vec();
    times.sort_unstable();
    times[(times.len() * of / 100).min(times.len() - 1)].as_secs_f64() * 1e3
}
