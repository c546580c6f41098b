//! Judgements on a whole runtime: each must have lasted, and have been seen several times in a row, before it is said.

use crate::{clock::Nanos, runtimes::Lasting};

/// Looks in a row at which something that is read now and then must have been seen.
const LOOKS: u32 = 3;

/// What is wrong with a runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Every worker is in one long poll.
    AllWorkersStuck,
    /// Some workers are in long polls, the others sleep, and none of them waits for I/O and timers.
    DriverBlocked,
    /// Tasks wait in a queue while a worker sleeps.
    QueuedWhileIdle,
    /// Jobs wait for the blocking pool, and none of its threads is idle.
    BlockingPoolFull,
}

/// A judgement that holds now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) kind: Kind,
    pub(crate) since: Nanos,
}

/// What is judged.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    pub(super) workers: Vec<Worker>,
    pub(super) global_queue_depth: u64,
    pub(super) blocking_queue_depth: u64,
    pub(super) blocking_threads: u64,
    pub(super) idle_blocking_threads: u64,
    /// It has an I/O driver, as something was once registered with it.
    pub(super) has_io: bool,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Worker {
    /// When the poll that it is in began.
    pub(super) polling_since: Option<Nanos>,
    /// The number of its parks and unparks while it is parked.
    pub(super) parked: Option<u64>,
    /// Whether its thread waits for I/O events; `None` where that is not known.
    pub(super) waits_for_io: Option<bool>,
    pub(super) queue_depth: u64,
}

/// What was seen of one runtime, for judgements that need to have lasted.
#[derive(Debug, Default)]
pub(super) struct History {
    driver: Run,
    queued: Run,
    blocking: Run,
}

/// Looks in a row at which something held.
#[derive(Debug, Default)]
struct Run {
    since: Option<Nanos>,
    looks: u32,
    /// Workers that have been parked throughout, with the number of their parks and unparks.
    parked: Vec<(usize, u64)>,
}

impl Run {
    /// Holds with these workers parked. It starts anew when none of those that were parked at its start still is.
    fn holds(&mut self, parked: Vec<(usize, u64)>, lasting: Lasting) -> Option<Nanos> {
        if self.since.is_some() {
            let throughout: Vec<_> = self.parked.iter().filter(|worker| parked.contains(worker)).copied().collect();
            if throughout.is_empty() && !self.parked.is_empty() {
                *self = Self::default();
            } else {
                self.parked = throughout;
            }
        }
        if self.since.is_none() {
            self.parked = parked;
        }
        self.looks += 1;
        let since = *self.since.get_or_insert(lasting.now);
        (self.looks >= LOOKS && lasting.since(since)).then_some(since)
    }

    fn ends(&mut self) {
        *self = Self::default();
    }
}

impl History {
    /// What is to be said of the runtime now.
    pub(super) fn judge(&mut self, facts: &Facts, lasting: Lasting) -> Vec<Verdict> {
        let judged = [
            (Kind::AllWorkersStuck, all_workers_stuck(facts, lasting)),
            (Kind::DriverBlocked, self.driver_blocked(facts, lasting)),
            (Kind::QueuedWhileIdle, self.queued_while_idle(facts, lasting)),
            (Kind::BlockingPoolFull, self.blocking_pool_full(facts, lasting)),
        ];
        judged.into_iter().filter_map(|(kind, since)| Some(Verdict { kind, since: since? })).collect()
    }

    /// Whoever parks while nobody waits for I/O and timers takes that on. So nobody does when some worker is in a long poll
    /// and all others have slept through without it.
    fn driver_blocked(&mut self, facts: &Facts, lasting: Lasting) -> Option<Nanos> {
        if !facts.has_io {
            return None;
        }
        let stuck = |worker: &Worker| worker.polling_since.is_some_and(|since| lasting.since(since));
        let asleep = |worker: &Worker| worker.parked.is_some() && worker.waits_for_io == Some(false);
        let some_stuck = facts.workers.iter().any(stuck);
        let all = facts.workers.iter().all(|worker| stuck(worker) || asleep(worker));
        let parked = parked(facts);
        if !(some_stuck && all && !parked.is_empty()) {
            self.driver.ends();
            return None;
        }
        // Every one of them must have slept throughout, not just some.
        if !self.driver.parked.is_empty() && self.driver.parked != parked {
            self.driver.ends();
        }
        self.driver.holds(parked, lasting)
    }

    fn queued_while_idle(&mut self, facts: &Facts, lasting: Lasting) -> Option<Nanos> {
        let queued = facts.global_queue_depth + facts.workers.iter().map(|worker| worker.queue_depth).sum::<u64>();
        let parked = parked(facts);
        if queued == 0 || parked.is_empty() {
            self.queued.ends();
            return None;
        }
        self.queued.holds(parked, lasting)
    }

