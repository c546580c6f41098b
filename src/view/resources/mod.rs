//! The resources and operations, and the page of one.

pub mod list;
pub mod page;
