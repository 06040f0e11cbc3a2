//! From what is typed to quads and back, with what is wrong by field. A draft
//! keeps also what cannot be read yet, as plain text, so that nothing typed is
//! lost; such text is a fault when the draft is handed in.

use crate::capture::fields::{Choice, Control, Field, Form, Group};
use crate::capture::form::{Records, title_property};
use crate::rdf::vocabulary::{DCTERMS, INSITES, TYPE};
use crate::rdf::{Literal, NamedNode, NamedOrBlankNode, Term, Triple};
use crate::shapes::Report;
use oxigraph::model::vocab::xsd;
use std::collections::BTreeMap;

/// Longest text of one answer (characters).
const LONGEST: usize = 20_000;
/// Parts of a repeated group in one record.
const MOST_PARTS: usize = 50;

/// What stands in a form: texts by the names of fields, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Values(BTreeMap<String, Vec<String>>);

/// Something wrong in a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The name of the field; empty if it is about the whole.
    pub field: String,
    /// What to do.
    pub message: String,
    /// What may be meant.
    pub meant: Vec<Choice>,
    /// Whether nothing is wrong but that an answer is missing yet.
    pub missing: bool,
}

impl Fault {
    /// A fault of a field.
    #[must_use]
    pub fn new(field: &str, message: impl Into<String>) -> Self {
        Self { field: field.to_owned(), message: message.into(), meant: Vec::new(), missing: false }
    }
}

impl Values {
    /// What was posted. Names that the form does not know stay unread.
    #[must_use]
    pub fn of_pairs(pairs: &[(String, String)]) -> Self {
        let mut values = Self::default();
        for (name, text) in pairs {
            values.add(name, text);
        }
        values
    }

    /// Adds a text to a field; nothing if the text is blank.
    pub fn add(&mut self, name: &str, text: &str) {
        let text = text.replace("\r\n", "\n");
        let text = text.trim();
        if !text.is_empty() {
            self.0.entry(name.to_owned()).or_default().push(text.to_owned());
        }
    }

    /// The texts of a field.
    #[must_use]
    pub fn all(&self, name: &str) -> &[String] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// The first text of a field; empty if it has none.
    #[must_use]
    pub fn first(&self, name: &str) -> &str {
        self.all(name).first().map_or("", String::as_str)
    }

    /// Takes the texts of a field away.
    pub fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// Whether nothing was answered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names of fields with their texts.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0.iter().map(|(name, texts)| (name.as_str(), texts.as_slice()))
    }

    /// The numbers of the parts of a repeated group that have an answer.
    #[must_use]
    pub fn parts(&self, group: &Group) -> Vec<usize> {
        let prefix = format!("{}-", group.slug);
        let mut numbers: Vec<usize> = self
            .0
            .keys()
            .filter_map(|name| name.strip_prefix(&prefix)?.split_once('-')?.0.parse().ok())
            .filter(|number| (1..=MOST_PARTS).contains(number))
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }
}

