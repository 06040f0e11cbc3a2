//! HTML: data in, text out. Knows no axum and no engine. Pages hold no script
//! and no inline style, and work by keyboard, enlarged, and with a screen
//! reader.

mod history;
mod layout;
mod lists;
mod record;
mod search;
mod sign_in;
mod workbench;

pub use history::{HistoryEntry, HistoryPage, history};
pub use layout::{Layout, Link, SignedIn, Value};
pub use lists::{
    BrowsePage, HomePage, OntologyPage, OntologyTerm, ProblemPage, about, browse, home, ontology,
    problem, problem_type,
};
pub use record::{Fact, Incoming, RecordPage, record};
pub use search::{FacetGroup, FacetLink, SearchHit, SearchPage, search};
pub use sign_in::sign_in;
pub use workbench::{
    Field, QueriesPage, QueryError, QueryPage, Table, WorkbenchPage, queries, query, workbench,
};

/// The one stylesheet.
pub const STYLESHEET: &str = include_str!("style.css");
/// Its name under `/assets/`.
pub const STYLESHEET_NAME: &str = "style.css";

#[cfg(test)]
mod tests;
