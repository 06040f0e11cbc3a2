//! A form as data: what it asks, in which order, with which controls. Pages,
//! spreadsheets and the API are made from it. Not for where it comes from.

use crate::rdf::{NamedNode, Term};

/// What is asked about one record.
#[derive(Debug, Clone)]
pub struct Form {
    /// The kind in the address of what it makes.
    pub kind: String,
    /// The class of what it makes.
    pub class: NamedNode,
    /// Its name for people.
    pub title: String,
    /// Questions that belong together, in order.
    pub groups: Vec<Group>,
}

/// Questions that belong together.
#[derive(Debug, Clone, Default)]
pub struct Group {
    /// Its part in names of fields and in addresses.
    pub slug: String,
    /// Its heading.
    pub heading: String,
    /// What to know before answering.
    pub lead: String,
    /// Its questions, in order.
    pub fields: Vec<Field>,
    /// Set if the group is asked once for each part of the record.
    pub repeat: Option<Repeat>,
}

/// How a repeated group makes records of its own.
#[derive(Debug, Clone)]
pub struct Repeat {
    /// The property that leads from the record to a part.
    pub link: NamedNode,
    /// The property that leads back.
    pub back: NamedNode,
    /// The class of a part.
    pub class: NamedNode,
    /// The kind in the address of a part.
    pub kind: String,
    /// What a part is called.
    pub noun: String,
}

/// One question of a form.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its name in posted forms, spreadsheets and JSON.
    pub name: String,
    /// What people read above it.
    pub label: String,
    /// What helps to answer it.
    pub help: String,
    /// Whether a record without it cannot be published.
    pub required: bool,
    /// Whether it takes several values.
    pub multiple: bool,
    /// How it is answered.
    pub control: Control,
    /// The property that holds the answer; of a question, the question itself.
    pub path: NamedNode,
    /// Whether it is a question of a questionnaire rather than a property.
    pub question: bool,
    /// The answer to another question under which this one is asked.
    pub only_if: Option<OnlyIf>,
    /// The unit of a number.
    pub unit: String,
}

/// How a question is answered.
#[derive(Debug, Clone)]
pub enum Control {
    /// A line of text.
    Line,
    /// A text of several lines.
    Text,
    /// A number.
    Number {
        /// Whether only whole numbers will do.
        whole: bool,
    },
    /// A number, or words that stand for one.
    NumberOrText,
    /// A day; of some properties a month or a year will do.
    Date {
        /// Whether a month or a year will do.
        partial: bool,
    },
    /// One of these, or several if the field takes several values.
    Choice(Vec<Choice>),
    /// One of these steps, in order.
    Scale(Vec<Choice>),
    /// A record of a class, by its name or address.
    Record {
        /// The class.
        class: NamedNode,
        /// The records of the class, by title; none if there are too many.
        options: Vec<Choice>,
    },
    /// The address of a page.
    Address,
}

/// Something that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Its value in posted forms: the last part of its identifier.
    pub value: String,
    /// Its value in the data.
    pub term: Term,
    /// Its name.
    pub text: String,
    /// What it means.
    pub help: String,
}

/// The answer to another question under which a question is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnlyIf {
    /// The name of the other field.
    pub field: String,
    /// The values of [`Choice`] that lead here.
    pub values: Vec<String>,
    /// The condition for people.
    pub text: String,
}

impl Form {
    /// All fields that stand in no repeated group.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.groups.iter().filter(|group| group.repeat.is_none()).flat_map(|group| &group.fields)
    }

    /// The field with a name, outside repeated groups.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields().find(|field| field.name == name)
    }
}

impl Group {
    /// The name of a field in the part with this number, from 1.
    #[must_use]
    pub fn name_in(&self, number: usize, field: &Field) -> String {
        format!("{}-{number}-{}", self.slug, field.name)
    }
}

impl Field {
    /// What can be chosen: options, steps or records.
    #[must_use]
    pub fn choices(&self) -> &[Choice] {
        match &self.control {
            Control::Choice(choices)
            | Control::Scale(choices)
            | Control::Record { options: choices, .. } => choices,
            _ => &[],
        }
    }

    /// Whether the answers to other fields lead to this one.
    #[must_use]
    pub fn is_asked(&self, answer: impl Fn(&str) -> Vec<String>) -> bool {
        self.only_if.as_ref().is_none_or(|condition| {
            answer(&condition.field).iter().any(|value| condition.values.contains(value))
        })
    }
}
