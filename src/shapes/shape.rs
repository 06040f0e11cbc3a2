//! Shapes as they are after reading: what they aim at, what they demand, and
//! what a form needs to know of them. Not for reading them (`parse`), nor for
//! checking data (`validate`).

use crate::shapes::affected::Reads;
use crate::shapes::constraint::{Constraint, NodeKind, Pattern};
use crate::shapes::path::Path;
use crate::shapes::vocabulary as sh;
use oxigraph::model::{Literal, NamedNode, NamedNodeRef, NamedOrBlankNode, Term};
use std::collections::HashMap;
use std::fmt;

/// The shapes of a shapes graph (SHACL §1.2), in the order of the document.
#[derive(Debug, Clone, Default)]
pub struct Shapes {
    #[expect(clippy::struct_field_names, reason = "shapes of a shapes graph")]
    pub(super) shapes: Vec<Shape>,
    pub(super) by_node: HashMap<NamedOrBlankNode, ShapeId>,
    /// `rdfs:subClassOf` of the shapes graph, from class to superclasses.
    pub(super) superclasses: HashMap<Term, Vec<Term>>,
    /// The same, from class to subclasses.
    pub(super) subclasses: HashMap<Term, Vec<Term>>,
    pub(super) remarks: Vec<Remark>,
    /// Where judging reads triples.
    pub(super) reads: Reads,
}

/// The number of a shape among [`Shapes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShapeId(pub(super) usize);

/// A node shape or a property shape (SHACL §2.2, §2.3).
#[derive(Debug, Clone)]
pub struct Shape {
    pub(super) node: NamedOrBlankNode,
    pub(super) path: Option<Path>,
    pub(super) targets: Vec<Target>,
    pub(super) constraints: Vec<Constraint>,
    pub(super) deactivated: bool,
    pub(super) severity: Severity,
    pub(super) messages: Vec<Literal>,
    pub(super) names: Vec<Literal>,
    pub(super) descriptions: Vec<Literal>,
    pub(super) order: Option<f64>,
    pub(super) group: Option<Term>,
    pub(super) default_value: Option<Term>,
}

/// What a shape is for (SHACL §2.1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// This node (§2.1.3.1).
    Node(Term),
    /// The instances of this class and its subclasses (§2.1.3.2, and implicitly
    /// §2.1.3.3).
    Class(NamedNode),
    /// The nodes that have this property (§2.1.3.4).
    SubjectsOf(NamedNode),
    /// The values of this property (§2.1.3.5).
    ObjectsOf(NamedNode),
}

/// How grave a result is (SHACL §2.1.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Should be looked at.
    Warning,
    /// Must not be.
    Violation,
    /// A severity of the author's own.
    Other(NamedNode),
}

/// Something in the shapes graph that has no effect here and may be a mistake:
/// a property of SHACL that Core does not know, a reference to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The shape.
    pub shape: NamedOrBlankNode,
    /// What is odd, as a sentence without its full stop.
    pub text: String,
}

impl Shapes {
    /// All shapes, nested ones too.
    pub fn iter(&self) -> impl Iterator<Item = &Shape> {
        self.shapes.iter()
    }

    /// How many shapes there are, nested ones too.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shapes.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shapes.is_empty()
    }

    /// The shape with this number.
    #[must_use]
    pub fn shape(&self, id: ShapeId) -> &Shape {
        &self.shapes[id.0]
    }

    /// The shape that this node stands for.
    #[must_use]
    pub fn get(&self, node: &NamedOrBlankNode) -> Option<&Shape> {
        self.by_node.get(node).map(|id| self.shape(*id))
    }

    /// The active node shapes that aim at this very class, not at a superclass.
    pub fn for_class(&self, class: &NamedNode) -> impl Iterator<Item = &Shape> {
        self.shapes.iter().filter(move |shape| {
            !shape.is_property_shape()
                && !shape.deactivated
                && shape.target_classes().any(|target| target == class)
        })
    }

    /// The active property shapes of a shape by `sh:order`, then as written
    /// (SHACL §2.3.2.3). Those without an order come last.
    #[must_use]
    pub fn properties(&self, shape: &Shape) -> Vec<&Shape> {
        let mut properties: Vec<&Shape> = shape
            .constraints
            .iter()
            .filter_map(|constraint| match constraint {
                Constraint::Property(id) => Some(self.shape(*id)),
                _ => None,
            })
            .filter(|property| !property.deactivated)
            .collect();
        let order = |shape: &Shape| shape.order.unwrap_or(f64::INFINITY);
        properties.sort_by(|a, b| order(a).total_cmp(&order(b)));
        properties
    }

    /// What has no effect here and may be a mistake. Empty for tidy shapes.
    #[must_use]
    pub fn remarks(&self) -> &[Remark] {
        &self.remarks
    }
}

/// The first parameter of a kind of constraint.
macro_rules! first {
    ($shape:expr, $variant:ident) => {
        $shape.constraints.iter().find_map(|constraint| match constraint {
            Constraint::$variant(value) => Some(value),
            _ => None,
        })
    };
}

