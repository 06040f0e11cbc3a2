//! A page of search (10 hits with snippets, total, facets) against a bare
//! top-10 of tantivy over the same texts, in one run and one process:
//! `cargo bench --bench search -- DATA SEARCHES`, where DATA is a data folder
//! and SEARCHES a file of searches, one a line (what is before a tab is a
//! name for a group of them). ONLY is a part of the name of what is timed, for
//! profilers.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use insites::commit::{Committer, Documents};
use insites::rdf::Names;
use insites::search::{Mode, Query, search, suggest};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tantivy::collector::TopDocs;
use tantivy::query::QueryParser;
use tantivy::schema::{IndexRecordOption, STORED, Schema, TextFieldIndexing, TextOptions, Value};
use tantivy::snippet::SnippetGenerator;
use tantivy::{Index, TantivyDocument};

const ROUNDS: usize = 3;
/// Where one thing alone is timed.
const MORE_ROUNDS: usize = 20;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let ([data, searches] | [data, searches, _]) = arguments.as_slice() else {
        println!("usage: cargo bench --bench search -- DATA SEARCHES [ONLY]");
        return;
    };
    let only = arguments.get(2).map_or("", String::as_str);
    let names = Names::default();
    let committer =
        Committer::open(data.as_ref(), &names, "bench", &|_| {}).expect("an opened folder");
    let snapshot = committer.reader().snapshot();
    let (embedded, documents) = snapshot.text.coverage();
    println!("{documents} documents, {embedded} with vectors");

    // Bare tantivy: one stemmed field; the title and the text stored, for a list
    // of titles and for one with snippets.
    let mut schema = Schema::builder();
    let indexing = TextFieldIndexing::default()
        .set_tokenizer("en_stem")
        .set_index_option(IndexRecordOption::WithFreqsAndPositions);
    let body = schema
        .add_text_field("body", TextOptions::default().set_indexing_options(indexing).set_stored());
    let title = schema.add_text_field("title", STORED);
    let index = Index::create_in_ram(schema.build());
    let mut writer = index.writer_with_num_threads(1, 200_000_000).expect("a writer");
    let reader = Documents::new(&snapshot.graph, &names);
    for subject in reader.subjects() {
        for document in reader.documents(subject) {
            let mut out = TantivyDocument::new();
            out.add_text(title, &document.title);
            out.add_text(body, &document.body);
            writer.add_document(out).expect("added");
        }
    }
    writer.commit().expect("committed");
    writer.wait_merging_threads().expect("merged");
    let searcher = index.reader().expect("a reader").searcher();
    let parser = QueryParser::for_index(&index, vec![body]);
    let bare = |words: &str, snippets: bool| {
        let (query, _) = parser.parse_query_lenient(words);
        let top = TopDocs::with_limit(10).order_by_score();
        let hits = searcher.search(&query, &top).expect("searched");
        let generator = snippets.then(|| {
            let mut made = SnippetGenerator::create(&searcher, &*query, body).expect("made");
            made.set_max_num_chars(220);
            made
        });
        for (_, address) in hits {
            let found: TantivyDocument = searcher.doc(address).expect("a document");
            assert!(found.get_first(title).and_then(|v| v.as_str()).is_some());
            if let Some(generator) = &generator {
                std::hint::black_box(generator.snippet_from_doc(&found).to_html());
            }
        }
    };
    let page = |words: &str, mode: Mode| {
        let query = Query { text: words.to_owned(), mode, page: 1, limit: 10, ..Query::default() };
        search(snapshot.revision, &snapshot.graph, &snapshot.text, &names, &query)
            .expect("searched");
    };

    let text = std::fs::read_to_string(searches).expect("the searches");
    let mut times: BTreeMap<(&str, &str), Vec<Duration>> = BTreeMap::new();
    let rounds = if only.is_empty() { ROUNDS } else { MORE_ROUNDS };
    for round in 0..=rounds {
        for line in text.lines().filter(|line| !line.is_empty()) {
            let (group, words) = line.split_once('\t').unwrap_or(("", line));
            let mut time = |what: &'static str, work: &dyn Fn()| {
                if !what.starts_with("bare") && !what.contains(only) {
                    return;
                }
                let begun = Instant::now();
                work();
                // The first round warms up.
                if round > 0 {
                    for group in [group, "all"] {
                        times.entry((what, group)).or_default().push(begun.elapsed());
                    }
                }
            };
            time("bare tantivy", &|| bare(words, false));
            time("bare, snippets", &|| bare(words, true));
            time("words page", &|| page(words, Mode::Words));
            if embedded > 0 {
                // A query's vector is kept; each round asks it anew.
                let unseen = format!("{words} {round}");
                time("hybrid page", &|| page(&unseen, Mode::Hybrid));
            }
            time("scan", &|| {
                let vector = insites::index::meaning_of("missed appointments");
                std::hint::black_box(snapshot.text.nearest(&vector, &snapshot.text.visible(), 100));
            });
            let typed: String = words.chars().take(6).collect();
            time("suggestions", &|| {
                suggest(&snapshot.graph, &snapshot.text, &names, &typed).expect("suggested");
            });
        }
    }
    println!("{:14} {:8} {:>8} {:>8} {:>8}", "what", "searches", "p50 ms", "p95 ms", "ratio");
    let medians: BTreeMap<&str, f64> = times
        .iter()
        .filter(|((what, _), _)| *what == "bare tantivy")
        .map(|((_, group), times)| (*group, percentile(times, 50)))
        .collect();
    for ((what, group), times) in &times {
        let (p50, p95) = (percentile(times, 50), percentile(times, 95));
        let ratio = p50 / medians.get(group).copied().unwrap_or(f64::NAN);
        println!("{what:14} {group:8} {p50:8.2} {p95:8.2} {ratio:8.1}");
    }
}

/// Milliseconds.
fn percentile(times: &[Duration], of: usize) -> f64 {
    let mut times = times.to_vec();
    times.sort_unstable();
    times[(times.len() * of / 100).min(times.len() - 1)].as_secs_f64() * 1e3
}
