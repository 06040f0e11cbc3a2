//! Questionnaires as forms: one form for each dimension that is asked about.
//! Not for what is answered.

use crate::capture::fields::{Choice, Control, Field, Form, Group, OnlyIf};
use crate::capture::form::{Forms, Records};
use crate::graph::Snapshot;
use crate::rdf::vocabulary::{DCTERMS, INSITES, TYPE};
use crate::rdf::{Literal, NamedNode, Term, TermId};
use crate::search::label;
use oxigraph::model::vocab::xsd;

const SCHEMA: &str = "https://schema.org/";

/// A version of a questionnaire.
#[derive(Debug, Clone)]
pub struct Questionnaire {
    /// Its slug.
    pub slug: String,
    /// Its identifier.
    pub record: String,
    /// Its name.
    pub title: String,
    /// What it asks about, and where it comes from.
    pub description: String,
    /// What to know of it.
    pub note: String,
    /// Its version, as it is told to people.
    pub version: String,
    /// The version that it takes the place of: its identifier.
    pub replaces: Option<String>,
    /// What it asks, by dimension.
    pub parts: Vec<Part>,
}

/// The questions about one dimension.
#[derive(Debug, Clone)]
pub struct Part {
    /// The dimension's slug.
    pub slug: String,
    /// The dimension's identifier.
    pub dimension: String,
    /// The questions.
    pub form: Form,
}

struct Reading<'a> {
    graph: &'a Snapshot,
}

impl Reading<'_> {
    fn objects(&self, subject: TermId, property: &str) -> Vec<TermId> {
        self.graph.objects(subject, property)
    }

    fn texts(&self, subject: TermId, property: &str) -> Vec<String> {
        let found = self.objects(subject, property);
        found.into_iter().filter_map(|id| self.graph.text(id)).collect()
    }

    fn text(&self, subject: TermId, property: &str) -> String {
        self.texts(subject, property).into_iter().next().unwrap_or_default()
    }

    fn insites(&self, subject: TermId, name: &str) -> String {
        self.text(subject, &format!("{INSITES}{name}"))
    }

    fn position(&self, subject: TermId) -> u32 {
        self.text(subject, &format!("{SCHEMA}position")).parse().unwrap_or(u32::MAX)
    }
}

fn fragment(iri: &str) -> String {
    iri.rsplit(['#', '/']).next().unwrap_or_default().to_owned()
}

/// The questionnaires that a site can answer by form, the newest version
/// first: slugs and titles. Those that others replace come after them.
#[must_use]
pub fn questionnaires(records: &Records<'_>) -> Vec<(String, String)> {
    let mut found: Vec<Questionnaire> = records
        .instances(&format!("{INSITES}Questionnaire"))
        .iter()
        .filter_map(|choice| questionnaire(&choice.value, records))
        .collect();
    let replaced: Vec<String> = found.iter().filter_map(|one| one.replaces.clone()).collect();
    found.sort_by_key(|one| (replaced.contains(&one.record), one.title.clone()));
    found.into_iter().map(|one| (one.slug, one.title)).collect()
}

/// A questionnaire with the kinds of its questions; `None` if there is none, or
/// if it does not say of what kind they are.
#[must_use]
pub fn questionnaire(slug: &str, records: &Records<'_>) -> Option<Questionnaire> {
    let graph = records.graph;
    let reading = Reading { graph };
    let record = records.names.record("questionnaire", slug);
    let id = graph.iri_id(&record)?;
    let class = graph.iri_id(&format!("{INSITES}Questionnaire"))?;
    if !graph.objects(id, TYPE).contains(&class) {
        return None;
    }
    let mut questions = reading.objects(id, &format!("{DCTERMS}hasPart"));
    questions.sort_by_key(|question| reading.position(*question));
    let about = about(records);
    let mut parts: Vec<Part> = Vec::new();
    for question in questions.iter().copied() {
        let dimension = reading.insites(question, "dimension");
        let Some(field) = field(&reading, question, &questions, records) else { continue };
        if let Some(part) = parts.iter_mut().find(|part| part.dimension == dimension) {
            part.form.groups.first_mut()?.fields.push(field);
            continue;
        }
        let dimension_id = graph.iri_id(&dimension)?;
        let heading = label(graph, dimension_id);
        let questions = Group {
            slug: "questions".to_owned(),
            heading: heading.clone(),
            lead: reading.text(dimension_id, "http://www.w3.org/2004/02/skos/core#definition"),
            fields: vec![field],
            repeat: None,
        };
        let form = Form {
            kind: "tool-answer".to_owned(),
            class: NamedNode::new_unchecked(format!("{INSITES}ToolAnswer")),
            title: heading,
            groups: vec![questions, about.clone()],
        };
        parts.push(Part { slug: fragment(&dimension), dimension, form });
    }
    (!parts.is_empty()).then(|| Questionnaire {
        slug: slug.to_owned(),
        title: label(graph, id),
        description: reading.text(id, &format!("{DCTERMS}description")),
        note: reading.text(id, "http://www.w3.org/2004/02/skos/core#note"),
        version: reading.text(id, &format!("{SCHEMA}version")),
        replaces: reading.texts(id, &format!("{DCTERMS}replaces")).into_iter().next(),
        record,
        parts,
    })
}

