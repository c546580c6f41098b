//! Where a lock was acquired, and where the one who holds it is suspended: for locks that were held across an await, or
//! waited for long, and for as many of their holds as the rates allow.
//!
//! A task that sleeps has no stack. So the thread's stack is copied while it acquires the lock, and, until that poll ends and
//! in its later ones, whenever something it awaits is not ready: when an operation of tokio's says so, or stores the task's
//! waker. What was copied last before the poll ended is where the task sleeps, of several futures that it awaits at once in the
//! one that was polled last. What was copied before it went on to acquire or release a lock does not count, and a place is never
//! carried over from one poll to the next: a poll that told nothing leaves it open, as does lean detail, which sees no wakers.

use crate::{
    capture::{
        Stack,
        current_thread::{self, StackBuffer, StackCopy},
        rate::{Bound, Rate},
    },
    clock::Nanos,
    collect::{callsite, task::slot, thread_state::ThreadState},
    slots::id::{self, Kind},
};
use holdup_stack::frame::Frame;
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    sync::{
        Arc, LazyLock, OnceLock, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// Acquisitions of one lock, and polls during one hold.
pub(crate) const BOUND: Bound = Bound { every: Duration::from_millis(100), burst: 5 };

/// Holds that have one at once: two stacks for each are what a report may have to carry.
const MOST: usize = 128;

/// Frames that are kept.
const MOST_FRAMES: usize = 40;

/// Where in tokio the runtime polls a task.
const POLLS: &str = "/runtime/task/core.rs";

/// A stack that is being read, or was.
type Read = Arc<OnceLock<Arc<Stack>>>;

/// Marks a lock as changed, from wherever more becomes known of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    /// The lock's slot.
    pub(crate) lock: u32,
    pub(crate) touch: fn(u32),
}

impl Mark {
    fn set(self) {
        (self.touch)(self.lock);
    }
}

/// What is known of where one hold of a lock began, and where it lasts.
#[derive(Debug)]
pub(crate) struct HoldSites {
    lock: Mark,
    acquired: OnceLock<Arc<Stack>>,
    suspended: Mutex<Option<Read>>,
    rate: Rate,
}

static LIVE: AtomicUsize = AtomicUsize::new(0);

/// Tasks that have a hold whose sites are looked for, or had one when they were polled last. Not touched for any other task.
static TRACED: LazyLock<Mutex<HashMap<u64, Vec<Weak<HoldSites>>>>> = LazyLock::new(Mutex::default);

impl HoldSites {
    fn new(lock: Mark) -> Option<Arc<Self>> {
        let more = |live| (live < MOST).then_some(live + 1);
        LIVE.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        let (acquired, suspended) = (OnceLock::new(), Mutex::new(None));
        Some(Arc::new(Self { lock, acquired, suspended, rate: Rate::new() }))
    }

    /// Where the lock was acquired.
    pub(crate) fn acquired(&self) -> Option<Arc<Stack>> {
        self.acquired.get().cloned()
    }

    /// Where the one who acquired it was suspended when its last poll ended.
    pub(crate) fn suspended(&self) -> Option<Arc<Stack>> {
        self.suspended.lock().as_ref()?.get().cloned()
    }
}

