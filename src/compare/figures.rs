//! Numbers and words side by side: figures of case studies and answers to the
//! data-collection tool as distributions, and passages by who said them.
//!
//! Figures are put together only if they count the same (title and unit) and
//! are known in the same way (measured, forecast, claimed); a case study that
//! gives several for the same stays out of it, since none may be averaged. Of
//! an answer the latest of each organisation counts, and questions that ask
//! the same in several versions of the questionnaire are one.

use crate::compare::asked::{Asked, Axis, Source, Unit};
use crate::compare::gather::Gathered;
use crate::compare::statistics::Summary;
use crate::compare::table::visit;
use crate::graph::Snapshot;
use crate::rdf::TermId;
use crate::rdf::vocabulary::{DCTERMS, INSITES};
use std::collections::BTreeMap;

/// Most passages of a role that are read.
const PASSAGES: u32 = 20;
/// Most case studies whose barriers are read.
const BARRIERS: u32 = 400;
/// Most figures or answers that are read.
const MOST: usize = 20_000;
/// Versions of a question that are followed.
const VERSIONS: usize = 20;

/// A row of numbers about the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Numbers {
    /// What is counted or asked.
    pub title: String,
    /// Its unit.
    pub unit: String,
    /// Measured, forecast or claimed (a concept); nothing for answers.
    pub known: Option<TermId>,
    /// The question, if it is one of the data-collection tool.
    pub question: Option<TermId>,
    /// All of it.
    pub summary: Summary,
    /// By group, where the columns have groups.
    pub groups: Vec<(u32, Summary)>,
    /// Records that it is of.
    pub records: Vec<TermId>,
    /// Case studies that give several figures for it and are left out.
    pub disagreeing: usize,
}

/// How often each answer was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The question.
    pub question: TermId,
    /// Options with the number of organisations that chose them.
    pub options: Vec<(TermId, u32)>,
    /// Organisations that answered.
    pub of: u32,
}

/// How many case studies have a figure known in this way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measure {
    /// Measured, forecast or claimed.
    pub known: TermId,
    /// Figures.
    pub figures: u32,
    /// Case studies that have one.
    pub cases: u32,
}

/// Something said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passage {
    /// The record.
    pub record: TermId,
    /// The role of who said it.
    pub role: Option<u32>,
    /// The text.
    pub text: TermId,
}

/// Numbers and words.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    /// Records of each organisation, over all organisations that have one.
    pub records: Summary,
    /// The same by group of the columns.
    pub records_by: Vec<(u32, Summary)>,
    /// Figures and answers in numbers.
    pub numbers: Vec<Numbers>,
    /// Answers that were chosen.
    pub choices: Vec<Choice>,
    /// How the figures are known.
    pub measures: Vec<Measure>,
    /// Case studies.
    pub cases: u32,
    /// Passages, some of each role.
    pub passages: Vec<Passage>,
    /// Passages of each role in all.
    pub roles: Vec<(Option<u32>, u32)>,
    /// What stood in the way of case studies.
    pub barriers: Vec<Passage>,
}

fn small(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

struct Reading<'a> {
    graph: &'a Snapshot,
    gathered: &'a Gathered,
    asked: &'a Asked,
}

impl Reading<'_> {
    /// Places of the records of a source that are asked for, in order.
    fn of(&self, source: Source) -> Vec<usize> {
        let asked = Asked { sources: vec![source], unit: Unit::Records, ..self.asked.clone() };
        let mut places = Vec::new();
        visit(self.gathered, &asked, |item| places.push(item.record));
        places
    }

    fn first(&self, subject: TermId, property: &str) -> Option<TermId> {
        self.graph.objects(subject, property).first().copied()
    }

    fn text(&self, subject: TermId, property: &str) -> String {
        self.first(subject, property).and_then(|id| self.graph.text(id)).unwrap_or_default()
    }

    fn number(&self, value: TermId) -> Option<f64> {
        self.graph.literal(value)?.0.trim().parse().ok().filter(|n: &f64| n.is_finite())
    }

    fn groups(&self, place: usize) -> Vec<u32> {
        let mut groups = Vec::new();
        if !self.asked.columns.is_organisation() {
            self.gathered.values(self.asked.columns, place, None, &mut groups);
        }
        groups
    }
}

/// Groups with their values, summed up.
fn summed(groups: BTreeMap<u32, Vec<f64>>) -> Vec<(u32, Summary)> {
    groups.into_iter().map(|(group, values)| (group, Summary::of(&values))).collect()
}