/// Who answered and when, from the shape of answers.
fn about(records: &Records<'_>) -> Group {
    let form = Forms::built_in().form("ToolAnswer", "tool-answer", "", records);
    let fields = form.groups.into_iter().flat_map(|group| group.fields);
    Group {
        slug: "about".to_owned(),
        heading: "About these answers".to_owned(),
        lead: String::new(),
        fields: fields
            .filter(|field| matches!(field.name.as_str(), "with-role" | "date"))
            .map(|field| Field {
                required: field.name == "date",
                control: if field.name == "date" {
                    Control::Date { partial: false }
                } else {
                    field.control.clone()
                },
                ..field
            })
            .collect(),
        repeat: None,
    }
}

fn options(reading: &Reading<'_>, question: TermId, records: &Records<'_>) -> Vec<Choice> {
    let mut options = reading.objects(question, &format!("{INSITES}option"));
    options.sort_by_key(|option| reading.position(*option));
    options
        .into_iter()
        .filter_map(|option| Some(records.choice_of(&reading.graph.term(option)?)))
        .collect()
}

fn field(
    reading: &Reading<'_>,
    question: TermId,
    questions: &[TermId],
    records: &Records<'_>,
) -> Option<Field> {
    let Term::NamedNode(path) = reading.graph.term(question)? else { return None };
    let kind = fragment(&reading.insites(question, "questionKind"));
    let control = match kind.as_str() {
        "text" => Control::Text,
        "number" => Control::Number { whole: false },
        "date" => Control::Date { partial: false },
        "choice" => Control::Choice(options(reading, question, records)),
        "scale" => Control::Scale(steps(reading, question)),
        "record" => {
            let class = NamedNode::new(reading.insites(question, "recordClass")).ok()?;
            Control::Record { options: records.offered(class.as_str()), class }
        }
        _ => return None,
    };
    Some(Field {
        name: fragment(path.as_str()),
        label: label(reading.graph, question),
        help: reading.text(question, &format!("{DCTERMS}description")),
        required: reading.insites(question, "mustAnswer") == "true",
        multiple: reading.insites(question, "severalAnswers") == "true",
        control,
        path,
        question: true,
        only_if: only_if(reading, question, questions),
        unit: reading.insites(question, "unit"),
    })
}

/// The steps of a scale, with what its ends mean.
fn steps(reading: &Reading<'_>, question: TermId) -> Vec<Choice> {
    let end = |name: &str| reading.text(question, &format!("{SCHEMA}{name}")).parse::<i64>();
    let (low, high) = (end("minValue").unwrap_or(1), end("maxValue").unwrap_or(5));
    let high = high.clamp(low, low + 10);
    (low..=high)
        .map(|step| {
            let meaning = match step {
                step if step == low => reading.insites(question, "lowEnd"),
                step if step == high => reading.insites(question, "highEnd"),
                _ => String::new(),
            };
            let value = step.to_string();
            let text =
                if meaning.is_empty() { value.clone() } else { format!("{value} – {meaning}") };
            let term = Literal::new_typed_literal(&value, xsd::INTEGER).into();
            Choice { value, term, text, help: String::new() }
        })
        .collect()
}

/// The condition of a question: the options of another one that lead to it.
fn only_if(reading: &Reading<'_>, question: TermId, questions: &[TermId]) -> Option<OnlyIf> {
    let wanted = reading.objects(question, &format!("{INSITES}shownWhen"));
    let other = questions.iter().copied().find(|other| {
        reading.objects(*other, &format!("{INSITES}option")).iter().any(|one| wanted.contains(one))
    })?;
    let labels: Vec<String> =
        wanted.iter().map(|option| format!("“{}”", label(reading.graph, *option))).collect();
    let values = wanted.iter().filter_map(|option| reading.graph.text(*option));
    Some(OnlyIf {
        field: fragment(&reading.graph.text(other)?),
        values: values.map(|iri| fragment(&iri)).collect(),
        text: format!(
            "if you answered {} to “{}”",
            labels.join(" or "),
            label(reading.graph, other)
        ),
    })
}
