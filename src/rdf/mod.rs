//! Terms, quads, changes and revisions: the words every module shares.
//! Not for storage or evaluation.

mod format;
mod names;
mod time;

pub use format::{GraphFormat, SolutionsFormat};
pub use names::{Names, prefixes, vocabulary};
pub use oxigraph::model::{
    GraphNameRef, BlankNode, GraphName, Literal, NamedNode, NamedOrBlankNode, Quad, Term, Triple,
};
pub use time::{now, timestamp};

/// The number of a change in the ledger; also the state of the data after it.
/// 0 is the empty ledger; each change adds one.
pub type Revision = u64;

/// The number of a term in the ledger's dictionary. 0 stands for the default
/// graph and for no term.
pub type TermId = u32;

/// A quad of term numbers: subject, predicate, object, graph.
pub type QuadIds = [TermId; 4];

/// Who makes a change and why.
#[derive(Debug, Clone, Default)]
pub struct Provenance {
    /// Who: a name of a token, or `system` for the seed.
    pub author: String,
    /// Why, in the author's words.
    pub reason: String,
    /// Where it came from: a file name, a route.
    pub source: String,
}
