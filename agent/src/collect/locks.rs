//! Who holds a lock and who waits for it, exactly.
//!
//! Tokio tells of an acquisition after it has happened and before the guard is handed out, and of a release after the lock
//! was given to the next one: so acquisitions come in their true order, and a release may come late. Three things follow.
//!
//! - Whoever acquires a lock alone proves that everyone before has released it, and whoever acquires it shared, that
//!   every exclusive holder has. Their holds end then, and what they tell of it later is no news.
//! - Each guard has a handle of the resource's span, cloned as the last thing before the acquisition is told, and each
//!   handle has an id of its own (see [`crate::slots::lifetime`]). A release thus names the guard, whichever task drops it, and whatever
//!   the guard was mapped or downgraded to.
//! - A guard that is forgotten is never released, and its holder remains, as does the lock itself.
//!
//! Handles are told apart by 16 bits. Should two guards of one lock that are held at once have the same, 65,536 handles
//! apart, the one of the task that releases is taken.

use crate::{
    clock::Nanos,
    collect::{
        attribute::{Change, Update},
        lock_sites,
        lock_state::{Hold, LONG_WAIT, Wait},
        resource::{self, RESOURCES},
        task::slot,
        thread_state::ThreadState,
    },
    slots::{
        id::{self, Kind, Ours},
        lifetime::{Clones, user},
    },
    view::Access,
};
use std::sync::Arc;
use tracing_core::Event;

/// How a wait ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leave {
    /// At that time.
    Served(Nanos),
    Cancelled,
}

/// A lock tells that it was acquired or released.
pub(crate) fn tell(local: &ThreadState, event: &Event<'_>) {
    let mut update = Update::new(local);
    event.record(&mut update);
    let change = update.change();
    lock_sites::goes_on(local);
    match (update.name(), update.bool()) {
        (Some("locked" | "write_locked"), Some(true)) => acquire(local, Access::Exclusive),
        (Some("locked" | "write_locked"), Some(false)) => release(local, Access::Exclusive),
        (Some("current_readers"), _) if change == Change::Add => acquire(local, Access::Shared),
        (Some("current_readers"), _) if change == Change::Subtract => release(local, Access::Shared),
        _ => {}
    }
}

/// The lock that the thread is inside of was acquired, with the handle that was cloned last.
fn acquire(local: &ThreadState, access: Access) {
    let Some((slot, entered)) = resource::current(local) else { return };
    let cloned = id::decode(local.just_cloned.get());
    let handle = if user(entered.stamp, Clones::Numbered) == entered.stamp {
        cloned.filter(|cloned| cloned.index == entered.index).unwrap_or(entered)
    } else {
        // Of an owned guard, and after a downgrade, it is the guard's own handle that was entered.
        entered
    };
    let innermost = local.innermost(Kind::Task);
    let of_task = id::decode(innermost).and_then(slot::slot).filter(|slot| !slot.is_worker());
    let task = if of_task.is_some() { innermost } else { 0 };
    let now = local.now();
    let hold = Hold {
        guard: handle.stamp,
        task,
        polls: of_task.map_or(0, |slot| slot.polls.get()),
        // A task of tokio's that is none of ours began before we did, and may go on on another thread.
        thread: (task == 0 && tokio::task::try_id().is_none()).then(|| Arc::clone(local.thread())),
        access,
        since: now,
        sites: None,
    };
    let mut is_due = false;
    if let Some(state) = slot.lock.lock().as_mut() {
        state.end_others(access, now);
        state.begin(hold);
        is_due = state.flagged && state.rate.allows(now, lock_sites::BOUND);
    }
    if is_due && let Some(sites) = lock_sites::begin(local, resource::mark(entered.index), task, now) {
        slot.lock.lock().iter_mut().for_each(|state| state.follow(handle.stamp, task, &sites));
    }
    RESOURCES.touch(entered.index);
}

/// The lock that the thread is inside of was released, by the guard whose handle was entered.
fn release(local: &ThreadState, access: Access) {
    let Some((slot, entered)) = resource::current(local) else { return };
    let task = local.innermost(Kind::Task);
    let now = local.now();
    if let Some(state) = slot.lock.lock().as_mut() {
        state.end(entered.stamp, access, task, now);
    }
    RESOURCES.touch(entered.index);
}

/// An operation begins to wait for a lock, or is polled by another task.
pub(crate) fn wait(lock: Ours, op: u64, task: u64, access: Access, local: &ThreadState) {
    let Some(slot) = RESOURCES.get(lock.index) else { return };
    let since = local.now();
    if let Some(state) = slot.lock.lock().as_mut() {
        match state.waiters.find(op, |_| true) {
            Some(wait) => wait.task = task,
            None => state.waiters.push(op, Wait { op, task, access, since }),
        }
    }
    RESOURCES.touch(lock.index);
}

/// An operation waits for a lock no longer.
pub(crate) fn leave(lock: Ours, op: u64, how: Leave) {
    let Some(slot) = RESOURCES.get(lock.index) else { return };
    if let Some(state) = slot.lock.lock().as_mut() {
        if let (Some(wait), Leave::Served(now)) = (state.waiters.take(op, |_| true), how) {
            let waited = now.since(wait.since);
            state.flagged |= waited >= LONG_WAIT;
            state.waited += waited.as_nanos() as u64;
        }
        state.contended += u64::from(how != Leave::Cancelled);
    }
    RESOURCES.touch(lock.index);
}
