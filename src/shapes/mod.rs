//! SHACL Core: may this change happen? Reads shapes and judges a data graph by
//! them: a pure function. It does no I/O, keeps no state between calls, knows
//! no SPARQL and decides nothing: what a violation or a warning means for a
//! change is up to the caller.
//!
//! - [`Shapes::parse`] reads a shapes graph; forms are made from [`Shape`].
//! - [`validate`] judges all focus nodes, or only some.
//! - [`affected`] tells which focus nodes a change can make valid or invalid.
//!
//! The specification is <https://www.w3.org/TR/2017/REC-shacl-20170720/>.
//! Section numbers in this module are its.

mod affected;
mod constraint;
mod data;
mod message;
mod parse;
mod path;
mod report;
mod shape;
mod source;
mod validate;
mod value;
mod vocabulary;

#[cfg(test)]
mod tests;

pub use affected::{Affected, affected};
pub use constraint::{Constraint, NodeKind, Pattern, Qualified};
pub use data::{DataGraph, Node, Triples};
pub use path::Path;
pub use report::{Report, ValidationResult};
pub use shape::{Remark, Severity, Shape, ShapeId, Shapes, Target};
pub use validate::{Focus, validate, validate_node};

use crate::problem::Kind;
use oxigraph::model::{NamedNode, NamedOrBlankNode, Term};

/// Why a shapes graph cannot be used: it is ill-formed (SHACL §1.5, appendix A).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A parameter has a value it cannot have.
    #[error("shape {shape}: {property} needs {expected}, not {value}")]
    Value {
        /// The shape.
        shape: NamedOrBlankNode,
        /// The parameter.
        property: NamedNode,
        /// What it needs.
        expected: &'static str,
        /// What it has.
        value: Box<Term>,
    },
    /// A parameter has several values but may have only one.
    #[error("shape {shape}: {property} may have only one value")]
    Several {
        /// The shape.
        shape: NamedOrBlankNode,
        /// The parameter.
        property: NamedNode,
    },
    /// A parameter needs another one, or a property shape.
    #[error("shape {shape}: {property} needs {missing}")]
    Incomplete {
        /// The shape.
        shape: NamedOrBlankNode,
        /// The parameter.
        property: NamedNode,
        /// What is not there.
        missing: &'static str,
    },
    /// A path is ill-formed.
    #[error("shape {shape}: the path {path} cannot be read: {reason}")]
    Path {
        /// The shape.
        shape: NamedOrBlankNode,
        /// The node of the path.
        path: Box<Term>,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A pattern is not a regular expression.
    #[error("shape {shape}: the pattern {pattern:?} cannot be read: {reason}")]
    Pattern {
        /// The shape.
        shape: NamedOrBlankNode,
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Error {
    /// What a caller can do about it: nothing, shapes are part of the ontology.
    #[must_use]
    pub fn kind(&self) -> Kind {
        Kind::Internal
    }
}
