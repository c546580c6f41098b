//! One operation on a resource: what was reported of it.

use super::{
    Attr, Row, Sym,
    chain::{Links, Of},
};
use crate::update::{OpId, PollStats, ResourceId, Stamp, TaskId};

/// An operation on a resource, from the making of its future to its drop.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Op {
    /// Its id.
    pub id: OpId,
    /// What it is a part of.
    pub parent: Option<OpId>,
    /// What it works on.
    pub resource: Option<ResourceId>,
    /// The method, such as `Mutex::lock`.
    pub source: Sym,
    /// When its future was made.
    pub created: Option<Stamp>,
    /// When its future was dropped.
    pub dropped: Option<Stamp>,
    /// The task that polled it last.
    pub task: Option<TaskId>,
    /// Its polls. The first is the making of the future.
    pub polls: PollStats,
    /// Its attributes.
    pub attributes: Vec<Attr>,
    /// How far it got.
    pub outcome: Outcome,
    of_task: Links,
    of_resource: Links,
}

/// How far an operation got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum Outcome {
    /// Not known to be complete. If it is dropped, it was cancelled.
    #[default]
    Pending,
    /// It has what it asked for.
    Complete,
}

impl Row for Op {
    type Key = OpId;
    fn key(&self) -> OpId {
        self.id
    }
}

impl Op {
    /// A row without any data.
    pub fn new(id: OpId) -> Self {
        Self {
            id,
            parent: None,
            resource: None,
            source: Sym::EMPTY,
            created: None,
            dropped: None,
            task: None,
            polls: PollStats::default(),
            attributes: Vec::new(),
            outcome: Outcome::Pending,
            of_task: Links::default(),
            of_resource: Links::default(),
        }
    }

    pub(super) fn links(&self, of: Of) -> Links {
        match of {
            Of::Task => self.of_task,
            Of::Resource => self.of_resource,
        }
    }

    pub(super) fn links_mut(&mut self, of: Of) -> &mut Links {
        match of {
            Of::Task => &mut self.of_task,
            Of::Resource => &mut self.of_resource,
        }
    }

    /// Whether a task waits on it: it was polled, and neither completed nor was dropped.
    pub fn is_waiting(&self) -> bool {
        self.dropped.is_none()
            && self.outcome == Outcome::Pending
            && self.task.is_some()
            && self.polls.last_ended.is_some()
    }
}
