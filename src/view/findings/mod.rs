//! The findings, and the evidence of one.

pub mod list;
pub mod page;
