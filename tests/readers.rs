//! Readers beside a writer: every answer is true of the revision that it states.

use crate::support::Service;
use axum::http::StatusCode;
use insites::commit::{Edit, Rules, Wanted};
use insites::rdf::{GraphName, Literal, NamedNode, Provenance, Quad};
use oxigraph::model::Term;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What can hold of a subject, in a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fact {
    Value(u32),
    Link(u32),
    /// It is a lesson, with a title.
    Lesson,
}

/// A graph's number, a subject's, and what holds of it there.
type Held = (u32, u32, Fact);

const SUBJECTS: u32 = 60;
const READERS: usize = 8;
const X: &str = "https://example.org/";
const LESSON: &str = "https://w3id.org/insites/id/lesson/soak-";

fn quads((graph, subject, fact): Held) -> Vec<Quad> {
    let node = |iri: String| NamedNode::new_unchecked(iri);
    let graph = GraphName::from(node(format!("https://w3id.org/insites/graph/soak{graph}")));
    let lesson = |number: u32| node(format!("{LESSON}{number}"));
    let insites = |name: &str| node(format!("https://w3id.org/insites/ontology#{name}"));
    let dct = |name: &str| node(format!("http://purl.org/dc/terms/{name}"));
    let english = |text: String| Literal::new_language_tagged_literal_unchecked(text, "en");
    let type_ = node("http://www.w3.org/1999/02/22-rdf-syntax-ns#type".to_owned());
    let pairs: Vec<(NamedNode, Term)> = match fact {
        Fact::Value(value) => vec![(node(format!("{X}value")), Literal::from(value).into())],
        Fact::Link(to) => vec![(node(format!("{X}link")), lesson(to).into())],
        Fact::Lesson => vec![
            (type_, insites("Lesson").into()),
            (dct("title"), english(format!("soakword {subject}")).into()),
            (dct("description"), english("Ask them.".to_owned()).into()),
            (insites("status"), insites("Illustrative").into()),
        ],
    };
    let quad = |(p, o)| Quad::new(lesson(subject), p, o, graph.clone());
    pairs.into_iter().map(quad).collect()
}

/// Numbers that look like chance.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        u32::try_from((self.0 >> 33) % u64::from(end)).expect("below a u32")
    }
}

const QUERIES: [&str; 8] = [
    "SELECT (COUNT(*) AS ?n) { ?s x:value ?v }",
    "SELECT ?g (COUNT(*) AS ?n) (SUM(?v) AS ?sum) { GRAPH ?g { ?s x:value ?v } } GROUP BY ?g ORDER BY ?g",
    "SELECT (COUNT(*) AS ?n) (SUM(?v) AS ?sum) { ?a x:link ?b . ?b x:value ?v }",
    "SELECT (COUNT(DISTINCT ?x) AS ?n) { lesson:soak-0 x:link+ ?x }",
    "SELECT (COUNT(*) AS ?n) { ?s x:value ?v FILTER NOT EXISTS { ?s x:link ?o } }",
    "SELECT ?s ?v { ?s x:value ?v FILTER(?v >= 50) } ORDER BY DESC(?v) ?s LIMIT 5",
    "SELECT (COUNT(*) AS ?n) { ?s a insites:Lesson FILTER(STRSTARTS(STR(?s), STR(lesson:soak-))) }",
    "SELECT (COUNT(*) AS ?n) { SERVICE insites:search {
       ?hit insites:query \"soakword\" . [] insites:mode \"words\" ; insites:limit 1000 } ?hit x:value ?v }",
];
/// The number of the question that goes to the search instead.
const SEARCH: usize = QUERIES.len();

/// What is to be answered to a question, by a plain look at everything.
fn expected(question: usize, held: &BTreeSet<Held>) -> String {
    let mut values = BTreeSet::new();
    let mut links = BTreeSet::new();
    let mut lessons = BTreeSet::new();
    let mut graphs: BTreeMap<u32, (u32, u32)> = BTreeMap::new();
    for (graph, subject, fact) in held {
        match fact {
            Fact::Value(value) => {
                values.insert((*subject, *value));
                let (count, sum) = graphs.entry(*graph).or_default();
                (*count, *sum) = (*count + 1, *sum + value);
            }
            Fact::Link(to) => {
                links.insert((*subject, *to));
            }
            Fact::Lesson => {
                lessons.insert(*subject);
            }
        }
    }
    let values_of = |subject: u32| values.range((subject, 0)..(subject + 1, 0));
    let has_link = |subject: u32| links.range((subject, 0)..(subject + 1, 0)).next().is_some();
    let count = |count: usize| format!("n\r\n{count}\r\n");
    match question {
        0 => count(values.len()),
        1 => {
            let row = |(graph, (count, sum)): (&u32, &(u32, u32))| {
                format!("https://w3id.org/insites/graph/soak{graph},{count},{sum}\r\n")
            };
            "g,n,sum\r\n".to_owned() + &graphs.iter().map(row).collect::<String>()
        }
        2 => {
            let rows = || links.iter().flat_map(|(_, to)| values_of(*to));
            let sum: u32 = rows().map(|(_, value)| value).sum();
            format!("n,sum\r\n{},{sum}\r\n", rows().count())
        }
        3 => {
            let mut reached = BTreeSet::new();
            let mut next = vec![0];
            while let Some(from) = next.pop() {
                for (_, to) in links.range((from, 0)..(from + 1, 0)) {
                    if reached.insert(*to) {
                        next.push(*to);
                    }
                }
            }
            count(reached.len())
        }
        4 => count(values.iter().filter(|(subject, _)| !has_link(*subject)).count()),
        5 => {
            let mut rows: Vec<_> = values
                .iter()
                .filter(|(_, value)| *value >= 50)
                .map(|(subject, value)| (std::cmp::Reverse(*value), format!("{LESSON}{subject}")))
                .collect();
            rows.sort();
            let rows = rows.iter().take(5).map(|(value, name)| format!("{name},{}\r\n", value.0));
            "s,v\r\n".to_owned() + &rows.collect::<String>()
        }
        6 => count(lessons.len()),
        7 => count(values.iter().filter(|(subject, _)| lessons.contains(subject)).count()),
        _ => lessons.len().to_string(),
    }
}

