//! Resources: what one is, and how it fares.

use super::{Attribute, MetaId, ResourceId, SourcePlace, Stamp, TaskId};

/// A resource that the target announces.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
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
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ResourceStats {
    /// When it was made.
    pub created: Option<Stamp>,
    /// When it was dropped.
    pub dropped: Option<Stamp>,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// Who took permits of it and who gave them back, where that is told.
    pub permits: Option<Box<Permits>>,
}

/// The permits of a semaphore, or of a channel's room. One may be in other hands than those that took it.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Permits {
    /// How many there were when it was made.
    pub first: u64,
    /// What tasks took and did not give back.
    pub taken: Vec<Taken>,
    /// Whether that is all: nothing was taken or given back in ways that are not told, or by others than took it.
    pub known: bool,
    /// Tasks that gave back what they had not taken, the latest one last: of a channel, whoever receives. `None` for what was done
    /// outside of any task.
    pub givers: Vec<Option<TaskId>>,
    /// When some were given back last; `None` where none were.
    pub returned: Option<Stamp>,
}

/// Permits that a task took and did not give back.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Taken {
    /// `None` for what was done outside of any task.
    pub task: Option<TaskId>,
    /// How many.
    pub permits: u64,
    /// Since when it has had some all the time.
    pub since: Stamp,
}
