//! What a result says when the shape has no message of its own: one English
//! phrase for people who never saw a shape. Not for logs.

use crate::shapes::constraint::{Constraint, NodeKind};
use crate::shapes::path::local_name;
use crate::shapes::shape::{Shape, Shapes};
use oxigraph::model::vocab::{rdf, xsd};
use oxigraph::model::{Literal, NamedNodeRef, Term};

/// Longer values are cut (characters): a message is for reading at a glance.
const VALUE_LIMIT: usize = 80;
/// Longer lists are cut (members), for the same reason.
const LIST_LIMIT: usize = 8;

/// The message for a broken constraint. `value` is the value at fault,
/// `found` how many values there are of those the constraint counts.
pub(super) fn message(
    shapes: &Shapes,
    shape: &Shape,
    constraint: &Constraint,
    value: Option<&Term>,
    found: usize,
) -> Literal {
    let text = text(shapes, shape, constraint, value, found);
    Literal::new_language_tagged_literal_unchecked(text, "en")
}

fn text(
    shapes: &Shapes,
    shape: &Shape,
    constraint: &Constraint,
    value: Option<&Term>,
    found: usize,
) -> String {
    let name = name(shape);
    let of = name.as_ref().map_or_else(String::new, |name| format!(" of {name}"));
    let here = name.as_ref().map_or_else(|| "this node".to_owned(), Clone::clone);
    // "title: “x” …" for values of a property, "“x” …" for the node itself.
    let value = value.map_or_else(String::new, show);
    let value = match &name {
        Some(name) => format!("{name}: {value}"),
        None => value,
    };
    let shape_name = |id| self::name_of(shapes.shape(id));
    match constraint {
        Constraint::Class(class) => {
            format!("{value} is not known as a {}", local_name(class.as_str()))
        }
        Constraint::Datatype(datatype) => {
            format!("{value} is not {}", datatype_name(datatype.as_ref()))
        }
        Constraint::NodeKind(kind) => format!("{value} is not {}", kind_name(*kind)),
        Constraint::MinCount(count) => {
            let rest = if found == 0 { String::new() } else { format!(", has {found}") };
            format!("needs at least {count} {}{of}{rest}", values(*count))
        }
        Constraint::MaxCount(count) => {
            format!("may have at most {count} {}{of}, has {found}", values(*count))
        }
        Constraint::MinExclusive(limit) => format!("{value} is not more than {}", limit.value()),
        Constraint::MinInclusive(limit) => format!("{value} is not at least {}", limit.value()),
        Constraint::MaxExclusive(limit) => format!("{value} is not less than {}", limit.value()),
        Constraint::MaxInclusive(limit) => format!("{value} is not at most {}", limit.value()),
        Constraint::MinLength(length) => format!("{value} has fewer than {length} characters"),
        Constraint::MaxLength(length) => format!("{value} has more than {length} characters"),
        Constraint::Pattern(pattern) => {
            format!("{value} does not match the pattern {}", pattern.text)
        }
        Constraint::LanguageIn(ranges) => {
            format!("{value} is not a text in {}", any_of(ranges.iter().cloned()))
        }
        Constraint::UniqueLang => format!("{value}has more than one text in one language"),
        Constraint::Equals(other) => {
            format!("{value} is not a value of both {here} and {}", local_name(other.as_str()))
        }
        Constraint::Disjoint(other) => {
            format!("{value} must not be a value of {} too", local_name(other.as_str()))
        }
        Constraint::LessThan(other) => {
            format!("{value} is not less than {}", local_name(other.as_str()))
        }
        Constraint::LessThanOrEquals(other) => {
            format!("{value} is not at most {}", local_name(other.as_str()))
        }
        Constraint::Not(id) => format!("{value} must not conform to {}", shape_name(*id)),
        Constraint::And(ids) => {
            format!(
                "{value} does not conform to all of {}",
                all_of(ids.iter().map(|id| shape_name(*id)))
            )
        }
        Constraint::Or(ids) => {
            format!("{value} conforms to none of {}", all_of(ids.iter().map(|id| shape_name(*id))))
        }
        Constraint::Xone(ids) => format!(
            "{value} conforms to {found} of {}, and must to exactly one",
            all_of(ids.iter().map(|id| shape_name(*id)))
        ),
        Constraint::Node(id) | Constraint::Property(id) => {
            format!("{value} does not conform to {}", shape_name(*id))
        }
        Constraint::QualifiedMinCount(qualified) => format!(
            "needs at least {} {}{of} that conform to {}, has {found}",
            qualified.count,
            values(qualified.count),
            shape_name(qualified.shape)
        ),
        Constraint::QualifiedMaxCount(qualified) => format!(
            "may have at most {} {}{of} that conform to {}, has {found}",
            qualified.count,
            values(qualified.count),
            shape_name(qualified.shape)
        ),
        Constraint::Closed(_) => format!("{value} belongs to a property that is not allowed here"),
        Constraint::HasValue(wanted) => format!("needs the value {}{of}", show(wanted)),
        Constraint::In(allowed) => {
            format!("{value} is not one of {}", all_of(allowed.iter().map(show)))
        }
    }
}

