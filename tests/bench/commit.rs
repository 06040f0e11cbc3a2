//! What a one-record commit costs, as a ratio to a bare 4 kB write with
//! fdatasync on the same disk in the same run, at several sizes of the graph;
//! when the record is found by its meaning too; and what eight writers gain
//! over one. All as the service runs, with vectors made beside the commits.
//! `cargo bench --bench commit`.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use insites::commit::{Committer, Edit, Rules, Steps, Wanted, Writer, keep_embedding};
use insites::rdf::{GraphName, Literal, NamedNode, Names, Provenance, Quad};
use std::io::{Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

const ROUNDS: u32 = 60;

fn main() {
    let sizes: Vec<usize> = std::env::args().filter_map(|size| size.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![10_000, 100_000, 740_000] } else { sizes };
    println!(
        "triples  bare write   commit  ratio  by meaning  one writer/s  eight writers/s  gain"
    );
    for size in sizes {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))
            .expect("a folder on the disk of the checkout");
        let bare = bare_write(folder.path());
        let mut committer =
            Committer::open(folder.path(), &Names::default(), "bench", &|_| {}).expect("opened");
        fill(&mut committer, size);
        let threads = std::thread::available_parallelism().map_or(1, Into::into);
        keep_embedding(&committer.reader(), threads).expect("threads");
        let before = committer.steps();
        let (commit, by_meaning) = commits(&mut committer);
        let alone = shares(before, committer.steps(), f64::from(ROUNDS));
        let writer = Writer::start(committer).expect("a thread");
        let before = steps(&writer);
        let one = throughput(&writer, 1);
        let between = steps(&writer);
        let eight = throughput(&writer, 8);
        let in_a_row = shares(before, between, one * TIME.as_secs_f64());
        let together = shares(between, steps(&writer), eight * TIME.as_secs_f64());
        println!(
            "{size:7}  {:7.2} ms  {:5.2} ms  {:5.1}  {:7.2} ms  {one:12.0}  {eight:15.0}  {:4.1}",
            bare.as_secs_f64() * 1e3,
            commit.as_secs_f64() * 1e3,
            commit.as_secs_f64() / bare.as_secs_f64(),
            by_meaning.as_secs_f64() * 1e3,
            eight / one
        );
        println!("         ms of each step: alone {alone}");
        println!("         one writer {in_a_row}; eight writers {together}");
    }
}

/// How long writers write.
const TIME: Duration = Duration::from_secs(3);

fn steps(writer: &Writer) -> Steps {
    let (sender, receiver) = std::sync::mpsc::channel();
    writer.alone(move |committer| sender.send(committer.steps()).expect("heard")).expect("room");
    receiver.recv().expect("told")
}

/// What each step took of one of so many commits.
fn shares(before: Steps, after: Steps, commits: f64) -> String {
    let each = |after: Duration, before: Duration| {
        after.saturating_sub(before).as_secs_f64() * 1e3 / commits
    };
    let steps = after.named().into_iter().zip(before.named());
    let steps: Vec<String> = steps
        .map(|((name, after), (_, before))| format!("{name} {:.3}", each(after, before)))
        .collect();
    steps.join(", ")
}

/// The medians of commits of one record each, and of what passes until each is
/// found by its meaning.
fn commits(committer: &mut Committer) -> (Duration, Duration) {
    let (mut commits, mut by_meaning) = (Vec::new(), Vec::new());
    while !committer.reader().snapshot().text.all_embedded() {
        std::thread::sleep(Duration::from_millis(10));
    }
    for round in 0..ROUNDS {
        let mut edit = committer.begin();
        record(&mut edit, &format!("alone-{round}"), true);
        let begun = Instant::now();
        committer.commit(edit, &Provenance::default(), Rules::Refuse).expect("committed");
        commits.push(begun.elapsed());
        let snapshot = committer.reader().snapshot();
        snapshot.text.await_vectors();
        assert!(snapshot.text.all_embedded(), "the vector is there in time");
        by_meaning.push(begun.elapsed());
    }
    (median(commits), median(by_meaning))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn bare_write(folder: &Path) -> Duration {
    let mut file = std::fs::File::create(folder.join("bare")).expect("a file");
    let block = [7_u8; 4096];
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        file.rewind().expect("rewound");
        file.write_all(&block).expect("written");
        file.sync_data().expect("flushed");
        times.push(begun.elapsed());
    }
    median(times)
}

fn node(text: String) -> NamedNode {
    NamedNode::new_unchecked(text)
}

/// A record of twelve quads that conforms to the shapes. One that fills the
/// graph has the text of the others, so that one vector serves them all.
fn record(edit: &mut Edit, slug: &str, own_text: bool) {
    let names = Names::default();
    let subject = node(names.record("lesson", slug));
    let insites = |name: &str| node(format!("https://w3id.org/insites/ontology#{name}"));
    let dct = |name: &str| node(format!("http://purl.org/dc/terms/{name}"));
    let english = |text: &str| Literal::new_language_tagged_literal_unchecked(text, "en");
    let graph = GraphName::from(names.graph("bench"));
    let type_ = node("http://www.w3.org/1999/02/22-rdf-syntax-ns#type".to_owned());
    let mut add = |property: NamedNode, value: oxigraph::model::Term| {
        edit.add(&Quad::new(subject.clone(), property, value, graph.clone()));
    };
    add(type_, insites("Lesson").into());
    let title = if own_text { format!("Lesson {slug}") } else { "Lesson".to_owned() };
    add(dct("title"), english(&title).into());
    add(dct("description"), english("Ask the people who do the work.").into());
    add(insites("status"), insites("Illustrative").into());
    add(insites("attributedTo"), Literal::from("a bench").into());
    add(insites("whyItMatters"), english("They know.").into());
    add(insites("howToApply"), english("Go and see.").into());
    for n in 0..5 {
        let text = format!("note {n} of {slug}");
        let note = if own_text {
            english(&text)
        } else {
            Literal::new_typed_literal(text, insites("Illustrative"))
        };
        add(node("http://www.w3.org/2004/02/skos/core#note".to_owned()), note.into());
    }
}

fn fill(committer: &mut Committer, size: usize) {
    let mut edit = committer.begin();
    for file in insites::ontology::ontology_files() {
        let source = insites::import::Source {
            name: file.path,
            format: insites::rdf::GraphFormat::Turtle,
            base: None,
        };
        let graph = GraphName::from(Names::default().graph("ontology"));
        insites::import::read(&source, file.text.as_bytes(), &graph, &mut edit, &mut |_| {})
            .expect("Turtle");
    }
    let mut number = 0;
    while edit.len() < size {
        record(&mut edit, &format!("filler-{number}"), false);
        number += 1;
    }
    committer.commit(edit, &Provenance::default(), Rules::Off).expect("filled");
}

/// Small changes a second by so many writers.
fn throughput(writer: &Writer, writers: usize) -> f64 {
    let begun = Instant::now();
    let made: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..writers)
            .map(|thread| {
                scope.spawn(move || {
                    let mut made = 0;
                    while begun.elapsed() < TIME {
                        let slug = format!("many-{writers}-{thread}-{made}");
                        let prepare = Box::new(move |edit: &mut Edit| {
                            record(edit, &slug, true);
                            Ok(())
                        });
                        let provenance = Provenance::default();
                        let wanted = Wanted { prepare, provenance, rules: Rules::Refuse };
                        writer.make(wanted).expect("committed");
                        made += 1;
                    }
                    made
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("a writer")).sum()
    });
    f64::from(u32::try_from(made).unwrap_or(u32::MAX)) / begun.elapsed().as_secs_f64()
}
