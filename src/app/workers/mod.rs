//! The workers: the list, and the page of one.

pub(crate) mod list;
pub(crate) mod now;
pub(crate) mod page;
pub(crate) mod panel;
