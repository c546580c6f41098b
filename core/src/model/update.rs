//! What the wire hands down: one update of the target's state, already decoded, in plain data.
//!
//! These types say what a target *claims*. Nothing in them is checked against the model: an id may be unknown, a time may
//! go backwards, a count may shrink. [`Model::apply`](super::Model::apply) is where claims become state.

use super::{
    MetaId, OpId, ResourceId, Stall, Stamp, TaskId, TaskKind,
    report::{LockStats, Loss, Panic, RuntimeStats, Span, TaskFacts, WorkerStats},
};
use std::{num::NonZeroU64, time::Duration};

/// One update, or one page of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Update {
    /// The target's clock when it recorded this update. Every page of an update carries the same one.
    pub now: Option<Stamp>,
    /// Descriptions that later parts refer to.
    pub metadata: Vec<NewMetadata>,
    /// Tasks seen for the first time.
    pub new_tasks: Vec<NewTask>,
    /// The state of each task that changed, whole.
    pub task_stats: Vec<(TaskId, TaskStats)>,
    /// Resources seen for the first time.
    pub new_resources: Vec<NewResource>,
    /// The state of each resource that changed, whole.
    pub resource_stats: Vec<(ResourceId, ResourceStats)>,
    /// Operations seen for the first time.
    pub new_ops: Vec<NewOp>,
    /// The state of each operation that changed, whole.
    pub op_stats: Vec<(OpId, OpStats)>,
    /// Polls of operations since the last update, in the order in which they happened.
    pub poll_ops: Vec<PollOp>,
    /// Tasks that have ended, with their last state lost.
    pub gone_tasks: Vec<TaskId>,
    /// Resources that were dropped, with their last state lost.
    pub gone_resources: Vec<ResourceId>,
    /// Operations that are over, with their last state lost.
    pub gone_ops: Vec<OpId>,
    /// What is known of tasks beyond their statistics. As all that speaks of a row, it comes after the row's announcement.
    pub task_facts: Vec<(TaskId, TaskFacts)>,
    /// Tasks whose place in the service's own spans changed.
    pub task_spans: Vec<(TaskId, Vec<Span>)>,
    /// Locks that changed, as the threads that use them see them.
    pub locks: Vec<LockStats>,
    /// Locks that are gone.
    pub gone_locks: Vec<ResourceId>,
    /// Stalls that began, changed or ended.
    pub stalls: Vec<Stall>,
    /// Tasks that ended in a panic.
    pub panics: Vec<Panic>,
    /// Every runtime. As all that is whole, on the last page alone; `None` where it is not told, which is not the same as none.
    pub runtimes: Option<Vec<RuntimeStats>>,
    /// Every worker.
    pub workers: Option<Vec<WorkerStats>>,
    /// What was lost since the process began, by kind: all kinds.
    pub losses: Option<Vec<Loss>>,
    /// What the target itself says that it lost since the last update.
    pub dropped: Dropped,
    /// What could not be used of this message, by kind.
    pub issues: DecodeIssues,
    /// Where this page stands in its update.
    pub part: Part,
    /// How much later it came than it would have over the link at its best. A lower bound.
    pub late: Duration,
}

/// Where a page stands in its update. A small update is one `Last` page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Part {
    /// More pages of the same update follow.
    More,
    /// The update is complete with this page.
    #[default]
    Last,
}

/// A count of events that the target dropped before they reached its own collector.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Spawns.
    pub tasks: u64,
    /// Resource creations.
    pub resources: u64,
    /// Operations and their polls.
    pub ops: u64,
}

impl Dropped {
    /// All kinds together, saturating.
    pub fn total(self) -> u64 {
        self.tasks.saturating_add(self.resources).saturating_add(self.ops)
    }
}

/// What a message held that could not be used: the parts are skipped and counted, never guessed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DecodeIssues {
    /// Entries without the id that says what they are about.
    pub missing_id: u64,
    /// Entries without a field that the format requires (statistics, a creation time).
    pub missing_field: u64,
    /// Times and durations that are negative or out of range.
    pub bad_time: u64,
    /// Names and values cut to the client's bounds.
    pub cut_text: u64,
    /// Entries larger than the client's bound for one entry, skipped unread.
    pub too_large: u64,
    /// Bytes that are not the wire format: the entry that they are in, or the rest of the message, is lost.
    pub malformed: u64,
}

