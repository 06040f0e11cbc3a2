//! The embedded engine of the text view.

mod text;
mod words;

pub use text::{Snapshot, TextIndex};
pub use words::words_of;
