//! The findings: the list, the page of one, and what other pages say of one in a line.

pub(crate) mod lines;
pub(crate) mod page;
pub(crate) mod panel;
