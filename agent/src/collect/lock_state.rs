//! What is known of one lock: who holds it, who waits for it, and how long it was held. [`super::locks`] writes it.

use crate::{
    capture::rate::Rate,
    clock::Nanos,
    collect::{
        keyed::Keyed,
        lock_sites::{self, HoldSites, Mark},
        task::slot,
        threads::Thread,
    },
    slots::id,
    view::{self, Access, AcrossAwait, Attribute, HOLD_TIMES, MOST_HOLDERS, Owner, Value},
};
use std::{sync::Arc, time::Duration};

/// No lock.
pub(crate) const NONE: u32 = 0;
pub(super) const MUTEX: u32 = 1;
pub(super) const RW_LOCK: u32 = 2;

/// Whoever waits longer than this flags the lock.
pub(crate) const LONG_WAIT: Duration = Duration::from_millis(100);

/// Which kind of lock a resource is.
pub(crate) fn kind(concrete_type: &str) -> u32 {
    match concrete_type {
        "Mutex" => MUTEX,
        "RwLock" => RW_LOCK,
        _ => NONE,
    }
}

/// What is known of one lock.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// By their guard.
    pub(crate) holders: Keyed<Hold>,
    /// How many of them hold it alone.
    pub(crate) exclusive: usize,
    /// By their operation.
    pub(crate) waiters: Keyed<Wait>,
    pub(crate) acquisitions: u64,
    pub(crate) contended: u64,
    /// Time that was waited until it was acquired, in nanoseconds.
    pub(crate) waited: u64,
    pub(crate) across: AcrossAwait,
    pub(crate) hold_times: [u64; HOLD_TIMES],
    pub(crate) held: u64,
    pub(crate) longest: u64,
    /// It was held across an await, or waited for long: of some of its holds more is to be known.
    pub(crate) flagged: bool,
    pub(crate) rate: Rate,
    pub(crate) late_rate: Rate,
}

/// A guard that exists.
#[derive(Debug)]
pub(crate) struct Hold {
    /// The stamp of its handle.
    pub(crate) guard: u64,
    /// The task that acquired it; 0 for none, and for one that began before the agent did.
    pub(crate) task: u64,
    /// How many polls of the task had begun then.
    pub(crate) polls: u64,
    /// Where it was acquired outside of any task.
    pub(crate) thread: Option<Arc<Thread>>,
    pub(crate) access: Access,
    pub(crate) since: Nanos,
    pub(crate) sites: Option<Arc<HoldSites>>,
}

#[derive(Debug)]
pub(crate) struct Wait {
    pub(crate) op: u64,
    pub(crate) task: u64,
    pub(crate) access: Access,
    pub(crate) since: Nanos,
}

impl State {
    /// For a new lock.
    pub(crate) fn reset(&mut self) {
        let (mut holders, mut waiters) = (std::mem::take(&mut self.holders), std::mem::take(&mut self.waiters));
        drop(holders.drain());
        drop(waiters.drain());
        *self = Self { holders, waiters, ..Self::default() };
    }

    /// Somebody has acquired it.
    pub(crate) fn begin(&mut self, hold: Hold) {
        self.acquisitions += 1;
        self.exclusive += usize::from(hold.access == Access::Exclusive);
        self.holders.push(hold.guard, hold);
    }

    /// Ends all holds that cannot be any more where somebody acquires it like this.
    pub(crate) fn end_others(&mut self, access: Access, now: Nanos) {
        if access == Access::Shared && self.exclusive == 0 {
            return;
        }
        // With one who holds it alone there is nobody else.
        let ended: Vec<Hold> = self.holders.drain().collect();
        for hold in ended {
            self.account(&hold, now);
        }
        self.exclusive = 0;
    }

    /// A hold by this guard ends; where several have its number, that of this task.
    pub(crate) fn end(&mut self, guard: u64, access: Access, task: u64, now: Nanos) {
        let by_task = self.holders.take(guard, |held| held.access == access && held.task == task);
        if let Some(hold) = by_task.or_else(|| self.holders.take(guard, |held| held.access == access)) {
            self.exclusive -= usize::from(access == Access::Exclusive);
            self.account(&hold, now);
        }
    }

