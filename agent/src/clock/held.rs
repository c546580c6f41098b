//! A counter that is held against the system's clock, and given up where the two differ.

use super::Nanos;
use parking_lot::Mutex;
use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Both are read one after the other: a look that took longer than this says nothing.
const AT_ONCE: Duration = Duration::from_micros(50);

/// How often that is tried before the next look has to do.
const TRIES: usize = 3;

/// Since the look before, they may differ by so much, and by one part in so many: the system's clock is slewed to others.
const SLACK: Duration = Duration::from_millis(1);
const PART: u32 = 200;

/// Where time comes from.
pub(super) trait Source {
    /// A counter, which may be cheap to read.
    fn counter(&self) -> u64;

    /// The system's monotonic clock.
    fn system(&self) -> Duration;
}

/// A counter as a clock.
#[derive(Debug)]
pub(super) struct Held<S> {
    source: S,
    origin: u64,
    /// Nanoseconds for each 2³² of the counter.
    scale: u64,
    /// The same; 0 once it is given up.
    in_use: AtomicU64,
    agreed: Mutex<Look>,
    given_up: OnceLock<Look>,
}

/// What both showed at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    ours: Nanos,
    system: Duration,
}

/// The counter was found to have jumped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Jump {
    /// The earliest instant that may have been stamped meanwhile.
    pub(crate) from: Nanos,
    /// When that was found, by the clock that counts from then on.
    pub(crate) to: Nanos,
}

impl<S: Source> Held<S> {
    pub(super) fn new(source: S, scale: u64) -> Self {
        let (origin, system) = (source.counter(), source.system());
        let begun = Look { ours: Nanos(1), system };
        let (agreed, given_up) = (Mutex::new(begun), OnceLock::new());
        Self { source, origin, scale, in_use: AtomicU64::new(scale), agreed, given_up }
    }

    #[inline]
    pub(super) fn now(&self) -> Nanos {
        // Acquires what the counter was given up for.
        let scale = self.in_use.load(Ordering::Acquire);
        if scale != 0
            && let Some(ticks) = self.source.counter().checked_sub(self.origin)
        {
            return scaled(ticks, scale);
        }
        self.otherwise()
    }

    /// The counter is given up, or it is back where it was before it was first read: it was reset, or read on another processor.
    #[cold]
    fn otherwise(&self) -> Nanos {
        self.check();
        match self.given_up.get() {
            Some(agreed) => agreed.at(self.source.system()),
            None => Nanos(1),
        }
    }

    pub(super) fn is_given_up(&self) -> bool {
        self.given_up.get().is_some()
    }

    /// Looks whether both clocks have gone on alike since the look before.
    pub(super) fn check(&self) -> Option<Jump> {
        if self.is_given_up() {
            return None;
        }
        let mut agreed = self.agreed.lock();
        let look = self.look()?;
        let passed = look.system.saturating_sub(agreed.system);
        let off = look.ours.since(agreed.ours).abs_diff(passed) + agreed.ours.since(look.ours);
        if off <= AT_ONCE + SLACK + passed / PART {
            *agreed = look;
            return None;
        }
        // Somebody else was first.
        self.given_up.set(*agreed).ok()?;
        self.in_use.store(0, Ordering::Release);
        Some(Jump { from: agreed.ours.min(look.ours), to: agreed.at(look.system) })
    }

    fn look(&self) -> Option<Look> {
        (0..TRIES).find_map(|_| {
            let system = self.source.system();
            let ticks = self.source.counter().saturating_sub(self.origin);
            let took = self.source.system().saturating_sub(system);
            (took <= AT_ONCE).then(|| Look { ours: scaled(ticks, self.scale), system })
        })
    }
}

impl Look {
    /// What the clock shows when the system's shows this, which has gone on from here.
    fn at(self, system: Duration) -> Nanos {
        let passed = u64::try_from(system.saturating_sub(self.system).as_nanos()).unwrap_or(u64::MAX);
        Nanos(self.ours.0.saturating_add(passed))
    }
}

