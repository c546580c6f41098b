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
    /// Nanoseconds for each 2³² ticks of the counter; 0 where the clock is no counter.
    #[cfg(target_arch = "x86_64")]
    scale: u64,
    wall: SystemTime,
}

static ORIGIN: OnceLock<Origin> = OnceLock::new();

#[cold]
fn make() -> &'static Origin {
    ORIGIN.get_or_init(|| {
        // Made once: it measures how fast the counter runs, for some milliseconds.
        let clock = quanta::Clock::new();
        Origin {
            raw: clock.raw(),
            wall: SystemTime::now(),
            // A clock that is no counter counts nanoseconds.
            #[cfg(target_arch = "x86_64")]
            scale: Some(clock.delta_as_nanos(0, 1 << 32)).filter(|scale| *scale != 1 << 32).unwrap_or(0),
            clock,
        }
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
    #[cfg(target_arch = "x86_64")]
    if origin.scale != 0 {
        // SAFETY: every x86-64 processor has the counter, and quanta found that it may be read: it does the same in `raw`,
        // behind two more calls.
        #[expect(unsafe_code, reason = "the counter is read at each edge of each poll")]
        let ticks = unsafe { std::arch::x86_64::_rdtsc() }.saturating_sub(origin.raw);
        return Nanos((((u128::from(ticks) * u128::from(origin.scale)) >> 32) as u64).max(1));
    }
    Nanos(origin.clock.delta_as_nanos(origin.raw, origin.clock.raw()).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn it_runs_as_fast_as_the_systems_clock() {
        let (before, start) = (Instant::now(), now());
        std::thread::sleep(Duration::from_millis(50));
        let (end, after) = (now(), Instant::now());
        let (ours, theirs) = (end.since(start), after - before);
        assert!(ours <= theirs + Duration::from_millis(1), "{ours:?} within {theirs:?}");
        assert!(ours >= Duration::from_millis(49), "{ours:?}");
        let off = end.wall().duration_since(SystemTime::now()).unwrap_or_default();
        assert!(off < Duration::from_secs(1), "{off:?}");
    }
}
