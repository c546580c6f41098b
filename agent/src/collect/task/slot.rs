//! A task's slot: where it comes from and when it goes back. Readers copy it, see [`crate::read::task`].

use crate::{
    clock,
    collect::{Detail, spans::Span, task::woken_by, thread_state::ThreadState},
    slots::{
        arena::Arena,
        delivery::Delivery,
        free_list,
        histogram::Durations,
        id::{self, Kind, Ours},
        lifetime::{Clones, Lifetime},
        stages,
        word::{Half, Word},
    },
    view::TaskKind,
};
use parking_lot::Mutex;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// The first cache line is of whoever polls the task, the second of whoever wakes it, the third of its first poll and its end, and the last is written
/// at its birth. A short task that another thread polls takes three of them there and back, and where nobody collects wakes, the second is of nobody.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub(crate) struct Slot {
    lifetime: Lifetime,
    pub(crate) polls: Word,
    pub(crate) started: Word,
    pub(crate) ended: Word,
    pub(crate) busy: Word,
    pub(crate) scheduled: Word,
    pub(crate) poll_times: Durations,

    pub(crate) scheduled_times: Durations,
    pub(crate) last_wake: Word,
    pub(crate) wakes: Word,
    pub(crate) clones: Word,
    pub(crate) drops: Word,
    /// These are written from inside of the task's own polls (I6 of [`crate::slots`]).
    pub(crate) self_wakes: Word,
    pub(crate) self_clones: Word,

    pub(crate) runtime: Half,
    pub(crate) kind: Half,
    pub(crate) first: Word,
    pub(crate) created: Word,
    pub(crate) dropped: Word,
    pub(crate) tokio_id: Word,
    pub(crate) parent: Word,
    /// The innermost of the service's own spans that its last poll was inside of; 0 for none.
    pub(crate) context: Word,
    /// What of it was told last, see [`crate::read::changes`].
    delivery: Delivery,

    /// So is this.
    pub(crate) self_drops: Word,
    pub(crate) size: Half,
    /// And one; 0 for none.
    pub(crate) original_size: Half,
    pub(crate) location: Half,
    /// And one; 0 for none.
    pub(crate) function: Half,
    /// Whether there is anything in `extra`.
    pub(crate) has_extra: Half,
    /// Whether its context has yet to be told.
    pub(crate) context_changed: Half,
    pub(crate) extra: Mutex<Extra>,
}

/// What few tasks have.
#[derive(Debug, Default)]
pub(crate) struct Extra {
    pub(crate) name: Option<Arc<str>>,
    pub(crate) context: Option<Arc<Span>>,
}

const _: () = assert!(size_of::<Slot>() == 256, "four cache lines");

pub(crate) static TASKS: Arena<Slot> = Arena::new();

/// Of a slot's kind: it is no job of the service's, but a worker of a multi-thread runtime, which the runtime runs as one for
/// as long as it exists. It is a task for the console, and no poll for whoever asks what a thread is doing.
pub(crate) const WORKER: u32 = 4;

/// Of a slot's kind: its polls may have to be looked at, see [`crate::collect::lock_sites`]. Anybody may write it, and one time too many does no harm.
pub(crate) const TRACED: u32 = 8;

/// Of a slot's kind: from this bit on, the [row](super::row) in which its polls and waits are counted. It stands in the line that a poll reads anyway.
pub(super) const ROW_SHIFT: u32 = 8;

/// Of a slot's `wakes`: it is kept who wakes it, see [`super::woken_by`]. It stands in the word that whoever wakes it writes anyway.
const KEEPS_WAKERS: u64 = 1 << 63;

/// Whether wakes are collected: without them only the runtime itself knows how long a task waited for its turn.
static WAKES_ARE_COLLECTED: AtomicBool = AtomicBool::new(true);

pub(crate) fn collect_wakes_in(detail: Detail) {
    WAKES_ARE_COLLECTED.store(detail == Detail::Full, Ordering::Relaxed);
    if detail == Detail::Full {
        expect_waits();
    }
}

#[inline]
pub(crate) fn wakes_are_collected() -> bool {
    WAKES_ARE_COLLECTED.load(Ordering::Relaxed)
}

