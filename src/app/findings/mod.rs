//! The findings: the list, and what is said of one line by line.

pub(crate) mod lines;
pub(crate) mod panel;
