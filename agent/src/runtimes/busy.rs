//! How long a worker has been busy, right also while it polls.
//!
//! Tokio adds to its own counter when a worker runs out of tasks, and publishes it when the worker parks or after some tens
//! of polls: while a task is polled for seconds, the counter stands still, and jumps when it is over. In between, what has
//! passed since the worker was last seen to publish is busy time too, as long as it is not parked.

use crate::{
    clock::Nanos,
    runtimes::{Flavor, metrics},
};
use std::time::Duration;

/// What was seen of one worker.
#[derive(Debug, Default)]
pub(super) struct Busy {
    /// What it had published, and when that was first seen.
    published: Option<(Published, Nanos)>,
    reported: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Published {
    busy: Duration,
    parks_and_unparks: u64,
    polls: u64,
}

/// What else is known of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct WorkerState {
    pub(super) flavor: Flavor,
    /// When the poll that its thread is in began.
    pub(super) polling_since: Option<Nanos>,
}

impl Busy {
    /// The busy time up to `now`: never less than it was, never more than has passed.
    ///
    /// Where tokio's counter has not moved since it was last read, the worker has run since then, for it publishes at each
    /// park. A poll that was under way already goes on from its own beginning: nothing is published inside a poll.
    pub(super) fn at(&mut self, now: Nanos, worker: &metrics::Worker, state: WorkerState) -> Duration {
        let metrics::Worker { busy, parks_and_unparks, polls, .. } = *worker;
        let published = Published { busy, parks_and_unparks, polls };
        let first_seen = match self.published {
            Some((known, at)) if known == published => at,
            _ => {
                self.published = Some((published, now));
                now
            }
        };
        let parked = parks_and_unparks % 2 == 1;
        let running_since = match (parked, state.flavor) {
            (true, _) => None,
            (false, Flavor::MultiThread) => Some(state.polling_since.map_or(first_seen, |since| since.min(first_seen))),
            // Between two `block_on` it is not parked either: only a poll shows that it runs.
            (false, Flavor::CurrentThread) => state.polling_since,
        };
        let unpublished = running_since.map_or(Duration::ZERO, |since| now.since(since));
        self.reported = self.reported.max(busy + unpublished);
        self.reported
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn at(ms: u64) -> Nanos {
        Nanos::from_raw(ms * MS).unwrap()
    }

    fn worker(busy_ms: u64, parks_and_unparks: u64) -> metrics::Worker {
        metrics::Worker { busy: Duration::from_millis(busy_ms), parks_and_unparks, ..metrics::Worker::default() }
    }

    fn multi(polling_since: Option<u64>) -> WorkerState {
        WorkerState { flavor: Flavor::MultiThread, polling_since: polling_since.map(at) }
    }

    fn single(polling_since: Option<u64>) -> WorkerState {
        WorkerState { flavor: Flavor::CurrentThread, ..multi(polling_since) }
    }

    #[test]
    fn a_parked_worker_is_as_busy_as_it_was() {
        let mut busy = Busy::default();
        assert_eq!(busy.at(at(1000), &worker(300, 7), multi(None)).as_millis(), 300);
        assert_eq!(busy.at(at(2000), &worker(300, 7), multi(None)).as_millis(), 300);
    }

    #[test]
    fn a_long_poll_counts_from_its_beginning_also_when_it_began_before_anybody_looked() {
        let mut busy = Busy::default();
        assert_eq!(busy.at(at(1000), &worker(300, 8), multi(Some(400))).as_millis(), 900);
        assert_eq!(busy.at(at(1250), &worker(300, 8), multi(Some(400))).as_millis(), 1150);
    }

    #[test]
    fn the_end_of_a_long_poll_takes_nothing_back_and_counts_nothing_twice() {
        let mut busy = Busy::default();
        busy.at(at(1000), &worker(300, 8), multi(Some(400)));
        // Over at 1100, and not yet published at 1200.
        assert_eq!(busy.at(at(1200), &worker(300, 8), multi(None)).as_millis(), 900);
        // Published when it parked at 1210: 810 ms since it was unparked at 400.
        assert_eq!(busy.at(at(1250), &worker(1110, 9), multi(None)).as_millis(), 1110);
    }

    #[test]
    fn many_short_polls_that_are_not_published_yet_count_since_they_were_seen() {
        let mut busy = Busy::default();
        assert_eq!(busy.at(at(1000), &worker(300, 8), multi(Some(990))).as_millis(), 310);
        assert_eq!(busy.at(at(1250), &worker(300, 8), multi(Some(1240))).as_millis(), 550);
    }

    #[test]
    fn a_current_thread_runtime_that_nobody_blocks_on_is_idle() {
        let mut busy = Busy::default();
        assert_eq!(busy.at(at(1000), &worker(300, 8), single(None)).as_millis(), 300);
        assert_eq!(busy.at(at(9000), &worker(300, 8), single(None)).as_millis(), 300);
        assert_eq!(busy.at(at(9500), &worker(300, 8), single(Some(9100))).as_millis(), 700);
    }
}
