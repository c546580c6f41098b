//! What several looks bear out. One look is of one instant: that somebody waits it proves, and that they have waited since the look before
//! it does not. Of two looks alone nobody knows whether what is the same in both went on in between, or came again.

use crate::{
    model::Model,
    update::{BeginMode, Fact, ResourceId, Stamp},
};
use std::{collections::VecDeque, time::Duration};

/// So many looks must have shown it. They come at random gaps: what comes and goes is the same in all of them by a chance that is small.
const LOOKS: usize = 4;

/// So many in quick succession where a lock changes hands meanwhile: a queue that goes round looks like one that stands whenever it has
/// come round.
const LOOKS_IN_MOTION: usize = 6;

/// Looks are in quick succession that are no further apart.
const QUICK: Duration = Duration::from_millis(60);

/// So many looks are remembered: those of some seconds.
const KEPT: usize = 32;

/// When the latest looks were.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Looked(VecDeque<Stamp>);

impl Looked {
    /// There was another.
    pub(super) fn at(&mut self, now: Stamp) {
        self.0.push_back(now);
        if self.0.len() > KEPT {
            self.0.pop_front();
        }
    }

    /// Those from the one instant to the other.
    fn between(&self, since: Stamp, until: Stamp) -> impl Iterator<Item = Stamp> {
        self.0.iter().copied().filter(move |look| (since..=until).contains(look))
    }

    /// Whether what was so all the time from the one to the other was shown by enough of them.
    fn have_shown(&self, since: Stamp, until: Stamp) -> bool {
        self.between(since, until).count() >= LOOKS
    }

    /// The same of what moves.
    fn have_shown_in_motion(&self, since: Stamp, until: Stamp) -> bool {
        let all: Vec<Stamp> = self.between(since, until).collect();
        let quick = |pair: &[Stamp]| matches!(pair, [before, after] if after.since(*before) <= QUICK);
        all.len() >= LOOKS_IN_MOTION && all.windows(2).all(quick)
    }
}

impl Model {
    /// Whether what memory tells of a lock, and was so in each look from the one instant to the other, was shown by so many that it lasted. What
    /// other sources tell of it lasts as they say, and what is kept of a process that has ended changes no more.
    pub fn is_lock_borne_out(&self, lock: ResourceId, since: Stamp, until: Stamp) -> bool {
        let held = self.lock(lock).is_some_and(|(_, lock)| lock.holds.iter().any(|hold| hold.acquire.at <= since));
        !self.is_lock_told_by_looks(lock)
            || self.memory.is_over()
            || held && self.memory.looked.have_shown(since, until)
            || self.memory.looked.have_shown_in_motion(since, until)
    }

    /// Whether what is so in each look from the one instant to the other was shown by so many that it lasted.
    pub fn is_borne_out_by_looks(&self, since: Stamp, until: Stamp) -> bool {
        self.memory.is_over() || self.memory.looked.have_shown(since, until)
    }

    /// Whether it is memory that tells who holds a lock and who waits for it.
    pub fn is_lock_told_by_looks(&self, lock: ResourceId) -> bool {
        let is_told = self.resources.get(lock).is_some_and(|resource| resource.told_lock().is_some());
        is_told && self.thing_of_row(lock).is_some() && self.is_told_by_looks(Fact::Holders)
    }

    /// As [`Model::is_lock_borne_out`], of what is told of a runtime.
    pub fn is_runtime_borne_out(&self, since: Stamp, until: Stamp) -> bool {
        !self.is_told_by_looks(Fact::Runtimes) || self.memory.is_over() || self.memory.looked.have_shown(since, until)
    }

    /// Whether it is memory that tells this, and no other source.
    pub(in crate::model) fn is_told_by_looks(&self, fact: Fact) -> bool {
        self.memory.speaks() && (self.memory.mode == BeginMode::Alone || !self.told.has(fact))
    }
}

#[cfg(test)]
mod tests;