    fn account(&mut self, hold: &Hold, now: Nanos) {
        let time = now.since(hold.since);
        let nanos = time.as_nanos() as u64;
        self.held += nanos;
        self.longest = self.longest.max(nanos);
        self.hold_times[bucket(nanos)] += 1;
        if hold.is_across_await() {
            across(&mut self.across, time);
            self.flagged = true;
        }
    }

    /// More is known of a hold that lasts.
    pub(crate) fn follow(&mut self, guard: u64, task: u64, sites: &Arc<HoldSites>) {
        if let Some(hold) = self.holders.find(guard, |hold| hold.task == task) {
            hold.sites = Some(Arc::clone(sites));
        }
    }

    /// Has those looked at who hold it across an await, and of whom nothing was captured when they acquired it.
    pub(crate) fn look_at_holders(&mut self, lock: Mark, now: Nanos) {
        let unseen =
            self.holders.iter_mut().take(MOST_HOLDERS).filter(|hold| hold.sites.is_none() && hold.is_across_await());
        for hold in unseen {
            if !self.late_rate.allows(now, lock_sites::BOUND) {
                return;
            }
            hold.sites = lock_sites::join(lock, hold.task);
        }
    }

    /// Whether it is held across an await, or waited for long, now.
    pub(crate) fn offends(&self, now: Nanos) -> bool {
        let waits_long = self.waiters.front().is_some_and(|wait| now.since(wait.since) >= LONG_WAIT);
        waits_long || self.holders.iter().take(MOST_HOLDERS).any(Hold::is_across_await)
    }

    /// What tokio tells as attributes, from what is known better: its own come late.
    pub(crate) fn attributes(&self, kind: u32, into: &mut Vec<Attribute>) {
        let mut tell = |name, value| into.push(Attribute { name, value, unit: None });
        let shared = self.holders.len() - self.exclusive;
        if kind == MUTEX {
            tell("locked", Value::Bool(!self.holders.is_empty()));
        } else {
            tell("write_locked", Value::Bool(self.holders.len() > shared));
            tell("current_readers", Value::Signed(shared as i64));
        }
    }
}

/// The bucket of a hold's time.
fn bucket(nanos: u64) -> usize {
    let micros = nanos / 1000;
    ((u64::BITS - micros.leading_zeros()) as usize).min(HOLD_TIMES - 1)
}

pub(crate) fn across(sum: &mut AcrossAwait, time: Duration) {
    sum.count += 1;
    sum.total += time;
    sum.longest = sum.longest.max(time);
}

impl Hold {
    /// Whether it is of a task of which nothing is known.
    pub(crate) fn is_unknown(&self) -> bool {
        self.task == 0 && self.thread.is_none()
    }

    /// Whether a poll of the task that acquired it has ended since.
    pub(crate) fn is_across_await(&self) -> bool {
        let Some(span) = id::decode(self.task) else { return false };
        // A task that has ended has ended its poll.
        slot::slot(span).is_none_or(|slot| slot.polls.get() != self.polls || !slot.is_polled())
    }

    /// Whether the task that acquired it goes on one day, and is not polled now.
    pub(crate) fn is_suspended(&self) -> bool {
        let slot = id::decode(self.task).and_then(slot::slot);
        slot.is_some_and(|slot| !slot.has_ended() && !slot.is_polled() && self.is_across_await())
    }

    pub(crate) fn view(&self) -> view::Holder {
        let owner = match &self.thread {
            Some(thread) => Owner::Thread { tid: thread.tid, name: Arc::from(&*thread.name) },
            None => Owner::Task(self.task),
        };
        let is_across_await = self.is_across_await();
        let sites = self.sites.as_ref();
        view::Holder {
            owner,
            access: self.access,
            since: self.since,
            is_across_await,
            acquired_at: sites.and_then(|sites| sites.acquired()),
            suspended_at: sites.filter(|_| self.is_suspended()).and_then(|sites| sites.suspended()),
        }
    }
}
