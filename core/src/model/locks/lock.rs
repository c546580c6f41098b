//! A lock, and who holds it.
//!
//! The console wire format never says who holds a lock. It follows from four facts:
//!
//! 1. Tokio reports `locked` (Mutex), `write_locked` and `current_readers` (`RwLock`) as they change. A report without the
//!    lock means that it has not changed.
//! 2. An acquire through `lock`, `read` or `write` is an operation with a task and an end. The latest completed one took the lock.
//! 3. `try_lock` is not an operation, but it leaves a trace: the semaphore inside the lock reports fewer permits taken than
//!    the lock says are held. While it reports exactly as many, nobody got in that way.
//! 4. An update is not one instant: tasks are read first, then locks, then operations, and operations that began after the
//!    update's events were drained are not in it. So what an update shows is a [`Sighting`], and becomes a [`Hold`] only when
//!    a later update, whose events reach beyond it, has told of no other acquire in between.

use super::Sighting;
use crate::{
    model::{KnownTask, tasks::Rate},
    update::{Access, Across, OpId, Stack, Stamp, TaskId, Thread, Waiting},
};
use std::{sync::Arc, time::Duration};

/// What kind of lock it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum LockKind {
    /// `tokio::sync::Mutex`.
    Mutex,
    /// `tokio::sync::RwLock`.
    RwLock,
}

impl LockKind {
    /// The kind that Tokio's name for a type stands for.
    pub fn from_type(concrete_type: &str) -> Option<Self> {
        match concrete_type {
            "Mutex" => Some(Self::Mutex),
            "RwLock" => Some(Self::RwLock),
            _ => None,
        }
    }

    /// Tokio's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mutex => "Mutex",
            Self::RwLock => "RwLock",
        }
    }
}

/// What a lock's own attributes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum LockState {
    /// Nothing was reported yet.
    #[default]
    Unknown,
    /// Nobody holds it.
    Free,
    /// Held by this many readers.
    Shared(u64),
    /// Held by one.
    Exclusive,
}

/// A completed acquire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Acquire {
    /// By whom.
    pub task: TaskId,
    /// In which operation.
    pub op: OpId,
    /// When it began to wait.
    pub asked: Stamp,
    /// When it got the lock.
    pub at: Stamp,
    /// How.
    pub access: Access,
    /// Whether it had to wait for another.
    pub contended: bool,
}

/// How something is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum Basis {
    /// It follows from what the console's format tells, as long as nothing happened that is not in that.
    #[default]
    Inferred,
    /// The agent saw it on the threads that did it, or memory proves it: the counts close, and nothing unread could say otherwise.
    Exact,
    /// Bytes in memory say so, and may be stale.
    Likely,
}

/// A holder that later data has not contradicted, with all that is known of it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Hold {
    /// The acquire that it holds by.
    pub acquire: Acquire,
    /// Whether it was seen asleep, holding.
    pub across: Across,
    /// The latest instant for which it is known.
    pub seen: Stamp,
    /// How it is known.
    pub basis: Basis,
    /// The thread that acquired it, where that was outside of any task and an agent tells.
    pub thread: Option<Thread>,
    /// Where it was acquired, where an agent captured that. Shared, since findings keep it.
    pub acquired_at: Option<Arc<Stack>>,
    /// Where the holder sleeps, where an agent captured that.
    pub suspended_at: Option<Arc<Stack>>,
    /// Whether its task has ended: its guard is in other hands, or forgotten.
    pub outlived: bool,
    /// What named that task while its row stood.
    pub known: Option<Arc<KnownTask>>,
}

