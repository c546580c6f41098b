//! The clock that instants of memory are of. A process's memory has its kernel's clock in it, which says nothing of days; what a service
//! tells has the wall clock as it stood when the service began. Beside each other they have to be one clock: between the two the wall clock
//! may have been set.

use crate::update::Stamp;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// A service's clock, as far as it is heard; or else this machine's.
#[derive(Debug, Clone, Default)]
pub(in crate::source) struct Clock(Arc<Mutex<Option<(Stamp, Instant)>>>);

impl Clock {
    /// The service said that it was this late there.
    pub(in crate::source) fn hear(&self, now: Stamp, at: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, at));
    }

    /// What was heard was another service's.
    pub(in crate::source) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// How late it is, since the epoch. Of the service's clock nothing but a time that passed is compared with this machine's.
    pub(super) fn now(&self, at: Instant) -> Duration {
        match *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some((now, heard)) => Duration::from_nanos(now.nanos()) + at.saturating_duration_since(heard),
            None => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_is_heard_has_its_own_time_whatever_the_wall_clock_was_set_to_since() {
        let (clock, heard) = (Clock::default(), Instant::now());
        let alone = clock.now(heard);
        assert!(alone > Duration::from_secs(1_600_000_000), "{alone:?}");
        clock.hear(Stamp::from_nanos(7_000_000_000), heard);
        assert_eq!(clock.now(heard), Duration::from_secs(7));
        assert_eq!(clock.clone().now(heard + Duration::from_secs(2)), Duration::from_secs(9));
        clock.forget();
        assert!(clock.now(heard) >= alone);
    }
}
