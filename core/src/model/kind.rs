//! What a task is doing.

/// What a task is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum TaskState {
    /// Inside a poll.
    Running,
    /// Woken, or just spawned, and waiting in a run queue.
    Scheduled,
    /// Waiting to be woken.
    Idle,
    /// Over.
    Ended,
}

impl TaskState {
    /// In one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Scheduled => "scheduled",
            Self::Idle => "idle",
            Self::Ended => "ended",
        }
    }
}
