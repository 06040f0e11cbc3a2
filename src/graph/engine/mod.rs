//! The vectorised executor: a query's algebra becomes a plan of operators that
//! work on columns of term numbers, tens of thousands of rows at a time, over
//! [`crate::graph::columns`]. What it does not cover is told before the first
//! row, and the evaluator runs the whole query instead. Measured against that
//! evaluator in `tests/bench/sparql.rs`; the layout and the operators follow
//! the prototype whose figures are in the README.

mod aggregate;
mod batch;
mod bound;
mod compute;
mod counts;
mod explain;
mod expression;
#[cfg(test)]
mod fuzz;
mod group;
mod order;
mod path;
mod plan;
mod run;
mod table;
#[cfg(test)]
mod tests;
mod values;

pub(super) use batch::Batch;
pub use explain::Explained;
pub(super) use order::{is_zoned, literals};
pub(super) use plan::{NotCovered, plan};
pub(super) use run::Engine;
