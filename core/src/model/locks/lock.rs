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

use crate::{
    model::{KnownTask, tasks::Rate},
    update::{Access, Across, OpId, Stack, Stamp, TaskId, Thread, Waiting},
};
use std::{sync::Arc, time::Duration};

/// What kind of lock it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// What one update shows of a held lock, before it is certain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// The update's `now`.
    pub seen: Stamp,
    /// Who would hold it: one, or every reader.
    pub holders: Vec<(Acquire, Across)>,
    /// How many waited at that time.
    pub waiters: usize,
    /// How long the first of them had waited.
    pub longest_wait: Duration,
}

/// How something is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Basis {
    /// It follows from what the console's format tells, as long as nothing happened that is not in that.
    #[default]
    Inferred,
    /// The agent saw it on the threads that did it.
    Exact,
}

/// A holder that later data has not contradicted, with all that is known of it.
#[derive(Debug, Clone, PartialEq)]
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
#[derive(Debug, Clone, Default)]
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
#[derive(Debug, Clone, Copy, Default)]
pub struct HoldTimes {
    /// Counts, by doublings of a microsecond: bucket `n` holds times below 2ⁿ µs.
    pub buckets: [u32; HOLD_BUCKETS],
    /// The longest.
    pub longest: Duration,
}

impl HoldTimes {
    fn record(&mut self, held: Duration) {
        let micros = u64::try_from(held.as_micros()).unwrap_or(u64::MAX);
        let bucket = (u64::BITS - micros.leading_zeros()) as usize;
        let count = &mut self.buckets[bucket.min(HOLD_BUCKETS - 1)];
        *count = count.saturating_add(1);
        self.longest = self.longest.max(held);
    }
}

/// One lock.
#[derive(Debug, Clone)]
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
    latest: Option<Acquire>,
    readers: Vec<Acquire>,
    sighting: Option<Sighting>,
    /// Where an agent tells of it: who waits. Who holds it stands in `holds`.
    pub(in crate::model) told: Option<Box<ToldQueue>>,
}

/// Who waits for a lock, as an agent told it last.
#[derive(Debug, Clone, Default)]
pub(in crate::model) struct ToldQueue {
    /// The first ones, in the order in which they asked.
    pub(in crate::model) waiters: Vec<Waiting>,
    /// How many there are beyond those.
    pub(in crate::model) more: u64,
    /// Holds that began before the agent did: whose they are nobody knows.
    pub(in crate::model) unknown_holders: u64,
}

/// More readers than this are counted, not named.
const MAX_READERS: usize = 64;

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

    /// Takes in a completed acquire. Those of one update must come in the order of their time.
    pub fn acquired(&mut self, acquire: Acquire) {
        self.acquisitions += 1;
        if acquire.contended {
            self.contended += 1;
            self.longest_wait = self.longest_wait.max(acquire.at.since(acquire.asked));
            if let Some(before) = self.latest.filter(|before| before.at < acquire.at) {
                self.hold_times.record(acquire.at.since(before.at));
            }
        }
        if acquire.access == Access::Exclusive {
            self.readers.clear();
            self.holds.clear();
        } else if self.readers.len() <= MAX_READERS {
            self.readers.push(acquire);
        }
        if self.latest.is_none_or(|latest| acquire.at >= latest.at) {
            self.latest = Some(acquire);
        }
        // Another acquire before the sighting: what was seen then was not what it seemed.
        if self.sighting.as_ref().is_some_and(|sighting| acquire.at <= sighting.seen) {
            self.sighting = None;
        }
    }

    /// Takes in a completed acquire by nobody that we know, such as a thread that runs no task.
    pub fn acquired_by_a_stranger(&mut self, at: Stamp) {
        self.acquisitions += 1;
        if self.latest.is_none_or(|latest| at >= latest.at) {
            self.forget_acquires();
        } else if self.sighting.as_ref().is_some_and(|sighting| at <= sighting.seen) {
            self.sighting = None;
        }
    }

    /// Forgets who came last: some acquires were lost on the way.
    pub fn forget_acquires(&mut self) {
        self.latest = None;
        self.readers.clear();
        self.sighting = None;
        self.holds.clear();
    }

    /// Forgets who held it: what was just reported fits nobody, so that it is somebody else's in a way that we do not see.
    pub fn lose_track(&mut self) {
        self.holds.clear();
    }

    /// Forgets what the lock being free makes void. Readers that got in after `since` may have said so after the lock was
    /// read.
    pub fn freed(&mut self, since: Option<Stamp>) {
        self.holds.clear();
        self.readers.retain(|reader| since.is_some_and(|since| reader.at > since));
    }

    /// Who must hold the lock if all is as it seems: `permits` is what nobody holds of the permits of the semaphore inside,
    /// `total` what it began with.
    pub fn candidates(&self, permits: u64, total: u64) -> &[Acquire] {
        match self.state {
            LockState::Exclusive if permits == 0 => self
                .latest
                .as_ref()
                .filter(|latest| latest.access == Access::Exclusive)
                .map_or(&[], std::slice::from_ref),
            LockState::Shared(readers)
                if total.checked_sub(readers) == Some(permits) && self.readers.len() as u64 == readers =>
            {
                &self.readers
            }
            _ => &[],
        }
    }

    /// Whether any acquire is known that may still be in force.
    pub fn knows_acquire(&self) -> bool {
        self.latest.is_some()
    }

    /// Whether what was seen awaits confirmation.
    pub fn is_sighted(&self) -> bool {
        self.sighting.is_some()
    }

    /// Notes what this update shows. An earlier sighting that still waits to be confirmed stands.
    pub fn sight(&mut self, sighting: Sighting) {
        if self.sighting.is_none() && !sighting.holders.is_empty() {
            self.sighting = Some(sighting);
        }
    }

    /// Makes a sighting certain, if every acquire up to it has been told by now.
    pub fn confirm(&mut self, told_until: Stamp) {
        let Some(sighting) = self.sighting.take_if(|sighting| told_until >= sighting.seen) else { return };
        self.holds.clear();
        for &(acquire, across) in &sighting.holders {
            let hold = Hold {
                acquire,
                across,
                seen: sighting.seen,
                basis: Basis::Inferred,
                thread: None,
                acquired_at: None,
                suspended_at: None,
                outlived: false,
                known: None,
            };
            if across == Across::Await {
                self.across.note(&hold, &sighting);
            }
            self.holds.push(hold);
        }
    }
}

impl AcrossAwait {
    /// Somebody was asleep with it then.
    pub(super) fn note_at(&mut self, seen: Stamp) {
        self.first_seen.get_or_insert(seen);
        self.last_seen = Some(seen);
    }

    fn note(&mut self, hold: &Hold, sighting: &Sighting) {
        if self.latest.as_ref().is_none_or(|latest| latest.acquire.op != hold.acquire.op) {
            self.count += 1;
        }
        self.note_at(sighting.seen);
        self.latest = Some(hold.clone());
        self.longest = self.longest.max(sighting.seen.since(hold.acquire.at));
        self.waiters = sighting.waiters;
        self.wait = sighting.longest_wait;
        self.most_waiters = self.most_waiters.max(sighting.waiters);
        self.longest_wait = self.longest_wait.max(sighting.longest_wait);
    }
}

#[cfg(test)]
mod tests;
