//! What people write down, made ready to be kept: texts read from files and
//! split into passages, personal data found before anything is saved. Not for
//! requests, and not for saving: that is the commit door's.

pub mod passages;
pub mod personal;
pub mod text;
