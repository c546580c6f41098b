//! What a task is, and what it is doing.

/// What a task was spawned as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
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
}

impl TaskKind {
    /// As the instrumentation names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Task => "task",
            Self::Local => "local",
            Self::Blocking => "blocking",
            Self::BlockOn => "block_on",
            Self::Other => "other",
        }
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

/// What a task is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
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
