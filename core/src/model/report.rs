//! What an agent alone tells, in plain data: parts of an [`Update`](super::update::Update).
//!
//! As in all of it, nothing here is checked against the model: an id may be unknown, a time may go backwards, a count may shrink.

use super::{
    Access, Across, OpId, ResourceId, Stamp, TaskId,
    runtime::{Flavor, RuntimeId, Verdict},
    stall::{Stack, Thread},
    update::SourcePlace,
    worker::WorkerId,
};
use std::{sync::Arc, time::Duration};

/// One runtime, as its own metrics tell.
#[derive(Debug, Clone, Default, PartialEq)]
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
    /// What holds of the whole runtime now.
    pub verdicts: Vec<Verdict>,
}

/// One worker. Counters are totals since its runtime began.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
}

/// One lock, as the threads that use it see it.
#[derive(Debug, Clone, PartialEq)]
pub struct LockStats {
    /// Which.
    pub id: ResourceId,
    /// Who holds it.
    pub holders: Vec<Holder>,
    /// Who waits, in the order in which they asked.
    pub waiters: Vec<Waiting>,
    /// Waiters beyond those listed.
    pub more_waiters: u64,
    /// Acquires.
    pub acquisitions: u64,
    /// Acquires that had to wait.
    pub contended: u64,
    /// Holds during which a poll ended.
    pub across_count: u64,
    /// The longest of them.
    pub across_longest: Duration,
    /// How often it was held for how long, by doublings of a microsecond: bucket `n` holds times below 2ⁿ µs.
    pub hold_times: Vec<u64>,
    /// The longest of all holds.
    pub longest_hold: Duration,
    /// Holds that began before the agent did: whose they are nobody knows.
    pub unknown_holders: u64,
}

impl LockStats {
    /// A lock that nobody ever used.
    pub fn new(id: ResourceId) -> Self {
        Self {
            id,
            holders: Vec::new(),
            waiters: Vec::new(),
            more_waiters: 0,
            acquisitions: 0,
            contended: 0,
            across_count: 0,
            across_longest: Duration::ZERO,
            hold_times: Vec::new(),
            longest_hold: Duration::ZERO,
            unknown_holders: 0,
        }
    }
}

/// Somebody who holds a lock.
#[derive(Debug, Clone, PartialEq)]
pub struct Holder {
    /// The task that acquired it; `None` where that was outside of any task.
    pub task: Option<TaskId>,
    /// The thread that acquired it, where that was outside of any task.
    pub thread: Option<Thread>,
    /// How.
    pub access: Access,
    /// Since when.
    pub since: Stamp,
    /// Whether a poll of that task has ended since.
    pub across: Across,
    /// Where it was acquired. Shared, since findings keep it.
    pub acquired_at: Option<Arc<Stack>>,
    /// Where the holder sleeps.
    pub suspended_at: Option<Arc<Stack>>,
}

/// Somebody who waits for a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// The operation that they wait in.
    pub op: OpId,
    /// The task; `None` where that is none.
    pub task: Option<TaskId>,
    /// What they want.
    pub access: Access,
    /// Since when.
    pub since: Option<Stamp>,
}

/// One of the service's own spans.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Span {
    /// Its name.
    pub name: String,
    /// Its fields, each with its value as text.
    pub fields: Vec<(String, String)>,
}

impl std::fmt::Display for Span {
    /// As a log line names it: `request{peer=10.0.0.1 id=7}`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)?;
        for (at, (name, value)) in self.fields.iter().enumerate() {
            write!(f, "{}{name}={value}", if at == 0 { "{" } else { " " })?;
        }
        f.write_str(if self.fields.is_empty() { "" } else { "}" })
    }
}

/// A task that ended in a panic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Panic {
    /// The task.
    pub task: TaskId,
    /// What it said.
    pub message: String,
    /// Where, empty where that is not known.
    pub place: SourcePlace,
    /// When.
    pub at: Stamp,
}

/// Something that the agent could not keep or tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// Kebab-case, such as `finished-tasks`.
    pub kind: String,
    /// How many since the process began.
    pub count: u64,
}

/// What is known of a task beyond its updates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TaskFacts {
    /// The task that spawned it.
    pub parent: Option<TaskId>,
    /// The runtime that it runs on.
    pub runtime: Option<RuntimeId>,
}
