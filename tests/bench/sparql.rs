//! SPARQL queries by the vectorised executor against the evaluator behind it,
//! on the same snapshot, in one run and one process, answers as TSV:
//! `cargo bench --bench sparql -- DATA QUERIES [ROUNDS [alone]]`, where DATA is a
//! data folder and QUERIES a folder of `.rq` files; `alone` leaves the evaluator
//! out, which empties the caches between two answers of the executor.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use insites::commit::Committer;
use insites::graph::{Budget, Format, QueryForm, ReadQuery, Scope, coverage};
use insites::rdf::{GraphFormat, Names, SolutionsFormat};
use std::path::PathBuf;
use std::time::{Duration, Instant};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let [data, queries, rest @ ..] = arguments.as_slice() else {
        println!("usage: cargo bench --bench sparql -- DATA QUERIES [ROUNDS [alone]]");
        return;
    };
    let rounds: usize = rest.first().map_or(5, |rounds| rounds.parse().expect("a number"));
    let alone = rest.get(1).is_some_and(|word| word == "alone");
    let (data, queries) = (data.clone(), PathBuf::from(queries));
    // Parser and evaluator recurse with the nesting of a query.
    let run = move || measure(&data, &queries, rounds, alone);
    std::thread::Builder::new()
        .stack_size(256 << 20)
        .spawn(run)
        .expect("a thread")
        .join()
        .expect("measured");
}

fn measure(data: &str, queries: &std::path::Path, rounds: usize, alone: bool) {
    let committer = Committer::open(data.as_ref(), &Names::default(), "bench", &|_| {})
        .expect("an opened folder");
    let snapshot = committer.reader().snapshot();
    let graph = &snapshot.graph;
    println!("{} quads", graph.len());
    let begun = Instant::now();
    let count = ReadQuery::parse("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", None).expect("a query");
    let budget = || Budget::new(Duration::from_secs(600), 4 << 30);
    let scope = Scope::default();
    let tsv = Format::Solutions(SolutionsFormat::Tsv);
    graph.write_answer(&count, &scope, tsv, &budget(), &mut Vec::new()).expect("an answer");
    println!("columns made in {:.0} ms", begun.elapsed().as_secs_f64() * 1e3);
    let thousands = |n: usize| f64::from(u32::try_from(n / 1000).expect("fewer than 4 TB"));
    let memory = |bytes: usize| thousands(bytes) / thousands(graph.len().max(1000));
    println!(
        "bytes a quad: {:.1} for quads, {:.1} for terms",
        memory(graph.quads().memory()),
        memory(graph.dictionary().memory())
    );
    let mut files: Vec<PathBuf> = std::fs::read_dir(queries)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    println!("{:36} {:>10} {:>10} {:>8} {:>8}", "query", "engine ms", "evaluator", "ratio", "rows");
    let (mut sums, mut measured) = ([0.0; 2], 0.0);
    for file in files.iter().filter(|file| file.extension().is_some_and(|e| e == "rq")) {
        let text = std::fs::read_to_string(file).expect("readable");
        let parse = || ReadQuery::parse(&text, None).expect("a query");
        let query = parse();
        let format = match query.form() {
            QueryForm::Select | QueryForm::Ask => match query.form() {
                QueryForm::Ask => Format::Solutions(SolutionsFormat::Json),
                _ => tsv,
            },
            QueryForm::Construct | QueryForm::Describe => Format::Graph(GraphFormat::NTriples),
        };
        let before = coverage().evaluator;
        let mut times = [Vec::new(), Vec::new()];
        let mut rows = [0, 0];
        for round in 0..=rounds {
            for way in [round % 2, 1 - round % 2] {
                if alone && way == 1 {
                    continue;
                }
                let begun = Instant::now();
                let query = parse();
                let mut out = Vec::new();
                let answered = if way == 0 {
                    graph.write_answer(&query, &scope, format, &budget(), &mut out)
                } else {
                    graph.write_answer_by_evaluator(&query, &scope, format, &budget(), &mut out)
                };
                rows[way] = answered.expect("an answer");
                if round > 0 {
                    times[way].push(begun.elapsed().as_secs_f64() * 1e3);
                }
            }
        }
        let [engine, evaluator] = times.map(|mut times| {
            times.sort_by(f64::total_cmp);
            times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
        });
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        let note = match (coverage().evaluator > before, alone || rows[0] == rows[1]) {
            (true, _) => "not covered",
            (false, true) => "",
            (false, false) => "ROWS DIFFER",
        };
        println!(
            "{name:36} {engine:10.3} {evaluator:10.3} {:8.1} {:8} {note}",
            evaluator / engine,
            rows[0]
        );
        for (sum, time) in sums.iter_mut().zip([engine, evaluator]) {
            *sum += time.ln();
        }
        measured += 1.0;
    }
    let [engine, evaluator] = sums.map(|sum: f64| (sum / measured).exp());
    println!(
        "geometric mean {engine:.3} ms against {evaluator:.3} ms: {:.1} times faster",
        evaluator / engine
    );
}
