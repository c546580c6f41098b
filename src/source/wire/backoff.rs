//! How long to wait between two tries: doubling, capped, with jitter.

use rand::Rng;
use std::time::Duration;

/// An exponential backoff. Before the n-th try after the first it waits between half and all of `first` × 2ⁿ⁻¹, which
/// never passes `cap`. The random half keeps many clients of one restarted target from returning all at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    first: Duration,
    cap: Duration,
}

/// Bounds that are no backoff.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBackoff {
    /// A wait of nothing would turn a target that is down into a busy loop.
    #[error("the first wait must be at least 1 ms")]
    TooShort,
    /// Nothing could grow.
    #[error("the longest wait must not be shorter than the first one")]
    CapBelowFirst,
}

impl Backoff {
    /// A backoff from `first` to `cap`.
    pub fn new(first: Duration, cap: Duration) -> Result<Self, InvalidBackoff> {
        if first < Duration::from_millis(1) {
            return Err(InvalidBackoff::TooShort);
        }
        if cap < first {
            return Err(InvalidBackoff::CapBelowFirst);
        }
        Ok(Self { first, cap })
    }

    /// How long to wait after this many failures in a row.
    pub fn wait(&self, failures: u32, random: &mut impl Rng) -> Duration {
        let ceiling = self.ceiling(failures);
        ceiling / 2 + random.random_range(Duration::ZERO..=ceiling / 2)
    }

    /// The longest wait after this many failures in a row.
    fn ceiling(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1);
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        self.first.saturating_mul(factor).min(self.cap)
    }
}

impl Default for Backoff {
    /// A quarter of a second at first, ten seconds at most.
    fn default() -> Self {
        Self { first: Duration::from_millis(250), cap: Duration::from_secs(10) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::{SeedableRng, rngs::StdRng};

    #[test]
    fn bounds_are_validated() {
        let second = Duration::from_secs(1);
        assert_eq!(Backoff::new(Duration::ZERO, second), Err(InvalidBackoff::TooShort));
        assert_eq!(Backoff::new(second * 2, second), Err(InvalidBackoff::CapBelowFirst));
        assert!(Backoff::new(second, second).is_ok());
    }

    #[test]
    fn the_default_doubles_from_a_quarter_second_to_ten() {
        let ceilings: Vec<_> = (1..=8).map(|n| Backoff::default().ceiling(n).as_millis()).collect();
        assert_eq!(ceilings, [250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
    }

    proptest! {
        #[test]
        fn waits_are_never_zero_never_above_the_cap_and_grow_until_it(
            first in 1_u64..100_000, above in 0_u64..10_000_000, failures in any::<u32>(), seed in any::<u64>(),
        ) {
            let cap = Duration::from_millis(first.saturating_add(above));
            let backoff = Backoff::new(Duration::from_millis(first), cap).expect("valid bounds");
            let wait = backoff.wait(failures, &mut StdRng::seed_from_u64(seed));
            prop_assert!(wait > Duration::ZERO);
            prop_assert!(wait <= cap);
            prop_assert!(wait >= backoff.ceiling(failures) / 2);

            let (now, next) = (backoff.ceiling(failures), backoff.ceiling(failures.saturating_add(1)));
            prop_assert!(next > now || now == cap || failures == 0);
        }
    }
}
