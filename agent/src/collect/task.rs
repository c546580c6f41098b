//! Tasks: a slot for each, written at the edges of its polls by whoever polls it, and at its wakes by whoever wakes it.
//!
//! Here is the slot, where slots come from and when they go back. What is written into it, and when, is beside: at the
//! task's [birth], at its [polls], at its [wakes](wakers). Readers copy it by [views] and [contexts].

mod birth;
mod contexts;
mod polls;
mod views;
mod wakers;

use super::{
    arena::Arena,
    handed_over::HandedOver,
    histogram::Durations,
    id::Ours,
    life::{Clones, Life},
    local::Local,
    spans::Span,
    stock::{Keep, Kept, Stock},
    told,
    view::{TaskKind, TaskView},
    word::{Half, Word},
};
use parking_lot::Mutex;
use std::sync::Arc;

pub(super) use birth::spawn;
pub(super) use contexts::{Contexts, context};
pub(super) use polls::{enter, exit};
pub(super) use views::{histograms, view};
pub(super) use wakers::{WakerOp, collect_wakes_in, waker, wakes_are_seen};

/// The first cache line is of whoever polls the task, the second of whoever wakes it, the rest is written at its birth.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub(super) struct Slot {
    pub(super) life: Life,
    pub(super) polls: Word,
    pub(super) started: Word,
    ended: Word,
    busy: Word,
    scheduled: Word,
    poll_times: Durations,

    scheduled_times: Durations,
    last_wake: Word,
    wakes: Word,
    clones: Word,
    drops: Word,
    /// These three are written from inside of the task's own polls.
    self_wakes: Word,
    own_clones: Word,

    own_drops: Word,
    first: Word,
    created: Word,
    dropped: Word,
    tokio_id: Word,
    parent: Word,
    /// The innermost of the service's own spans that its last poll was inside of; 0 for none.
    context: Word,
    /// What of it was told last, see [`super::read`].
    pub(super) told: told::Told,

    runtime: Half,
    size: Half,
    /// And one; 0 for none.
    original_size: Half,
    place: Half,
    kind: Half,
    /// And one; 0 for none.
    function: Half,
    /// Whether there is anything in `extra`.
    has_extra: Half,
    /// Whether its context has yet to be told.
    untold_context: Half,
    extra: Mutex<Extra>,
}

/// What few tasks have.
#[derive(Debug, Default)]
struct Extra {
    name: Option<Arc<str>>,
    context: Option<Arc<Span>>,
}

const _: () = assert!(size_of::<Slot>() == 256, "four cache lines");

pub(super) static TASKS: Arena<Slot> = Arena::new();
pub(super) static STOCK: Stock = Stock::new(Keep { least: 32, most: 2048 });
pub(super) static HANDED_OVER: HandedOver<TaskView> = HandedOver::new();

/// Of a slot's kind: it is no job of the service's, but a worker of a multi-thread runtime, which the runtime runs as one for
/// as long as it exists. It is a task for the console, and no poll for whoever asks what a thread is doing.
const WORKER: u32 = 4;

/// Of a slot's kind: its polls may have to be looked at, see [`super::trail`]. Anybody may write it, and one time too many does no harm.
const WATCHED: u32 = 8;

/// Whether a task's polls may have to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Watched {
    No,
    Yes,
}

/// The slot of a task that is still its user's.
#[inline]
pub(super) fn slot(span: Ours) -> Option<&'static Slot> {
    TASKS.get(span.index).filter(|slot| slot.life.is(span.stamp, Clones::Alike))
}

impl Slot {
    /// Whether a poll is under way.
    pub(super) fn is_polled(&self) -> bool {
        self.started.get() > self.ended.get()
    }

    /// Whether it has ended.
    pub(super) fn has_ended(&self) -> bool {
        self.dropped.get() != 0
    }

    /// Notes whether to look at its polls from the next one on.
    pub(super) fn set_watched(&self, watched: Watched) {
        match watched {
            Watched::Yes => self.kind.set_bits(WATCHED),
            Watched::No => self.kind.clear_bits(WATCHED),
        }
    }

    #[inline]
    fn is_worker(&self) -> bool {
        self.kind.get() & WORKER != 0
    }

    #[inline]
    fn kind(&self) -> TaskKind {
        [TaskKind::Task, TaskKind::Local, TaskKind::BlockOn, TaskKind::Blocking][self.kind.get() as usize % 4]
    }
}

impl Kept for Slot {
    fn last(&self) -> Option<u64> {
        self.life.look().map(|seen| seen.stamp(Clones::Alike))
    }

    fn told(&self) -> &told::Told {
        &self.told
    }

    fn hand_over(&self, index: u32) {
        HANDED_OVER.add(view(index, self));
    }
}

/// A handle of the span is cloned.
#[inline]
pub(super) fn clone_handle(span: Ours) {
    if let Some(slot) = TASKS.get(span.index) {
        slot.life.clone_handle(Clones::Alike);
    }
}

/// A handle of the span is dropped; with the last one, the task ends. True when it was.
#[inline]
pub(super) fn close(local: &Local, span: Ours, id: u64) -> bool {
    let Some(slot) = TASKS.get(span.index) else { return false };
    // The span ends right after it was left for good.
    let ended = local.last_read().filter(|_| local.just_left.get() == id);
    let ended = ended.unwrap_or_else(super::clock::now);
    if !slot.life.drop_handle(|| slot.dropped.set(ended.raw())) {
        return false;
    }
    TASKS.touch(span.index);
    local.tasks.retire(&STOCK, span.index);
    true
}
