//! The locks: the list, the page of one, and who waits for whom.

pub(crate) mod list;
pub(crate) mod page;
pub(crate) mod panel;
pub(crate) mod wait_tree;
