//! A page of search (10 hits with snippets, total, facets) against bare
//! tantivy over the same texts (ten titles, with snippets, a page with themes), in
//! one run and one process:
//! `cargo bench --bench search -- DATA SEARCHES`, where DATA is a data folder
//! and SEARCHES a file of searches, one a line (what is before a tab is a
//! name for a group of them). ONLY is a part of the name of what is timed, for
//! profilers.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod bare;

use bare::{Bare, percentile};
use insites::commit::Committer;
use insites::rdf::Names;
use insites::search::{Mode, Query, search, suggest};
use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

const ROUNDS: usize = 3;
/// Where one thing alone is timed.
const MORE_ROUNDS: usize = 20;
const WHAT: [&str; 7] = [
    "bare tantivy",
    "bare, snippets",
    "bare page",
    "words page",
    "hybrid page",
    "suggestions",
    "scan",
];

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

    let bare = Bare::new(&snapshot, &names);
    let page = |words: &str, mode: Mode| {
        let query = Query { text: words.to_owned(), mode, page: 1, limit: 10, ..Query::default() };
        search(snapshot.revision, &snapshot.graph, &snapshot.text, &names, &query)
            .expect("searched");
    };

    let text = std::fs::read_to_string(searches).expect("the searches");
    let mut times: BTreeMap<(&str, &str), Vec<Duration>> = BTreeMap::new();
    let rounds = if only.is_empty() { ROUNDS } else { MORE_ROUNDS };
    let asked = WHAT.into_iter().filter(|what| what.starts_with("bare") || what.contains(only));
    let asked: Vec<&str> = asked.filter(|what| *what != "hybrid page" || embedded > 0).collect();
    // In a round each is asked all searches, then the next, as where it runs alone.
    for (round, what) in (0..=rounds).flat_map(|round| asked.iter().map(move |what| (round, *what)))
    {
        for line in text.lines().filter(|line| !line.is_empty()) {
            let (group, words) = line.split_once('\t').unwrap_or(("", line));
            // A query's vector is kept; each round asks it anew.
            let unseen = format!("{words} {round}");
            let typed: String = words.chars().take(6).collect();
            let begun = Instant::now();
            match what {
                "bare tantivy" => drop(black_box(bare.hits(words, false))),
                "bare, snippets" => drop(black_box(bare.hits(words, true))),
                "bare page" => drop(black_box(bare.page(words))),
                "words page" => page(words, Mode::Words),
                "hybrid page" => page(&unseen, Mode::Hybrid),
                "suggestions" => {
                    suggest(&snapshot.graph, &snapshot.text, &names, &typed).expect("suggested");
                }
                _ => {
                    let vector = insites::index::meaning_of("missed appointments");
                    black_box(snapshot.text.nearest(&vector, &snapshot.text.visible(), 100));
                }
            }
            let time = begun.elapsed();
            // The first round warms up.
            if round > 0 {
                for group in [group, "all"] {
                    times.entry((what, group)).or_default().push(time);
                }
            }
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
