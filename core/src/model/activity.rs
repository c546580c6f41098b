//! How much of the last seconds was spent in polls, of all tasks together.

use crate::update::{Stamp, nanos};
use std::{collections::VecDeque, time::Duration};

/// It is remembered as of instants that are at least so far from one another.
const STEP: Duration = Duration::from_millis(250);

/// So many are remembered: those of the last quarter of a minute, or more.
const KEPT: usize = 64;

/// What all tasks together spent in polls.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Activity {
    /// Nanoseconds, since the first update.
    spent: u64,
    /// What it was at these instants, the latest last.
    was: VecDeque<(Stamp, u64)>,
}

impl Activity {
    /// A task is told to have spent so much more.
    pub(super) fn spent(&mut self, busy: Duration) {
        self.spent = self.spent.saturating_add(nanos(busy));
    }

    /// An update is complete.
    pub(super) fn settle(&mut self, now: Stamp) {
        if self.was.back().is_some_and(|(latest, _)| now.since(*latest) < STEP) {
            return;
        }
        if self.was.len() == KEPT {
            self.was.pop_front();
        }
        self.was.push_back((now, self.spent));
    }

    /// The share of the time since then that was spent in polls: 1 is one thread that did nothing else. `None` where that is not
    /// remembered.
    pub(super) fn share(&self, since: Stamp, now: Stamp) -> Option<f64> {
        let (from, spent) = self.was.iter().rev().find(|(at, _)| *at <= since)?;
        let span = nanos(now.since(*from));
        (span > 0).then(|| self.spent.saturating_sub(*spent) as f64 / span as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_spent_is_a_share_of_the_time_since() {
        let at = |millis: u64| Stamp::from_nanos(millis * 1_000_000);
        let mut activity = Activity::default();
        for second in 1..=4 {
            activity.spent(Duration::from_millis(if second > 2 { 500 } else { 0 }));
            activity.settle(at(second * 1_000));
        }
        assert_eq!(activity.share(at(2_000), at(4_000)), Some(0.5));
        assert_eq!(activity.share(at(2_500), at(4_000)), Some(0.5), "as of the instant before");
        assert_eq!(activity.share(at(500), at(4_000)), None, "nobody looked");
        assert_eq!(activity.share(at(4_000), at(4_000)), None);
    }
}
