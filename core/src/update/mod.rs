//! What a source tells, in plain data: the events of a session in their order, and what an update is made of.
//!
//! These types say what a target *claims*. Nothing in them is checked: an id may be unknown, a time may go backwards, a count may
//! shrink. Where the model takes one in, claims become state. Nothing here judges what is claimed, and nothing
//! here knows what is made of it.

mod event;
mod field;
mod fold;
mod histogram;
mod id;
mod knows;
mod lock;
pub mod look;
mod loss;
mod op;
mod place;
mod resource;
mod runtime;
mod stack;
mod stall;
mod stamp;
mod standstill;
mod task;
mod worker_stack;

pub use event::{Begin, BeginMode, Beside, Command, Connection, Event, Process, Protocol, Temporality};
pub use field::{Attribute, Field, FieldName, NewMetadata, Value};
pub use fold::{StackLine, plain_name};
pub use histogram::{DOUBLINGS, Doublings, Histogram, SpawnTimes};
pub use id::{MetaId, OpId, ResourceId, RuntimeId, TaskId, WorkerId};
pub use knows::{Consistency, Fact, FactSet, Known, Knows};
pub use lock::{Access, Across, Holder, LockStats, Waiting};
pub use loss::{DecodeIssues, Dropped, Loss};
pub use op::{NewOp, OpStats, PollOp, Readiness};
pub use place::{Place, SourcePlace};
pub use resource::{NewResource, Permits, ResourceStats, Taken};
pub use runtime::{Flavor, RuntimeStats, Verdict, VerdictKind, WorkerStats};
pub use stack::{Frame, Stack, Thread};
pub use stall::{Cause, Stall};
pub use stamp::{Stamp, nanos};
pub use standstill::Standstill;
pub use task::{
    NewTask, Panic, PollStats, Span, TaskDetails, TaskFacts, TaskKind, TaskStats, TaskWakers, Waking, WokenBy,
};
pub use worker_stack::{Doing, WorkerStack};

use std::{sync::Arc, time::Duration};

