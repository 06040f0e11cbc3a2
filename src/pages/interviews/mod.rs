//! Pages on which interviews are written down, looked at for personal data and
//! coded, and the code book. Not for published interviews: those have the page
//! of a record.

mod codes;
mod coding;
mod finds;
mod form;
mod parts;

pub use codes::{Code, CodeForm, CodesPage, code_page, codes};
pub use coding::{CodedPassage, CodingPage, Handover, coding};
pub use finds::{FindShown, FindsPage, finds};
pub use form::{InterviewForm, interview_form};
pub use parts::{Choosable, Fault};
