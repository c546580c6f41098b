//! Operations on resources, and their polls.

use super::{Attribute, OpId, PollStats, ResourceId, Stamp, TaskId};

/// An operation that the target announces.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
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
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Readiness {
    /// The operation is complete.
    Ready,
    /// The task waits on.
    Pending,
}
