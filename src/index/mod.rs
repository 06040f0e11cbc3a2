//! The text view: one document a record, found by its words. Not for what is
//! shown: titles and texts come from the graph of the same revision.

mod local;

pub use local::{Snapshot, TextIndex, words_of};

use crate::problem::Kind;
use crate::rdf::Revision;
use crate::rdf::TermId;
use crate::rdf::Visibility;
use std::hash::{DefaultHasher, Hash, Hasher};

/// A facet, which is also a filter of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Facet {
    /// What sort of record it is; values index [`KINDS`].
    Kind,
    /// Themes; values are terms, as in all facets below.
    Theme,
    /// Dimensions of the data-collection tool.
    Dimension,
    /// Organisations that the record is about.
    Organisation,
    /// NHS England regions.
    Region,
    /// Programmes.
    Programme,
    /// `Sourced`, `Unverified` or `Illustrative`.
    Status,
    /// How a case study ended.
    Outcome,
}

impl Facet {
    /// All facets in the order in which they are shown.
    pub const ALL: [Self; 8] = [
        Self::Kind,
        Self::Theme,
        Self::Dimension,
        Self::Organisation,
        Self::Region,
        Self::Programme,
        Self::Status,
        Self::Outcome,
    ];

    /// The name in the API and in the index.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Kind => "kind",
            Self::Theme => "theme",
            Self::Dimension => "dimension",
            Self::Organisation => "organisation",
            Self::Region => "region",
            Self::Programme => "programme",
            Self::Status => "status",
            Self::Outcome => "outcome",
        }
    }
}

/// The kinds by which search filters. `site` and `partner` are roles of an
/// organisation, the others are the kinds of identifiers.
pub const KINDS: [&str; 15] = [
    "lesson",
    "case-study",
    "organisation",
    "site",
    "partner",
    "programme",
    "theme",
    "dimension",
    "document",
    "report",
    "evidence",
    "interview",
    "workshop",
    "tool-answer",
    "questionnaire",
];

/// What the index keeps of a record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Document {
    /// The record's number.
    pub subject: TermId,
    /// Its title; may be empty.
    pub title: String,
    /// All of its text, the title included.
    pub body: String,
    /// Facet values, sorted.
    pub facets: Vec<(Facet, u64)>,
    /// Its date as `yyyymmdd`, 0 if it has none.
    pub date: u64,
    /// Who is shown this document of the record: one bit a [`Visibility`]. A
    /// record of which some see more than others has several documents.
    pub shown_to: u64,
}

/// The bit of those who see this much.
#[must_use]
pub fn shown_to(visibility: Visibility) -> u64 {
    1 << (visibility as u64)
}

impl Document {
    /// A number that tells two versions of a document apart.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }
}

/// What is looked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The words, phrases and exclusions.
    pub words: Words,
    /// Filters: values of one facet are alternatives.
    pub filters: Vec<(Facet, Vec<u64>)>,
    /// Earliest date, `yyyymmdd`, inclusive.
    pub from: Option<u64>,
    /// Latest date, `yyyymmdd`, inclusive.
    pub to: Option<u64>,
}

/// What a person typed, taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// Words that may occur, or must if `all` is set.
    pub any: Vec<String>,
    /// Phrases that must occur.
    pub phrases: Vec<String>,
    /// Words that must not occur.
    pub none: Vec<String>,
    /// Whether every word must occur.
    pub all: bool,
}

impl Words {
    /// Whether nothing is asked for, which finds everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.any.is_empty() && self.phrases.is_empty() && self.none.is_empty()
    }
}

/// A record that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// BM25 score; higher is better; 1 when nothing was asked for.
    pub score: f32,
    /// The record's date, `yyyymmdd` or 0.
    pub date: u64,
    /// The record.
    pub subject: TermId,
}

/// All hits and the facets over them.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// Hits, in no order.
    pub hits: Vec<Hit>,
    /// Counts by facet and value, each facet without its own filter.
    pub facets: Vec<(Facet, u64, u64)>,
}

/// Why the text view cannot do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The index failed; it can be made again.
    #[error("the text view failed: {0}\nhint: `insites rebuild` makes it again from the ledger")]
    Engine(String),
}

impl Error {
    /// What a caller can make of it.
    #[must_use]
    pub fn kind(&self) -> Kind {
        Kind::Internal
    }
}

/// The revision that an index was last committed at, kept inside it.
pub(crate) fn payload(revision: Revision) -> String {
    // The layout's version: a change of schema or of documents counts it up,
    // and older indexes are rebuilt.
    format!("layout 2 revision {revision}")
}
