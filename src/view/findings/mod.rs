//! The findings, the evidence of one, and its story.

pub mod list;
pub mod page;
pub mod story;
