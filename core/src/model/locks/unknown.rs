//! Why nobody can tell who holds a lock that is held.

use crate::{
    model::{Basis, LockState, Model},
    update::ResourceId,
};

/// Why the holder of a lock is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unknown {
    /// The target has not reported the lock's state, or not that of the semaphore inside it.
    NotReported,
    /// Somebody was seen to hold it, and the next update has yet to bear that out.
    Unconfirmed,
    /// The target lost operations; the latest one may be among them.
    Lost,
    /// The target's account is behind.
    Behind,
    /// The semaphore inside counts somebody who got in without an operation.
    TryLock,
    /// Whoever holds it got it before anything was reported of it.
    BeforeAttach,
    /// Some of its readers have left.
    Readers,
    /// Whoever holds it got it before the agent began.
    BeforeAgent,
    /// Memory says that it is held, and nothing that was read has its guard.
    Unread,
    /// It changed hands in a way that is not reported, or its holder is over.
    Elsewhere,
}

impl Unknown {
    /// In a few words.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotReported => "not reported",
            Self::Unconfirmed => "not yet confirmed",
            Self::Lost => "events were lost",
            Self::Behind => "the target lags",
            Self::TryLock => "try_lock in use",
            Self::BeforeAttach => "from before attaching",
            Self::BeforeAgent => "from before the agent",
            Self::Readers => "readers came and went",
            Self::Unread => "no frame has it",
            Self::Elsewhere => "changed hands unseen",
        }
    }

    /// In a sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::NotReported => {
                "The target has not reported the lock's state, or not that of the semaphore inside it."
            }
            Self::Unconfirmed => "A holder was seen in one update; it counts when the next one bears it out.",
            Self::Lost => "The target lost events, and who took the lock last may be among them.",
            Self::Behind => "The target's account is behind: who took the lock last may not have been told yet.",
            Self::TryLock => {
                "Somebody took it with try_lock or as part of another call, which the target does not report."
            }
            Self::BeforeAttach => "Whoever holds it took it before anything was reported of it, or with try_lock.",
            Self::BeforeAgent => {
                "Whoever holds it took it before the agent began, so that nobody knows who, nor since when."
            }
            Self::Unread => {
                "No frame that was read has its guard: a blocking job, a structure or a map may, or it was forgotten."
            }
            Self::Readers => "Readers came and went, and which of them are left is not reported.",
            Self::Elsewhere => {
                "It changed hands in a way that the target does not report, or the task that took it has ended."
            }
        }
    }
}

impl Model {
    /// Why the holder of a lock is not known; `None` where it is, and where the lock is free.
    pub fn unknown_holder(&self, id: ResourceId) -> Option<Unknown> {
        let (resource, lock) = self.lock(id)?;
        if !lock.holds.is_empty() || lock.state == LockState::Free {
            return None;
        }
        if self.thing_of_row(id).is_some_and(|thing| thing.holders.is_empty() && thing.free == Some(0)) {
            return Some(Unknown::Unread);
        }
        if lock.basis == Basis::Exact {
            let is_older = resource.told_lock().is_some_and(|(_, queue)| queue.unknown_holders > 0);
            return is_older.then_some(Unknown::BeforeAgent);
        }
        let expected = match lock.state {
            LockState::Exclusive => Some(0),
            LockState::Shared(readers) => self.all_permits(resource).checked_sub(readers),
            LockState::Unknown | LockState::Free => return Some(Unknown::NotReported),
        };
        if lock.is_sighted() {
            return Some(Unknown::Unconfirmed);
        }
        if self.health.dropped.ops > 0 {
            return Some(Unknown::Lost);
        }
        if !self.health.lag.is_zero() {
            return Some(Unknown::Behind);
        }
        let Some(permits) = self.inner_permits(resource) else { return Some(Unknown::NotReported) };
        Some(match (lock.state, expected) {
            (_, Some(expected)) if permits > expected => Unknown::TryLock,
            _ if !lock.knows_acquire() => Unknown::BeforeAttach,
            (LockState::Shared(_), _) => Unknown::Readers,
            _ => Unknown::Elsewhere,
        })
    }
}