/// What a property shape's values are called; none for a node shape.
fn name(shape: &Shape) -> Option<String> {
    let path = shape.path()?;
    Some(shape.name("en").map_or_else(|| path.short(), |name| name.value().to_owned()))
}

/// What a shape is called when another one refers to it.
fn name_of(shape: &Shape) -> String {
    if let Some(name) = shape.name("en") {
        return format!("“{}”", name.value());
    }
    if let Term::NamedNode(iri) = Term::from(shape.node().clone()) {
        return local_name(iri.as_str()).to_owned();
    }
    if let Some(class) = shape.class() {
        return format!("“a {}”", local_name(class.as_str()));
    }
    if let Some(datatype) = shape.datatype() {
        return format!("“{}”", datatype_name(datatype.as_ref()));
    }
    match shape.path() {
        Some(path) => format!("the rule for {}", path.short()),
        None => "an unnamed shape".to_owned(),
    }
}

fn show(term: &Term) -> String {
    match term {
        Term::Literal(literal) => {
            let text = literal.value();
            let cut: String = text.chars().take(VALUE_LIMIT).collect();
            let more = if cut.len() < text.len() { "…" } else { "" };
            match literal.language() {
                Some(language) => format!("“{cut}{more}” ({language})"),
                None => format!("“{cut}{more}”"),
            }
        }
        Term::BlankNode(_) => "an unnamed node".to_owned(),
        Term::NamedNode(_) | Term::Triple(_) => term.to_string(),
    }
}

fn values(count: u64) -> &'static str {
    if count == 1 { "value" } else { "values" }
}

fn any_of(items: impl ExactSizeIterator<Item = String>) -> String {
    listed(items, " or ")
}

fn all_of(items: impl ExactSizeIterator<Item = String>) -> String {
    listed(items, ", ")
}

fn listed(items: impl ExactSizeIterator<Item = String>, by: &str) -> String {
    let more = items.len().saturating_sub(LIST_LIMIT);
    let text = items.take(LIST_LIMIT).collect::<Vec<_>>().join(by);
    if more == 0 { text } else { format!("{text} … and {more} more") }
}

fn kind_name(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::BlankNode => "an unnamed node",
        NodeKind::Iri => "an IRI",
        NodeKind::Literal => "a literal",
        NodeKind::BlankNodeOrIri => "an IRI or an unnamed node, but a literal",
        NodeKind::BlankNodeOrLiteral => "a literal or an unnamed node",
        NodeKind::IriOrLiteral => "an IRI or a literal",
    }
}

fn datatype_name(datatype: NamedNodeRef<'_>) -> String {
    match datatype {
        xsd::STRING => "a text without language".to_owned(),
        rdf::LANG_STRING => "a text with a language".to_owned(),
        xsd::BOOLEAN => "true or false".to_owned(),
        xsd::INTEGER => "a whole number".to_owned(),
        xsd::DECIMAL => "a decimal number".to_owned(),
        xsd::DATE => "a date like 2026-11-24 (xsd:date)".to_owned(),
        xsd::DATE_TIME => "a time like 2026-11-24T12:00:00Z (xsd:dateTime)".to_owned(),
        xsd::G_YEAR => "a year like 2026 (xsd:gYear)".to_owned(),
        xsd::ANY_URI => "an address of type xsd:anyURI".to_owned(),
        _ => format!("a valid {}", local_name(datatype.as_str())),
    }
}
