//! The task list: its columns, order and groups; and the page of one task.

pub(crate) mod changed;
pub(crate) mod columns;
pub(crate) mod groups;
pub(crate) mod list;
pub(crate) mod look;
pub(crate) mod order;
pub(crate) mod page;
pub(crate) mod panel;
pub(crate) mod scan;
pub(crate) mod sort_key;
