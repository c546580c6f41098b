//! What a lint is: what it says of itself, and functions that judge and describe. It has no memory: what it fired for is the
//! engine's, and what must be remembered of the target is the model's.

use super::{
    Confidence, Evidence, Param, Related, Severity, Subject, contradiction::When, graph::Graphs, settings::Values,
};
use crate::{
    model::{Lock, Model, PlaceId, Resource, Task},
    update::{FactSet, ResourceId, RuntimeId, Stamp, TaskId, WorkerId},
};
use std::time::Duration;

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
    /// What must be known for it to be asked at all. Where that is not, it is listed as not looked for.
    pub needs: FactSet,
    /// Whether it speaks of what is so now, or of what has been.
    pub(super) when: When,
    /// Lints that say the same thing less well of the same task or lock, and are silent as long as this one speaks.
    pub(super) subsumes: &'static [&'static str],
    pub(super) check: Check,
}

impl std::fmt::Debug for Lint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Lint").field(&self.name).finish()
    }
}

/// For `#[serde(with)]` of a lint: its name.
pub(super) mod by_name {
    use super::Lint;
    use crate::diagnose::LINTS;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

    pub(in crate::diagnose) fn serialize<S: Serializer>(lint: &&'static Lint, to: S) -> Result<S::Ok, S::Error> {
        lint.name.serialize(to)
    }

    pub(in crate::diagnose) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<&'static Lint, D::Error> {
        let name = String::deserialize(from)?;
        let lint = LINTS.iter().find(|lint| lint.name == name).copied();
        lint.ok_or_else(|| D::Error::custom(format_args!("there is no lint `{name}`")))
    }
}

impl PartialEq for Lint {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// What a lint may look at.
#[derive(Clone, Copy)]
pub(super) struct Cx<'a> {
    /// The target.
    pub model: &'a Model,
    /// The target's clock at the latest update.
    pub now: Stamp,
    /// What the latest update does not contradict was true at this instant; see [`Model::settled`].
    pub settled: Stamp,
    /// The lint's thresholds.
    pub values: &'a Values,
    /// Who waits for whom.
    pub graphs: &'a Graphs,
}

impl Cx<'_> {
    /// How long something has lasted at an instant that is so since another, as long as the process did not stand still.
    pub(super) fn lasted(&self, since: Stamp, at: Stamp) -> Duration {
        self.model.lasted(since, at)
    }
}

/// A lint's question.
#[derive(Clone, Copy)]
pub(super) enum Check {
    /// Asked of each task that may have changed its answer.
    Task {
        /// What one finding stands for.
        by: Grouping,
        /// When it is asked again.
        asked: Asked,
        /// Whether it fires. Asked often: no allocation here.
        judge: fn(&Cx, &Task) -> Judgement,
        /// What shows it, for the task that speaks for its group.
        describe: fn(&Cx, &Task) -> Description,
    },
    /// Asked of each lock that may have changed its answer. A lock in use is reported with every update.
    Lock {
        /// When it is asked again.
        asked: Asked,
        /// Whether it fires. Asked often: no description here.
        judge: fn(&Cx, &Resource, &Lock) -> Judgement,
        /// What it says of a lock that it fires for.
        describe: fn(&Cx, &Resource, &Lock) -> Option<Report>,
    },
    /// Asked of the model after each complete update: everything that it fires for now. What it reported before and does not
    /// report again is over.
    Whole(fn(&Cx) -> Vec<Report>),
}

/// What one finding of a lint on tasks stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grouping {
    /// One task.
    Task,
    /// All tasks of one spawn location that it fires for; the worst of them speaks for all.
    Place,
}

impl Grouping {
    /// What tells the finding that stands for a task from the lint's others.
    pub(super) fn key(self, task: TaskId, place: PlaceId) -> Key {
        match self {
            Self::Place if place.is_known() => Key::Place(place),
            Self::Place | Self::Task => Key::Task(task),
        }
    }
}

/// When a lint is asked again about what it has judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// When it is reported: nothing else changes the answer.
    WhenReported,
    /// With each complete update, if it fires or may soon: the answer depends on the time that passes.
    AsTimePasses,
}

/// The answer about one task or lock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Judgement {
    /// Nothing is wrong.
    Clear,
    /// Nothing is wrong yet; ask again after the next update even if the task does not change.
    AskAgain,
    /// It fires.
    Fires(Verdict),
}

/// How bad it is with one task or lock.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Verdict {
    /// How bad.
    pub severity: Severity,
    /// Since when.
    pub since: Stamp,
    /// Among tasks of one severity, the largest weight speaks for all.
    pub weight: u64,
}

impl Verdict {
    /// A verdict that weighs what a time span does.
    pub(super) fn weighing(severity: Severity, since: Stamp, weight: Duration) -> Judgement {
        Judgement::Fires(Self { severity, since, weight: crate::update::nanos(weight) })
    }
}

/// A finding's words and facts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Description {
    /// The finding in one line, subject left out.
    pub message: String,
    /// What shows it.
    pub evidence: Vec<Evidence>,
}

/// A finding as a lint reports it.
#[derive(Debug, Clone)]
pub(super) struct Report {
    /// What tells it from the lint's other findings.
    pub key: Key,
    /// How bad.
    pub severity: Severity,
    /// How sure, before the target's losses are taken into account.
    pub confidence: Confidence,
    /// Since when.
    pub since: Stamp,
    /// What it is about.
    pub subject: Subject,
    /// The finding in one line, subject left out.
    pub message: String,
    /// What shows it.
    pub evidence: Vec<Evidence>,
    /// Who else is in it.
    pub related: Related,
}

/// What a finding is about, by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub(super) enum Key {
    /// One task.
    Task(TaskId),
    /// The tasks of one spawn location.
    Place(PlaceId),
    /// One lock.
    Lock(ResourceId),
    /// One runtime.
    Runtime(RuntimeId),
    /// One worker.
    Worker(WorkerId),
    /// The target.
    Target,
}
