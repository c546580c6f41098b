//! Something that can be waited for: a lock, a semaphore, a channel.

use super::{Certainty, ClaimKind};
use crate::update::{Place, TaskId};
use std::{num::NonZeroU64, sync::Arc};

/// The address of a thing, which names it for as long as it exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct ThingId(pub u64);

/// Something that can be waited for.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Thing {
    /// Which.
    pub id: ThingId,
    /// What it is.
    pub kind: ThingKind,
    /// Its type for people, such as `Mutex<Conn>`; empty where it is not known.
    pub ty: Arc<str>,
    /// By which variables and functions frames refer to it: `conn of orders::slow`.
    pub names: Vec<Arc<str>>,
    /// Of a channel's room the channel.
    pub of: Option<ThingId>,
    /// Permits that are free; `None` where that was not read.
    pub free: Option<u64>,
    /// Permits in all, for those that keep count.
    pub total: Option<u64>,
    /// Permits that somebody has; `None` where no total is kept.
    pub held: Option<u64>,
    /// How it stands, if it is a channel.
    pub channel: Option<Channel>,
    /// Who has it.
    pub holders: Vec<Holder>,
    /// Permits that are held and that no frame has.
    pub unseen: u64,
    /// Who else could have what is held, each of them on a thread that sleeps for a lock; only where it is sure that nobody but these and the
    /// holders could. Empty where it is proven who has it, or that is not known.
    pub perhaps: Vec<Who>,
    /// Why it is not proven who has it; empty where it is, or nobody has it.
    pub doubt: Arc<str>,
    /// Who waits, first served first.
    pub queue: Vec<Waiter>,
    /// Whether two looks agree on all of the above.
    pub steady: bool,
}

impl Thing {
    /// What it is called: its type, or else its kind.
    pub fn label(&self) -> &str {
        if self.ty.is_empty() { self.kind.name() } else { &self.ty }
    }
}

/// What a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum ThingKind {
    /// `tokio::sync::Mutex`.
    Mutex,
    /// `tokio::sync::RwLock`.
    RwLock,
    /// `tokio::sync::Semaphore`.
    Semaphore,
    /// `tokio::sync::OnceCell`.
    OnceCell,
    /// A semaphore of which it is not known what it is inside of.
    Unknown,
    /// The room of a bounded mpsc channel.
    Room,
    /// An mpsc channel's messages.
    Mpsc,
    /// A oneshot channel.
    Oneshot,
    /// A watch channel.
    Watch,
    /// A broadcast channel.
    Broadcast,
    /// `tokio::sync::Notify`.
    Notify,
    /// `tokio::sync::Barrier`.
    Barrier,
    /// `std::sync::Mutex`: threads wait for it.
    StdMutex,
    /// `std::sync::RwLock`: the same.
    StdRwLock,
}

impl ThingKind {
    /// Whether threads wait for it, and no task does.
    pub fn is_of_std(self) -> bool {
        matches!(self, Self::StdMutex | Self::StdRwLock)
    }

    /// Whether who waits for it stands in no queue that is read.
    pub fn is_listened_to(self) -> bool {
        matches!(self, Self::Watch | Self::Broadcast | Self::Oneshot) || self.is_handed_around()
    }

    /// Whether it has no ends, and whoever has a handle to it may end a wait for it.
    pub fn is_handed_around(self) -> bool {
        matches!(self, Self::Notify | Self::Barrier)
    }

    /// Tokio's name for it, or what it is in a few words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mutex => "Mutex",
            Self::RwLock => "RwLock",
            Self::Semaphore => "Semaphore",
            Self::OnceCell => "OnceCell",
            Self::Unknown => "a lock or semaphore",
            Self::Room => "room in an mpsc channel",
            Self::Mpsc => "mpsc channel",
            Self::Oneshot => "oneshot channel",
            Self::Watch => "watch channel",
            Self::Broadcast => "broadcast channel",
            Self::Notify => "Notify",
            Self::Barrier => "Barrier",
            Self::StdMutex => "std Mutex",
            Self::StdRwLock => "std RwLock",
        }
    }
}

/// How a channel stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Channel {
    /// Messages inside.
    pub messages: Option<u64>,
    /// How many fit; of a barrier for how many it is.
    pub bound: Option<u64>,
    /// Senders that exist; of what is handed around the handles.
    pub senders: Option<u64>,
    /// Receivers that exist.
    pub receivers: Option<u64>,
    /// Whether it is closed.
    pub closed: Option<bool>,
}

/// Somebody who can wait or hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum Who {
    /// A task, by tokio's number.
    Task(NonZeroU64),
    /// The future that `block_on` runs on this thread.
    Root(u32),
    /// Not known.
    Unknown,
}

/// Who has a thing.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Holder {
    /// Who.
    pub who: Who,
    /// What.
    pub what: ClaimKind,
    /// How it is known.
    pub certainty: Certainty,
    /// Where it sleeps meanwhile, without a file where that is not known.
    pub place: Place,
    /// The local variable that has it; empty for one that was given permits and has not been polled since.
    pub local: Arc<str>,
}

/// Who waits for a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Waiter {
    /// Who.
    pub who: Who,
    /// Permits wanted; 0 where that is not known.
    pub wanted: u32,
    /// Permits missing.
    pub missing: u32,
}

impl Who {
    /// The row of a task that memory alone tells of: its number is its id.
    pub fn own_row(number: NonZeroU64) -> TaskId {
        TaskId(number.get())
    }
}
