//! When a target that lags may be asked to collect more, and how often it was.

use super::CatchUp;
use crate::update::Temporality;
use std::time::Duration;
use tokio::time::Instant;

/// The shortest time between two requests: twenty a second.
const SPACING: Duration = Duration::from_millis(50);

/// The shortest time between two reports of how many were sent.
const REPORTING: Duration = Duration::from_secs(1);

/// Decides; it sends nothing itself.
///
/// `Resume` changes nothing on a target that is live, and would undo a pause on one that is not. So it is sent only while
/// the target says that it is live, and never after this client asked for a pause that the target has not confirmed.
#[derive(Debug)]
pub(super) struct Throttle {
    allowed: CatchUp,
    target: Target,
    last_sent: Option<Instant>,
    sent: u64,
    reported: u64,
    last_reported: Option<Instant>,
}

/// What is known of the target's temporality.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Unknown,
    Live,
    Paused,
    /// A pause was asked for, and the target has not said since that it is paused.
    Pausing,
}

impl Throttle {
    pub(super) fn new(allowed: CatchUp) -> Self {
        Self { allowed, target: Target::Unknown, last_sent: None, sent: 0, reported: 0, last_reported: None }
    }

    /// The target said what it is. Returns whether that is news.
    pub(super) fn observe(&mut self, temporality: Temporality) -> bool {
        let told = match temporality {
            Temporality::Live => Target::Live,
            Temporality::Paused => Target::Paused,
        };
        // "Live" may have been said before the pause arrived.
        if told == self.target || (self.target == Target::Pausing && told == Target::Live) {
            return false;
        }
        self.target = told;
        true
    }

    /// This client asks for a pause.
    pub(super) fn pausing(&mut self) {
        if self.target != Target::Paused {
            self.target = Target::Pausing;
        }
    }

    /// This client asks to go on, or its pause has failed. The target will say what it is now.
    pub(super) fn resuming(&mut self) {
        if self.target == Target::Pausing {
            self.target = Target::Unknown;
        }
    }

    /// Whether to send one now; if so, it counts as sent.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let is_due = self.last_sent.is_none_or(|last| now.duration_since(last) >= SPACING);
        let take = self.allowed == CatchUp::Allowed && self.target == Target::Live && is_due;
        if take {
            self.last_sent = Some(now);
            self.sent += 1;
        }
        take
    }

    /// Whether there is something to report, now or later.
    pub(super) fn has_news(&self) -> bool {
        self.reported < self.sent
    }

    /// How many were sent in all, if that is to be reported now.
    pub(super) fn report(&mut self, now: Instant) -> Option<u64> {
        let is_due = self.last_reported.is_none_or(|last| now.duration_since(last) >= REPORTING);
        if !self.has_news() || !is_due {
            return None;
        }
        self.last_reported = Some(now);
        self.reported = self.sent;
        Some(self.sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(allowed: CatchUp) -> Throttle {
        let mut throttle = Throttle::new(allowed);
        assert!(throttle.observe(Temporality::Live));
        throttle
    }

    #[test]
    fn it_is_sent_to_a_target_that_is_known_to_be_live_and_only_where_allowed() {
        let now = Instant::now();
        assert!(live(CatchUp::Allowed).take(now));
        assert!(!live(CatchUp::Forbidden).take(now));
        let mut throttle = Throttle::new(CatchUp::Allowed);
        assert!(!throttle.take(now), "it has not said what it is");
        assert!(throttle.observe(Temporality::Paused));
        assert!(!throttle.take(now));
    }

    #[test]
    fn it_never_undoes_a_pause() {
        let now = Instant::now();
        let mut throttle = live(CatchUp::Allowed);
        throttle.pausing();
        assert!(!throttle.take(now));
        assert!(!throttle.observe(Temporality::Live), "said before the pause arrived");
        assert!(!throttle.take(now));
        assert!(throttle.observe(Temporality::Paused));
        assert!(!throttle.take(now));
        assert!(throttle.observe(Temporality::Live), "someone resumed it");
        assert!(throttle.take(now));
    }

    #[test]
    fn a_pause_that_failed_or_was_taken_back_is_forgotten() {
        let mut throttle = live(CatchUp::Allowed);
        throttle.pausing();
        throttle.resuming();
        assert!(throttle.observe(Temporality::Live));
        assert!(throttle.take(Instant::now()));
    }

    #[test]
    fn it_is_sent_twenty_times_a_second_and_reported_once() {
        let start = Instant::now();
        let mut throttle = live(CatchUp::Allowed);
        let mut reports = Vec::new();
        for millisecond in 0..2_000 {
            let now = start + Duration::from_millis(millisecond);
            throttle.take(now);
            reports.extend(throttle.report(now));
        }
        assert_eq!(reports, [1, 21]);
        assert!(throttle.has_news());
        assert_eq!(throttle.sent, 40);
    }
}
