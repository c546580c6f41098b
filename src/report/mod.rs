//! What is said without a screen.
//!
//! ```text
//! observation     what came of watching a target
//!   data          the same as plain data, as the JSON has it       schema/check.schema.json
//!     rows        a finding among it
//!     json, text, github   three ways to print it
//! ```

mod data;
mod exact;
pub(crate) mod github;
mod location;
mod observation;
mod rows;
mod task;
pub(crate) mod text;

#[cfg(test)]
mod tests;

pub use data::Report;
pub use observation::{End, Observation, Totals};

/// The JSON Schema of a report as JSON.
pub const SCHEMA: &str = include_str!("../../schema/check.schema.json");
