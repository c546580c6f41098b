//! What a lint is to the engine: a question about one task, or about the whole model.

use super::{Confidence, Evidence, Related, Severity, Subject};
use crate::{
    model::{Model, PlaceId, Task},
    update::{ResourceId, RuntimeId, Stamp, TaskId, WorkerId},
};
use std::time::Duration;

/// What a check may look at.
pub(super) struct Context<'a> {
    /// The target.
    pub model: &'a Model,
    /// The target's clock at the latest update.
    pub now: Stamp,
    /// What the latest update does not contradict was true at this instant; see [`Model::settled`].
    pub settled: Stamp,
}

/// A lint's question.
pub(super) enum Check {
    /// Asked of each task that may have changed its answer.
    Task(Grouping, Box<dyn TaskCheck>),
    /// Asked of the model after each complete update.
    Whole(Box<dyn WholeCheck>),
}

/// What one finding of a lint on tasks stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grouping {
    /// One task.
    Task,
    /// All tasks of one spawn location that it fires for; the worst of them speaks for all.
    Place,
}

/// The answer about one task.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Judgement {
    /// Nothing is wrong.
    Clear,
    /// Nothing is wrong yet; ask again after the next update even if the task does not change.
    AskAgain,
    /// It fires.
    Fires(Verdict),
}

/// How bad it is with one task.
#[derive(Debug, Clone, Copy, PartialEq)]
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

/// A question about one task.
pub(super) trait TaskCheck: Send {
    /// Whether it fires. Asked often: no allocation here.
    fn judge(&self, cx: &Context, task: &Task) -> Judgement;
    /// What shows it, for the task that speaks for its group.
    fn describe(&self, cx: &Context, task: &Task) -> Description;
}

/// A finding's words and facts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Description {
    /// The finding in one line, subject left out.
    pub message: String,
    /// What shows it.
    pub evidence: Vec<Evidence>,
}

/// A question about the whole model.
pub(super) trait WholeCheck: Send {
    /// Everything that it fires for now. What it reported before and does not report again is over.
    fn judge(&mut self, cx: &Context) -> Vec<Report>;
}

/// A finding as a check reports it.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
