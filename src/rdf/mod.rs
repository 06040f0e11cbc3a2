//! Terms, quads, changes and revisions: the words every module shares.
//! Not for storage or evaluation.

mod format;
mod names;
mod time;

pub use format::{GraphFormat, SolutionsFormat};
pub use names::{Names, prefixes, vocabulary};
pub use oxigraph::model::{
    BlankNode, GraphName, GraphNameRef, Literal, NamedNode, NamedOrBlankNode, Quad, Term, Triple,
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

/// Who may see a named graph: each sees what those before it see, and more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Visibility {
    /// Everyone (`insites:Public`).
    #[default]
    Public,
    /// Members of the network (`insites:Members`).
    Members,
    /// Those who review and publish (`insites:Curators`).
    Curators,
}

impl Visibility {
    /// All, from the widest.
    pub const ALL: [Self; 3] = [Self::Public, Self::Members, Self::Curators];

    /// The local name of its IRI.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Public => "Public",
            Self::Members => "Members",
            Self::Curators => "Curators",
        }
    }

    /// The visibility with this name, as written in settings and parameters.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|visibility| visibility.name().eq_ignore_ascii_case(name))
    }
}
