//! The console's service, `Instrument`: the same rows that console-subscriber tells, in its format.

pub(crate) mod histogram;
pub(crate) mod metadata;
pub(crate) mod pages;
pub(crate) mod rows;
pub(crate) mod service;
