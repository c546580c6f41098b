//! The locks, and the page of one.

pub mod list;
pub mod page;