impl DecodeIssues {
    /// All kinds together.
    pub fn total(self) -> u64 {
        self.missing_id + self.missing_field + self.bad_time + self.cut_text + self.too_large + self.malformed
    }

    /// Adds another message's issues to these.
    pub fn add(&mut self, other: DecodeIssues) {
        self.missing_id += other.missing_id;
        self.missing_field += other.missing_field;
        self.bad_time += other.bad_time;
        self.cut_text += other.cut_text;
        self.too_large += other.too_large;
        self.malformed += other.malformed;
    }
}

/// A span's or event's static description.
#[derive(Debug, Clone, PartialEq)]
pub struct NewMetadata {
    /// What tasks, resources and fields refer to it by.
    pub id: MetaId,
    /// Such as `runtime.spawn`.
    pub name: String,
    /// Such as `tokio::task`.
    pub target: String,
    /// The names that a field's index stands for.
    pub field_names: Vec<String>,
}

/// A place in the service's source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourcePlace {
    /// As the compiler saw it, registry prefixes and all.
    pub file: String,
    /// From 1; 0 where it is not known.
    pub line: u32,
    /// From 1; 0 where it is not known.
    pub column: u32,
}

/// A named value attached to a task, a resource or an operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Resolved where the name was sent as text; else the index into the metadata's names.
    pub name: FieldName,
    /// The value as sent.
    pub value: Value,
}

/// A field's name as sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldName {
    /// In full.
    Text(String),
    /// As an index into `field_names` of this metadata.
    Index(MetaId, usize),
}

/// A field's value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A flag, such as a mutex's `locked`.
    Bool(bool),
    /// A count.
    U64(u64),
    /// A signed number.
    I64(i64),
    /// Text, or the debug form of anything else.
    Text(String),
}

/// A task that the target announces.
#[derive(Debug, Clone, PartialEq)]
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
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

/// A resource that the target announces.
#[derive(Debug, Clone, PartialEq)]
pub struct NewResource {
    /// Its id.
    pub id: ResourceId,
    /// Its span's description.
    pub metadata: Option<MetaId>,
    /// The resource that it is a part of.
    pub parent: Option<ResourceId>,
    /// Such as `Sync` or `timer`.
    pub kind: String,
    /// Such as `Mutex`.
    pub concrete_type: String,
    /// The module that it comes from, such as `tokio::sync::mutex`; empty where its description says it.
    pub target: String,
    /// Where it was made.
    pub place: Option<SourcePlace>,
    /// Whether it is a part that the service's author never wrote down.
    pub internal: bool,
}

/// A resource's state, whole.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ResourceStats {
    /// When it was made.
    pub created: Option<Stamp>,
    /// When it was dropped.
    pub dropped: Option<Stamp>,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
}

/// A field with a unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribute {
    /// Name and value.
    pub field: Field,
    /// Such as `ms`.
    pub unit: Option<String>,
}

/// An operation that the target announces.
#[derive(Debug, Clone, PartialEq)]
pub struct NewOp {
    /// Its id.
    pub id: OpId,
    /// The operation that it is a part of.
    pub parent: Option<OpId>,
    /// The resource that it works on.
    pub resource: Option<ResourceId>,
    /// The method, such as `Mutex::lock`.
    pub source: String,
}

/// An operation's state, whole.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OpStats {
    /// When its future was made.
    pub created: Option<Stamp>,
    /// When its future was dropped, complete or not.
    pub dropped: Option<Stamp>,
    /// The task that polled it last.
    pub task: Option<TaskId>,
    /// Its polls. Entering its span for any other reason counts too.
    pub polls: PollStats,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
}

/// One poll of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PollOp {
    /// The resource.
    pub resource: ResourceId,
    /// The operation.
    pub op: Option<OpId>,
    /// The task that polled.
    pub task: Option<TaskId>,
    /// Whether the poll returned ready.
    pub readiness: Readiness,
}

/// What a poll returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// The operation is complete.
    Ready,
    /// The task waits on.
    Pending,
}

/// The lengths of a task's polls, or of its waits to be polled: buckets and outliers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    /// Upper bound of each bucket in nanoseconds and the count in it, ascending, empty buckets left out.
    pub buckets: Vec<(u64, u64)>,
    /// Values over the histogram's maximum, counted apart.
    pub outliers: u64,
    /// The largest value over the maximum, in nanoseconds.
    pub largest_outlier: Option<u64>,
}

/// What the target tells of one task on request.
#[derive(Debug, Clone, PartialEq, Eq)]
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
