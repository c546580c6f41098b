//! What is wrong: lints, the wait-for graph, evidence and advice. Pure: model in, findings out; no I/O and no clock.
//!
//! A [`Lint`] is one entry of [`LINTS`], in a file of its own under `lints/`. The [`Engine`] runs them after each update and keeps
//! the [`Finding`]s, those that are over included. A lint on tasks is asked about what changed, about tasks whose state depends on
//! the time that passes, and about those that it fired for; never about every task.

mod check;
mod engine;
mod finding;
mod group;
mod lints;
mod refs;
mod settings;
mod words;

pub use engine::{Engine, Tally};
pub use finding::{
    Confidence, CycleStep, Evidence, Finding, FindingId, LockRef, Measure, RELATED_MOST, Related, RuntimeRef, Severity,
    StackRef, Status, Subject, TaskRef, WaitRef, WorkerRef,
};
pub use lints::{LINTS, lint};
pub use settings::{Param, SettingError, Settings, Threshold};
pub use words::{humanize, humanize_bytes};

use check::Check;
use settings::LintSettings;

/// A rule that tells a trouble from its signs.
pub struct Lint {
    /// Kebab-case and stable: it stands in configuration, JSON and documentation.
    pub name: &'static str,
    /// What it fires for, in one sentence.
    pub summary: &'static str,
    /// The severities that it can have, the lowest first.
    pub severities: &'static [Severity],
    /// What to do about it, in one or two sentences.
    pub advice: &'static str,
    /// What it means, how to confirm it, how to fix it, and an example: Markdown.
    pub explanation: &'static str,
    /// From where on it fires.
    pub params: &'static [Param],
    /// Lints that say the same thing less well of the same task or lock, and are silent where this one has spoken.
    subsumes: &'static [&'static str],
    build: fn(&LintSettings) -> Check,
}

impl std::fmt::Debug for Lint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Lint").field(&self.name).finish()
    }
}

impl PartialEq for Lint {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}
