//! What a lock's acquires allow to be said of who holds it, from one update to the next: what an update shows is a [`Sighting`], and
//! becomes a [`Hold`] when nothing that is told later contradicts it. The reasoning stands in [`lock`](super::lock).

use super::{Acquire, AcrossAwait, Basis, Hold, Lock, LockState};
use crate::update::{Access, Across, Stamp};
use std::time::Duration;

/// What one update shows of a held lock, before it is certain.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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

/// More readers than this are counted, not named.
const MAX_READERS: usize = 64;

impl Lock {
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
