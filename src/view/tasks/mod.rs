//! The task list and the page of one task.

pub mod cells;
pub mod list;
mod look;
pub mod page;
mod values;
