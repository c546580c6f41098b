//! A bound on how often something is done, which everybody who does it asks for themselves.

use crate::clock::Nanos;
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// A bound: once in a while, and some times in a row after a quiet time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bound {
    pub(crate) every: Duration,
    /// In a row; at least one.
    pub(crate) burst: u32,
}

/// How much of a bound is used up: the instant from which on all of it is free again.
#[derive(Debug, Default)]
pub(crate) struct Rate(AtomicU64);

impl Rate {
    pub(crate) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Whether it may be done now, and then it is taken to be done. Any thread may ask; together they keep within the bound.
    pub(crate) fn allows(&self, now: Nanos, bound: Bound) -> bool {
        let every = bound.every.as_nanos() as u64;
        let ahead = every * u64::from(bound.burst.saturating_sub(1));
        let take = |free: u64| {
            let from = free.max(now.raw());
            (from - now.raw() <= ahead).then_some(from + every)
        };
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUND: Bound = Bound { every: Duration::from_millis(100), burst: 3 };

    fn at(millis: u64) -> Nanos {
        Nanos::from_raw(millis * 1_000_000).unwrap()
    }

    #[test]
    fn some_in_a_row_and_then_one_at_a_time() {
        let rate = Rate::new();
        let allowed = |millis| rate.allows(at(millis), BOUND);
        assert_eq!([5000, 5000, 5001, 5001, 5050].map(allowed), [true, true, true, false, false]);
        assert_eq!([5100, 5101, 5199, 5200].map(allowed), [true, false, false, true]);
        assert_eq!([9000, 9000, 9000, 9000].map(allowed), [true, true, true, false], "it was quiet for long");
        assert!(!allowed(8990), "a clock that is a little behind changes nothing");
    }

    #[test]
    fn threads_that_ask_at_once_keep_within_the_bound_together() {
        let rate = Rate::new();
        let allowed = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..1000 {
                        allowed.fetch_add(u64::from(rate.allows(at(7), BOUND)), Ordering::Relaxed);
                    }
                });
            }
        });
        assert_eq!(allowed.into_inner(), 3);
    }
}
