//! When the whole process stood still: a signal stopped it, a debugger, or the freezer of its container. Whatever was going on then lasted
//! longer for that, and nothing in the process is to blame.
//!
//! Whoever looks at the clock again and again tells when the next look is due. One that comes much too late, while the whole process
//! used no more processor time than it can have used until it was due, did not come because nothing ran. It is noticed by the
//! first who looks afterwards, before anything is said of what lasted.
//!
//! Nor is anything to blame for the time by which the agent's clock has jumped: what was stamped between its last sound look and the one that found
//! that out is taken to have lasted since then.
//!
//! A process whose control group has used up its share of the processors stands still, too, for less than a tenth of a second at a time, and
//! ten times a second: the kernel counts that time. It knows nothing of threads, stalls, or who asks.

mod throttled;

use crate::clock::{self, Jump, Nanos};
use parking_lot::Mutex;
use std::{collections::VecDeque, time::Duration};
use throttled::throttled;

/// A look that comes this much too late is worth the question.
const LATE: Duration = Duration::from_millis(200);

/// So many are kept, the latest: a process that is throttled stands still ten times a second.
const MOST: usize = 1_024;

/// So many of them are told.
const TOLD: usize = 64;

/// How often a look is tried in whose midst the process is not kept from running.
const TRIES: usize = 3;

/// What the kernel has not counted yet of a time for which it keeps the process from running, on one of its processors, while another one goes on: up to
/// the usual period, where it has done so of late.
const UNCOUNTED: Duration = Duration::from_millis(100);
const OF_LATE: Duration = Duration::from_secs(1);

/// The kernel kept the process from running for at least this long: less may be one thread's.
const THROTTLED: Duration = Duration::from_millis(10);

/// How long one is told.
const RECENT: Duration = Duration::from_secs(60);

/// A span in which nothing ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standstill {
    /// The last look before it.
    pub(crate) from: Nanos,
    /// The first one after it.
    pub(crate) to: Nanos,
}

/// A look at the clock.
#[derive(Debug, Clone, Copy)]
struct Look {
    at: Nanos,
    /// The next one is due after that.
    due: Duration,
    /// What the process had used of processors.
    cpu: Duration,
    /// For how long it had been kept from them, where that is counted.
    throttled: Option<Duration>,
}

#[derive(Debug)]
struct Looks {
    last: Option<Look>,
    known: VecDeque<Standstill>,
    /// When the kernel was last seen to have kept the process from running.
    throttled_at: Option<Nanos>,
    /// The clock had jumped: what was stamped within this is not to be relied on.
    doubtful: Option<Jump>,
}

static LOOKS: Mutex<Looks> = Mutex::new(Looks::new());

impl Looks {
    const fn new() -> Self {
        Self { last: None, known: VecDeque::new(), throttled_at: None, doubtful: None }
    }

    fn notice(&mut self, now: Nanos, cpu: fn() -> Option<Duration>, processors: fn() -> u32, kept: Option<Duration>) {
        let Some(last) = self.last else { return };
        let gap = now.since(last.at);
        let kept_since = kept.zip(last.throttled).map_or(Duration::ZERO, |(now, then)| now.saturating_sub(then));
        if kept_since >= THROTTLED {
            self.throttled_at = Some(now);
            let Some(cpu) = cpu() else { return };
            // It is summed over processors, on which the process ran for a while all the same.
            let ran = cpu.saturating_sub(last.cpu) / processors().max(1);
            let stood = kept_since.min(gap.saturating_sub(ran));
            if let Some(from) =
                Nanos::from_raw(now.raw().saturating_sub(u64::try_from(stood.as_nanos()).unwrap_or(u64::MAX)))
            {
                self.note(Standstill { from, to: now });
            }
            self.last = Some(Look { at: now, cpu, throttled: kept, ..last });
            return;
        }
        let late = gap.saturating_sub(last.due);
        if late < LATE {
            return;
        }
        let Some(cpu) = cpu() else { return };
        // A little is used by whatever goes on at once.
        let most = last.due * processors() + late / 10;
        if cpu.saturating_sub(last.cpu) > most {
            return;
        }
        self.note(Standstill { from: last.at, to: now });
        self.last = Some(Look { at: now, cpu, ..last });
    }

    /// Notices what there is to notice: what time it is, and for how long the process had been kept from running by then.
    fn look(&mut self) -> (Nanos, Option<Duration>) {
        self.doubtful = clock::checked().or(self.doubtful);
        let (now, kept) = at_once();
        self.notice(now, cpu, processors, kept);
        (now, kept)
    }

    fn note(&mut self, stood: Standstill) {
        if self.known.len() == MOST {
            self.known.pop_front();
        }
        self.known.push_back(stood);
    }

    fn within(&self, from: Nanos, to: Nanos) -> Duration {
        let stood = self.known.iter().map(|stood| stood.to.min(to).since(stood.from.max(from))).sum();
        let doubtful = self.doubtful.map_or(Duration::ZERO, |jump| jump.to.min(to).since(jump.from.max(from)));
        doubtful.max(stood)
    }

    fn uncounted(&self, now: Nanos) -> Duration {
        let is_throttled = self.throttled_at.is_some_and(|at| now.since(at) <= OF_LATE);
        if is_throttled { UNCOUNTED } else { Duration::ZERO }
    }
}

/// Looks at the clock, and tells when the next look is due.
pub(crate) fn look(due: Duration) {
    let mut looks = LOOKS.lock();
    let (now, throttled) = looks.look();
    looks.last = cpu().map(|cpu| Look { at: now, due, cpu, throttled });
}

