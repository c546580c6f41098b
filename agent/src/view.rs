//! What is known, as plain data for whoever serves it: copies, made at the moment of asking. Ids are those of the console's
//! format. It knows nothing of how the data is kept.

use crate::{capture::Stack, clock::Nanos};
use std::{sync::Arc, time::Duration};

/// Where in the source something was made. One of each place exists in the process.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Location {
    /// As the compiler was given it.
    pub(crate) file: &'static str,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// How a task came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum TaskKind {
    /// By `spawn`.
    Task,
    /// By `spawn_local`.
    Local,
    /// The future of a `block_on`.
    BlockOn,
    /// By `spawn_blocking`.
    Blocking,
}

impl TaskKind {
    /// The word that tokio uses for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Task => "task",
            Self::Local => "local",
            Self::BlockOn => "block_on",
            Self::Blocking => "blocking",
        }
    }
}

/// Polls of a task or of an operation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Polls {
    /// How many have begun. As in the console, the drop of the future counts as one.
    pub(crate) count: u64,
    pub(crate) first: Option<Nanos>,
    /// When the latest one began; later than `last_ended` while it lasts.
    pub(crate) last_started: Option<Nanos>,
    pub(crate) last_ended: Option<Nanos>,
    /// Time inside polls that have ended.
    pub(crate) busy: Duration,
}

/// Wakes and wakers of a task; all zero in lean detail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "a wake is a wake")]
pub(crate) struct Wakes {
    pub(crate) wakes: u64,
    /// Those that came from the task's own poll.
    pub(crate) self_wakes: u64,
    pub(crate) clones: u64,
    /// A `wake` by value counts as a drop, too.
    pub(crate) drops: u64,
    pub(crate) last: Option<Nanos>,
}

/// Who wakes a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WokenBy {
    /// This task, or blocking job.
    Task(u64),
    /// The runtime, outside of any poll: its I/O, its timers, or the turn of one who yielded.
    Runtime,
    /// Code outside of any task and of the runtime's own.
    Outside,
}

/// One who woke a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Waking {
    pub(crate) by: WokenBy,
    /// How often, at least.
    pub(crate) count: u64,
    /// When it was the last time.
    pub(crate) last: Nanos,
}

/// Who woke a task of which that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wakers {
    /// Since when it is kept.
    pub(crate) since: Nanos,
    /// The latest first.
    pub(crate) latest: Vec<Waking>,
    /// Wakes by those who are not kept any more.
    pub(crate) others: u64,
}

/// One task.
#[derive(Debug, Clone)]
pub(crate) struct TaskView {
    pub(crate) id: u64,
    /// Tokio's own id of it, `tokio::task::Id`.
    pub(crate) tokio_id: u64,
    pub(crate) kind: TaskKind,
    /// `None` where it has none.
    pub(crate) name: Option<Arc<str>>,
    /// The type of a blocking job's function.
    pub(crate) function: Option<&'static str>,
    pub(crate) location: Option<&'static Location>,
    /// Bytes of the future as the runtime keeps it.
    pub(crate) size: u64,
    /// Bytes before the runtime boxed it, where it did.
    pub(crate) original_size: Option<u64>,
    pub(crate) created: Nanos,
    pub(crate) dropped: Option<Nanos>,
    pub(crate) polls: Polls,
    /// Time from being woken to being polled.
    pub(crate) scheduled: Duration,
    pub(crate) wakes: Wakes,
    /// Who woke it, where that is kept.
    pub(crate) woken_by: Option<Wakers>,
    /// The task that spawned it; 0 for none.
    pub(crate) parent: u64,
    /// The number of its runtime, see [`crate::collect::threads::Thread`]; 0 where that is not known.
    pub(crate) runtime: u64,
}

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Bool(bool),
    /// As tokio gave it: unsigned.
    Unsigned(u64),
    /// As tokio gave it: signed.
    Signed(i64),
    Text(&'static str),
}

/// What a resource or an operation says of its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attribute {
    pub(crate) name: &'static str,
    pub(crate) value: Value,
    pub(crate) unit: Option<&'static str>,
}