/// Numbers and words about what is asked for.
#[must_use]
pub fn figures(graph: &Snapshot, gathered: &Gathered, asked: &Asked) -> Figures {
    let reading = Reading { graph, gathered, asked };
    let mut found = Figures::default();
    per_organisation(&reading, &mut found);
    let has = |source| asked.sources.contains(&source);
    if has(Source::CaseStudy) || has(Source::Result) {
        results(&reading, &mut found);
    }
    if has(Source::CaseStudy) {
        let places = reading.of(Source::CaseStudy);
        found.cases = small(places.len());
        (found.barriers, _) = passages(&reading, &places, &format!("{INSITES}barrier"), BARRIERS);
    }
    if has(Source::ToolAnswer) {
        answers(&reading, &mut found);
    }
    if has(Source::Evidence) {
        let places = reading.of(Source::Evidence);
        (found.passages, found.roles) =
            passages(&reading, &places, &format!("{DCTERMS}description"), PASSAGES);
    }
    found
}

/// How many records the organisations have.
fn per_organisation(reading: &Reading<'_>, found: &mut Figures) {
    let asked = Asked { unit: Unit::Organisations, ..reading.asked.clone() };
    let mut counts: BTreeMap<TermId, (f64, usize)> = BTreeMap::new();
    visit(reading.gathered, &asked, |item| {
        if let Some(organisation) = item.organisation {
            counts.entry(organisation).or_insert((0.0, item.record)).0 += 1.0;
        }
    });
    let all: Vec<f64> = counts.values().map(|(count, _)| *count).collect();
    found.records = Summary::of(&all);
    if reading.asked.columns.of_organisation() && !reading.asked.columns.is_organisation() {
        let mut groups: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
        let mut values = Vec::new();
        for (organisation, (count, record)) in &counts {
            let at = Some(*organisation);
            reading.gathered.values(reading.asked.columns, *record, at, &mut values);
            for value in &values {
                groups.entry(*value).or_default().push(*count);
            }
        }
        found.records_by = summed(groups);
    }
}

/// Figures by what they count, how they are known, and of which case.
fn results(reading: &Reading<'_>, found: &mut Figures) {
    // Title, unit and how it is known; figure, its place, its value, its case.
    type Key = (String, String, Option<TermId>);
    type Row = (TermId, usize, f64, Option<TermId>);
    let mut figures: BTreeMap<Key, Vec<Row>> = BTreeMap::new();
    let mut known: BTreeMap<TermId, (u32, Vec<TermId>)> = BTreeMap::new();
    for place in reading.of(Source::Result).into_iter().take(MOST) {
        let id = reading.gathered.records()[place].id;
        let kind = reading.first(id, &format!("{INSITES}resultKind"));
        let case = reading.first(id, &format!("{INSITES}ofCaseStudy"));
        if let Some(kind) = kind {
            let (count, cases) = known.entry(kind).or_default();
            *count += 1;
            cases.extend(case);
        }
        let value = reading.first(id, &format!("{INSITES}value"));
        let Some(value) = value.and_then(|value| reading.number(value)) else { continue };
        let title = reading.text(id, &format!("{DCTERMS}title"));
        let unit = reading.text(id, &format!("{INSITES}unit"));
        figures.entry((title, unit, kind)).or_default().push((id, place, value, case));
    }
    found.measures = known
        .into_iter()
        .map(|(known, (figures, mut cases))| {
            cases.sort_unstable();
            cases.dedup();
            Measure { known, figures, cases: small(cases.len()) }
        })
        .collect();
    for ((title, unit, known), rows) in figures {
        let of_case = |case| rows.iter().filter(|(.., other)| *other == case).count();
        let (alone, several): (Vec<_>, Vec<_>) =
            rows.iter().partition(|(.., case)| case.is_none() || of_case(*case) == 1);
        // One figure is no distribution: it stands on its case study.
        if alone.len() < 2 {
            continue;
        }
        let mut groups: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
        for (_, place, value, _) in &alone {
            for group in reading.groups(*place) {
                groups.entry(group).or_default().push(*value);
            }
        }
        let values: Vec<f64> = alone.iter().map(|(_, _, value, _)| *value).collect();
        let mut disagreeing: Vec<Option<TermId>> = several.iter().map(|(.., case)| *case).collect();
        disagreeing.sort_unstable();
        disagreeing.dedup();
        found.numbers.push(Numbers {
            title,
            unit,
            known,
            question: None,
            summary: Summary::of(&values),
            groups: summed(groups),
            records: alone.iter().map(|(id, ..)| *id).collect(),
            disagreeing: disagreeing.len(),
        });
    }
    found.numbers.sort_by(|a, b| b.summary.n.cmp(&a.summary.n).then(a.title.cmp(&b.title)));
}

