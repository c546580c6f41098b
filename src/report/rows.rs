//! A finding as plain data of the JSON, with all that it names.

use super::{
    exact::{self, RuntimeRow, StackRow, WorkerRow},
    location::{Location, location},
    story::{StepRow, story},
    task::{TaskRow, task},
};
use crate::{
    diagnose::{AwaitedRef, CycleStep, Evidence, Finding, LockRef, Measure, Severity, Status, Subject, WaitRef},
    update::Stamp,
};
use serde::Serialize;
use std::time::Duration;

/// One finding.
#[derive(Debug, Serialize)]
pub struct Row {
    /// The lint.
    pub lint: &'static str,
    /// How bad.
    pub severity: &'static str,
    /// The same, not in words.
    #[serde(skip)]
    pub rank: Severity,
    /// How sure.
    pub confidence: &'static str,
    /// `active` or `past`, at the end.
    pub status: &'static str,
    /// What it is about.
    pub subject: Named,
    /// Since when the condition holds, or held.
    pub since: String,
    /// When it was first seen.
    pub first_seen: String,
    /// When it was last seen.
    pub last_seen: String,
    /// How often it began.
    pub episodes: u64,
    /// In one line, the subject left out.
    pub message: String,
    /// What shows it.
    pub evidence: Vec<Fact>,
    /// Who is in it and how they hang together, in the order in which it is told.
    pub story: Vec<StepRow>,
    /// Who else is in it.
    pub related: Others,
    /// What to do about it.
    pub advice: &'static str,
}

/// A subject by its kind.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Named {
    /// A task.
    Task(TaskRow),
    /// A lock.
    Lock(LockRow),
    /// A spawn location.
    Place {
        /// Where.
        location: Option<Location>,
    },
    /// A runtime.
    Runtime(RuntimeRow),
    /// A worker; of steps of a story alone.
    Worker(WorkerRow),
    /// Threads, by the kernel's numbers.
    Threads {
        /// Which.
        threads: Vec<u32>,
    },
    /// The target as a whole.
    Target,
}

impl Named {
    /// Where in the source it is.
    pub(super) fn location(&self) -> Option<&Location> {
        match self {
            Self::Task(task) => task.location.as_ref(),
            Self::Lock(lock) => lock.location.as_ref(),
            Self::Place { location } => location.as_ref(),
            Self::Runtime(_) | Self::Worker(_) | Self::Threads { .. } | Self::Target => None,
        }
    }
}

/// A lock.
#[derive(Debug, Serialize)]
pub struct LockRow {
    /// The instrumentation's id.
    pub id: u64,
    /// What it is known by: the order in which the target spoke of its resources.
    pub number: u64,
    /// `Mutex` or `RwLock`.
    pub lock_kind: &'static str,
    /// Where it was made.
    pub location: Option<Location>,
}

/// A measured value.
#[derive(Debug, Serialize)]
pub struct Fact {
    /// What it is.
    pub name: &'static str,
    /// The value with its type.
    #[serde(flatten)]
    pub value: FactValue,
    /// In words, as the text has it.
    #[serde(skip)]
    pub words: String,
}

/// A value with its type.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum FactValue {
    /// Seconds.
    Duration {
        /// How many.
        value: f64,
        /// In what.
        unit: &'static str,
    },
    /// A number of things.
    Count {
        /// How many.
        value: u64,
        /// None.
        unit: Option<&'static str>,
    },
    /// A size.
    Size {
        /// How many.
        value: u64,
        /// In what.
        unit: &'static str,
    },
    /// From 0 to 1.
    Share {
        /// How much.
        value: f64,
        /// None.
        unit: Option<&'static str>,
    },
    /// Words.
    Text {
        /// Which.
        value: String,
        /// None.
        unit: Option<&'static str>,
    },
}

/// Who else is in a finding.
#[derive(Debug, Serialize)]
pub struct Others {
    /// The lock that it is about.
    pub lock: Option<LockRow>,
    /// Who holds it; of several who read, one.
    pub holder: Option<TaskRow>,
    /// The others who hold it.
    pub co_holders: Vec<TaskRow>,
    /// The worker that it is about; nothing but an agent tells.
    pub worker: Option<WorkerRow>,
    /// Stacks that show it; nothing but an agent tells.
    pub stacks: Vec<StackRow>,
    /// Who waits for it, first come first.
    pub waiters: Vec<Waiter>,
    /// How many wait, those not named included.
    pub waiters_total: usize,
    /// A deadlock's cycle.
    pub cycle: Vec<Step>,
    /// Others of one spawn location.
    pub tasks: Vec<TaskRow>,
    /// How many there are, the subject and those not named included.
    pub tasks_total: usize,
}

