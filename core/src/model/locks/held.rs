//! For how long somebody has held a lock, where what is told of holders, of acquires and of waits is of different instants.

use super::{Hold, Lock};
use crate::{
    model::{Model, TaskState},
    update::{Access, Across, ResourceId, Stamp, TaskId},
};
use std::time::Duration;

/// So long a holder has to wait before it is believed that they hold one lock and wait for another, or for the same one: holders and waits
/// are read one after the other.
const LASTS: Duration = Duration::from_secs(1);

impl Model {
    /// For how long somebody has held a lock, as far as that is known: it ends where they are known to have given it back since, and
    /// begins no earlier than it was last taken.
    pub fn held_for(&self, id: ResourceId, hold: &Hold, now: Stamp) -> Duration {
        let Some((_, lock)) = self.lock(id) else { return now.since(hold.acquire.at) };
        let (mut from, mut until) = (hold.acquire.at, now);
        if let Some((at, by)) = lock.taken_since(hold) {
            // Who was seen with it after that has taken it again.
            if by == hold.acquire.task || hold.seen > at {
                from = at;
            } else {
                until = at;
            }
        }
        if let Some(asked) = self.waits_since(hold.acquire.task, id).filter(|asked| *asked > hold.seen) {
            until = until.min(asked);
        }
        if self.was_seen_in_a_poll_that_is_over(hold) {
            until = until.min(hold.seen);
        }
        until.since(from)
    }

    /// Whether somebody was last seen with it in a poll, and is in none: they may have given it back in that one.
    fn was_seen_in_a_poll_that_is_over(&self, hold: &Hold) -> bool {
        let task = self.tasks().get(hold.acquire.task);
        hold.across == Across::SamePoll && task.is_some_and(|task| task.state() != TaskState::Running)
    }

    /// Whether somebody who holds a lock has surely had it while they waited for this one: long enough that both cannot be of different
    /// instants.
    pub fn has_held_while_waiting(&self, hold: &Hold, awaited: ResourceId) -> bool {
        let least = if self.memory().is_over() { Duration::ZERO } else { LASTS };
        let Some(asked) = self.waits_since(hold.acquire.task, awaited) else { return true };
        hold.seen >= asked && hold.seen.since(hold.acquire.at.max(asked)) >= least
    }

    /// Since when a task waits for a lock.
    fn waits_since(&self, task: TaskId, lock: ResourceId) -> Option<Stamp> {
        let told = self.waits_of(task).filter(|op| op.resource == Some(lock)).filter_map(|op| op.created);
        let waiters = self.waiters(lock);
        let queued = waiters.iter().filter(|waiter| waiter.task == Some(task)).filter_map(|waiter| waiter.since);
        told.chain(queued).max()
    }
}

impl Lock {
    /// When it was last taken, and by whom, if that was after this hold began and the two exclude each other.
    fn taken_since(&self, hold: &Hold) -> Option<(Stamp, TaskId)> {
        let latest = self.latest.filter(|latest| latest.at > hold.acquire.at)?;
        let both_read = latest.access == Access::Shared && hold.acquire.access == Access::Shared;
        (!both_read).then_some((latest.at, latest.task))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Acquire, Basis, LockKind},
        update::OpId,
    };

    fn at(millis: u64) -> Stamp {
        Stamp::from_nanos(1_000_000_000_000 + millis * 1_000_000)
    }

    fn acquire(task: u64, got: u64, access: Access) -> Acquire {
        let task = TaskId(task);
        Acquire { task, op: OpId(got), asked: at(got), at: at(got), access, contended: false }
    }

    #[test]
    fn who_took_it_last_ends_the_holds_that_exclude_it() {
        let hold = |access| Hold {
            acquire: acquire(1, 10, access),
            across: Across::Await,
            seen: at(20),
            basis: Basis::Exact,
            thread: None,
            acquired_at: None,
            suspended_at: None,
            outlived: false,
            known: None,
        };
        let mut lock = Lock::new(LockKind::RwLock, at(0));
        lock.acquired(acquire(1, 10, Access::Exclusive));
        assert_eq!(lock.taken_since(&hold(Access::Exclusive)), None, "it is that very acquire");
        lock.acquired(acquire(2, 30, Access::Shared));
        assert_eq!(lock.taken_since(&hold(Access::Exclusive)), Some((at(30), TaskId(2))));
        assert_eq!(lock.taken_since(&hold(Access::Shared)), None, "many may read");
    }
}
