//! The resources and their operations: the lists, and the page of one.

pub(crate) mod list;
pub(crate) mod panel;