/// Tasks that slept while they held a lock, over the time that we have watched.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct AcrossAwait {
    /// Distinct holds that were seen, and those between two updates are missed; all of them, where an agent tells.
    pub count: u64,
    /// The latest holder that was seen asleep.
    pub latest: Option<Hold>,
    /// When the first was seen.
    pub first_seen: Option<Stamp>,
    /// When the last was.
    pub last_seen: Option<Stamp>,
    /// The longest that a holder was seen to hold.
    pub longest: Duration,
    /// How many waited at the latest sighting.
    pub waiters: usize,
    /// How long the first of them had waited then.
    pub wait: Duration,
    /// The most that ever waited.
    pub most_waiters: usize,
    /// The longest wait that was seen.
    pub longest_wait: Duration,
    /// Whether an agent has told of it before.
    pub(in crate::model) told: bool,
}

/// How many doublings of a microsecond [`HoldTimes`] tells apart.
pub const HOLD_BUCKETS: usize = 32;

/// How long a lock was held, where that is known: from an acquire to the next one, if that next one was waiting for it.
#[derive(Debug, Clone, Copy, Default, serde::Serialize, serde::Deserialize)]
pub struct HoldTimes {
    /// Counts, by doublings of a microsecond: bucket `n` holds times below 2ⁿ µs.
    pub buckets: [u32; HOLD_BUCKETS],
    /// The longest.
    pub longest: Duration,
}

impl HoldTimes {
    pub(super) fn record(&mut self, held: Duration) {
        let micros = u64::try_from(held.as_micros()).unwrap_or(u64::MAX);
        let bucket = (u64::BITS - micros.leading_zeros()) as usize;
        let count = &mut self.buckets[bucket.min(HOLD_BUCKETS - 1)];
        *count = count.saturating_add(1);
        self.longest = self.longest.max(held);
    }
}

/// One lock.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Lock {
    /// Mutex or `RwLock`.
    pub kind: LockKind,
    /// As its attributes say.
    pub state: LockState,
    /// Who holds it, as far as that is known; empty while it is free or nobody can tell.
    pub holds: Vec<Hold>,
    /// Acquires seen.
    pub acquisitions: u64,
    /// Acquires that had to wait.
    pub contended: u64,
    /// Acquires per second.
    pub rate: Rate,
    /// The longest wait of a completed acquire.
    pub longest_wait: Duration,
    /// How long it was held.
    pub hold_times: HoldTimes,
    /// Tasks that slept while they held it.
    pub across: AcrossAwait,
    /// How all this is known.
    pub basis: Basis,
    /// Where an agent tells of it: what is told of who holds it and who waits was still so at this instant.
    pub certain: Option<Stamp>,
    pub(super) latest: Option<Acquire>,
    pub(super) readers: Vec<Acquire>,
    pub(super) sighting: Option<Sighting>,
    /// Where an agent tells of it: who waits. Who holds it stands in `holds`.
    pub(in crate::model) told: Option<Box<ToldQueue>>,
}

/// Who waits for a lock, as an agent told it last.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(in crate::model) struct ToldQueue {
    /// The first ones, in the order in which they asked.
    pub(in crate::model) waiters: Vec<Waiting>,
    /// How many there are beyond those.
    pub(in crate::model) more: u64,
    /// Holds that began before the agent did: whose they are nobody knows.
    pub(in crate::model) unknown_holders: u64,
}

impl Lock {
    /// Who holds it; of several, who has held it for longest.
    pub fn first_hold(&self) -> Option<&Hold> {
        self.holds.iter().min_by_key(|hold| (hold.acquire.at, hold.acquire.task))
    }

    /// A lock of which nothing was reported yet.
    pub fn new(kind: LockKind, now: Stamp) -> Self {
        Self {
            kind,
            state: LockState::Unknown,
            holds: Vec::new(),
            acquisitions: 0,
            contended: 0,
            rate: Rate::new(now),
            longest_wait: Duration::ZERO,
            hold_times: HoldTimes::default(),
            across: AcrossAwait::default(),
            basis: Basis::Inferred,
            certain: None,
            latest: None,
            readers: Vec::new(),
            sighting: None,
            told: None,
        }
    }

    /// Forgets who came last: some acquires were lost on the way.
    pub fn forget_acquires(&mut self) {
        self.latest = None;
        self.readers.clear();
        self.sighting = None;
        self.holds.clear();
    }
}
