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
    pub(super) fn spawned_in(self, file: &str) -> Self {
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
