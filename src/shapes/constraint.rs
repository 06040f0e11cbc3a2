//! The constraints of SHACL Core (SHACL §4), as data. Not for checking them:
//! see `validate`.

use crate::shapes::shape::ShapeId;
use crate::shapes::vocabulary as sh;
use oxigraph::model::{Literal, NamedNode, NamedNodeRef, Term};
use regex::{Regex, RegexBuilder};

/// How large a compiled pattern may get (bytes). The default of the regex crate
/// is 10 MB; shapes can come from outside, so less.
const PATTERN_SIZE_LIMIT: usize = 1 << 20;

/// One constraint of a shape (SHACL §4).
#[derive(Debug, Clone)]
pub enum Constraint {
    /// Values are instances of this class (§4.1.1).
    Class(NamedNode),
    /// Values are well-formed literals of this datatype (§4.1.2).
    Datatype(NamedNode),
    /// Values are nodes of this kind (§4.1.3).
    NodeKind(NodeKind),
    /// At least so many values (§4.2.1).
    MinCount(u64),
    /// At most so many values (§4.2.2).
    MaxCount(u64),
    /// Values are greater than this (§4.3.1).
    MinExclusive(Literal),
    /// Values are at least this (§4.3.2).
    MinInclusive(Literal),
    /// Values are less than this (§4.3.3).
    MaxExclusive(Literal),
    /// Values are at most this (§4.3.4).
    MaxInclusive(Literal),
    /// Values have at least so many characters (§4.4.1).
    MinLength(u64),
    /// Values have at most so many characters (§4.4.2).
    MaxLength(u64),
    /// Values match a regular expression (§4.4.3).
    Pattern(Pattern),
    /// Values are in one of these languages (§4.4.4).
    LanguageIn(Vec<String>),
    /// No two values have the same language (§4.4.5).
    UniqueLang,
    /// The same values as this property (§4.5.1).
    Equals(NamedNode),
    /// No value in common with this property (§4.5.2).
    Disjoint(NamedNode),
    /// Values are less than those of this property (§4.5.3).
    LessThan(NamedNode),
    /// Values are at most those of this property (§4.5.4).
    LessThanOrEquals(NamedNode),
    /// Values do not conform to this shape (§4.6.1).
    Not(ShapeId),
    /// Values conform to all of these shapes (§4.6.2).
    And(Vec<ShapeId>),
    /// Values conform to at least one of these shapes (§4.6.3).
    Or(Vec<ShapeId>),
    /// Values conform to exactly one of these shapes (§4.6.4).
    Xone(Vec<ShapeId>),
    /// Values conform to this node shape (§4.7.1).
    Node(ShapeId),
    /// Values have this property shape (§4.7.2).
    Property(ShapeId),
    /// At least so many values conform to a shape (§4.7.3).
    QualifiedMinCount(Qualified),
    /// At most so many values conform to a shape (§4.7.3).
    QualifiedMaxCount(Qualified),
    /// Values have no properties but these (§4.8.1).
    Closed(Vec<NamedNode>),
    /// This is one of the values (§4.8.2).
    HasValue(Term),
    /// Values are among these (§4.8.3).
    In(Vec<Term>),
}

/// A count of values that conform to a shape (SHACL §4.7.3).
#[derive(Debug, Clone)]
pub struct Qualified {
    /// The shape.
    pub shape: ShapeId,
    /// How many, at least or at most.
    pub count: u64,
    /// Values that conform to one of these do not count
    /// (`sh:qualifiedValueShapesDisjoint`).
    pub siblings: Vec<ShapeId>,
}

/// Kinds of nodes (SHACL §4.1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeKind {
    /// Blank nodes.
    BlankNode,
    /// IRIs.
    Iri,
    /// Literals.
    Literal,
    /// Blank nodes and IRIs.
    BlankNodeOrIri,
    /// Blank nodes and literals.
    BlankNodeOrLiteral,
    /// IRIs and literals.
    IriOrLiteral,
}

/// A regular expression with its flags (SHACL §4.4.3).
#[derive(Debug, Clone)]
pub struct Pattern {
    /// As written.
    pub text: String,
    /// `i`, `s`, `m`, `x`, `q`, as in `XPath`.
    pub flags: String,
    regex: Regex,
}

