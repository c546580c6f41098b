//! A task as a look finds it.

use super::{Certainty, ThingId};
use crate::update::{RuntimeId, SourcePlace, Stamp, TaskId};
use std::{num::NonZeroU64, sync::Arc};

/// How a task is named by who tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum TaskKey {
    /// By the source's own id.
    Id(TaskId),
    /// By tokio's number, which is where two sources of one process meet.
    Number(NonZeroU64),
}

/// A task as a look finds it, whole.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TaskLook {
    /// What it is doing.
    pub state: State,
    /// Where it is queued, if it is woken.
    pub queued: Queued,
    /// The type of its future, shortened for people.
    pub future: Arc<str>,
    /// Where the future is written, or else where the task was spawned.
    pub place: Option<SourcePlace>,
    /// Whether it was spawned on a `LocalSet`.
    pub local: bool,
    /// What runs it.
    pub home: Home,
    /// Bytes of its cell.
    pub size: u32,
    /// References to wake it, to await it and to cancel it, its `JoinHandle` left out.
    pub references: u32,
    /// Whether somebody asked that it be cancelled, whether it ended in a panic.
    pub fate: Fate,
    /// What it awaits, by the number of its chain; `None` where that is not known.
    pub chain: Option<u32>,
    /// Why not, or why it is not to be believed; empty where it is.
    pub unread: Arc<str>,
    /// What it waits for.
    pub waits: Box<[Wait]>,
    /// What its frames have of locks, permits and ends of channels. A claim is no proof.
    pub claims: Box<[Claim]>,
}

/// What runs a task, when somebody drives that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
pub enum Home {
    /// That was not found.
    #[default]
    Unknown,
    /// A runtime.
    Runtime(RuntimeId),
    /// A `LocalSet`.
    Set(ThingId),
}

/// What has become of a task beside its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
pub enum Fate {
    /// Nothing.
    #[default]
    Open,
    /// Somebody asked that it be cancelled.
    Cancelled,
    /// It ended in a panic, whose message nobody has taken.
    Panicked,
}

impl TaskLook {
    /// Whether nothing is left that could wake it: it sleeps, and all references that there are, are the runtime's own and that of
    /// its `JoinHandle`.
    pub fn is_lost(&self) -> bool {
        self.state == State::Idle && self.references == 1
    }
}

/// What a task is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
pub enum State {
    /// It sleeps.
    #[default]
    Idle,
    /// It is woken, and not polled yet.
    Woken,
    /// It is polled: what it awaits is in motion.
    Running,
    /// It has ended, and its output is not taken.
    Complete,
}

impl State {
    /// Kebab-case and stable, as JSON names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Woken => "woken",
            Self::Running => "running",
            Self::Complete => "complete",
        }
    }
}

/// Where a woken task is queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
pub enum Queued {
    /// It is not, or that is not known.
    #[default]
    Unknown,
    /// Next on this worker.
    Lifo(u32),
    /// On this worker's queue.
    Local(u32),
    /// On the runtime's queue.
    Injected,
    /// It yielded, and is polled again after the driver, on this worker.
    Deferred(u32),
}

impl Queued {
    /// In a few words; empty where it is not known.
    pub fn in_words(self) -> String {
        match self {
            Self::Unknown => String::new(),
            Self::Lifo(worker) => format!("next on worker {worker}"),
            Self::Local(worker) => format!("in the queue of worker {worker}"),
            Self::Injected => "in the queue of all workers".into(),
            Self::Deferred(worker) => format!("yielded on worker {worker}"),
        }
    }
}

/// What a task waits for.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Wait {
    /// The frame that waits, an index into the chain's.
    pub frame: u16,
    /// For what.
    pub on: WaitOn,
    /// How it is known: proven where both ends say so.
    pub certainty: Certainty,
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum WaitOn {
    /// Permits of a lock, a semaphore or a channel's room.
    Permits {
        /// Which.
        of: ThingId,
        /// How many it wants.
        wanted: u32,
        /// How many of them it lacks. 0: it was given all, and has not been polled since.
        missing: u32,
    },
    /// A notification, a message, a value, a change, the others: what the thing is for.
    Thing(ThingId),
    /// That the other ends of a channel go away.
    Closed(ThingId),
    /// A deadline.
    Timer(Stamp),
    /// The end of a task or of a job; `None` where it was not found which.
    Join(Option<NonZeroU64>),
    /// The end of any of the tasks of a `JoinSet`: how many there are.
    JoinAny(u64),
    /// One of these tasks. Where there is one of the same frame, all of them are told.
    JoinOneOf(NonZeroU64),
    /// The end of all tasks of a `LocalSet`, which are polled meanwhile.
    LocalSet,
    /// A descriptor's readiness.
    Io {
        /// The descriptor, where it was found.
        fd: Option<i32>,
        /// What for.
        interest: Interest,
    },
    /// Nothing: it woke itself, or was woken.
    Nothing,
    /// Something that was not gone into: as its frames say. Where no chain is known, something else may be waited for as well.
    Other,
}

impl Wait {
    /// Whether it is told by itself: each task of a set is a part of the wait for any of them.
    pub fn is_whole(&self) -> bool {
        !matches!(self.on, WaitOn::JoinOneOf(_))
    }
}

impl WaitOn {
    /// The thing that is waited for, if it is one. That a channel ends is nothing that it gives.
    pub fn thing(self) -> Option<ThingId> {
        match self {
            Self::Permits { of, .. } | Self::Thing(of) => Some(of),
            _ => None,
        }
    }
}

/// What a descriptor is awaited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
pub enum Interest {
    /// Not known.
    #[default]
    Any,
    /// Something to read.
    Read,
    /// Room to write.
    Write,
}

/// Something that a frame has.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Claim {
    /// The frame that has it, an index into the chain's.
    pub frame: u16,
    /// Of which thing.
    pub of: ThingId,
    /// What it is.
    pub what: ClaimKind,
    /// The name of the local variable.
    pub local: Arc<str>,
}

/// What a claim is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum ClaimKind {
    /// A guard or permits: how many.
    Permits(u32),
    /// The end that sends.
    Sender,
    /// The end that receives.
    Receiver,
}