    fn blocking_pool_full(&mut self, facts: &Facts, lasting: Lasting) -> Option<Nanos> {
        let full = facts.blocking_queue_depth > 0 && facts.idle_blocking_threads == 0 && facts.blocking_threads > 0;
        if !full {
            self.blocking.ends();
            return None;
        }
        self.blocking.holds(Vec::new(), lasting)
    }
}

/// Known exactly, for a poll has its own beginning: since the last of them began.
fn all_workers_stuck(facts: &Facts, lasting: Lasting) -> Option<Nanos> {
    let since =
        facts.workers.iter().map(|worker| worker.polling_since).collect::<Option<Vec<_>>>()?.into_iter().max()?;
    lasting.since(since).then_some(since)
}

fn parked(facts: &Facts) -> Vec<(usize, u64)> {
    facts.workers.iter().enumerate().filter_map(|(index, worker)| Some((index, worker.parked?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(ms: u64) -> Nanos {
        Nanos::from_raw(ms * 1_000_000).unwrap()
    }

    /// Looks every 50 ms from 1 s on, with a threshold of 100 ms; what the last look says.
    fn look(looks: &[Facts]) -> Vec<Kind> {
        let mut history = History::default();
        let mut said = Vec::new();
        for (index, facts) in looks.iter().enumerate() {
            let lasting = Lasting { threshold: Duration::from_millis(100), now: at(1000 + 50 * index as u64) };
            said = history.judge(facts, lasting);
        }
        said.into_iter().map(|verdict| verdict.kind).collect()
    }

    fn polling(since: u64) -> Worker {
        Worker { polling_since: Some(at(since)), waits_for_io: Some(false), ..Worker::default() }
    }

    fn parked_without_io(count: u64) -> Worker {
        Worker { parked: Some(count), waits_for_io: Some(false), ..Worker::default() }
    }

    fn parked_on_io(count: u64) -> Worker {
        Worker { waits_for_io: Some(true), ..parked_without_io(count) }
    }

    fn with(workers: &[Worker]) -> Facts {
        Facts { workers: workers.to_vec(), has_io: true, ..Facts::default() }
    }

    #[test]
    fn all_workers_are_stuck_only_when_each_has_been_polling_for_long() {
        assert_eq!(look(&[with(&[polling(500), polling(899)])]), [Kind::AllWorkersStuck]);
        assert_eq!(look(&[with(&[polling(500), polling(950)])]), []);
        assert_eq!(look(&[with(&[polling(500), parked_on_io(3)])]), []);
        assert_eq!(look(&[with(&[])]), []);
    }

    #[test]
    fn the_driver_is_blocked_when_nobody_waits_for_it_for_long() {
        let blocked = with(&[polling(500), parked_without_io(3), parked_without_io(9)]);
        assert_eq!(look(&vec![blocked.clone(); 3]), [Kind::DriverBlocked]);
        assert_eq!(look(&vec![blocked.clone(); 2]), [], "too early to say");
        let watched = with(&[polling(500), parked_without_io(3), parked_on_io(9)]);
        assert_eq!(look(&vec![watched; 9]), []);
        let unknown = with(&[polling(500), Worker { waits_for_io: None, ..parked_without_io(3) }]);
        assert_eq!(look(&vec![unknown; 9]), [], "what cannot be seen is no accusation");
        let awake = with(&[polling(500), Worker::default()]);
        assert_eq!(look(&vec![awake; 9]), [], "it will take over");
        let woken = with(&[polling(500), parked_without_io(5), parked_without_io(9)]);
        assert_eq!(look(&[blocked.clone(), blocked.clone(), woken]), [], "one was awake in between");
        assert_eq!(look(&vec![Facts { has_io: false, ..blocked }; 9]), [], "a runtime without I/O parks like that");
    }

    #[test]
    fn queued_while_idle_needs_one_worker_that_slept_throughout() {
        let queued = |parked| Facts { global_queue_depth: 2, ..with(&[polling(500), parked_on_io(parked)]) };
        assert_eq!(look(&vec![queued(3); 3]), [Kind::QueuedWhileIdle]);
        assert_eq!(look(&[queued(3), queued(5), queued(7), queued(9)]), [], "it wakes and sleeps all the time");
        let empty = with(&[polling(500), parked_on_io(3)]);
        assert_eq!(look(&[queued(3), queued(3), empty, queued(3)]), []);
    }

    #[test]
    fn the_blocking_pool_is_full_when_jobs_wait_and_no_thread_is_idle() {
        let full = Facts { blocking_queue_depth: 1, blocking_threads: 2, ..Facts::default() };
        assert_eq!(look(&vec![full.clone(); 3]), [Kind::BlockingPoolFull]);
        assert_eq!(look(&vec![full.clone(); 2]), []);
        assert_eq!(look(&vec![Facts { idle_blocking_threads: 1, ..full.clone() }; 9]), []);
        assert_eq!(look(&vec![Facts { blocking_queue_depth: 0, ..full }; 9]), []);
    }
}