impl Shape {
    /// Its node in the shapes graph.
    #[must_use]
    pub fn node(&self) -> &NamedOrBlankNode {
        &self.node
    }

    /// The path of a property shape; none for a node shape.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_ref()
    }

    /// Whether it is a property shape.
    #[must_use]
    pub fn is_property_shape(&self) -> bool {
        self.path.is_some()
    }

    /// Whether `sh:deactivated` turns it off (SHACL §2.1.6).
    #[must_use]
    pub fn is_deactivated(&self) -> bool {
        self.deactivated
    }

    /// What it aims at.
    #[must_use]
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// The classes it aims at.
    pub fn target_classes(&self) -> impl Iterator<Item = &NamedNode> {
        self.targets.iter().filter_map(|target| match target {
            Target::Class(class) => Some(class),
            _ => None,
        })
    }

    /// All it demands.
    #[must_use]
    pub fn constraints(&self) -> &[Constraint] {
        &self.constraints
    }

    /// How grave it is to break it.
    #[must_use]
    pub fn severity(&self) -> &Severity {
        &self.severity
    }

    /// Its own messages (SHACL §2.1.5), in all languages.
    #[must_use]
    pub fn messages(&self) -> &[Literal] {
        &self.messages
    }

    /// Its message in a language, else without language, else any.
    #[must_use]
    pub fn message(&self, language: &str) -> Option<&Literal> {
        in_language(&self.messages, language)
    }

    /// `sh:name` in a language, else without language, else any (§2.3.2.1).
    #[must_use]
    pub fn name(&self, language: &str) -> Option<&Literal> {
        in_language(&self.names, language)
    }

    /// `sh:description`, like [`Shape::name`].
    #[must_use]
    pub fn description(&self, language: &str) -> Option<&Literal> {
        in_language(&self.descriptions, language)
    }

    /// `sh:order` (§2.3.2.2).
    #[must_use]
    pub fn order(&self) -> Option<f64> {
        self.order
    }

    /// `sh:group` (§2.3.2.3).
    #[must_use]
    pub fn group(&self) -> Option<&Term> {
        self.group.as_ref()
    }

    /// `sh:defaultValue` (§2.3.2.4).
    #[must_use]
    pub fn default_value(&self) -> Option<&Term> {
        self.default_value.as_ref()
    }

    /// `sh:datatype`.
    #[must_use]
    pub fn datatype(&self) -> Option<&NamedNode> {
        first!(self, Datatype)
    }

    /// `sh:class`, the first if there are several.
    #[must_use]
    pub fn class(&self) -> Option<&NamedNode> {
        first!(self, Class)
    }

    /// `sh:nodeKind`.
    #[must_use]
    pub fn node_kind(&self) -> Option<NodeKind> {
        first!(self, NodeKind).copied()
    }

    /// `sh:minCount`.
    #[must_use]
    pub fn min_count(&self) -> Option<u64> {
        first!(self, MinCount).copied()
    }

    /// `sh:maxCount`.
    #[must_use]
    pub fn max_count(&self) -> Option<u64> {
        first!(self, MaxCount).copied()
    }

    /// `sh:minLength`.
    #[must_use]
    pub fn min_length(&self) -> Option<u64> {
        first!(self, MinLength).copied()
    }

    /// `sh:maxLength`.
    #[must_use]
    pub fn max_length(&self) -> Option<u64> {
        first!(self, MaxLength).copied()
    }

    /// `sh:pattern` with `sh:flags`.
    #[must_use]
    pub fn pattern(&self) -> Option<&Pattern> {
        first!(self, Pattern)
    }

    /// The members of `sh:in`.
    #[must_use]
    pub fn allowed_values(&self) -> Option<&[Term]> {
        first!(self, In).map(Vec::as_slice)
    }

    /// The members of `sh:languageIn`.
    #[must_use]
    pub fn languages(&self) -> Option<&[String]> {
        first!(self, LanguageIn).map(Vec::as_slice)
    }

    /// Whether no two values may have the same language.
    #[must_use]
    pub fn has_unique_languages(&self) -> bool {
        self.constraints.iter().any(|constraint| matches!(constraint, Constraint::UniqueLang))
    }

    /// The shape of `sh:node`, the first if there are several.
    #[must_use]
    pub fn value_shape(&self) -> Option<ShapeId> {
        first!(self, Node).copied()
    }
}

impl Severity {
    /// The severity's name in reports.
    #[must_use]
    pub fn iri(&self) -> NamedNodeRef<'_> {
        match self {
            Self::Info => sh::INFO,
            Self::Warning => sh::WARNING,
            Self::Violation => sh::VIOLATION,
            Self::Other(iri) => iri.as_ref(),
        }
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shape {}: {}", self.shape, self.text)
    }
}

fn in_language<'a>(literals: &'a [Literal], language: &str) -> Option<&'a Literal> {
    let with = |wanted: Option<&str>| {
        literals.iter().find(|literal| match (literal.language(), wanted) {
            (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
            (one, other) => one == other,
        })
    };
    with(Some(language)).or_else(|| with(None)).or_else(|| literals.first())
}
