//! How good search is: scores the running configuration on judged questions,
//! those of the seed or a test collection in a folder of its own. Not for
//! choosing parameters: that is done once, on `NFCorpus` dev, and written down.

use crate::app::seed;
use crate::commit::{Committer, Rules, keep_embedding};
use crate::config::Config;
use crate::ontology::judgements;
use crate::rdf::vocabulary::{DCTERMS, INSITES, TYPE};
use crate::rdf::{GraphName, Literal, NamedNode, Names, Provenance, Quad};
use crate::search::{Mode, Query, search};
use anyhow::Context;
use serde::Deserialize;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::time::{Duration, Instant};

/// Results looked at for a question.
const DEPTH: usize = 100;
/// The grade from which a result answers a question of the seed's judgements.
const ANSWERS: u32 = 2;

/// Figures over all questions.
#[derive(Debug, Clone, Copy, Default, serde::Serialize)]
pub struct Scores {
    /// Questions with a relevant record.
    pub questions: usize,
    /// Normalised discounted cumulative gain of the first ten (linear gain,
    /// log2 discount, as `trec_eval`).
    pub ndcg_10: f64,
    /// Share of the relevant records among the first hundred.
    pub recall_100: f64,
    /// Mean of one over the place of the first relevant record, up to ten.
    pub mrr_10: f64,
    /// Share of questions with a good answer among the first three.
    pub success_3: f64,
    /// Milliseconds of a question: median, and 95th percentile.
    pub p50_ms: f64,
    /// See [`Self::p50_ms`].
    pub p95_ms: f64,
}

/// A question with its relevant records and their grades.
struct Question {
    text: String,
    relevant: HashMap<String, u32>,
}

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "_id")]
    id: String,
    #[serde(default)]
    title: String,
    text: String,
}

/// Scores the seed's judged questions.
pub fn seed_questions(
    config: &Config,
    mode: Mode,
    progress: &dyn Fn(&str),
) -> anyhow::Result<Scores> {
    let folder = Scratch::new()?;
    let names = Names::default();
    let mut committer = Committer::open(&folder.0, &names, "evaluating", progress)?;
    seed(&mut committer, progress)?;
    embed(&committer, config, progress)?;
    let mut questions: Vec<(String, Question)> = Vec::new();
    for line in judgements().lines().skip(1).filter(|line| !line.is_empty()) {
        let fields = fields(line);
        let [id, text, _, target, kind, grade] = fields.as_slice() else {
            anyhow::bail!("search-judgements.csv: {line:?} has not six fields");
        };
        let grade = grade.parse().with_context(|| format!("the grade of {line:?}"))?;
        if questions.last().is_none_or(|(last, _)| last != id) {
            let question = Question { text: text.clone(), relevant: HashMap::new() };
            questions.push((id.clone(), question));
        }
        if let Some((_, question)) = questions.last_mut() {
            question.relevant.insert(names.record(kind, target), grade);
        }
    }
    let questions: Vec<Question> = questions.into_iter().map(|(_, question)| question).collect();
    ask(&committer, &names, &questions, mode, ANSWERS)
}

/// Scores a collection: a folder with `corpus.jsonl` (or `.gz`),
/// `queries.jsonl` and `qrels.tsv`.
pub fn collection(
    config: &Config,
    folder: &Path,
    mode: Mode,
    progress: &dyn Fn(&str),
) -> anyhow::Result<Scores> {
    let scratch = Scratch::new()?;
    let names = Names::default();
    let mut committer = Committer::open(&scratch.0, &names, "evaluating", progress)?;
    let mut edit = committer.begin();
    let iri = |text: String| NamedNode::new_unchecked(text);
    let id = |id: &str| {
        let id = percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC);
        format!("{}id/lesson/{id}", Names::DEFAULT_BASE)
    };
    let (lesson, type_) = (iri(format!("{INSITES}Lesson")), iri(TYPE.to_owned()));
    for line in lines(folder, "corpus.jsonl")? {
        let line: Line = serde_json::from_str(&line?).context("corpus.jsonl")?;
        let subject = iri(id(&line.id));
        let mut add = |property: NamedNode, object: crate::rdf::Term| {
            edit.add(&Quad::new(subject.clone(), property, object, GraphName::DefaultGraph));
        };
        add(type_.clone(), lesson.clone().into());
        for (name, text) in [("title", line.title), ("description", line.text)] {
            if !text.is_empty() {
                add(iri(format!("{DCTERMS}{name}")), Literal::new_simple_literal(text).into());
            }
        }
    }
    committer.commit(edit, &Provenance::default(), Rules::Off)?;
    embed(&committer, config, progress)?;
    let mut relevant: HashMap<String, HashMap<String, u32>> = HashMap::new();
    for line in lines(folder, "qrels.tsv")? {
        let line = line?;
        let mut parts = line.split('\t');
        if let (Some(query), Some(document), Some(grade)) =
            (parts.next(), parts.next(), parts.next())
            && let Ok(grade) = grade.trim().parse::<u32>()
            && grade > 0
        {
            relevant.entry(query.to_owned()).or_default().insert(id(document), grade);
        }
    }
    let mut questions = Vec::new();
    for line in lines(folder, "queries.jsonl")? {
        let line: Line = serde_json::from_str(&line?).context("queries.jsonl")?;
        if let Some(relevant) = relevant.remove(&line.id) {
            questions.push(Question { text: line.text, relevant });
        }
    }
    ask(&committer, &names, &questions, mode, 1)
}

