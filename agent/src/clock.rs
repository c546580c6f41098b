//! The agent's clock: nanoseconds since an origin that is taken once in the process. It is read at each edge of a poll, so it
//! is the processor's time stamp counter where that is sound (invariant, as the processor says), and the system's monotonic
//! clock where it is not.
//!
//! What the processor says may cease to be true: a virtual machine that moves to another host, or a machine that wakes up again, may find its
//! counter elsewhere, or running at another speed. So the counter is [held](checked) against the system's clock again and again, and where they
//! differ it is read no more: from there on the system's clock counts, and goes on where both last agreed. What was stamped between
//! that moment and the one at which the difference is found is not to be relied on, and whoever asks how long something lasted leaves it
//! out.

mod held;

use held::{Held, Source};
use std::{
    sync::OnceLock,
    time::{Duration, Instant, SystemTime},
};

pub(crate) use held::Jump;

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
    /// whatever is done to the system's clock. What a counter stamped that had jumped ahead is told as now.
    pub(crate) fn wall(self) -> SystemTime {
        let origin = origin();
        let at = if origin.held.is_given_up() { self.min(now()) } else { self };
        origin.wall + Duration::from_nanos(at.0)
    }
}

struct Origin {
    held: Held<System>,
    wall: SystemTime,
}

/// The clocks of this machine.
struct System {
    clock: quanta::Clock,
    /// Whether that one is the processor's counter.
    #[cfg(target_arch = "x86_64")]
    is_counter: bool,
    begun: Instant,
}

impl Source for System {
    #[inline]
    fn counter(&self) -> u64 {
        #[cfg(target_arch = "x86_64")]
        if self.is_counter {
            // SAFETY: every x86-64 processor has the counter, and quanta found that it may be read: it does the same in `raw`,
            // behind two more calls.
            #[expect(unsafe_code, reason = "the counter is read at each edge of each poll")]
            return unsafe { std::arch::x86_64::_rdtsc() };
        }
        self.clock.raw()
    }

    fn system(&self) -> Duration {
        self.begun.elapsed()
    }
}

static ORIGIN: OnceLock<Origin> = OnceLock::new();

#[cold]
fn make() -> &'static Origin {
    ORIGIN.get_or_init(|| {
        // Made once: it measures how fast the counter runs, for some milliseconds.
        let clock = quanta::Clock::new();
        // A clock that is no counter counts nanoseconds.
        let scale = clock.delta_as_nanos(0, 1 << 32);
        let system = System {
            #[cfg(target_arch = "x86_64")]
            is_counter: scale != 1 << 32,
            clock,
            begun: Instant::now(),
        };
        Origin { wall: SystemTime::now(), held: Held::new(system, scale) }
    })
}

#[inline]
fn origin() -> &'static Origin {
    ORIGIN.get().unwrap_or_else(make)
}

/// Now.
#[inline]
pub(crate) fn now() -> Nanos {
    origin().held.now()
}

/// Holds the clock against the system's: whether it was found to have jumped just now.
pub(crate) fn checked() -> Option<Jump> {
    origin().held.check()
}

/// What is to be said of it, in words.
pub(crate) fn limitation() -> Option<String> {
    ORIGIN.get().filter(|origin| origin.held.is_given_up()).map(|_| {
        "the processor's time stamp counter has jumped, or changed its speed, as it may where a virtual machine moves or a machine wakes up: the agent \
         reads the system's clock instead, which takes a little longer, and how long polls took that were under way then is not known"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn a_counter_that_is_sound_is_kept() {
        for _ in 0..5 {
            assert_eq!(checked(), None);
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(limitation(), None);
    }
}
