//! HTML: data in, text out. Knows no axum and no engine. Pages hold no inline
//! script and no inline style, and work by keyboard, enlarged, printed and with
//! a screen reader; script only adds comfort.

mod assets;
mod blocks;
mod cite;
mod compare;
mod explain;
mod forms;
mod history;
pub mod interviews;
mod layers;
mod layout;
mod lists;
mod network;
mod pictures;
mod record;
mod search;
mod sign_in;
mod workbench;

pub use assets::{Asset, assets};
pub use blocks::{Block, Card, Figure, Grid, Said, Section, Step};
pub use cite::Citation;
pub use compare::{
    Choosable, ChooseOne, CompareCell, CompareHead, ComparePage, CompareTable, Narrowed, compare,
};
pub use explain::{
    OntologyEdge, OntologyPage, OntologyTerm, ProblemPage, about, accessibility, ontology, problem,
    problem_type,
};
pub use forms::{
    DraftAction, DraftPage, DraftPart, FormControl, FormField, FormGroup, FormPage, ImportPage,
    ImportRead, TaskList, TasksPage, draft, form, import, tasks,
};
pub use history::{HistoryEntry, HistoryPage, history};
pub use layout::{Layout, Link, SignedIn, Value, day};
pub use lists::{BrowsePage, ExplorePage, GraphPage, HomePage, browse, explore, graph, home};
pub use network::{Network, NetworkLink, NetworkNode};
pub use pictures::{Bar, Bars, MapPicture, Neighbour, Neighbours, Point, Span, Timeline};
pub use record::{Fact, Feedback, Incoming, RecordPage, record};
pub use search::{FacetGroup, FacetLink, SearchHit, SearchPage, YearLink, search};
pub use sign_in::sign_in;
pub use workbench::{
    Field, QueriesPage, QueryError, QueryPage, Table, WorkbenchPage, queries, query, workbench,
};

#[cfg(test)]
mod tests;
