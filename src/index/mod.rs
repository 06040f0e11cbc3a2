//! The text and the meaning view: one document a record and reader, found by
//! its words and by its vector. Not for ranking, nor for what is shown: titles
//! and texts come from the graph of the same revision.

mod local;

pub use insites_embedding::{DIMENSIONS, Encoder, Vector, Workspace};
pub use local::{
    AWAITED, Beginnings, Bits, Counted, Filters, Rows, Scan, Scored, Snapshot, TextIndex,
    Unembedded, edits, meaning_of, places_of_words, surface_words_of, title_key, words_of,
};

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
    /// Themes, with those above them; values are terms, as in all facets below.
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
    /// All of its text, a line a value: titles, then descriptions, then the
    /// rest.
    pub body: String,
    /// Bytes of `body` that are titles.
    pub titles_end: usize,
    /// Bytes of `body` that are titles or descriptions.
    pub descriptions_end: usize,
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

    /// The text that its vector is made from: the lines as sentences.
    #[must_use]
    pub fn meaning(&self) -> String {
        let mut text = String::with_capacity(self.body.len() + 16);
        for line in self.body.lines() {
            if !text.is_empty() {
                text.push_str(if text.ends_with(['.', '!', '?', ':', ';']) { " " } else { ". " });
            }
            text.push_str(line.trim_end());
        }
        text
    }
}

/// The number by which the vector of a text is found.
#[must_use]
pub fn text_hash(text: &str) -> u64 {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().take(8).rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// The part of a document's text that a word must stand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Part {
    /// Anywhere.
    #[default]
    Whole,
    /// In a title.
    Titles,
    /// In a description.
    Descriptions,
    /// In any other text.
    Rest,
}

/// How words of a query and words of the text compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Spelling {
    /// By their English stems.
    #[default]
    Stem,
    /// As they are written, but for case and accents.
    Surface,
}

/// Something that a text may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// These words in a row, as index words.
    Words(Vec<String>),
    /// A word that begins like this; compares by surface.
    Prefix(String),
}

/// Terms of which one must be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Any of these will do.
    pub alternatives: Vec<Term>,
    /// Whether a document without it is no match; if no group is required,
    /// one of all must be there.
    pub required: bool,
}

/// Which documents match. Without groups, all do.
#[derive(Debug, Clone, Default)]
pub struct Matching {
    /// What should be there.
    pub groups: Vec<Group>,
    /// What must not be there.
    pub none: Vec<Term>,
    /// How words compare.
    pub spelling: Spelling,
    /// Where they stand.
    pub part: Part,
}

/// How documents are scored: BM25 over the sum of these.
#[derive(Debug, Clone, Default)]
pub struct Scoring {
    /// Index words in a row, with their weight.
    pub terms: Vec<(Vec<String>, f32)>,
    /// How words compare.
    pub spelling: Spelling,
    /// Weight of the title, on top of the whole text that holds it too.
    pub title: f32,
}

/// A position in the rows of one snapshot: a document.
pub type Row = u32;

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
    format!("layout 6 revision {revision}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_meaning_of_a_document_is_its_lines_as_sentences() {
        let document = |body: &str| Document { body: body.to_owned(), ..Document::default() };
        assert_eq!(document("A title\nSome text.\nMore").meaning(), "A title. Some text. More");
        assert_eq!(document("").meaning(), "");
        assert_ne!(text_hash("a"), text_hash("b"));
    }
}
