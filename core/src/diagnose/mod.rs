//! What is wrong: lints, the wait-for graph, evidence and advice. Pure: model in, findings out; no I/O and no clock.
//!
//! A [`Lint`] is one entry of [`LINTS`], in a file of its own under `lints/`: functions and thresholds, without a memory. The
//! [`Engine`] asks them after each update and keeps the [`Finding`]s, those that are over included. A lint on tasks or locks is
//! asked about what changed, about what depends on the time that passes, and about what it fired for; never about everything.

mod contradiction;
mod engine;
mod finding;
mod findings;
mod flags;
mod follow;
mod graph;
mod groups;
mod label;
mod lint;
mod lint_state;
mod lints;
mod round;
mod settings;
mod silence;
mod story;
mod unasked;

pub use crate::number::{humanize, humanize_bytes};
pub use engine::{Engine, Tally};
pub use finding::{
    AwaitedRef, Confidence, CycleStep, Evidence, Finding, FindingId, KeepsBy, LockRef, Measure, RELATED_MOST, Related,
    RuntimeRef, Severity, StackRef, Status, Subject, TaskRef, WaitRef, WorkerRef,
};
pub use flags::{Flag, lint_mask};
pub use label::woken_by;
pub use lint::Lint;
pub use lints::{LINTS, lint};
pub use settings::{Param, SettingError, Settings, Threshold};
pub use story::{About, Keeper, KeeperWait, LINES, Lines, More, Role, Step, drawn, levels};
pub use unasked::{NotLookedFor, by_reason};

#[cfg(test)]
mod tests;
