//! What workers were doing at one moment, because somebody asked. It says of nobody that something is wrong.

use super::{Stack, Stamp, TaskId, Thread, WorkerId};
use std::sync::Arc;

/// What a worker was doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
pub enum Doing {
    /// That is not known; the stack's limitation says why.
    #[default]
    Unknown,
    /// It had nothing to do.
    Parked,
    /// It ran, or could have.
    Running,
    /// It slept in the kernel, in the midst of a poll.
    Sleeping,
}

impl Doing {
    /// In a word or two.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "not known",
            Self::Parked => "parked",
            Self::Running => "running",
            Self::Sleeping => "sleeping in a poll",
        }
    }
}

/// One worker as it was then.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct WorkerStack {
    /// Which.
    pub id: WorkerId,
    /// Its thread.
    pub thread: Option<Thread>,
    /// What it was doing.
    pub doing: Doing,
    /// The task that it polled; `None` where that was none, or where it is not certain which one it was.
    pub task: Option<TaskId>,
    /// When that was.
    pub at: Stamp,
    /// Its stack; `None` of one that was parked.
    pub stack: Option<Arc<Stack>>,
}
