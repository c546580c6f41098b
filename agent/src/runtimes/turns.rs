//! Whether the loop of a runtime turns. Workers of several threads always do; the only one of a current-thread runtime does while some
//! thread is inside of its `block_on`, and tokio does not tell whether one is. But who is there parks, or polls, or publishes counts that
//! move.

use crate::{
    clock::Nanos,
    runtimes::{Flavor, sample::WorkerRow},
    standstills,
};
use std::time::Duration;

/// How long nothing must have moved, so that nobody is taken to be there.
const STILL: Duration = Duration::from_millis(500);

/// What the thread does that was the worker last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    /// It waits in the runtime for something to do.
    Park,
    /// It polls, for this runtime or another one.
    Poll,
    /// Nothing that is seen.
    Nothing,
}

/// What was seen of one runtime.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// What its worker had counted, and when that was first seen.
    counted: Option<(u64, Nanos)>,
}

impl Turns {
    /// Whether some thread drives it; `None` where that cannot be told.
    pub(super) fn driven(&mut self, flavor: Flavor, workers: &[WorkerRow], now: Nanos) -> Option<bool> {
        let [worker] = workers else { return (flavor == Flavor::MultiThread).then_some(true) };
        if flavor == Flavor::MultiThread {
            return Some(true);
        }
        let metrics = &worker.metrics;
        let counts = metrics.parks_and_unparks.wrapping_add(metrics.polls).wrapping_add(metrics.local_schedules);
        let does = match (metrics.parks_and_unparks % 2 == 1, worker.polling) {
            (true, _) => Does::Park,
            (false, Some(_)) => Does::Poll,
            (false, None) => Does::Nothing,
        };
        self.of_one(counts, does, now)
    }

    fn of_one(&mut self, counts: u64, does: Does, now: Nanos) -> Option<bool> {
        let seen = match self.counted {
            Some((known, at)) if known == counts && does == Does::Nothing => at,
            _ => now,
        };
        self.counted = Some((counts, seen));
        match does {
            Does::Park => Some(true),
            // Its thread may have gone on to poll for another runtime.
            Does::Poll => None,
            Does::Nothing => (standstills::lasted(seen, now) >= STILL).then_some(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use Does::{Nothing, Park, Poll};

    /// Looks every 200 ms: what was counted, what its thread does; what the last look says.
    fn look(looks: &[(u64, Does)]) -> Option<bool> {
        let mut turns = Turns::default();
        let at = |index: usize| Nanos::from_raw((1_000 + 200 * index as u64) * 1_000_000).unwrap();
        let told = looks.iter().enumerate();
        told.map(|(index, &(counts, does))| turns.of_one(counts, does, at(index))).last()?
    }

    #[test]
    fn whoever_parks_in_it_drives_it() {
        assert_eq!(look(&[(7, Park)]), Some(true));
        assert_eq!(look(&[(7, Park); 9]), Some(true));
    }

    #[test]
    fn nobody_drives_what_has_not_moved_for_long() {
        assert_eq!(look(&[(8, Nothing); 3]), None, "too early to say");
        assert_eq!(look(&[(8, Nothing); 4]), Some(false));
    }

    #[test]
    fn one_whose_counts_move_or_whose_thread_polls_may_be_driven() {
        assert_eq!(look(&[(8, Nothing), (8, Nothing), (8, Nothing), (9, Nothing)]), None);
        assert_eq!(look(&[(8, Poll); 9]), None);
        assert_eq!(look(&[(8, Nothing), (8, Nothing), (8, Poll), (8, Nothing)]), None);
    }
}