/// The lines of a file of a collection, compressed or not.
fn lines(
    folder: &Path,
    name: &str,
) -> anyhow::Result<impl Iterator<Item = std::io::Result<String>> + use<>> {
    let plain = folder.join(name);
    let packed = folder.join(format!("{name}.gz"));
    let open = |path: &Path| {
        std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))
    };
    let reader: Box<dyn Read> = if packed.exists() && !plain.exists() {
        Box::new(flate2::read::GzDecoder::new(open(&packed)?))
    } else {
        Box::new(open(&plain)?)
    };
    Ok(BufReader::new(reader).lines())
}

/// Waits until every document has its vector.
fn embed(committer: &Committer, config: &Config, progress: &dyn Fn(&str)) -> anyhow::Result<()> {
    if config.embedding_threads == 0 {
        return Ok(());
    }
    let reader = committer.reader();
    keep_embedding(&reader, config.embedding_threads)?;
    let mut told = Instant::now();
    loop {
        let (embedded, documents) = reader.snapshot().text.coverage();
        if embedded == documents {
            progress(&format!("{documents} documents have their vectors"));
            return Ok(());
        }
        if told.elapsed() > Duration::from_secs(5) {
            progress(&format!("making vectors: {embedded} of {documents} documents"));
            told = Instant::now();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn ask(
    committer: &Committer,
    names: &Names,
    questions: &[Question],
    mode: Mode,
    answers: u32,
) -> anyhow::Result<Scores> {
    let snapshot = committer.reader().snapshot();
    let mut sums = Scores::default();
    let mut times = Vec::new();
    for question in questions {
        let query =
            Query { text: question.text.clone(), mode, page: 1, limit: DEPTH, ..Query::default() };
        let begun = Instant::now();
        let answer = search(snapshot.revision, &snapshot.graph, &snapshot.text, names, &query)?;
        times.push(begun.elapsed());
        let grades: Vec<u32> = answer
            .hits
            .iter()
            .map(|hit| question.relevant.get(&hit.id).copied().unwrap_or(0))
            .collect();
        sums.ndcg_10 += ndcg(&grades, &question.relevant);
        let found = grades.iter().filter(|grade| **grade > 0).count();
        sums.recall_100 += share(found, question.relevant.len());
        if let Some(place) = grades.iter().take(10).position(|grade| *grade > 0) {
            sums.mrr_10 += share(1, place + 1);
        }
        let good = grades.iter().take(3).any(|grade| *grade >= answers);
        sums.success_3 += f64::from(u8::from(good));
    }
    let count = share(questions.len(), 1).max(1.0);
    times.sort_unstable();
    let percentile = |of: usize| {
        let at = (times.len() * of / 100).min(times.len().saturating_sub(1));
        times.get(at).map_or(0.0, |time| time.as_secs_f64() * 1e3)
    };
    Ok(Scores {
        questions: questions.len(),
        ndcg_10: sums.ndcg_10 / count,
        recall_100: sums.recall_100 / count,
        mrr_10: sums.mrr_10 / count,
        success_3: sums.success_3 / count,
        p50_ms: percentile(50),
        p95_ms: percentile(95),
    })
}

fn share(part: usize, whole: usize) -> f64 {
    let number = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    number(part) / number(whole.max(1))
}

fn ndcg(grades: &[u32], relevant: &HashMap<String, u32>) -> f64 {
    let gain = |grades: &mut dyn Iterator<Item = u32>| -> f64 {
        let discounted = grades.take(10).enumerate().map(|(place, grade)| {
            let place = share(place + 2, 1);
            f64::from(grade) / place.log2()
        });
        discounted.sum()
    };
    let mut best: Vec<u32> = relevant.values().copied().collect();
    best.sort_unstable_by(|a, b| b.cmp(a));
    let ideal = gain(&mut best.into_iter());
    if ideal > 0.0 { gain(&mut grades.iter().copied()) / ideal } else { 0.0 }
}

/// The fields of a line of CSV (RFC 4180).
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut letters = line.trim_end_matches('\r').chars().peekable();
    while let Some(letter) = letters.next() {
        let last = fields.len() - 1;
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                fields[last].push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            other => fields[last].push(other),
        }
    }
    fields
}

/// A folder that is gone when this is.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn new() -> anyhow::Result<Self> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|e| anyhow::anyhow!("no random number: {e}"))?;
        let name = format!("insites-eval-{:016x}", u64::from_le_bytes(random));
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir(&folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays behind lies in the system's folder for such things.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gains_are_those_of_trec_eval() {
        let relevant: HashMap<String, u32> =
            [("a", 3), ("b", 2), ("c", 1)].map(|(id, grade)| (id.to_owned(), grade)).into();
        assert!((ndcg(&[3, 2, 1], &relevant) - 1.0).abs() < 1e-12);
        let expected = 2.0 / 3_f64.log2() / (3.0 + 2.0 / 3_f64.log2() + 0.5);
        assert!((ndcg(&[0, 2, 0], &relevant) - expected).abs() < 1e-12);
        assert!(ndcg(&[], &relevant).abs() < 1e-12);
    }

    #[test]
    fn fields_of_csv_may_be_quoted() {
        assert_eq!(fields("a,\"b, \"\"c\"\"\",\r"), ["a", "b, \"c\"", ""]);
    }
}
