//! Locks, as the threads that use them see them.

use super::{OpId, ResourceId, Stack, Stamp, TaskId, Thread};
use std::{sync::Arc, time::Duration};

/// How a lock is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Access {
    /// With others who read.
    Shared,
    /// Alone.
    Exclusive,
}

impl Access {
    /// How an operation takes a lock, by Tokio's name for it; `None` for what is no acquire.
    pub fn from_source(source: &str) -> Option<Self> {
        match source {
            "Mutex::lock" | "Mutex::lock_owned" | "RwLock::write" | "RwLock::write_owned" => Some(Self::Exclusive),
            "RwLock::read" | "RwLock::read_owned" => Some(Self::Shared),
            _ => None,
        }
    }
}

/// Whether a holder was seen asleep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Across {
    /// It is still in the poll that acquired the lock.
    SamePoll,
    /// The poll that acquired the lock ended, and the lock is still held.
    Await,
}

/// One lock, as the threads that use it see it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
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
    /// Holds beside those that are named: of those that began before the agent did nobody knows whose they are, and very many are not listed.
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
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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