/// A text as a value of a field.
fn term(field: &Field, text: &str, records: &Records<'_>) -> Result<Term, (String, Vec<Choice>)> {
    let wrong = |message: &str| Err((message.to_owned(), Vec::new()));
    if text.chars().count() > LONGEST {
        return wrong(&format!("has more than {LONGEST} characters: shorten it"));
    }
    let typed = |datatype| Ok(Literal::new_typed_literal(text, datatype).into());
    match &field.control {
        Control::Line if is_plain(field) => Ok(Literal::from(text).into()),
        Control::Line | Control::Text => {
            Ok(Literal::new_language_tagged_literal_unchecked(text, "en").into())
        }
        Control::Number { whole } => {
            let plain = number(text);
            match plain {
                Some(plain) if !plain.contains('.') => {
                    Ok(Literal::new_typed_literal(plain, xsd::INTEGER).into())
                }
                Some(plain) if !whole => Ok(Literal::new_typed_literal(plain, xsd::DECIMAL).into()),
                Some(_) => wrong("must be a whole number"),
                None => wrong("must be a number, like 12 or 12.5"),
            }
        }
        Control::NumberOrText => Ok(match number(text) {
            Some(plain) if plain.contains('.') => {
                Literal::new_typed_literal(plain, xsd::DECIMAL).into()
            }
            Some(plain) => Literal::new_typed_literal(plain, xsd::INTEGER).into(),
            None => Literal::from(text).into(),
        }),
        Control::Date { partial } => match (date_length(text), partial) {
            (Some(10), _) => typed(xsd::DATE),
            (Some(7), true) => typed(xsd::G_YEAR_MONTH),
            (Some(4), true) => typed(xsd::G_YEAR),
            (_, true) => {
                wrong("must be a day, a month or a year, like 2026-03-27, 2026-03 or 2026")
            }
            (_, false) => wrong("must be a day like 2026-03-27"),
        },
        Control::Choice(choices) | Control::Scale(choices) => chosen(choices, text)
            .map(|one| one.term.clone())
            .ok_or_else(|| ("must be one of the answers offered".to_owned(), choices.clone())),
        Control::Record { class, options } => {
            if let Some(option) = options.iter().find(|option| option.text == text) {
                return Ok(option.term.clone());
            }
            records.find(class.as_str(), text).map(Term::from).map_err(|near| {
                (format!("“{text}” is no record that is known here: choose one by its name"), near)
            })
        }
        Control::Address => NamedNode::new(text)
            .ok()
            .filter(|_| text.starts_with("https://") || text.starts_with("http://"))
            .map(Term::from)
            .ok_or_else(|| ("must be an address that begins with https://".to_owned(), Vec::new())),
    }
}

/// What a text chooses, by its value or by its name.
fn chosen<'a>(choices: &'a [Choice], text: &str) -> Option<&'a Choice> {
    let lower = text.to_lowercase();
    choices.iter().find(|one| one.value == text || one.text.to_lowercase() == lower)
}

/// Properties whose texts have no language.
fn is_plain(field: &Field) -> bool {
    ["careSetting", "period", "unit", "claimedBy"]
        .iter()
        .any(|name| field.path.as_str().strip_prefix(INSITES) == Some(name))
}

/// A number as XML Schema writes it. Thousands may be parted by commas.
fn number(text: &str) -> Option<String> {
    let plain = text.replace(',', "");
    let digits = plain.strip_prefix('-').unwrap_or(&plain);
    let (whole, rest) = digits.split_once('.').unwrap_or((digits, "0"));
    let all = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let grouped = !text.contains(',')
        || text.trim_start_matches('-').split('.').next().is_some_and(|whole| {
            let mut groups = whole.split(',');
            groups.next().is_some_and(|first| (1..=3).contains(&first.len()))
                && groups.all(|group| group.len() == 3)
        });
    (all(whole) && all(rest) && grouped && plain.len() < 40).then_some(plain)
}

/// The length of a text that is a day, a month or a year that can be.
fn date_length(text: &str) -> Option<usize> {
    let digits = |part: &str, long: usize| -> Option<u32> {
        (part.len() == long && part.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| part.parse().ok())?
    };
    let mut parts = text.split('-');
    let year = digits(parts.next()?, 4).filter(|year| (1900..=2200).contains(year))?;
    let Some(month) = parts.next() else { return Some(4) };
    let month = digits(month, 2).filter(|month| (1..=12).contains(month))?;
    let Some(day) = parts.next() else { return Some(7) };
    let longest = match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    };
    digits(day, 2).filter(|day| (1..=longest).contains(day))?;
    parts.next().is_none().then_some(10)
}

