//! What tests share. Each test binary takes from it what it needs.

pub(crate) mod agent;
pub(crate) mod screen;
pub(crate) mod service;
