//! SPARQL as this service offers it: what may be asked, how much of it at
//! once, and the saved queries. Not for evaluation (`graph`) nor for HTTP.

mod clause;
mod limits;
mod runner;
mod saved;

pub use clause::with_hits;
pub use limits::{Limits, check_size, check_text, check_update_size, check_update_text};
pub use runner::{Known, Overloaded, Runner, STACK_OF_READERS, has_large_stack, mark_large_stack};
pub use saved::{Parameter, ParameterType, SavedQueries, SavedQuery};

use crate::graph::{EvaluationError, ParseError, Stopped};
use crate::problem::Kind;

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is larger or deeper than allowed.
    #[error("{0}")]
    TooComplex(String),
    /// It cannot be read.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// It was stopped or failed.
    #[error(transparent)]
    Evaluation(#[from] EvaluationError),
    /// A parameter of a saved query is missing or wrong.
    #[error("{0}")]
    Parameter(String),
    /// The answer is larger than allowed.
    #[error("the result is larger than {0} bytes")]
    ResultTooLarge(usize),
    /// No format fits what the client accepts.
    #[error("no format of this kind of answer fits; there are {0}")]
    NotAcceptable(String),
    /// A search clause failed.
    #[error(transparent)]
    Search(#[from] crate::search::Error),
    /// Too much is running.
    #[error(transparent)]
    Overloaded(#[from] Overloaded),
}

impl Error {
    /// What a caller can make of it.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::TooComplex(_) => Kind::QueryTooComplex,
            Self::Parse(ParseError::Syntax { .. })
            | Self::Evaluation(EvaluationError::UnknownFunction(_)) => Kind::QuerySyntax,
            Self::Parse(ParseError::Service(_)) => Kind::Forbidden,
            Self::Evaluation(EvaluationError::Stopped(Stopped::Timeout | Stopped::Abandoned)) => {
                Kind::QueryTimeout
            }
            Self::Evaluation(EvaluationError::Stopped(Stopped::Memory)) => Kind::QueryMemory,
            Self::Evaluation(EvaluationError::NoTripleTerms) | Self::NotAcceptable(_) => {
                Kind::NotAcceptable
            }
            Self::Evaluation(_) | Self::Search(_) => Kind::Internal,
            Self::Parameter(_) => Kind::InvalidParameter,
            Self::ResultTooLarge(_) => Kind::ResultTooLarge,
            Self::Overloaded(_) => Kind::Busy,
        }
    }

    /// Line and column of a syntax error, from 1.
    #[must_use]
    pub fn position(&self) -> Option<(u64, u64)> {
        match self {
            Self::Parse(ParseError::Syntax { line, column, .. }) => Some(((*line)?, (*column)?)),
            _ => None,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::TooComplex(_) => "split the question into several smaller queries",
            Self::Parse(ParseError::Service(_)) => {
                "ask the other endpoint yourself and pass its answer in VALUES"
            }
            Self::Evaluation(EvaluationError::Stopped(Stopped::Timeout)) => {
                "make the patterns more selective, ask for fewer columns or add LIMIT; for a \
                 whole copy of the data use an export"
            }
            Self::Evaluation(EvaluationError::Stopped(Stopped::Memory)) => {
                "sorting, grouping and DISTINCT keep all their rows: filter before, or leave \
                 them out"
            }
            Self::Evaluation(EvaluationError::UnknownFunction(_)) => {
                "the functions of SPARQL 1.1 and the xsd: casts are known"
            }
            Self::Evaluation(EvaluationError::NoTripleTerms) => {
                "ask for Turtle, N-Triples, RDF/XML, TriG or N-Quads"
            }
            Self::ResultTooLarge(_) => "add LIMIT and OFFSET, or use an export",
            Self::Overloaded(_) => "try again in a moment",
            _ => return None,
        })
    }
}
