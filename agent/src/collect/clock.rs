//! The agent's clock: nanoseconds since an origin that is taken once in the process. It is read at each edge of a poll, so it
//! is the processor's time stamp counter where that is sound (invariant, as the processor says), and the system's monotonic
//! clock where it is not.

use std::{
    sync::OnceLock,
    time::{Duration, SystemTime},
};

/// An instant, in nanoseconds since the origin; never 0, so that 0 can stand for "never".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Nanos(u64);

impl Nanos {
    /// From what was stored; `None` for 0.
    pub(crate) fn from_raw(raw: u64) -> Option<Self> {
        (raw != 0).then_some(Self(raw))
    }

    /// To store.
    pub(crate) fn raw(self) -> u64 {
        self.0
    }

    /// How long after `earlier` this is; zero when it is not.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// What the wall clock showed then, by the offset that was taken at the origin: times of one process stay in order
    /// whatever is done to the system's clock.
    pub(crate) fn wall(self) -> SystemTime {
        origin().wall + Duration::from_nanos(self.0)
    }
}

struct Origin {
    clock: quanta::Clock,
    raw: u64,
    wall: SystemTime,
}

static ORIGIN: OnceLock<Origin> = OnceLock::new();

#[cold]
fn make() -> &'static Origin {
    ORIGIN.get_or_init(|| {
        // Made once: it measures how fast the counter runs, for some milliseconds.
        let clock = quanta::Clock::new();
        Origin { raw: clock.raw(), wall: SystemTime::now(), clock }
    })
}

#[inline]
fn origin() -> &'static Origin {
    ORIGIN.get().unwrap_or_else(make)
}

/// Now.
#[inline]
pub(crate) fn now() -> Nanos {
    let origin = origin();
    Nanos(origin.clock.delta_as_nanos(origin.raw, origin.clock.raw()).max(1))
}
