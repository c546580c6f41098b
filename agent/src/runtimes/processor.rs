//! How long a worker's thread has waited for a processor, as the kernel counts: that is nobody's poll, and no worker that is missing.

use crate::clock::Nanos;
use std::time::Duration;

/// The kernel is asked at most this often of each worker: a look is three system calls.
const EVERY: Duration = Duration::from_millis(200);

/// What the kernel said last of the thread of one worker.
#[derive(Debug, Default)]
pub(super) struct Waits(Option<Sample>);

#[derive(Debug, Clone, Copy)]
struct Sample {
    tid: u32,
    at: Nanos,
    waited: Option<Duration>,
}

impl Waits {
    /// How long this thread has waited up to now, or a moment ago; `None` where that is not counted.
    pub(super) fn at(&mut self, now: Nanos, tid: u32) -> Option<Duration> {
        let last = self.0.filter(|last| last.tid == tid && now.since(last.at) < EVERY);
        self.0.insert(last.unwrap_or_else(|| Sample { tid, at: now, waited: waited(tid) })).waited
    }
}

#[cfg(target_os = "linux")]
fn waited(tid: u32) -> Option<Duration> {
    waited_of(&std::fs::read_to_string(format!("/proc/self/task/{tid}/schedstat")).ok()?)
}

#[cfg(not(target_os = "linux"))]
fn waited(_tid: u32) -> Option<Duration> {
    None
}

/// Of time on a processor, time of waiting for one, and the number of turns: the second. A kernel that counts none of it shows
/// three zeros.
#[cfg(target_os = "linux")]
fn waited_of(schedstat: &str) -> Option<Duration> {
    let mut numbers = schedstat.split_ascii_whitespace().map(|number| number.parse::<u64>().ok());
    let (ran, waited, turns) = (numbers.next()??, numbers.next()??, numbers.next()??);
    (ran | waited | turns != 0).then(|| Duration::from_nanos(waited))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn what_the_kernel_counts_is_read_and_what_it_does_not_is_no_zero() {
        assert_eq!(waited_of("12345 678 9\n"), Some(Duration::from_nanos(678)));
        assert_eq!(waited_of("12345 0 9\n"), Some(Duration::ZERO));
        assert_eq!(
            (waited_of("0 0 0\n"), waited_of(""), waited_of("1 2"), waited_of("a b c")),
            (None, None, None, None)
        );
    }

    #[test]
    fn the_kernel_is_asked_again_after_a_while_and_of_another_thread_at_once() {
        let at = |millis: u64| Nanos::from_raw(1 + millis * 1_000_000).unwrap();
        let mut waits = Waits::default();
        assert_eq!(waits.at(at(0), u32::MAX), None, "there is no such thread");
        let last = |waits: &Waits| waits.0.map(|last| (last.tid, last.at));
        waits.at(at(100), u32::MAX);
        assert_eq!(last(&waits), Some((u32::MAX, at(0))));
        waits.at(at(150), 1);
        assert_eq!(last(&waits), Some((1, at(150))));
        waits.at(at(350), 1);
        assert_eq!(last(&waits), Some((1, at(350))));
    }

    #[test]
    fn a_thread_that_shares_its_processor_waits_for_it() {
        let counts = waited_of(&std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default()).is_some();
        let tid = crate::collect::threads::register().tid;
        assert_eq!(Waits::default().at(clock::now(), tid).is_some(), counts);
    }
}
