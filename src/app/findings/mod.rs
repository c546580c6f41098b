//! The findings as the list shows them.

pub(crate) mod lines;