/// Whether anything has been written into any slot's second line, or may be from now on: wakes, or for how long tasks waited. Where it has not, the line
/// is all zeros, and neither written nor read at a task's birth, polls and end.
static WAITS_ARE_EXPECTED: AtomicBool = AtomicBool::new(false);

/// From here on wakes or waits may be noted. For good: a slot may have been used while they were.
pub(crate) fn expect_waits() {
    WAITS_ARE_EXPECTED.store(true, Ordering::Relaxed);
}

#[inline]
pub(super) fn waits_are_expected() -> bool {
    WAITS_ARE_EXPECTED.load(Ordering::Relaxed)
}

impl stages::Slot for Slot {
    const KIND: Kind = Kind::Task;
    const CLONES: Clones = Clones::Alike;

    fn lifetime(&self) -> &Lifetime {
        &self.lifetime
    }

    fn delivery(&self) -> &Delivery {
        &self.delivery
    }
}

/// Whether a task's polls may have to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PollTrace {
    Off,
    On,
}

/// The slot of a task that is still its user's.
#[inline]
pub(crate) fn slot(span: Ours) -> Option<&'static Slot> {
    TASKS.get(span.index).filter(|slot| slot.lifetime.is(span.stamp, Clones::Alike))
}

impl Slot {
    /// Whether its user is still the one with this stamp.
    #[inline]
    pub(super) fn is_of(&self, stamp: u64) -> bool {
        self.lifetime.is(stamp, Clones::Alike)
    }

    /// Whether a poll is under way.
    pub(crate) fn is_polled(&self) -> bool {
        self.started.get() > self.ended.get()
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.dropped.get() != 0
    }

    /// Notes whether to look at its polls from the next one on.
    pub(crate) fn set_poll_trace(&self, trace: PollTrace) {
        match trace {
            PollTrace::On => self.kind.set_bits(TRACED),
            PollTrace::Off => self.kind.clear_bits(TRACED),
        }
    }

    /// Whether it is kept who wakes it.
    #[inline]
    pub(crate) fn keeps_wakers(&self) -> bool {
        waits_are_expected() && self.wakes.get() & KEEPS_WAKERS != 0
    }

    /// Has it kept from now on who wakes it.
    pub(crate) fn keep_wakers(&self) {
        self.wakes.set_bits(KEEPS_WAKERS);
    }

    /// Wakes that did not come from its own polls.
    pub(crate) fn wakes_by_others(&self) -> u64 {
        self.wakes.get() & !KEEPS_WAKERS
    }

    /// The [row](super::row) in which its polls are counted.
    #[cfg(feature = "metrics")]
    pub(crate) fn row(&self) -> u32 {
        self.kind.get() >> ROW_SHIFT
    }

    #[inline]
    pub(crate) fn is_worker(&self) -> bool {
        self.kind.get() & WORKER != 0
    }

    #[inline]
    pub(crate) fn kind(&self) -> TaskKind {
        [TaskKind::Task, TaskKind::Local, TaskKind::BlockOn, TaskKind::Blocking][self.kind.get() as usize % 4]
    }
}

/// Whether this is a job of the blocking pool: its thread may block, and is no worker meanwhile, whatever it was before.
pub(crate) fn is_job(task: u64) -> bool {
    let slot = id::decode(task).and_then(|span| TASKS.get(span.index));
    slot.is_some_and(|slot| slot.kind() == TaskKind::Blocking)
}

/// A handle of the span is cloned.
#[inline]
pub(crate) fn clone_handle(span: Ours) {
    if let Some(slot) = TASKS.get(span.index) {
        slot.lifetime.clone_handle(Clones::Alike);
    }
}

/// A handle of the span is dropped; with the last one, the task ends. True when it was.
#[inline]
pub(crate) fn close(local: &ThreadState, span: Ours, id: u64) -> bool {
    // I3: the handle is this call's to drop. The span ends right after it was left for good.
    let ended = local.last_read().filter(|_| local.just_left.get() == id);
    let ended = ended.unwrap_or_else(clock::now);
    let Some(slot) = TASKS.drop_handle(span.index, |slot| slot.dropped.set(ended.raw())) else { return false };
    if slot.keeps_wakers() {
        woken_by::forget(id);
    }
    if slot.kind() == TaskKind::BlockOn {
        local.leave_block_on();
    }
    local.tasks.retire(&free_list::TASKS, slot);
    true
}