/// A task that waits.
#[derive(Debug, Serialize)]
pub struct Waiter {
    /// The task.
    pub task: TaskRow,
    /// For how long; null where it is not told since when.
    pub waited_seconds: Option<f64>,
}

/// One step of a deadlock.
#[derive(Debug, Serialize)]
pub struct Step {
    /// The task.
    pub task: TaskRow,
    /// What it keeps, and the one before waits for.
    pub holds: Named,
    /// How: `guard`, `unpolled-guard`, `place`, `unpolled-place`, `sender`, `receiver`, `end`.
    pub by: &'static str,
    /// For how long it has.
    pub held_seconds: f64,
    /// Where it acquired that.
    pub acquired_at: Option<String>,
    /// What it waits for: a resource, or a task's end.
    pub waits_for: Named,
    /// For how long it has.
    pub waited_seconds: f64,
    /// What it waits in.
    pub waits_in: Option<String>,
    /// Where it waits.
    pub waits_at: Option<String>,
}

pub(super) fn row(finding: &Finding) -> Row {
    let related = &finding.related;
    Row {
        lint: finding.lint.name,
        severity: finding.severity.name(),
        rank: finding.severity,
        confidence: finding.confidence.name(),
        status: match finding.status {
            Status::Active => "active",
            Status::Past => "past",
        },
        subject: match &finding.subject {
            Subject::Task(subject) => Named::Task(task(subject)),
            Subject::Lock(subject) => Named::Lock(lock(subject)),
            Subject::Place(place) => Named::Place { location: location(place) },
            Subject::Runtime(subject) => Named::Runtime(exact::runtime(subject)),
            Subject::Target => Named::Target,
        },
        since: rfc3339(finding.since),
        first_seen: rfc3339(finding.first_seen),
        last_seen: rfc3339(finding.last_seen),
        episodes: finding.episodes,
        message: finding.message.clone(),
        evidence: finding.evidence.iter().map(fact).collect(),
        story: story(&finding.story()),
        related: Others {
            lock: related.lock.as_ref().map(lock),
            holder: related.holder.as_ref().map(task),
            co_holders: related.co_holders.iter().map(task).collect(),
            worker: related.worker.as_ref().map(exact::worker),
            stacks: related.stacks.iter().map(exact::stack).collect(),
            waiters: related.waiters.iter().map(waiter).collect(),
            waiters_total: related.waiters_total,
            cycle: related.cycle.iter().map(step).collect(),
            tasks: related.tasks.iter().map(task).collect(),
            tasks_total: related.tasks_total,
        },
        advice: finding.advice(),
    }
}

fn step(step: &CycleStep) -> Step {
    Step {
        task: task(&step.task),
        holds: awaited(&step.holds),
        by: step.by.name(),
        held_seconds: seconds(step.held),
        acquired_at: step.acquired_at.clone(),
        waits_for: awaited(&step.waits_for),
        waited_seconds: seconds(step.waited),
        waits_in: (!step.waits_in.is_empty()).then(|| step.waits_in.clone()),
        waits_at: step.waits_at.clone(),
    }
}

fn awaited(awaited: &AwaitedRef) -> Named {
    match awaited {
        AwaitedRef::Resource(resource) => Named::Lock(lock(resource)),
        AwaitedRef::End(ends) => Named::Task(task(ends)),
        AwaitedRef::Poll(threads) => Named::Threads { threads: threads.clone() },
    }
}

pub(super) fn lock(lock: &LockRef) -> LockRow {
    LockRow { id: lock.id.0, number: lock.number, lock_kind: lock.kind, location: location(&lock.place) }
}

fn waiter(wait: &WaitRef) -> Waiter {
    Waiter { task: task(&wait.task), waited_seconds: wait.waited.map(seconds) }
}

fn fact(evidence: &Evidence) -> Fact {
    use crate::diagnose::{humanize, humanize_bytes};
    let (value, words) = match &evidence.value {
        Measure::Time(time) => (FactValue::Duration { value: seconds(*time), unit: "seconds" }, humanize(*time)),
        &Measure::Count(value) => (FactValue::Count { value, unit: None }, value.to_string()),
        &Measure::Bytes(value) => (FactValue::Size { value, unit: "bytes" }, humanize_bytes(value)),
        &Measure::Share(value) => (FactValue::Share { value, unit: None }, format!("{:.0}%", value * 100.0)),
        Measure::Text(text) => (FactValue::Text { value: text.clone(), unit: None }, text.clone()),
    };
    Fact { name: evidence.name, value, words }
}

fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}

/// An instant of the target's clock; one beyond what the format can say is the latest that it can.
pub(super) fn rfc3339(at: Stamp) -> String {
    jiff::Timestamp::from_nanosecond(i128::from(at.nanos())).unwrap_or(jiff::Timestamp::MAX).to_string()
}
