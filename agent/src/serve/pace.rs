//! How often clients are told: as often as is set, as long as the agent's threads together use no more of a processor than they may.
//!
//! What they may use is saved up, to some extent, so that a large state is told at once to who has just come. Where it is spent, rounds are
//! left out until there is some again. What the threads do besides counts as well, and is not put off: the whole state for who begins to watch, stalls, and
//! stacks that somebody asks for.

use std::time::Duration;
use tokio::time::Instant;

/// What may be used in so long a time is saved at the most.
const SAVED: Duration = Duration::from_secs(20);

/// Rounds are no further apart than this, whatever they cost: a client would take the agent for one that is gone.
const LONGEST: Duration = Duration::from_secs(10);

/// Whether a round is to be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Publish {
    /// There is. So long after the one before, where some were left out.
    Now(Option<Duration>),
    LeftOut,
}

#[derive(Debug)]
pub(super) struct Pace {
    /// What share of one processor the threads may use.
    share: f64,
    /// What they may use now; less than nothing, where they have used too much.
    saved: f64,
    as_of: Instant,
    /// What they had used by then.
    used: Duration,
    told: Instant,
    left_out: bool,
}

impl Pace {
    pub(super) fn new(share: f64, now: Instant, used: Duration) -> Self {
        Self { share, saved: share * SAVED.as_secs_f64(), as_of: now, used, told: now, left_out: false }
    }

    /// It is time for a round, and the threads have used so much up to now.
    pub(super) fn round(&mut self, now: Instant, used: Duration) -> Publish {
        let earned = self.share * now.duration_since(self.as_of).as_secs_f64();
        let spent = used.saturating_sub(self.used).as_secs_f64();
        self.saved = (self.saved + earned - spent).min(self.share * SAVED.as_secs_f64());
        (self.as_of, self.used) = (now, used);
        let since = now.duration_since(self.told);
        if self.saved < 0.0 && since < LONGEST {
            self.left_out = true;
            return Publish::LeftOut;
        }
        self.told = now;
        Publish::Now(std::mem::take(&mut self.left_out).then_some(since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounds of a quarter of a second for so long, each of which that is told costs so much: when each was, and what was said.
    fn play(share: f64, cost: Duration, seconds: u64) -> Vec<(Duration, Option<Duration>)> {
        let (begun, mut used) = (Instant::now(), Duration::ZERO);
        let mut pace = Pace::new(share, begun, used);
        let mut told = Vec::new();
        for quarter in 1..=seconds * 4 {
            let at = Duration::from_millis(250 * quarter);
            if let Publish::Now(every) = pace.round(begun + at, used) {
                told.push((at, every));
                used += cost;
            }
        }
        told
    }

    #[test]
    fn what_costs_little_is_told_each_time() {
        let told = play(0.05, Duration::from_millis(10), 60);
        assert_eq!(told.len(), 240);
        assert!(told.iter().all(|(_, every)| every.is_none()));
    }

    #[test]
    fn what_costs_much_is_told_as_often_as_it_may_cost_and_at_first_at_once() {
        let told = play(0.05, Duration::from_millis(200), 120);
        assert_eq!(told[0], (Duration::from_millis(250), None));
        // Of two minutes five in a hundred, and what was saved.
        let cost = Duration::from_millis(200) * told.len() as u32;
        assert!((Duration::from_millis(6_800)..=Duration::from_millis(7_200)).contains(&cost), "{cost:?}");
        let last = told.last().unwrap().1;
        assert_eq!(last, Some(Duration::from_secs(4)));
    }

    #[test]
    fn what_is_spent_beside_rounds_is_saved_on_rounds() {
        let begun = Instant::now();
        let mut pace = Pace::new(0.05, begun, Duration::ZERO);
        let mut round = |seconds, used| pace.round(begun + Duration::from_secs(seconds), Duration::from_millis(used));
        // Of the second that is saved, newcomers take one and a quarter.
        assert_eq!(round(1, 1_250), Publish::LeftOut);
        assert_eq!(round(4, 1_250), Publish::LeftOut);
        assert_eq!(round(6, 1_250), Publish::Now(Some(Duration::from_secs(6))));
        // They take more than there is: a round comes all the same in the end.
        assert_eq!(round(7, 60_000), Publish::LeftOut);
        assert_eq!(round(16, 90_000), Publish::Now(Some(LONGEST)));
    }

    #[test]
    fn nothing_is_told_more_seldom_than_each_ten_seconds() {
        let told = play(0.01, Duration::from_secs(3), 120);
        let last = told.last().unwrap().1;
        assert_eq!(last, Some(LONGEST));
    }
}