/// Asks a question: the revision that is stated, and the answer.
async fn ask(service: &Service, question: usize) -> (u64, String) {
    if question == SEARCH {
        let path = "/api/search?q=soakword&mode=words&limit=1";
        let answer = service.get(path, "").await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let body = answer.json();
        return (body["revision"].as_u64().expect("a revision"), body["total"].to_string());
    }
    let text = format!(
        "PREFIX x: <{X}> PREFIX insites: <https://w3id.org/insites/ontology#>
         PREFIX lesson: <https://w3id.org/insites/id/lesson/> {}",
        QUERIES[question]
    );
    let answer = service.query(&text, "text/csv").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert!(answer.complete);
    (answer.header("insites-revision").parse().expect("a revision"), answer.text())
}

/// One change: some facts begin to hold or no longer do, more often one than
/// many.
fn change(dice: &mut Dice, held: &BTreeSet<Held>) -> Vec<Held> {
    let count = if dice.below(8) == 0 { 1 + dice.below(60) } else { 1 + dice.below(3) };
    let mut switched = BTreeSet::new();
    for _ in 0..count {
        let known = u32::try_from(held.len()).expect("few");
        if known > 200 && dice.below(2) == 0 {
            let any = dice.below(known) as usize;
            switched.extend(held.iter().nth(any));
            continue;
        }
        let fact = match dice.below(4) {
            0 => Fact::Lesson,
            1 => Fact::Link(dice.below(SUBJECTS)),
            _ => Fact::Value(dice.below(100)),
        };
        switched.insert((dice.below(3), dice.below(SUBJECTS), fact));
    }
    switched.into_iter().collect()
}

/// Makes changes until it is over, and gives what each revision switched.
fn write(service: &Service, over: &AtomicBool, seed: u64) -> BTreeMap<u64, Vec<Held>> {
    let mut dice = Dice(seed);
    let mut held = BTreeSet::new();
    let mut changes = BTreeMap::new();
    while !over.load(Ordering::Relaxed) {
        let switched = change(&mut dice, &held);
        let (mut added, mut removed) = (Vec::new(), Vec::new());
        for fact in &switched {
            if held.remove(fact) {
                removed.extend(quads(*fact));
            } else {
                held.insert(*fact);
                added.extend(quads(*fact));
            }
        }
        let prepare = Box::new(move |edit: &mut Edit| {
            for quad in &removed {
                edit.remove(quad);
            }
            for quad in &added {
                edit.add(quad);
            }
            Ok(())
        });
        let provenance = Provenance::default();
        let wanted = Wanted { prepare, provenance, rules: Rules::Off };
        let done = service.app.writer.make(wanted).expect("committed");
        changes.insert(done.revision, switched);
    }
    changes
}

/// Eight readers and a writer, for 3 seconds or `INSITES_READERS_SECONDS`.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_answer_is_true_of_the_revision_that_it_states() {
    let seconds = std::env::var("INSITES_READERS_SECONDS").ok().and_then(|n| n.parse().ok());
    let until = Instant::now() + Duration::from_secs(seconds.unwrap_or(3));
    let service = Service::seeded_alone();
    let before = service.app.reader.snapshot().revision;
    let over = Arc::new(AtomicBool::new(false));
    let writer = {
        let (service, over) = (service.clone(), Arc::clone(&over));
        std::thread::spawn(move || write(&service, &over, u64::from(std::process::id())))
    };
    let readers = (0..READERS).map(|reader| {
        let service = service.clone();
        tokio::spawn(async move {
            let mut answers = Vec::new();
            let mut question = reader;
            while Instant::now() < until {
                question = (question + 1) % (SEARCH + 1);
                let (revision, answer) = ask(&service, question).await;
                answers.push((revision, question, answer));
            }
            answers
        })
    });
    let mut answers = Vec::new();
    for reader in readers.collect::<Vec<_>>() {
        answers.extend(reader.await.expect("a reader"));
    }
    over.store(true, Ordering::Relaxed);
    let changes = writer.join().expect("the writer");
    answers.sort();
    answers.dedup();
    let mut held: BTreeSet<Held> = BTreeSet::new();
    let mut changes_made = changes.iter().peekable();
    let mut revisions = BTreeSet::new();
    for (revision, question, answer) in &answers {
        while let Some((_, switched)) = changes_made.next_if(|(at, _)| *at <= revision) {
            for fact in switched {
                if !held.remove(fact) {
                    held.insert(*fact);
                }
            }
        }
        let expected = expected(*question, &held);
        assert_eq!(*answer, expected, "question {question} at revision {revision}");
        revisions.insert(*revision);
    }
    assert!(revisions.len() > 10, "answers of {} revisions since {before}", revisions.len());
    let _ = writeln!(
        std::io::stdout(),
        "{} different answers of {} revisions were true; {} changes were made",
        answers.len(),
        revisions.len(),
        changes.len()
    );
}
