//! Runtimes and their workers, as their own metrics tell, and what is judged of a whole runtime.

use super::{RuntimeId, Stamp, TaskId, Thread, WorkerId};
use std::time::Duration;

/// One runtime, as its own metrics tell.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct RuntimeStats {
    /// Its id.
    pub id: RuntimeId,
    /// What the service calls it; empty where it does not.
    pub name: String,
    /// What kind it is; `None` where this version does not know the kind.
    pub flavor: Option<Flavor>,
    /// How many workers it has.
    pub workers: u64,
    /// Tasks that have not ended.
    pub alive_tasks: u64,
    /// Tasks in the queue that all workers share.
    pub global_queue: u64,
    /// Threads of the blocking pool.
    pub blocking_threads: u64,
    /// Those of them that have nothing to do.
    pub idle_blocking_threads: u64,
    /// Jobs that wait for one of them.
    pub blocking_queue: u64,
    /// File descriptors that the I/O driver watches.
    pub io_registered: u64,
    /// Readiness events that it has handled.
    pub io_ready: u64,
    /// Tasks that were scheduled from outside.
    pub remote_schedules: u64,
    /// Tasks that were made to yield because their budget was spent.
    pub budget_yields: u64,
    /// For how long the earliest of its timers has been due, where that is told; zero where none is.
    pub timer_lag: Option<Duration>,
    /// How long its driver had no turn of late, at the longest, where that is told.
    pub driver_gap: Option<Duration>,
    /// Whether some thread drives it, where that is told.
    pub driven: Option<bool>,
    /// What holds of the whole runtime now.
    pub verdicts: Vec<Verdict>,
}

/// What kind of runtime it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Flavor {
    /// Several workers that take tasks from each other.
    MultiThread,
    /// One thread.
    CurrentThread,
}

impl Flavor {
    /// As Tokio names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::MultiThread => "multi-thread",
            Self::CurrentThread => "current-thread",
        }
    }
}

/// A judgement on a whole runtime that holds now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Verdict {
    /// What.
    pub kind: VerdictKind,
    /// Since when.
    pub since: Option<Stamp>,
}

/// What is judged of a whole runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum VerdictKind {
    /// Every worker has been in one poll for longer than the threshold.
    AllWorkersStuck,
    /// The worker that drove I/O and timers last is in a long poll.
    DriverBlocked,
    /// Tasks wait in a queue while workers are parked.
    QueuedWhileIdle,
    /// Jobs wait for the blocking pool, and none of its threads is idle.
    BlockingPoolFull,
}

impl VerdictKind {
    /// In a few words.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::AllWorkersStuck => "all workers are stuck: nothing on this runtime goes on",
            Self::DriverBlocked => "the I/O driver is blocked: timers and I/O stand still",
            Self::QueuedWhileIdle => "tasks are queued while workers are idle",
            Self::BlockingPoolFull => "the blocking pool is full: jobs wait for a thread",
        }
    }
}

/// One worker. Counters are totals since its runtime began.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct WorkerStats {
    /// Which.
    pub id: WorkerId,
    /// The thread that is this worker now, if one is.
    pub thread: Option<Thread>,
    /// The task that it is polling.
    pub polling: Option<TaskId>,
    /// Since when.
    pub polling_since: Option<Stamp>,
    /// Time not spent parked, right also during a long poll.
    pub busy: Duration,
    /// Turns of its loop, where memory is read: as long as none follows, it is in one poll.
    pub tick: Option<u64>,
    /// Tasks in its own queue.
    pub queue: u64,
    /// Polls.
    pub polls: u64,
    /// Times that it went to sleep for want of work.
    pub parks: u64,
    /// Tasks taken from other workers.
    pub steals: u64,
    /// Times that it went to take some.
    pub steal_operations: u64,
    /// Times that its queue was full and half of it went to the shared one.
    pub overflows: u64,
    /// Tasks that it scheduled itself.
    pub local_schedules: u64,
    /// Times that it woke and found nothing to do.
    pub noops: u64,
    /// Time that its present thread has waited for a processor although it could run, since that thread began; `None` where that
    /// is not told.
    pub cpu_wait: Option<Duration>,
}
