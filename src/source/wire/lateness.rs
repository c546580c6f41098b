//! How late an update comes, measured against the promptest one of its connection.
//!
//! Two clocks that nobody set by each other cannot tell how long a message was on its way. They do tell how much longer
//! one message was than another: what both clocks are wrong by is in both and falls out. Network people call it delay
//! variation. So the lateness is a lower bound: what even the promptest update took is not in it.
//!
//! Clocks are not constant either:
//! - A target's clock that is set back makes every later update look late. Updates come in order, so that one that
//!   says an earlier time than its predecessor shows it; it then counts as as late as its predecessor was.
//! - One that is set forward makes everything before it look late; the first update after it is the promptest.
//! - Two clocks drift apart. The promptest is forgotten as slowly as the worst of clocks drifts, which also ends whatever
//!   the first rule did not see.

use crate::update::Stamp;
use std::time::Duration;
use tokio::time::Instant;

/// The drift allowed for: NTP corrects clocks by no more, and crystals are a tenth as bad. As a divisor, 500 ppm.
const DRIFT: i128 = 2_000;

/// Measures one connection.
#[derive(Debug)]
pub(super) struct Lateness {
    origin: Instant,
    promptest: Option<Promptest>,
}

/// The difference of the clocks when the promptest update came, with the drift since.
#[derive(Debug, Clone, Copy)]
struct Promptest {
    offset: i128,
    /// The latest update: what it said, when it came, how late that was.
    said: Stamp,
    came: Instant,
    late: i128,
}

impl Lateness {
    /// A connection that begins.
    pub(super) fn new(origin: Instant) -> Self {
        Self { origin, promptest: None }
    }

    /// An update begins to come: the first bytes say the target's time. What remains of it may be long on its way, and
    /// would make a poor measure for others.
    pub(super) fn begin(&mut self, said: Stamp, came: Instant) {
        let here = self.offset(said, came);
        let offset = match self.promptest {
            None => here,
            Some(before) if said < before.said => here - before.late,
            Some(before) => here.min(before.offset + nanos(came - before.came) / DRIFT),
        };
        self.promptest = Some(Promptest { offset, said, came, late: here - offset });
    }

    /// How late something is that comes at this instant and tells of that one.
    pub(super) fn of(&self, said: Stamp, came: Instant) -> Duration {
        let late = self.promptest.map_or(0, |promptest| self.offset(said, came) - promptest.offset);
        Duration::from_nanos(u64::try_from(late.max(0)).unwrap_or(u64::MAX))
    }

    /// What the clocks differ by, the way included. It means nothing by itself.
    fn offset(&self, said: Stamp, came: Instant) -> i128 {
        nanos(came - self.origin) - i128::from(said.nanos())
    }
}

fn nanos(duration: Duration) -> i128 {
    i128::try_from(duration.as_nanos()).unwrap_or(i128::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A target's clock that has nothing to do with ours.
    const THEN: u64 = 1_700_000_000_000;

    struct Connection {
        lateness: Lateness,
        origin: Instant,
    }

    impl Connection {
        fn new() -> Self {
            let origin = Instant::now();
            Self { lateness: Lateness::new(origin), origin }
        }

        /// An update that says that it is so late, in milliseconds of the target's clock, comes at this millisecond of ours.
        /// How many milliseconds late is it?
        fn update(&mut self, said: u64, came: u64) -> u128 {
            let (said, came) = (stamp(said), self.origin + Duration::from_millis(came));
            self.lateness.begin(said, came);
            self.lateness.of(said, came).as_millis()
        }

        /// More of the update.
        fn rest(&self, said: u64, came: u64) -> u128 {
            self.lateness.of(stamp(said), self.origin + Duration::from_millis(came)).as_millis()
        }
    }

    fn stamp(millis: u64) -> Stamp {
        Stamp::from_nanos((THEN + millis) * 1_000_000)
    }

    #[test]
    fn what_both_took_is_not_lateness() {
        let mut connection = Connection::new();
        for second in 0..60 {
            assert_eq!(connection.update(second * 1_000, second * 1_000 + 700), 0);
        }
    }

    #[test]
    fn a_queue_that_grows_and_drains() {
        let mut connection = Connection::new();
        assert_eq!(connection.update(0, 200), 0);
        assert_eq!(connection.update(1_000, 2_200), 999);
        assert_eq!(connection.update(2_000, 6_200), 3_997);
        assert_eq!(connection.update(3_000, 6_300), 3_096);
        assert_eq!(connection.update(4_000, 6_400), 2_196);
        assert_eq!(connection.update(6_200, 6_400), 0);
    }

    #[test]
    fn a_first_state_is_as_late_as_its_rest_is_long() {
        let mut connection = Connection::new();
        assert_eq!(connection.update(0, 200), 0);
        assert_eq!(connection.rest(0, 30_200), 30_000);
        assert_eq!(connection.update(1_000, 30_300), 29_084, "what waited behind it is late as well");
    }

    #[test]
    fn a_clock_that_is_set_back_makes_nothing_late() {
        let mut connection = Connection::new();
        connection.update(3_600_000, 100);
        assert_eq!(connection.update(3_601_000, 4_100), 2_998);
        assert_eq!(connection.update(0, 5_100), 2_998, "as late as the one before");
        assert_eq!(connection.update(1_000, 6_100), 2_997);
        assert_eq!(connection.update(4_000, 6_200), 97);
    }

    #[test]
    fn a_clock_that_is_set_forward_makes_nothing_late_for_long() {
        let mut connection = Connection::new();
        connection.update(0, 100);
        assert_eq!(connection.update(3_601_000, 1_100), 0);
        assert_eq!(connection.update(3_602_000, 2_200), 99);
    }

    #[test]
    fn drift_is_no_lateness_and_a_step_too_small_to_be_seen_is_forgotten() {
        let mut connection = Connection::new();
        for minute in 0..60 * 24 * 3 {
            // The target's clock loses 100 microseconds each second.
            assert_eq!(connection.update(minute * (60_000 - 6), minute * 60_000), 0);
        }
        let mut connection = Connection::new();
        connection.update(0, 0);
        assert_eq!(connection.update(6_000, 10_000), 3_995, "set back by 4 s, 10 s after the one before");
        assert!(connection.update(3 * 3_600_000 - 4_000, 3 * 3_600_000) == 0);
    }

    proptest! {
        #[test]
        fn any_target_may_say_any_time(said in prop::collection::vec((any::<u64>(), 0..u64::from(u32::MAX)), 0..40)) {
            let mut connection = Connection::new();
            let mut at = connection.origin;
            for (nanos, wait) in said {
                at += Duration::from_millis(wait);
                connection.lateness.begin(Stamp::from_nanos(nanos), at);
                let begun = connection.lateness.of(Stamp::from_nanos(nanos), at);
                let later = connection.lateness.of(Stamp::from_nanos(nanos), at + Duration::from_secs(1));
                prop_assert!(later >= begun);
            }
        }
    }
}