/// An answer of an organisation, with the day it was given.
struct Answer {
    date: String,
    record: TermId,
    place: usize,
    values: Vec<TermId>,
}

/// The latest answers to the data-collection tool, by question.
fn answers(reading: &Reading<'_>, found: &mut Figures) {
    let graph = reading.graph;
    let mut latest: BTreeMap<(TermId, TermId), Answer> = BTreeMap::new();
    let mut first: BTreeMap<TermId, TermId> = BTreeMap::new();
    for place in reading.of(Source::ToolAnswer).into_iter().take(MOST) {
        let record = reading.gathered.records()[place].id;
        let Some(organisation) = reading.gathered.organisations(place).first().copied() else {
            continue;
        };
        let date = reading.text(record, &format!("{DCTERMS}date"));
        for part in graph.objects(record, &format!("{DCTERMS}hasPart")) {
            let Some(question) = reading.first(part, &format!("{INSITES}answerTo")) else {
                continue;
            };
            let question = *first.entry(question).or_insert_with(|| original(reading, question));
            let values = graph.objects(part, &format!("{INSITES}answerValue"));
            let key = (question, organisation);
            if latest.get(&key).is_none_or(|known| known.date <= date) {
                latest.insert(key, Answer { date: date.clone(), record, place, values });
            }
        }
    }
    let mut questions: BTreeMap<TermId, Vec<Answer>> = BTreeMap::new();
    for ((question, _), answer) in latest {
        questions.entry(question).or_default().push(answer);
    }
    for (question, answers) in questions {
        let mut values: Vec<f64> = Vec::new();
        let mut groups: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
        let mut options: BTreeMap<TermId, u32> = BTreeMap::new();
        for answer in &answers {
            for value in &answer.values {
                if let Some(number) = reading.number(*value) {
                    values.push(number);
                    for group in reading.groups(answer.place) {
                        groups.entry(group).or_default().push(number);
                    }
                } else if graph.literal(*value).is_none() {
                    *options.entry(*value).or_default() += 1;
                }
            }
        }
        if !values.is_empty() {
            found.numbers.push(Numbers {
                title: crate::search::label(graph, question),
                unit: reading.text(question, &format!("{INSITES}unit")),
                known: None,
                question: Some(question),
                summary: Summary::of(&values),
                groups: summed(groups),
                records: answers.iter().map(|answer| answer.record).collect(),
                disagreeing: 0,
            });
        }
        if !options.is_empty() {
            let mut options: Vec<(TermId, u32)> = options.into_iter().collect();
            options.sort_by_key(|(option, count)| (std::cmp::Reverse(*count), *option));
            found.choices.push(Choice { question, options, of: small(answers.len()) });
        }
    }
}

/// The oldest question that asks the same.
fn original(reading: &Reading<'_>, question: TermId) -> TermId {
    let mut at = question;
    for _ in 0..VERSIONS {
        match reading.first(at, &format!("{INSITES}sameQuestionAs")) {
            Some(older) if older != question => at = older,
            _ => break,
        }
    }
    at
}

/// What records say under a property, at most so many of each role, and how
/// many records each role has.
fn passages(
    reading: &Reading<'_>,
    places: &[usize],
    property: &str,
    most: u32,
) -> (Vec<Passage>, Vec<(Option<u32>, u32)>) {
    let mut found = Vec::new();
    let mut counts: BTreeMap<Option<u32>, u32> = BTreeMap::new();
    for place in places {
        let record = reading.gathered.records()[*place].id;
        let own = reading.gathered.own(Axis::Role, *place);
        let nobody = own.is_empty().then_some(None);
        for role in own.iter().copied().map(Some).chain(nobody) {
            let count = counts.entry(role).or_default();
            *count += 1;
            if *count <= most
                && let Some(text) = reading.first(record, property)
            {
                found.push(Passage { record, role, text });
            }
        }
    }
    (found, counts.into_iter().collect())
}
