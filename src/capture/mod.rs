//! One record at a time, from a form, a spreadsheet row or JSON: drafts that
//! only those see who work on them, forms made from the shapes, and the texts
//! of interviews with their passages and the personal data in them. Knows no
//! HTTP and no HTML; makes no change by itself: it fills an edit of the one
//! commit door.

mod complete;
mod draft;
mod fields;
mod form;
pub mod interview;
pub mod passages;
pub mod personal;
mod questions;
mod reading;
mod sheet;
pub mod text;
mod values;

#[cfg(test)]
mod tests;

pub use complete::{answer_title, case_study, case_study_form, case_title, judge, tool_answer};
pub use draft::{
    Basis, Comment, Draft, Refused, ReviewState, Writing, comment, discard, drafts, forget,
    hand_in, may_work_on, publish, published, read, set_state, site_of, slug, unused_slug, write,
};
pub use fields::{Choice, Control, Field, Form, Group, OnlyIf, Repeat};
pub use form::{Forms, Records};
pub use questions::{Part, Questionnaire, questionnaire, questionnaires};
pub use reading::{Refusal, Row, Rows, Unreadable, read_sheet};
pub use sheet::{Column, Sheet};
pub use values::{Fault, Values, faults, from_triples, title_in, to_triples};
