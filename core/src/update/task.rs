//! Tasks: what one is, how it fares, and what is known of it beside.

use super::{Field, FieldName, Histogram, MetaId, RuntimeId, SourcePlace, Stamp, TaskId, Value};
use std::{num::NonZeroU64, time::Duration};

/// What a task was spawned as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, serde::Serialize, serde::Deserialize)]
pub enum TaskKind {
    /// `tokio::spawn`.
    #[default]
    Task,
    /// `tokio::task::spawn_local`.
    Local,
    /// `spawn_blocking`: one poll, on a thread that may block.
    Blocking,
    /// The root future of `block_on`.
    BlockOn,
    /// Something that this version does not know.
    Other,
    /// The job that is a worker of tokio's multi-threaded runtime: a blocking task for the instrumentation, and nobody's own.
    Worker,
}

/// Where tokio spawns the jobs that are its workers.
const WORKERS: &str = "/runtime/scheduler/multi_thread/worker.rs";

impl TaskKind {
    /// As the instrumentation names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Task => "task",
            Self::Local => "local",
            Self::Blocking => "blocking",
            Self::BlockOn => "block_on",
            Self::Other => "other",
            Self::Worker => "worker",
        }
    }

    /// Whether it runs on a thread that may block.
    pub fn may_block(self) -> bool {
        matches!(self, Self::Blocking | Self::Worker)
    }

    /// What a task of this kind is that was spawned in this file.
    pub(crate) fn spawned_in(self, file: &str) -> Self {
        if self == Self::Blocking && file.ends_with(WORKERS) { Self::Worker } else { self }
    }

    /// The reverse of [`TaskKind::name`].
    pub fn from_name(name: &str) -> Self {
        match name {
            "task" => Self::Task,
            "local" => Self::Local,
            "blocking" => Self::Blocking,
            "block_on" => Self::BlockOn,
            _ => Self::Other,
        }
    }
}

/// A task that the target announces.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct NewTask {
    /// Its id.
    pub id: TaskId,
    /// Its span's description, where there is one.
    pub metadata: Option<MetaId>,
    /// Tokio's own number of it.
    pub number: Option<NonZeroU64>,
    /// Empty where it has none.
    pub name: String,
    /// What it was spawned as; `None` where that is not told.
    pub kind: Option<TaskKind>,
    /// Bytes of its future as the runtime keeps it; 0 where that is not told.
    pub size: u32,
    /// Bytes before the runtime boxed it; 0 where it did not.
    pub original_size: u32,
    /// Whatever else is known of it.
    pub fields: Vec<Field>,
    /// Where it was spawned.
    pub place: Option<SourcePlace>,
}

impl NewTask {
    /// A task of which nothing is known.
    pub fn new(id: TaskId) -> Self {
        Self {
            id,
            metadata: None,
            number: None,
            name: String::new(),
            kind: None,
            size: 0,
            original_size: 0,
            fields: Vec::new(),
            place: None,
        }
    }

    /// A task as a span's fields tell it. Those whose names are not sent as text stay as they are.
    pub fn from_fields(id: TaskId, metadata: Option<MetaId>, fields: Vec<Field>, place: Option<SourcePlace>) -> Self {
        let mut new = Self { metadata, place, ..Self::new(id) };
        for field in fields {
            match field.name.clone() {
                FieldName::Text(name) => new.read(&name, field),
                FieldName::Index(..) => new.fields.push(field),
            }
        }
        new
    }

    /// Takes in a field of this name, as Tokio's spans carry it.
    pub fn read(&mut self, name: &str, field: Field) {
        let size = |size| u32::try_from(size).unwrap_or(u32::MAX);
        match (name, &field.value) {
            ("task.name", Value::Text(name)) => self.name.clone_from(name),
            ("task.id", &Value::U64(number)) => self.number = NonZeroU64::new(number),
            ("kind", Value::Text(kind)) => self.kind = Some(TaskKind::from_name(kind)),
            ("size.bytes", &Value::U64(bytes)) => self.size = size(bytes),
            ("original_size.bytes", &Value::U64(bytes)) => self.original_size = size(bytes),
            _ => self.fields.push(field),
        }
    }
}

/// A task's state, whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TaskStats {
    /// When it was spawned.
    pub created: Option<Stamp>,
    /// When it ended.
    pub dropped: Option<Stamp>,
    /// The most recent time that it was woken.
    pub last_wake: Option<Stamp>,
    /// Its polls.
    pub polls: PollStats,
    /// The time between wake and poll, over all polls that have started.
    pub scheduled: Duration,
    /// How often it was woken.
    pub wakes: u64,
    /// How often it woke itself.
    pub self_wakes: u64,
    /// How often its waker was cloned.
    pub waker_clones: u64,
    /// How often its waker was dropped.
    pub waker_drops: u64,
}

/// The polls of a task or an operation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PollStats {
    /// How many have started.
    pub count: u64,
    /// When the latest one started.
    pub last_started: Option<Stamp>,
    /// When the latest one that ended did so.
    pub last_ended: Option<Stamp>,
    /// The time inside polls that have ended.
    pub busy: Duration,
}

/// What is known of a task beyond its updates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TaskFacts {
    /// The task that spawned it.
    pub parent: Option<TaskId>,
    /// The runtime that it runs on.
    pub runtime: Option<RuntimeId>,
}

/// Who wakes a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum WokenBy {
    /// This task, or blocking job.
    Task(TaskId),
    /// The runtime, outside of any poll: its I/O, its timers, or the turn of one who yielded.
    Runtime,
    /// Code outside of any task and of the runtime's own.
    Outside,
}

/// One who woke a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Waking {
    /// Who.
    pub by: WokenBy,
    /// How often, at least.
    pub count: u64,
    /// When it was the last time.
    pub last: Option<Stamp>,
}

/// Who woke a task, as far as that is kept: of the few of which somebody will ask.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TaskWakers {
    /// Since when they are kept.
    pub since: Option<Stamp>,
    /// The latest first.
    pub wakers: Vec<Waking>,
    /// Wakes by those who are not kept any more.
    pub others: u64,
}

/// One of the service's own spans.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Span {
    /// Its name.
    pub name: String,
    /// Its fields, each with its value as text.
    pub fields: Vec<(String, String)>,
}

impl std::fmt::Display for Span {
    /// As a log line names it: `request{peer=10.0.0.1 id=7}`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)?;
        for (at, (name, value)) in self.fields.iter().enumerate() {
            write!(f, "{}{name}={value}", if at == 0 { "{" } else { " " })?;
        }
        f.write_str(if self.fields.is_empty() { "" } else { "}" })
    }
}

/// A task that ended in a panic.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Panic {
    /// The task.
    pub task: TaskId,
    /// What it said.
    pub message: String,
    /// Where, empty where that is not known.
    pub place: SourcePlace,
    /// When.
    pub at: Stamp,
    /// The task's name, empty where it has none or that is not told: its row may be gone by now, or never have been there.
    pub task_name: String,
    /// Where the task was spawned.
    pub spawned_at: Option<SourcePlace>,
}

/// What the target tells of one task on request.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TaskDetails {
    /// The task.
    pub task: TaskId,
    /// When it was recorded.
    pub now: Option<Stamp>,
    /// How long its polls took.
    pub poll_times: Option<Histogram>,
    /// How long it waited to be polled after being woken.
    pub scheduled_times: Option<Histogram>,
}
