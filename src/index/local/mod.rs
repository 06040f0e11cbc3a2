//! The embedded engine: tantivy for words, mapped files of vectors for
//! meaning, and columns in memory for everything that is counted or filtered.

mod columns;
mod facets;
mod lists;
mod look_alikes;
mod meaning;
mod parts;
mod rows;
mod scored;
mod snapshot;
mod text;
mod values;
mod vocabulary;
mod words;

pub use facets::{Counted, Filters};
pub use meaning::{AWAITED, Scan, Unembedded, meaning_of};
pub use rows::{Bits, Rows};
pub use scored::Scored;
pub use snapshot::Snapshot;
pub use text::{TextIndex, title_key};
pub use vocabulary::edits;
pub use words::{Beginnings, places_of_words, surface_words_of, words_of};
