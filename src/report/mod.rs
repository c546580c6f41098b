//! What is said without a screen.
//!
//! ```text
//! observation     what came of watching a target
//!   data          the same as plain data, as the JSON has it       schema/check.schema.json
//!     rows        a finding among it
//!       story     who is in it, step by step
//!     json, text, github, sarif, junit   ways to print it
//!   checked       several targets, in each of these           schema/checked.schema.json
//! processes       the Tokio processes of this machine
//!   tree          every chain of a process, equal ones together
//! recording       what a recording is of
//! diff            two sides compared                             schema/diff.schema.json
//! ```

mod checked;
mod data;
mod diff;
mod exact;
pub(crate) mod github;
pub(crate) mod junit;
mod location;
mod observation;
pub(crate) mod processes;
mod recording;
mod rows;
pub(crate) mod sarif;
mod story;
mod task;
pub(crate) mod text;
pub(crate) mod tree;

#[cfg(test)]
mod tests;

pub use checked::{Checked, Seen};
pub(crate) use checked::{for_github, in_json, in_text};
pub use data::Report;
pub use diff::DIFF_SCHEMA;
pub(crate) use diff::{DiffReport, Named as NamedSide};
pub use observation::{End, Observation, Totals};
pub use processes::ProcessList;
pub(crate) use recording::RecordingInfo;
pub use tree::{Tree, TreeOf};

/// The JSON Schema of a report as JSON.
pub const SCHEMA: &str = include_str!("../../schema/check.schema.json");

/// The JSON Schema of the reports of several targets as JSON; each report in it is by [`SCHEMA`].
pub const CHECKED_SCHEMA: &str = include_str!("../../schema/checked.schema.json");
