//! How long a runtime's driver, which sees to timers and sockets, has no turn.
//!
//! A worker lets it have one when it parks, after every so many polls, and when it gives those their turn back who yielded. In the first
//! two cases it publishes its counts; in the third, and whenever a timer or a socket was due, somebody is woken outside of any poll. So
//! while no worker is parked, no count moves and nobody is woken so, it had none; or none that did anything.

use crate::{clock::Nanos, runtimes::sample::WorkerRow};
use std::time::Duration;

/// Looks that are further apart say nothing of what was between them: while nobody watches, there are few.
const APART: Duration = Duration::from_millis(250);

/// What was seen of one runtime.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    /// What each worker had published.
    published: Vec<(Duration, u64, u64)>,
    /// The latest look.
    looked: Option<Nanos>,
    /// The driver's latest turn, at the latest.
    turn: Option<Nanos>,
    /// How long it had none before that.
    before: Duration,
}

impl Gaps {
    /// How long it has none now, or had none before its latest turn, whichever is longer.
    pub(super) fn at(&mut self, now: Nanos, workers: &[WorkerRow]) -> Duration {
        let published = workers.iter().map(|worker| {
            let metrics = &worker.metrics;
            (metrics.busy, metrics.parks_and_unparks, metrics.polls)
        });
        let is_parked = workers.iter().any(|worker| worker.metrics.parks_and_unparks % 2 == 1);
        let woken = workers.iter().filter_map(|worker| worker.thread.as_ref()?.woke_outside()).max();
        self.turns(now, Look { published: published.collect(), is_parked, woken })
    }

    fn turns(&mut self, now: Nanos, look: Look) -> Duration {
        let Look { published, is_parked, woken } = look;
        let has_turned = is_parked || published != self.published;
        self.published = published;
        if self.looked.replace(now).is_none_or(|looked| now.since(looked) > APART) {
            (self.turn, self.before) = (Some(now), Duration::ZERO);
        }
        let known = *self.turn.get_or_insert(now);
        let turn = if has_turned { now } else { woken.map_or(known, |woken| woken.max(known)) };
        if turn > known {
            self.before = turn.since(known);
            self.turn = Some(turn);
        }
        self.before.max(now.since(turn))
    }
}

/// What one look sees.
struct Look {
    /// What each worker has published.
    published: Vec<(Duration, u64, u64)>,
    /// Whether one of them is parked.
    is_parked: bool,
    /// When one of them woke somebody outside of any poll.
    woken: Option<Nanos>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Nanos {
        Nanos::from_raw((1_000 + millis) * 1_000_000).unwrap()
    }

    /// Looks every 50 ms: the polls that are published, whether a worker is parked, when somebody was woken outside of a poll. What the
    /// last look says, in milliseconds.
    fn look(looks: &[(u64, bool, Option<u64>)]) -> u128 {
        let mut gaps = Gaps::default();
        let looked = (0..).zip(looks).map(|(index, &(polls, is_parked, woken))| {
            gaps.turns(
                at(50 * index),
                Look { published: vec![(Duration::ZERO, 2, polls)], is_parked, woken: woken.map(at) },
            )
        });
        looked.last().unwrap_or_default().as_millis()
    }

    #[test]
    fn nothing_that_moves_is_no_turn() {
        assert_eq!(look(&[(7, false, None); 21]), 1_000);
        assert_eq!(look(&[(7, true, None); 21]), 50, "a worker that is parked waits for it, or is told by who does");
    }

    #[test]
    fn a_count_that_moves_is_a_turn_and_the_time_before_it_is_told_until_the_next_one() {
        let gap = [(7, false, None); 11];
        let then = |next: &[(u64, bool, Option<u64>)]| look(&[&gap, next].concat());
        assert_eq!(then(&[(68, false, None)]), 550);
        assert_eq!(then(&[(68, false, None); 5]), 550);
        assert_eq!(then(&[(68, false, None), (129, false, None), (190, false, None)]), 50);
    }

    #[test]
    fn what_was_between_looks_that_are_far_apart_is_not_known() {
        let mut gaps = Gaps::default();
        let mut look = |millis| {
            gaps.turns(at(millis), Look { published: vec![(Duration::ZERO, 2, millis)], is_parked: false, woken: None })
                .as_millis()
        };
        assert_eq!([0, 5_000, 10_000, 10_050].map(&mut look), [0, 0, 0, 50]);
    }

    #[test]
    fn who_is_woken_outside_of_a_poll_was_woken_by_its_turn() {
        let yields: Vec<_> = (0..21).map(|index| (7, false, Some(50 * index))).collect();
        assert_eq!(look(&yields), 50);
        assert_eq!(look(&[(7, false, Some(20)); 21]), 980);
    }
}