impl Drop for HoldSites {
    fn drop(&mut self) {
        LIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The calling thread has just acquired a lock for a task, or for none.
#[cold]
pub(crate) fn begin(local: &ThreadState, lock: Mark, task: u64, now: Nanos) -> Option<Arc<HoldSites>> {
    let mut buffer = StackBuffer::take(now)?;
    let sites = HoldSites::new(lock).filter(|_| buffer.fill())?;
    let told = Arc::downgrade(&sites);
    buffer.read(move |stack| {
        if let Some(sites) = told.upgrade() {
            let _first = sites.acquired.set(shortened(stack));
            sites.lock.set();
        }
    });
    if watch(task, &sites) {
        look_at(local, task);
    }
    Some(sites)
}

/// A task holds a lock that it acquired before there was reason to look: its next polls will tell where it sleeps.
#[cold]
pub(crate) fn join(lock: Mark, task: u64) -> Option<Arc<HoldSites>> {
    let sites = HoldSites::new(lock).filter(|_| current_thread::is_on())?;
    watch(task, &sites).then_some(sites)
}

/// From here on the task's polls are looked at. False when they cannot tell anything.
fn watch(task: u64, sites: &Arc<HoldSites>) -> bool {
    let Some(slot) = id::decode(task).and_then(slot::slot).filter(|_| slot::wakes_are_collected()) else {
        return false;
    };
    let mut traced = TRACED.lock();
    if traced.len() >= 2 * MOST {
        traced.retain(|_, holds| holds.iter().any(|sites| sites.strong_count() > 0));
    }
    let holds = traced.entry(task).or_default();
    holds.retain(|sites| sites.strong_count() > 0);
    holds.push(Arc::downgrade(sites));
    drop(traced);
    slot.set_poll_trace(slot::PollTrace::On);
    true
}

/// One poll of a thread's is looked at at a time: of tasks that are polled inside of each other, the outer one's.
fn look_at(local: &ThreadState, task: u64) {
    let before = local.traced.get();
    if before == 0 || !local.is_inside(before) {
        local.copy.set(None);
        local.traced.set(task);
    }
}

fn holds(task: u64) -> Vec<Arc<HoldSites>> {
    TRACED.lock().get(&task).map(|holds| holds.iter().filter_map(Weak::upgrade).collect()).unwrap_or_default()
}

/// A poll of a task begins that has a hold whose sites are looked for, or had one.
#[cold]
pub(crate) fn entered(local: &ThreadState, slot: &slot::Slot, task: u64, now: Nanos) {
    let holds = holds(task);
    if holds.is_empty() {
        TRACED.lock().remove(&task);
        slot.set_poll_trace(slot::PollTrace::Off);
        return;
    }
    let mut due = false;
    for sites in &holds {
        if sites.suspended.lock().take().is_some() {
            sites.lock.set();
        }
        due |= sites.rate.allows(now, BOUND);
    }
    if due {
        look_at(local, task);
    }
}

/// Something that the thread polls is not ready.
#[inline]
pub(crate) fn pending(local: &ThreadState) {
    if local.traced.get() != 0 {
        waits(local);
    }
}

#[cold]
fn waits(local: &ThreadState) {
    if local.innermost(Kind::Task) != local.traced.get() {
        return;
    }
    let copy = local.copy.take().or_else(|| StackCopy::take(local.about_now()));
    match copy.and_then(StackCopy::more) {
        Some(copy) => local.copy.set(Some(copy)),
        // What was copied is not the last place any more.
        None => local.traced.set(0),
    }
}

/// The thread acquires or releases a lock: the task that it polls went on from where it was copied last.
#[inline]
pub(crate) fn goes_on(local: &ThreadState) {
    if local.traced.get() != 0 {
        local.copy.set(None);
    }
}

/// The poll that is looked at has ended.
#[cold]
pub(crate) fn left(local: &ThreadState, task: u64) {
    local.traced.set(0);
    let Some(copy) = local.copy.take() else { return };
    let holds = holds(task);
    if holds.is_empty() {
        return;
    }
    let place = Read::default();
    for sites in &holds {
        *sites.suspended.lock() = Some(Arc::clone(&place));
    }
    let locks: Vec<Mark> = holds.iter().map(|sites| sites.lock).collect();
    copy.read(move |stack| {
        let _first = place.set(shortened(stack));
        for lock in locks {
            lock.set();
        }
    });
}

/// What a task did on a stack: from where tokio told us of it, without our own frames and those of `tracing`, up to where the
/// runtime polls the task.
fn shortened(mut stack: Stack) -> Arc<Stack> {
    let of_tokio = |frame: &Frame| callsite::tokio_folder().is_some_and(|tokio| frame.file.contains(tokio));
    if let Some(first) = stack.frames.iter().position(of_tokio) {
        stack.frames.drain(..first);
    }
    if let Some(poll) = stack.frames.iter().position(|frame| frame.file.ends_with(POLLS) && of_tokio(frame)) {
        stack.frames.truncate(poll);
    }
    stack.frames.truncate(MOST_FRAMES);
    Arc::new(stack)
}
