//! Time as the target tells it. Nothing here reads a clock: every instant comes from the wire.

use std::{num::NonZeroU64, time::Duration};

/// An instant on the target's clock: nanoseconds since the Unix epoch. Eight bytes, also inside an `Option`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Stamp(NonZeroU64);

impl Stamp {
    /// The earliest instant that can be told: one nanosecond after the epoch.
    pub const MIN: Stamp = Stamp(NonZeroU64::MIN);

    /// An instant from nanoseconds since the epoch; zero, which a wire format uses for "not set", becomes [`Stamp::MIN`].
    pub fn from_nanos(nanos: u64) -> Self {
        Self(NonZeroU64::new(nanos).unwrap_or(NonZeroU64::MIN))
    }

    /// Nanoseconds since the epoch.
    pub fn nanos(self) -> u64 {
        self.0.get()
    }

    /// The start of a second since the epoch.
    pub fn from_seconds(seconds: u32) -> Self {
        Self::from_nanos(u64::from(seconds) * 1_000_000_000)
    }

    /// Whole seconds since the epoch, saturating in the year 2106.
    pub fn seconds(self) -> u32 {
        u32::try_from(self.nanos() / 1_000_000_000).unwrap_or(u32::MAX)
    }

    /// The time from `earlier` to here, and zero where `earlier` is the later one: a target's clock may step back.
    pub fn since(self, earlier: Stamp) -> Duration {
        Duration::from_nanos(self.nanos().saturating_sub(earlier.nanos()))
    }

    /// This instant moved forward, saturating.
    pub fn plus(self, by: Duration) -> Stamp {
        Self::from_nanos(self.nanos().saturating_add(nanos(by)))
    }

    /// This instant moved back, saturating at [`Stamp::MIN`].
    pub fn minus(self, by: Duration) -> Stamp {
        Self::from_nanos(self.nanos().saturating_sub(nanos(by)))
    }
}

/// A duration in whole nanoseconds, saturating after 584 years.
pub fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