/// One resource.
#[derive(Debug, Clone)]
pub(crate) struct ResourceView {
    pub(crate) id: u64,
    /// The resource inside which it was made; 0 for none.
    pub(crate) parent: u64,
    /// Such as `Mutex`.
    pub(crate) concrete_type: &'static str,
    /// Tokio's word for it: `Sync` or `timer`.
    pub(crate) kind: &'static str,
    pub(crate) location: Option<&'static Location>,
    /// Part of another resource, not made by the service.
    pub(crate) internal: bool,
    pub(crate) attributes: Vec<Attribute>,
    /// Of a semaphore that is part of no lock, and of a channel's room.
    pub(crate) permits: Option<Permits>,
    pub(crate) created: Nanos,
    pub(crate) dropped: Option<Nanos>,
}

/// Who took permits, and who gave them back, as far as tokio tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Permits {
    /// How many there were when it was made.
    pub(crate) first: u64,
    /// Who took more than they gave back; empty where that is not known.
    pub(crate) taken: Vec<Taken>,
    pub(crate) is_known: bool,
    /// Tasks that gave back what they had not taken, the latest ones, the last one last; 0 for none.
    pub(crate) givers: Vec<u64>,
    /// When some were given back last.
    pub(crate) returned: Option<Nanos>,
}

/// Permits that a task took and did not give back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Taken {
    /// 0 for none.
    pub(crate) task: u64,
    pub(crate) permits: u64,
    /// Since when it has had some all the time.
    pub(crate) since: Nanos,
}

/// One operation on a resource.
#[derive(Debug, Clone)]
pub(crate) struct OpView {
    pub(crate) id: u64,
    pub(crate) resource: u64,
    /// The function, such as `Mutex::lock`.
    pub(crate) source: &'static str,
    /// The operation of which it is a part; 0 for none.
    pub(crate) parent: u64,
    /// The task that polled it last; 0 for none yet.
    pub(crate) task: u64,
    pub(crate) polls: Polls,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) created: Nanos,
    pub(crate) dropped: Option<Nanos>,
}

/// How a lock is held or asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Access {
    Exclusive,
    Shared,
}

/// Who acquired a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Owner {
    /// This task.
    Task(u64),
    /// This thread, outside of any task.
    Thread { tid: u32, name: Arc<str> },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Holder {
    pub(crate) owner: Owner,
    pub(crate) access: Access,
    pub(crate) since: Nanos,
    /// Whether a poll of the task that acquired it has ended since.
    pub(crate) is_across_await: bool,
    /// Where it acquired the lock, where that was captured.
    pub(crate) acquired_at: Option<Arc<Stack>>,
    /// Where it sleeps, where that was captured.
    pub(crate) suspended_at: Option<Arc<Stack>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Waiter {
    /// The operation.
    pub(crate) op: u64,
    /// The task that waits; 0 when it is none.
    pub(crate) task: u64,
    pub(crate) access: Access,
    pub(crate) since: Nanos,
}

/// How often polls ended while a lock was held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct AcrossAwait {
    /// Holds during which a poll of the holder ended, those that last included.
    pub(crate) count: u64,
    pub(crate) total: Duration,
    pub(crate) longest: Duration,
}

/// One lock: a `Mutex` or a `RwLock`.
#[derive(Debug, Clone)]
pub(crate) struct LockView {
    /// The resource's id.
    pub(crate) resource: u64,
    /// In the order in which they acquired it; of at most [`MOST_HOLDERS`] guards.
    pub(crate) holders: Vec<Holder>,
    /// Guards beyond those, and of tasks that began before the agent did, so that nobody knows whose they are.
    pub(crate) unknown_holders: u64,
    /// In the order in which they began to wait; at most [`MOST_WAITERS`].
    pub(crate) waiters: Vec<Waiter>,
    /// Waiters beyond those.
    pub(crate) more_waiters: u64,
    pub(crate) acquisitions: u64,
    /// Acquisitions that had to wait.
    pub(crate) contended: u64,
    pub(crate) across_await: AcrossAwait,
    /// Holds that have ended: `[i]` counts those of less than 2^i µs and not less than 2^(i-1) µs.
    pub(crate) hold_times: [u64; HOLD_TIMES],
    /// Time of holds that have ended.
    pub(crate) held: Duration,
    pub(crate) longest_hold: Duration,
    pub(crate) dropped: Option<Nanos>,
}