#[inline]
fn scaled(ticks: u64, scale: u64) -> Nanos {
    Nanos((((u128::from(ticks) * u128::from(scale)) >> 32) as u64).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// Two clocks that go by themselves: a counter of one in two nanoseconds, and the system's.
    struct Fake {
        counter: Cell<u64>,
        system: Cell<Duration>,
    }

    const HOUR: u64 = 3_600_000;

    fn held() -> Held<Fake> {
        let fake = Fake { counter: Cell::new(1 << 40), system: Cell::new(Duration::from_secs(70)) };
        Held::new(fake, 2 << 32)
    }

    impl Held<Fake> {
        /// Time passes, in milliseconds, as the two see it.
        fn pass(&self, counter: i64, system: u64) {
            self.source.counter.set(self.source.counter.get().saturating_add_signed(counter * 500_000));
            self.source.system.set(self.source.system.get() + Duration::from_millis(system));
        }

        fn ms(&self) -> u64 {
            self.now().0 / 1_000_000
        }
    }

    impl Source for Fake {
        fn counter(&self) -> u64 {
            self.counter.get()
        }

        fn system(&self) -> Duration {
            self.system.get()
        }
    }

    fn at(ms: u64) -> Nanos {
        Nanos(1.max(ms * 1_000_000))
    }

    #[test]
    fn two_that_agree_are_let_be_however_slowly_they_drift() {
        let held = held();
        for _ in 0..1_000 {
            held.pass(10_020, 10_000);
            assert_eq!(held.check(), None);
        }
        assert!(!held.is_given_up());
        assert_eq!(held.ms(), 10_020_000);
    }

    #[test]
    fn a_counter_that_jumps_ahead_is_given_up_and_time_goes_on_where_both_agreed() {
        let held = held();
        held.pass(500, 500);
        assert_eq!(held.check(), None);
        held.pass(100 + HOUR as i64, 100);
        let stamped = held.now();
        assert_eq!(held.check(), Some(Jump { from: at(500), to: at(600) }));
        assert_eq!(held.ms(), 600);
        held.pass(7, 50);
        assert_eq!((held.ms(), held.check()), (650, None));
        assert_eq!(held.now().since(stamped), Duration::ZERO, "nobody has lasted for an hour");
    }

    #[test]
    fn one_that_jumps_back_leaves_what_was_stamped_meanwhile_in_doubt() {
        let held = held();
        held.pass(HOUR as i64, HOUR);
        assert_eq!(held.check(), None);
        held.pass(-(HOUR as i64) / 2, 100);
        assert_eq!(held.check(), Some(Jump { from: at(HOUR / 2), to: at(HOUR + 100) }));
        assert_eq!(held.ms(), HOUR + 100);
    }

    #[test]
    fn one_that_begins_again_is_found_out_by_whoever_reads_it_first() {
        let held = held();
        held.pass(HOUR as i64, HOUR);
        assert_eq!(held.check(), None);
        held.source.counter.set(5);
        held.pass(0, 20);
        assert_eq!(held.ms(), HOUR + 20);
        assert!(held.is_given_up());
    }

    #[test]
    fn a_counter_of_another_speed_is_given_up() {
        let held = held();
        held.pass(1_000, 1_000);
        assert_eq!(held.check(), None);
        held.pass(1_500, 1_000);
        assert_eq!(held.check(), Some(Jump { from: at(1_000), to: at(2_000) }));
        held.pass(1_500, 1_000);
        assert_eq!(held.ms(), 3_000);
    }

    #[test]
    fn a_processor_whose_counter_is_a_little_behind_is_no_jump() {
        let held = held();
        held.source.counter.set((1 << 40) - 40);
        assert_eq!(held.now(), Nanos(1));
        assert!(!held.is_given_up());
    }
}
