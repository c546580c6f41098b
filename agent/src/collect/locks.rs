//! Who holds a lock and who waits for it, exactly.
//!
//! Tokio tells of an acquisition after it has happened and before the guard is handed out, and of a release after the lock
//! was given to the next one: so acquisitions come in their true order, and a release may come late. Three things follow.
//!
//! - Whoever acquires a lock alone proves that everyone before has released it, and whoever acquires it shared, that
//!   every exclusive holder has. Their holds end then, and what they tell of it later is no news.
//! - Each guard has a handle of the resource's span, cloned as the last thing before the acquisition is told, and each
//!   handle has an id of its own (see [`super::life`]). A release thus names the guard, whichever task drops it, and whatever
//!   the guard was mapped or downgraded to.
//! - A guard that is forgotten is never released, and its holder remains, as does the lock itself.
//!
//! Handles are told apart by 16 bits. Should two guards of one lock that are held at once have the same, 65,536 handles
//! apart, the one of the task that releases is taken.

use super::{
    clock::Nanos,
    id::{self, Kind, Ours},
    life::{Clones, user},
    local::Local,
    resource::{self, RESOURCES},
    task,
    thread::Thread,
    trail::{self, Trail},
    view::{self, Access, AcrossAwait, Attribute, HOLD_TIMES, LockView, MOST_WAITERS, Owner, Value},
};
use crate::stack::rate::Rate;
use std::{collections::VecDeque, sync::Arc, time::Duration};
use tracing_core::Event;

/// No lock.
pub(super) const NONE: u32 = 0;
const MUTEX: u32 = 1;
const RW_LOCK: u32 = 2;

/// Whoever waits longer than this flags the lock.
const LONG_WAIT: Duration = Duration::from_millis(100);

/// Which kind of lock a resource is.
pub(super) fn kind(concrete_type: &str) -> u32 {
    match concrete_type {
        "Mutex" => MUTEX,
        "RwLock" => RW_LOCK,
        _ => NONE,
    }
}

/// What is known of one lock.
#[derive(Debug, Default)]
pub(super) struct State {
    holders: Vec<Hold>,
    waiters: VecDeque<Wait>,
    acquisitions: u64,
    contended: u64,
    across: AcrossAwait,
    hold_times: [u64; HOLD_TIMES],
    held: u64,
    longest: u64,
    /// It was held across an await, or waited for long: of some of its holds more is to be known.
    flagged: bool,
    trails: Rate,
    late_trails: Rate,
}

/// A guard that exists.
#[derive(Debug)]
struct Hold {
    /// The stamp of its handle.
    guard: u64,
    /// The task that acquired it; 0 for none.
    task: u64,
    /// How many polls of the task had begun then.
    polls: u64,
    /// Where it was acquired outside of any task.
    thread: Option<Arc<Thread>>,
    access: Access,
    since: Nanos,
    trail: Option<Arc<Trail>>,
}

#[derive(Debug)]
struct Wait {
    op: u64,
    task: u64,
    access: Access,
    since: Nanos,
}

/// How a wait ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leave {
    /// At that time.
    Served(Nanos),
    Cancelled,
}

/// A lock tells that it was acquired or released.
pub(super) fn tell(local: &Local, event: &Event<'_>) {
    let mut update = super::attribute::Update::new(local);
    event.record(&mut update);
    let change = update.change();
    trail::goes_on(local);
    match (update.name(), update.bool()) {
        (Some("locked" | "write_locked"), Some(true)) => acquire(local, Access::Exclusive),
        (Some("locked" | "write_locked"), Some(false)) => release(local, Access::Exclusive),
        (Some("current_readers"), _) if change == super::attribute::Change::Add => acquire(local, Access::Shared),
        (Some("current_readers"), _) if change == super::attribute::Change::Subtract => release(local, Access::Shared),
        _ => {}
    }
}

