//! Tantivy alone over the texts of all records, as benchmarks compare with it:
//! one stemmed field, titles and texts stored, the ten best hits.

use insites::commit::{Documents, Snapshot};
use insites::rdf::Names;
use tantivy::collector::TopDocs;
use tantivy::query::QueryParser;
use tantivy::schema::Value as _;
use tantivy::schema::{Field, IndexRecordOption, STORED, Schema, TextFieldIndexing, TextOptions};
use tantivy::snippet::SnippetGenerator;
use tantivy::{Index, Searcher, TantivyDocument};

/// An index in memory.
pub(crate) struct Bare {
    searcher: Searcher,
    parser: QueryParser,
    body: Field,
    title: Field,
}

impl Bare {
    /// Of all documents of a snapshot.
    pub(crate) fn new(snapshot: &Snapshot, names: &Names) -> Self {
        let mut schema = Schema::builder();
        let indexing = TextFieldIndexing::default()
            .set_tokenizer("en_stem")
            .set_index_option(IndexRecordOption::WithFreqsAndPositions);
        let options = TextOptions::default().set_indexing_options(indexing).set_stored();
        let body = schema.add_text_field("body", options);
        let title = schema.add_text_field("title", STORED);
        let index = Index::create_in_ram(schema.build());
        let mut writer = index.writer_with_num_threads(1, 200_000_000).expect("a writer");
        let reader = Documents::new(&snapshot.graph, names);
        for document in reader.subjects().into_iter().flat_map(|subject| reader.documents(subject))
        {
            let mut out = TantivyDocument::new();
            out.add_text(title, &document.title);
            out.add_text(body, &document.body);
            writer.add_document(out).expect("added");
        }
        writer.commit().expect("committed");
        writer.wait_merging_threads().expect("merged");
        let searcher = index.reader().expect("a reader").searcher();
        Self { searcher, parser: QueryParser::for_index(&index, vec![body]), body, title }
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

/// Of these times, in milliseconds.
pub(crate) fn percentile(times: &[std::time::Duration], of: usize) -> f64 {
    let mut times = times.to_vec();
    times.sort_unstable();
    times[(times.len() * of / 100).min(times.len() - 1)].as_secs_f64() * 1e3
}
