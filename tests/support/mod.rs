//! What tests share. Each test binary takes from it what it needs.

pub mod agent;
pub mod screen;
pub mod service;