/// The lock that the thread is inside of was acquired, with the handle that was cloned last.
fn acquire(local: &Local, access: Access) {
    let Some((slot, entered)) = resource::current(local) else { return };
    let cloned = id::decode(local.just_cloned.get());
    let handle = if user(entered.stamp, Clones::Numbered) == entered.stamp {
        cloned.filter(|cloned| cloned.index == entered.index).unwrap_or(entered)
    } else {
        // Of an owned guard, and after a downgrade, it is the guard's own handle that was entered.
        entered
    };
    let task = local.innermost(Kind::Task);
    let now = local.now();
    let hold = Hold {
        guard: handle.stamp,
        task,
        polls: id::decode(task).and_then(task::slot).map_or(0, |slot| slot.polls.get()),
        thread: (task == 0).then(|| Arc::clone(local.thread())),
        access,
        since: now,
        trail: None,
    };
    let mut is_due = false;
    if let Some(state) = slot.lock.lock().as_mut() {
        let has_ended = |held: &Hold| access == Access::Exclusive || held.access == Access::Exclusive;
        while let Some(at) = state.holders.iter().position(has_ended) {
            state.end(at, now);
        }
        state.acquisitions += 1;
        state.holders.push(hold);
        is_due = state.flagged && state.trails.allows(now, trail::BOUND);
    }
    if is_due && let Some(trail) = trail::begin(local, entered.index, task, now) {
        slot.lock.lock().iter_mut().for_each(|state| state.follow(handle.stamp, task, &trail));
    }
    RESOURCES.touch(entered.index);
}

/// The lock that the thread is inside of was released, by the guard whose handle was entered.
fn release(local: &Local, access: Access) {
    let Some((slot, entered)) = resource::current(local) else { return };
    let task = local.innermost(Kind::Task);
    let now = local.now();
    if let Some(state) = slot.lock.lock().as_mut() {
        let is_it = |held: &Hold| held.guard == entered.stamp && held.access == access;
        let by_task = state.holders.iter().position(|held| is_it(held) && held.task == task);
        if let Some(at) = by_task.or_else(|| state.holders.iter().position(is_it)) {
            state.end(at, now);
        }
    }
    RESOURCES.touch(entered.index);
}

/// An operation begins to wait for a lock, or is polled by another task.
pub(super) fn wait(lock: Ours, op: u64, task: u64, access: Access, local: &Local) {
    let Some(slot) = RESOURCES.get(lock.index) else { return };
    let since = local.now();
    if let Some(state) = slot.lock.lock().as_mut() {
        match state.waiters.iter_mut().find(|wait| wait.op == op) {
            Some(wait) => wait.task = task,
            None => state.waiters.push_back(Wait { op, task, access, since }),
        }
    }
    RESOURCES.touch(lock.index);
}

/// An operation waits for a lock no longer.
pub(super) fn leave(lock: Ours, op: u64, how: Leave) {
    let Some(slot) = RESOURCES.get(lock.index) else { return };
    if let Some(state) = slot.lock.lock().as_mut() {
        if let Some(at) = state.waiters.iter().position(|wait| wait.op == op) {
            let wait = state.waiters.remove(at);
            if let (Some(wait), Leave::Served(now)) = (wait, how) {
                state.flagged |= now.since(wait.since) >= LONG_WAIT;
            }
        }
        state.contended += u64::from(how != Leave::Cancelled);
    }
    RESOURCES.touch(lock.index);
}

impl State {
    /// For a new lock.
    pub(super) fn reset(&mut self) {
        let (mut holders, mut waiters) = (std::mem::take(&mut self.holders), std::mem::take(&mut self.waiters));
        holders.clear();
        waiters.clear();
        *self = Self { holders, waiters, ..Self::default() };
    }