/// Somebody looks, and is told what time it is: nothing is to be said of what lasted before.
pub(crate) fn notice() -> Nanos {
    LOOKS.lock().look().0
}

/// Nobody looks any more.
pub(crate) fn end() {
    LOOKS.lock().last = None;
}

/// How long something has lasted at `now` at least, as long as the process did not stand still.
pub(crate) fn lasted(since: Nanos, now: Nanos) -> Duration {
    let looks = LOOKS.lock();
    now.since(since).saturating_sub(looks.within(since, now) + looks.uncounted(now))
}

/// What time it is, and for how long the process has been kept from running. Were it so between the two, that time would be lost: it is most likely
/// right where somebody uses the little that there is to look.
fn at_once() -> (Nanos, Option<Duration>) {
    let mut before = throttled();
    for _ in 1..TRIES {
        let now = clock::now();
        let after = throttled();
        if after == before {
            return (now, after);
        }
        before = after;
    }
    (clock::now(), before)
}

/// Those of the last minute, the oldest first.
pub(crate) fn recent(now: Nanos) -> Vec<Standstill> {
    let looks = LOOKS.lock();
    let told = looks.known.range(looks.known.len().saturating_sub(TOLD)..);
    told.filter(|stood| now.since(stood.to) <= RECENT).copied().collect()
}

/// How many may be used at once.
fn processors() -> u32 {
    std::thread::available_parallelism().map_or(1, |count| u32::try_from(count.get()).unwrap_or(u32::MAX))
}

/// What the process has used of processors; `None` where that is not told.
#[cfg(target_os = "linux")]
fn cpu() -> Option<Duration> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes the time, and nothing else.
    #[expect(unsafe_code, reason = "the standard library does not know the clock")]
    let read = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    (read == 0).then(|| Duration::new(time.tv_sec as u64, time.tv_nsec as u32))
}

#[cfg(not(target_os = "linux"))]
fn cpu() -> Option<Duration> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Nanos {
        Nanos::from_raw(ms * 1_000_000).unwrap()
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    const TWO: fn() -> u32 = || 2;

    /// A look at 1 s, the next one due after 50 ms; and one at this time, when the process has used so much.
    fn noticed(now: u64, cpu: fn() -> Option<Duration>) -> Looks {
        let mut looks = Looks::new();
        looks.last = Some(Look { at: at(1_000), due: ms(50), cpu: ms(700), throttled: Some(ms(40)) });
        looks.notice(at(now), cpu, TWO, Some(ms(40)));
        looks
    }

    #[test]
    fn a_look_that_comes_too_late_while_nothing_ran_tells_of_a_standstill() {
        let looks = noticed(3_020, || Some(ms(790)));
        assert_eq!(looks.known, [Standstill { from: at(1_000), to: at(3_020) }]);
        assert_eq!(looks.within(at(1), at(9_000)), ms(2_020));
        assert_eq!(looks.within(at(2_000), at(2_500)), ms(500));
        assert_eq!(looks.within(at(3_020), at(9_000)), ms(0));
    }

    #[test]
    fn it_is_noticed_once() {
        let mut looks = noticed(3_020, || Some(ms(790)));
        looks.notice(at(3_030), || Some(ms(800)), TWO, Some(ms(45)));
        assert_eq!(looks.known.len(), 1);
    }

    #[test]
    fn a_process_that_is_kept_from_its_processors_stands_still_for_what_it_did_not_run() {
        let kept = |now, kept| {
            let mut looks = Looks::new();
            looks.last = Some(Look { at: at(1_000), due: ms(50), cpu: ms(700), throttled: Some(ms(40)) });
            // It ran for 20 ms on each of two processors.
            looks.notice(at(now), || Some(ms(740)), TWO, kept);
            looks.within(at(1), at(9_000))
        };
        assert_eq!(kept(1_100, Some(ms(115))), ms(75));
        assert_eq!(kept(1_100, Some(ms(200))), ms(80), "both processors are counted");
        assert_eq!((kept(1_100, Some(ms(45))), kept(1_100, None)), (ms(0), ms(0)));
    }

    #[test]
    fn of_a_process_that_was_throttled_of_late_something_may_not_be_counted_yet() {
        let mut looks = noticed(1_040, || Some(ms(720)));
        assert_eq!(looks.uncounted(at(1_040)), ms(0));
        looks.notice(at(1_100), || Some(ms(740)), TWO, Some(ms(115)));
        assert_eq!((looks.uncounted(at(1_150)), looks.uncounted(at(2_500))), (ms(100), ms(0)));
    }

    #[test]
    fn nothing_has_lasted_for_as_long_as_the_clock_was_in_doubt() {
        let mut looks = noticed(3_020, || Some(ms(790)));
        looks.doubtful = Some(Jump { from: at(2_000), to: at(9_000) });
        assert_eq!(looks.within(at(2_500), at(9_100)), ms(6_500));
        assert_eq!(looks.within(at(1_000), at(9_100)), ms(7_000), "the two overlap");
        assert_eq!(looks.within(at(9_050), at(9_100)), ms(0));
    }

    #[test]
    fn whoever_is_late_while_the_process_runs_or_not_by_much_tells_of_none() {
        assert!(noticed(3_020, || Some(ms(2_600))).known.is_empty(), "one of its threads ran all the time");
        assert!(noticed(1_240, || Some(ms(700))).known.is_empty(), "it may be chance");
        let mut nobody = Looks::new();
        nobody.notice(at(9_000), || Some(ms(0)), TWO, None);
        assert!(nobody.known.is_empty(), "nobody looks");
    }
}