impl LockView {
    /// Whether a task holds it that has been in one poll since it acquired it.
    pub(crate) fn is_held_in_poll(&self) -> bool {
        self.holders.iter().any(|holder| matches!(holder.owner, Owner::Task(_)) && !holder.is_across_await)
    }
}

/// Holders that a [`LockView`] lists.
pub(crate) const MOST_HOLDERS: usize = 1024;

/// Waiters that a [`LockView`] lists.
pub(crate) const MOST_WAITERS: usize = 64;

/// Buckets of a lock's hold times; the last one takes all that is longer.
pub(crate) const HOLD_TIMES: usize = 32;

/// The service's own spans around a task's last poll, outermost first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SpansView {
    pub(crate) task: u64,
    pub(crate) spans: Vec<SpanView>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SpanView {
    pub(crate) name: &'static str,
    /// Names and values.
    pub(crate) fields: Vec<(&'static str, Arc<str>)>,
}

/// Durations of a task, counted in buckets, ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Histogram {
    /// No empty ones.
    pub(crate) buckets: Vec<Bucket>,
}

/// Durations that are not told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bucket {
    pub(crate) middle: Duration,
    /// The longest that falls into it; `None` where there is no longest.
    pub(crate) longest: Option<Duration>,
    pub(crate) count: u64,
}

/// The two histograms of a task.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Histograms {
    pub(crate) polls: Histogram,
    pub(crate) scheduled: Histogram,
}

/// How many doublings of a microsecond are told apart.
pub(crate) const DOUBLINGS: usize = 32;

/// Durations of many tasks: `[i]` counts those of less than 2^i µs and not less than 2^(i-1) µs, and the last one takes all that is longer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Doublings {
    /// Of polls that have ended.
    pub(crate) polls: [u64; DOUBLINGS],
    /// Of waits between wake and poll.
    pub(crate) waits: [u64; DOUBLINGS],
}

/// The same, with all of each together.
#[cfg(feature = "metrics")]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Timed {
    pub(crate) counted: Doublings,
    pub(crate) polled: Duration,
    pub(crate) waited: Duration,
}

/// What all locks made at one place come to.
#[cfg(feature = "metrics")]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct LockTotals {
    /// Operations that wait now.
    pub(crate) waiters: u64,
    /// Of locks that are gone as well.
    pub(crate) acquisitions: u64,
    /// Time that was waited until they were acquired, of locks that are gone as well.
    pub(crate) waited: Duration,
}

/// Those of the tasks of one spawn location, as totals since the process began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SpawnTimes {
    /// `None` of the tasks whose locations are not told apart.
    pub(crate) location: Option<&'static Location>,
    pub(crate) counted: Doublings,
}

/// What could not be kept, as totals since the process started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Losses {
    /// Tasks that ended and whose slot was used again before anything was told of them, while somebody watched.
    pub(crate) finished_tasks: u64,
    pub(crate) finished_resources: u64,
    pub(crate) finished_ops: u64,
    /// Tasks, resources and operations for which there was no room at all.
    pub(crate) unseen: u64,
    /// Spans of the service's own for which there was no room.
    pub(crate) spans: u64,
    /// Spans entered too deep inside of others for their thread's stack.
    pub(crate) deep_spans: u64,
}

impl Losses {
    /// Each kind by its word, with how many runtimes are not known.
    pub(crate) fn by_kind(self, runtimes: u64) -> [(&'static str, u64); 7] {
        [
            ("finished-tasks", self.finished_tasks),
            ("finished-resources", self.finished_resources),
            ("finished-ops", self.finished_ops),
            ("unseen", self.unseen),
            ("spans", self.spans),
            ("deep-spans", self.deep_spans),
            ("runtimes", runtimes),
        ]
    }
}

/// Something changed.
#[derive(Debug, Clone)]
pub(crate) enum Change<T> {
    /// It is this now, whether it is new, changed, or has ended.
    Now(T),
    /// It was told before, has ended since, and its slot was used again before its last state could be read.
    Gone(u64),
}