    /// A hold ends.
    fn end(&mut self, at: usize, now: Nanos) {
        let hold = self.holders.remove(at);
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
    fn follow(&mut self, guard: u64, task: u64, trail: &Arc<Trail>) {
        if let Some(hold) = self.holders.iter_mut().rfind(|hold| hold.guard == guard && hold.task == task) {
            hold.trail = Some(Arc::clone(trail));
        }
    }

    /// Has those looked at who hold it across an await, and of whom nothing was captured when they acquired it.
    fn look_at_holders(&mut self, lock: u32, now: Nanos) {
        let unseen = self.holders.iter_mut().filter(|hold| hold.trail.is_none() && hold.is_across_await());
        for hold in unseen {
            if !self.late_trails.allows(now, trail::BOUND) {
                return;
            }
            hold.trail = trail::join(lock, hold.task);
        }
    }

    /// Whether it is held across an await, or waited for long, now.
    fn offends(&self, now: Nanos) -> bool {
        let waits_long = self.waiters.front().is_some_and(|wait| now.since(wait.since) >= LONG_WAIT);
        waits_long || self.holders.iter().any(Hold::is_across_await)
    }

    /// What tokio tells as attributes, from what is known better: its own come late.
    pub(super) fn attributes(&self, kind: u32, into: &mut Vec<Attribute>) {
        let mut tell = |name, value| into.push(Attribute { name, value, unit: None });
        let shared = self.holders.iter().filter(|hold| hold.access == Access::Shared).count();
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

fn across(sum: &mut AcrossAwait, time: Duration) {
    sum.count += 1;
    sum.total += time;
    sum.longest = sum.longest.max(time);
}

impl Hold {
    /// Whether a poll of the task that acquired it has ended since.
    fn is_across_await(&self) -> bool {
        let Some(span) = id::decode(self.task) else { return false };
        // A task that has ended has ended its poll.
        task::slot(span).is_none_or(|slot| slot.polls.get() != self.polls || !slot.is_polled())
    }

    /// Whether the task that acquired it goes on one day, and is not polled now.
    fn is_suspended(&self) -> bool {
        let slot = id::decode(self.task).and_then(task::slot);
        slot.is_some_and(|slot| !slot.has_ended() && !slot.is_polled() && self.is_across_await())
    }

    fn view(&self) -> view::Holder {
        let owner = match &self.thread {
            Some(thread) => Owner::Thread { tid: thread.tid, name: Arc::from(&*thread.name) },
            None => Owner::Task(self.task),
        };
        let is_across_await = self.is_across_await();
        let trail = self.trail.as_ref();
        view::Holder {
            owner,
            access: self.access,
            since: self.since,
            is_across_await,
            acquired_at: trail.and_then(|trail| trail.acquired()),
            suspended_at: trail.filter(|_| self.is_suspended()).and_then(|trail| trail.suspended()),
        }
    }
}

/// A copy of what is known of a lock; `None` when the slot is nobody's, or no lock's.
pub(super) fn view(index: u32, slot: &resource::Slot) -> Option<LockView> {
    slot.life.read(Clones::Numbered, |seen| {
        let span = Ours { kind: Kind::Resource, index, stamp: seen.stamp(Clones::Numbered) };
        (slot.lock_kind.get() != NONE).then_some(())?;
        slot.lock.lock().as_mut().map(|state| {
            let mut across_await = state.across;
            let now = super::clock::now();
            state.flagged |= state.offends(now);
            state.look_at_holders(index, now);
            let holders: Vec<view::Holder> = state.holders.iter().map(Hold::view).collect();
            for holder in holders.iter().filter(|holder| holder.is_across_await) {
                across(&mut across_await, now.since(holder.since));
            }
            let waiters = state.waiters.iter().take(MOST_WAITERS);
            LockView {
                resource: id::encode(span),
                holders,
                waiters: waiters
                    .map(|wait| view::Waiter { op: wait.op, task: wait.task, access: wait.access, since: wait.since })
                    .collect(),
                more_waiters: state.waiters.len().saturating_sub(MOST_WAITERS) as u64,
                acquisitions: state.acquisitions,
                contended: state.contended,
                across_await,
                hold_times: state.hold_times,
                held: Duration::from_nanos(state.held),
                longest_hold: Duration::from_nanos(state.longest),
                dropped: Nanos::from_raw(slot.dropped.get()),
            }
        })
    })
}
