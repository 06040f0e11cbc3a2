//! Comparing what is recorded: rows by columns with denominators and gaps,
//! what is common and what varies, figures beside passages, and how strong the
//! support of a lesson is. Not for requests, pages or words on them.

mod asked;
mod figures;
mod findings;
mod gather;
mod kept;
mod sparql;
pub mod statistics;
pub mod strength;
pub mod suppression;
mod table;

pub use asked::{Asked, Axis, Source, Unit};
pub use figures::{Choice, Figures, Measure, Numbers, Passage, figures};
pub use findings::{Common, Concepts, Contrast, Ended, Findings, Group, Varies, find};
pub use gather::{Gathered, Record, year};
pub use kept::Kept;
pub use sparql::{Filters, Queries};
pub use table::{Behind, Cell, Given, Head, Item, Table, behind, count, holders, visit};

#[cfg(test)]
mod tests;