/// What the values of a form say of a record, and what is wrong with them.
/// Values that cannot be read are kept as plain text.
#[must_use]
pub fn to_triples(
    form: &Form,
    values: &Values,
    record: &str,
    records: &Records<'_>,
) -> (Vec<Triple>, Vec<Fault>) {
    let mut triples = Vec::new();
    let mut faults = Vec::new();
    let subject = NamedNode::new_unchecked(record);
    triples.push(Triple::new(subject.clone(), named(TYPE), form.class.clone()));
    for group in &form.groups {
        let Some(repeat) = &group.repeat else {
            for field in &group.fields {
                let answer = |name: &str| -> Vec<String> {
                    let choices = form.field(name).map_or(&[][..], Field::choices);
                    let texts = values.all(name).iter();
                    texts.filter_map(|text| Some(chosen(choices, text)?.value.clone())).collect()
                };
                let is_asked = field.is_asked(answer);
                if !is_asked {
                    if values.all(&field.name).is_empty() {
                        continue;
                    }
                    let text = field.only_if.as_ref().map(|only| only.text.clone());
                    let message = format!(
                        "“{}” is only asked {}: take the answer away, or change the other",
                        field.label,
                        text.unwrap_or_default()
                    );
                    faults.push(Fault::new(&field.name, message));
                }
                // Of an answer that is not asked for, that is fault enough.
                let mut unsaid = Vec::new();
                let told = if is_asked { &mut faults } else { &mut unsaid };
                write(field, &field.name, values, &subject, records, (&mut triples, told));
            }
            continue;
        };
        let slug = record.rsplit('/').next().unwrap_or_default();
        for (place, number) in values.parts(group).into_iter().enumerate() {
            let part = NamedNode::new_unchecked(
                records.names.record(&repeat.kind, &format!("{slug}-{:02}", place + 1)),
            );
            triples.push(Triple::new(subject.clone(), repeat.link.clone(), part.clone()));
            triples.push(Triple::new(part.clone(), repeat.back.clone(), subject.clone()));
            triples.push(Triple::new(part.clone(), named(TYPE), repeat.class.clone()));
            for field in &group.fields {
                let name = group.name_in(number, field);
                write(field, &name, values, &part, records, (&mut triples, &mut faults));
            }
        }
    }
    (triples, faults)
}

fn named(iri: &str) -> NamedNode {
    NamedNode::new_unchecked(iri)
}

/// Writes the values of one field.
fn write(
    field: &Field,
    name: &str,
    values: &Values,
    subject: &NamedNode,
    records: &Records<'_>,
    (triples, faults): (&mut Vec<Triple>, &mut Vec<Fault>),
) {
    let texts = values.all(name);
    if texts.is_empty() {
        if field.required {
            let message = format!("Answer “{}”", field.label.trim_end_matches('?'));
            faults.push(Fault { missing: true, ..Fault::new(name, message) });
        }
        return;
    }
    if texts.len() > 1 && !field.multiple {
        faults.push(Fault::new(name, format!("“{}” takes one answer", field.label)));
    }
    let (subject, path) = if field.question {
        let node = answer_node(subject, name);
        let part_of = named(&format!("{DCTERMS}hasPart"));
        triples.push(Triple::new(subject.clone(), part_of, node.clone()));
        triples.push(Triple::new(node.clone(), named(TYPE), named(&format!("{INSITES}Answer"))));
        let to = named(&format!("{INSITES}answerTo"));
        triples.push(Triple::new(node.clone(), to, field.path.clone()));
        (node, named(&format!("{INSITES}answerValue")))
    } else {
        (subject.clone(), field.path.clone())
    };
    for text in texts {
        let value = term(field, text, records).unwrap_or_else(|(message, meant)| {
            let message = if message.starts_with('“') {
                message
            } else {
                format!("“{}” {message}", field.label)
            };
            faults.push(Fault { meant, ..Fault::new(name, message) });
            Literal::from(text.as_str()).into()
        });
        triples.push(Triple::new(subject.clone(), path.clone(), value));
    }
}

/// The node of an answer to a question.
fn answer_node(record: &NamedNode, name: &str) -> NamedNode {
    NamedNode::new_unchecked(format!("{}#{name}", record.as_str()))
}

