//! holdup's own service, `Diagnostics`: all that is known, as of one instant.

pub(crate) mod lock_pages;
mod older;
pub(crate) mod pages;
pub(crate) mod report;
pub(crate) mod rows;
pub(crate) mod service;
pub(crate) mod stack;

/// Rows of each kind on a page: some hundreds of kilobytes.
const ROWS: usize = 250;