impl Constraint {
    /// The constraint component, as reports name it.
    #[must_use]
    pub fn component(&self) -> NamedNodeRef<'static> {
        match self {
            Self::Class(_) => sh::CLASS_COMPONENT,
            Self::Datatype(_) => sh::DATATYPE_COMPONENT,
            Self::NodeKind(_) => sh::NODE_KIND_COMPONENT,
            Self::MinCount(_) => sh::MIN_COUNT_COMPONENT,
            Self::MaxCount(_) => sh::MAX_COUNT_COMPONENT,
            Self::MinExclusive(_) => sh::MIN_EXCLUSIVE_COMPONENT,
            Self::MinInclusive(_) => sh::MIN_INCLUSIVE_COMPONENT,
            Self::MaxExclusive(_) => sh::MAX_EXCLUSIVE_COMPONENT,
            Self::MaxInclusive(_) => sh::MAX_INCLUSIVE_COMPONENT,
            Self::MinLength(_) => sh::MIN_LENGTH_COMPONENT,
            Self::MaxLength(_) => sh::MAX_LENGTH_COMPONENT,
            Self::Pattern(_) => sh::PATTERN_COMPONENT,
            Self::LanguageIn(_) => sh::LANGUAGE_IN_COMPONENT,
            Self::UniqueLang => sh::UNIQUE_LANG_COMPONENT,
            Self::Equals(_) => sh::EQUALS_COMPONENT,
            Self::Disjoint(_) => sh::DISJOINT_COMPONENT,
            Self::LessThan(_) => sh::LESS_THAN_COMPONENT,
            Self::LessThanOrEquals(_) => sh::LESS_THAN_OR_EQUALS_COMPONENT,
            Self::Not(_) => sh::NOT_COMPONENT,
            Self::And(_) => sh::AND_COMPONENT,
            Self::Or(_) => sh::OR_COMPONENT,
            Self::Xone(_) => sh::XONE_COMPONENT,
            Self::Node(_) => sh::NODE_COMPONENT,
            Self::Property(_) => sh::PROPERTY_COMPONENT,
            Self::QualifiedMinCount(_) => sh::QUALIFIED_MIN_COUNT_COMPONENT,
            Self::QualifiedMaxCount(_) => sh::QUALIFIED_MAX_COUNT_COMPONENT,
            Self::Closed(_) => sh::CLOSED_COMPONENT,
            Self::HasValue(_) => sh::HAS_VALUE_COMPONENT,
            Self::In(_) => sh::IN_COMPONENT,
        }
    }

    /// The shapes it refers to.
    pub(super) fn shapes(&self) -> Vec<ShapeId> {
        match self {
            Self::Not(shape) | Self::Node(shape) | Self::Property(shape) => vec![*shape],
            Self::And(shapes) | Self::Or(shapes) | Self::Xone(shapes) => shapes.clone(),
            Self::QualifiedMinCount(qualified) | Self::QualifiedMaxCount(qualified) => {
                let mut shapes = qualified.siblings.clone();
                shapes.push(qualified.shape);
                shapes
            }
            _ => Vec::new(),
        }
    }
}

impl NodeKind {
    pub(super) fn from_iri(iri: &Term) -> Option<Self> {
        let Term::NamedNode(iri) = iri else { return None };
        Some(match iri.as_ref() {
            sh::BLANK_NODE => Self::BlankNode,
            sh::IRI => Self::Iri,
            sh::LITERAL => Self::Literal,
            sh::BLANK_NODE_OR_IRI => Self::BlankNodeOrIri,
            sh::BLANK_NODE_OR_LITERAL => Self::BlankNodeOrLiteral,
            sh::IRI_OR_LITERAL => Self::IriOrLiteral,
            _ => return None,
        })
    }

    /// Whether the term is of this kind.
    #[must_use]
    pub fn matches(self, term: &Term) -> bool {
        match self {
            Self::BlankNode => term.is_blank_node(),
            Self::Iri => term.is_named_node(),
            Self::Literal => term.is_literal(),
            Self::BlankNodeOrIri => term.is_blank_node() || term.is_named_node(),
            Self::BlankNodeOrLiteral => term.is_blank_node() || term.is_literal(),
            Self::IriOrLiteral => term.is_named_node() || term.is_literal(),
        }
    }
}

impl Pattern {
    /// Compiles a pattern with SPARQL's flags.
    pub(super) fn new(text: &str, flags: &str) -> Result<Self, String> {
        let quoted = flags.contains('q').then(|| regex::escape(text));
        let mut builder = RegexBuilder::new(quoted.as_deref().unwrap_or(text));
        builder.size_limit(PATTERN_SIZE_LIMIT);
        for flag in flags.chars() {
            match flag {
                'i' => builder.case_insensitive(true),
                's' => builder.dot_matches_new_line(true),
                'm' => builder.multi_line(true),
                'x' => builder.ignore_whitespace(quoted.is_none()),
                'q' => &mut builder,
                _ => return Err(format!("unknown flag {flag}")),
            };
        }
        let regex = builder.build().map_err(|error| error.to_string())?;
        Ok(Self { text: text.to_owned(), flags: flags.to_owned(), regex })
    }

    /// Whether some part of the text matches.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}