/// What a form shows of a record.
#[must_use]
pub fn from_triples(
    form: &Form,
    triples: &[Triple],
    record: &str,
    records: &Records<'_>,
) -> Values {
    let mut values = Values::default();
    let objects = |subject: &str, path: &NamedNode| -> Vec<&Term> {
        triples
            .iter()
            .filter(|triple| is(&triple.subject, subject) && triple.predicate == *path)
            .map(|triple| &triple.object)
            .collect()
    };
    let mut show = |field: &Field, name: &str, found: Vec<&Term>| {
        let mut texts: Vec<String> =
            found.into_iter().map(|term| text_of(field, term, records)).collect();
        texts.sort();
        texts.dedup();
        for text in texts {
            values.add(name, &text);
        }
    };
    for group in &form.groups {
        let Some(repeat) = &group.repeat else {
            for field in &group.fields {
                let found = if field.question {
                    let node = answer_node(&named(record), &field.name);
                    objects(node.as_str(), &named(&format!("{INSITES}answerValue")))
                } else {
                    objects(record, &field.path)
                };
                show(field, &field.name, found);
            }
            continue;
        };
        let mut parts: Vec<String> = objects(record, &repeat.link)
            .into_iter()
            .filter_map(|term| match term {
                Term::NamedNode(iri) => Some(iri.as_str().to_owned()),
                _ => None,
            })
            .collect();
        parts.sort();
        for (place, part) in parts.iter().enumerate() {
            for field in &group.fields {
                show(field, &group.name_in(place + 1, field), objects(part, &field.path));
            }
        }
    }
    values
}

fn is(subject: &NamedOrBlankNode, iri: &str) -> bool {
    matches!(subject, NamedOrBlankNode::NamedNode(node) if node.as_str() == iri)
}

/// A value as a form shows it.
fn text_of(field: &Field, term: &Term, records: &Records<'_>) -> String {
    if let Some(choice) = field.choices().iter().find(|choice| choice.term == *term) {
        return match field.control {
            Control::Record { .. } => choice.text.clone(),
            _ => choice.value.clone(),
        };
    }
    match term {
        Term::NamedNode(iri) if matches!(field.control, Control::Record { .. }) => {
            records.choice_of(&iri.clone().into()).text
        }
        Term::NamedNode(iri) => iri.as_str().to_owned(),
        Term::Literal(literal) => literal.value().to_owned(),
        other => other.to_string(),
    }
}

/// What shapes found, by the fields of a form; what no field is about stands
/// under no field. Fields that have a fault already are left out.
#[must_use]
pub fn faults(form: &Form, report: &Report, record: &str, known: &[Fault]) -> Vec<Fault> {
    let mut found: Vec<Fault> = Vec::new();
    for result in report.violations() {
        let focus = match &result.focus_node {
            Term::NamedNode(iri) => iri.as_str(),
            _ => continue,
        };
        let path = result.path.as_ref().and_then(|path| path.predicate());
        let message = result.messages.first().map_or("", |message| message.value());
        let mut name = String::new();
        let mut label = String::new();
        for group in &form.groups {
            let matched = group.fields.iter().find(|field| Some(&field.path) == path);
            let Some(field) = matched else { continue };
            if group.repeat.is_none() && focus == record {
                name.clone_from(&field.name);
            } else if group.repeat.is_some() && focus != record {
                let number = focus.rsplit('-').next().and_then(|text| text.parse().ok());
                name = group.name_in(number.unwrap_or(1), field);
            } else {
                continue;
            }
            label.clone_from(&field.label);
            break;
        }
        if known.iter().chain(&found).any(|fault| fault.field == name && !name.is_empty()) {
            continue;
        }
        let message =
            if label.is_empty() { message.to_owned() } else { format!("“{label}”: {message}") };
        found.push(Fault::new(&name, message));
    }
    found
}

/// The title that values give a record; empty if none.
#[must_use]
pub fn title_in(form: &Form, values: &Values) -> String {
    form.fields()
        .find(|field| field.path == title_property())
        .map(|field| values.first(&field.name).to_owned())
        .unwrap_or_default()
}

impl Values {
    /// The names under which a form knows nothing of what was given.
    #[must_use]
    pub fn unknown(&self, form: &Form) -> Vec<String> {
        self.0
            .keys()
            .filter(|name| {
                !form.groups.iter().any(|group| match &group.repeat {
                    None => group.fields.iter().any(|field| field.name == **name),
                    Some(_) => self.parts(group).iter().any(|number| {
                        group.fields.iter().any(|field| group.name_in(*number, field) == **name)
                    }),
                })
            })
            .cloned()
            .collect()
    }
}