/// One update, or one page of it.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Update {
    /// The target's clock when it recorded this update. Every page of an update carries the same one.
    #[serde(skip_serializing_if = "is_default")]
    pub now: Option<Stamp>,
    /// Descriptions that later parts refer to.
    #[serde(skip_serializing_if = "is_default")]
    pub metadata: Vec<NewMetadata>,
    /// Tasks seen for the first time.
    #[serde(skip_serializing_if = "is_default")]
    pub new_tasks: Vec<NewTask>,
    /// The state of each task that changed, whole.
    #[serde(skip_serializing_if = "is_default")]
    pub task_stats: Vec<(TaskId, TaskStats)>,
    /// Resources seen for the first time.
    #[serde(skip_serializing_if = "is_default")]
    pub new_resources: Vec<NewResource>,
    /// The state of each resource that changed, whole.
    #[serde(skip_serializing_if = "is_default")]
    pub resource_stats: Vec<(ResourceId, ResourceStats)>,
    /// Operations seen for the first time.
    #[serde(skip_serializing_if = "is_default")]
    pub new_ops: Vec<NewOp>,
    /// The state of each operation that changed, whole.
    #[serde(skip_serializing_if = "is_default")]
    pub op_stats: Vec<(OpId, OpStats)>,
    /// Polls of operations since the last update, in the order in which they happened.
    #[serde(skip_serializing_if = "is_default")]
    pub poll_ops: Vec<PollOp>,
    /// Tasks that have ended, with their last state lost.
    #[serde(skip_serializing_if = "is_default")]
    pub gone_tasks: Vec<TaskId>,
    /// Resources that were dropped, with their last state lost.
    #[serde(skip_serializing_if = "is_default")]
    pub gone_resources: Vec<ResourceId>,
    /// Operations that are over, with their last state lost.
    #[serde(skip_serializing_if = "is_default")]
    pub gone_ops: Vec<OpId>,
    /// What is known of tasks beyond their statistics. As all that speaks of a row, it comes after the row's announcement.
    #[serde(skip_serializing_if = "is_default")]
    pub task_facts: Vec<(TaskId, TaskFacts)>,
    /// Tasks whose place in the service's own spans changed.
    #[serde(skip_serializing_if = "is_default")]
    pub task_spans: Vec<(TaskId, Vec<Span>)>,
    /// Who woke tasks, of those that changed and of which it is kept, each whole.
    #[serde(skip_serializing_if = "is_default")]
    pub task_wakers: Vec<(TaskId, TaskWakers)>,
    /// Locks that changed, as the threads that use them see them.
    #[serde(skip_serializing_if = "is_default")]
    pub locks: Vec<LockStats>,
    /// Locks that are gone.
    #[serde(skip_serializing_if = "is_default")]
    pub gone_locks: Vec<ResourceId>,
    /// Stalls that began, changed or ended.
    #[serde(skip_serializing_if = "is_default")]
    pub stalls: Vec<Stall>,
    /// What workers were doing when somebody asked.
    #[serde(skip_serializing_if = "is_default")]
    pub worker_stacks: Vec<WorkerStack>,
    /// When the whole process stood still of late. One may be told again.
    #[serde(skip_serializing_if = "is_default")]
    pub standstills: Vec<Standstill>,
    /// Tasks that ended in a panic.
    #[serde(skip_serializing_if = "is_default")]
    pub panics: Vec<Panic>,
    /// How long polls and waits of all tasks of a spawn location took, of those of which there are new ones, each whole.
    #[serde(skip_serializing_if = "is_default")]
    pub spawn_times: Vec<SpawnTimes>,
    /// Every runtime. As all that is whole, on the last page alone; `None` where it is not told, which is not the same as none.
    #[serde(skip_serializing_if = "is_default")]
    pub runtimes: Option<Vec<RuntimeStats>>,
    /// Every worker.
    #[serde(skip_serializing_if = "is_default")]
    pub workers: Option<Vec<WorkerStats>>,
    /// What was lost since the process began, by kind: all kinds.
    #[serde(skip_serializing_if = "is_default")]
    pub losses: Option<Vec<Loss>>,
    /// Chains that were not told before. They are numbered from 0 in the order in which they are told.
    #[serde(skip_serializing_if = "is_default")]
    pub chains: Vec<Arc<look::Chain>>,
    /// Tasks as a look found them, whole, those that are new or have changed.
    #[serde(skip_serializing_if = "is_default")]
    pub task_looks: Vec<(look::TaskKey, Arc<look::TaskLook>)>,
    /// Tasks that a look did not find any more.
    #[serde(skip_serializing_if = "is_default")]
    pub gone_looks: Vec<look::TaskKey>,
    /// What a look tells as a whole.
    #[serde(skip_serializing_if = "is_default")]
    pub look: Option<Box<look::Whole>>,
    /// What the target itself says that it lost since the last update.
    #[serde(skip_serializing_if = "is_default")]
    pub dropped: Dropped,
    /// What could not be used of this message, by kind.
    #[serde(skip_serializing_if = "is_default")]
    pub issues: DecodeIssues,
    /// For how long nothing was told before, where the source tells less often than it is set to. As all that is whole, on the last page alone.
    #[serde(skip_serializing_if = "is_default")]
    pub told_every: Option<Duration>,
    /// Whether it comes from a source that speaks beside another.
    #[serde(skip_serializing_if = "is_default")]
    pub mode: BeginMode,
    /// Where this page stands in its update.
    #[serde(skip_serializing_if = "is_default")]
    pub part: Part,
    /// How much later it came than it would have over the link at its best. A lower bound.
    #[serde(skip_serializing_if = "is_default")]
    pub late: Duration,
}

/// What is so of most updates takes no room where they are written down.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Where a page stands in its update. A small update is one `Last` page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Part {
    /// More pages of the same update follow.
    More,
    /// The update is complete with this page.
    #[default]
    Last,
}
