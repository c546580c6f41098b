//! The task list and the page of one task.

pub mod cells;
pub mod list;
pub mod page;
