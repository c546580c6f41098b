//! Which slots are free. Each thread has a few at hand, and gives back or asks for many at once, so that the lock here is
//! taken once for [`BATCH`] slots. What has ended stays readable for a while: its slots wait in line, oldest first.
//!
//! Indices come out of here as [`Free`] and go back as [`Ended`] alone (I1).

use super::{
    arena::Arena,
    delivery::Fate,
    id::INDEX_BITS,
    round::Round,
    stages::{Ended, Free, Slot},
};
use parking_lot::Mutex;
use std::{
    cell::Cell,
    collections::VecDeque,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

/// Slots that change hands at once.
pub(crate) const BATCH: usize = 64;

type Batch = [u32; BATCH];

/// Slots of one kind, at most.
const MOST_SLOTS: u32 = 1 << INDEX_BITS;

/// How much of what has ended is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keep {
    /// So many at least, in batches.
    pub(crate) least: usize,
    /// So many at most, in batches, while they are unread and somebody watches.
    pub(crate) most: usize,
}

/// Free slots of tasks.
pub(crate) static TASKS: FreeList = FreeList::new(Keep { least: 32, most: 2048 });

/// Free slots of resources.
pub(crate) static RESOURCES: FreeList = FreeList::new(Keep { least: 8, most: 1024 });

/// Free slots of operations.
pub(crate) static OPS: FreeList = FreeList::new(Keep { least: 4, most: 512 });

/// Whether there is anybody who reads what changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Watchers {
    None,
    Some,
}

/// A slot whose user may have ended.
pub(crate) trait Kept: Slot {
    /// Keeps the last state of a user who was told to live until the reader asks for it.
    fn hand_over(&self, round: &Round, index: u32);
}

/// Whether the end of the last user has yet to be told.
fn is_untold<T: Slot>(slot: &T) -> bool {
    Round::of_all().last(slot).is_some_and(|stamp| !slot.delivery().is_over(stamp))
}

/// The free slots of one kind.
pub(crate) struct FreeList {
    inner: Mutex<Inner>,
    /// Whether somebody reads what changes.
    watched: AtomicBool,
    lost: AtomicU64,
    refused: AtomicU64,
}

struct Inner {
    free: Vec<Batch>,
    ended: VecDeque<Batch>,
    /// From threads that are gone: less than a batch.
    loose: Vec<u32>,
    /// Slots that were handed out ever.
    made: u32,
    keep: Keep,
}

impl FreeList {
    pub(crate) const fn new(keep: Keep) -> Self {
        let inner = Inner { free: Vec::new(), ended: VecDeque::new(), loose: Vec::new(), made: 0, keep };
        let [lost, refused] = [const { AtomicU64::new(0) }; 2];
        Self { inner: Mutex::new(inner), watched: AtomicBool::new(false), lost, refused }
    }

    /// Tells whether somebody reads what changes: while nobody does, what ends unread is no loss.
    pub(crate) fn set_watchers(&self, watchers: Watchers) {
        self.watched.store(watchers == Watchers::Some, Ordering::Relaxed);
    }

    /// A batch of slots to use; `None` when there can be no more.
    #[cold]
    fn refill<T: Kept>(&self, arena: &Arena<T>) -> Option<Batch> {
        let mut inner = self.inner.lock();
        if let Some(batch) = inner.free.pop() {
            return Some(batch);
        }
        let watched = self.watched.load(Ordering::Relaxed);
        let end = inner.made + BATCH as u32;
        let full = end > MOST_SLOTS || !arena.may_reach(end);
        let spare = inner.ended.len() > inner.keep.least;
        if let Some(batch) = inner.ended.front().filter(|_| spare || full).copied() {
            // A slot that is not touched may still have to be told: the reader takes all marks, and then reads slot by slot.
            let is_unread = |index: &u32| arena.is_touched(*index) || arena.get(*index).is_some_and(is_untold);
            let unread = watched && batch.iter().any(is_unread);
            if !unread || inner.ended.len() >= inner.keep.most || full {
                inner.ended.pop_front();
                if unread {
                    self.give_up(&batch, arena);
                }
                return Some(batch);
            }
        }
        if full || !arena.reach(end) {
            return None;
        }
        let first = inner.made;
        inner.made = end;
        Some(std::array::from_fn(|at| first + (BATCH - 1 - at) as u32))
    }

    /// Counts those of a batch of which nothing was told; what was told to live is handed over.
    fn give_up<T: Kept>(&self, batch: &Batch, arena: &Arena<T>) {
        // I1: they are out of the line, and nobody begins a user in any of them meanwhile.
        let round = Round::of_all();
        for index in batch.iter().copied() {
            let Some((slot, stamp)) = arena.get(index).and_then(|slot| Some((slot, round.last(slot)?))) else {
                continue;
            };
            match slot.delivery().give_up(stamp) {
                Fate::Known => {}
                Fate::HandOver => slot.hand_over(&round, index),
                Fate::Lost => _ = self.lost.fetch_add(1, Ordering::Relaxed),
            }
        }
    }

    #[cold]
    fn put(&self, batch: &Batch, state: &State) {
        let mut inner = self.inner.lock();
        match state {
            State::Free => inner.free.push(*batch),
            State::Ended => inner.ended.push_back(*batch),
        }
    }

    /// What a thread had at hand when it ended.
    pub(crate) fn take_back(&self, cache: &LocalCache) {
        self.put_loose(cache.empty());
    }

    fn put_loose(&self, slots: impl Iterator<Item = u32>) {
        let mut inner = self.inner.lock();
        inner.loose.extend(slots);
        while let Some(rest) = inner.loose.len().checked_sub(BATCH) {
            let mut batch = [0; BATCH];
            batch.copy_from_slice(&inner.loose[rest..]);
            inner.loose.truncate(rest);
            inner.ended.push_back(batch);
        }
    }

    /// Bounds what is kept of what has ended.
    pub(crate) fn keep(&self, bytes: usize, slot: usize) {
        let keep = &mut self.inner.lock().keep;
        keep.most = (bytes / (slot * BATCH)).max(keep.least + 1);
    }

    /// How many slots there are.
    #[cfg(test)]
    pub(crate) fn made(&self) -> u32 {
        self.inner.lock().made
    }

    /// How many ended and were overwritten before anything was told of them, while somebody watched.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// How many found no slot.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Notes one that found no slot.
    #[cold]
    fn refuse(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }
}

enum State {
    Free,
    Ended,
}

/// The slots that one thread has at hand.
pub(crate) struct LocalCache {
    free: Stack,
    ended: Stack,
}

struct Stack {
    slots: [Cell<u32>; BATCH],
    len: Cell<usize>,
}

impl LocalCache {
    pub(crate) const fn new() -> Self {
        Self { free: Stack::new(), ended: Stack::new() }
    }

    /// A slot to use; `None` when there can be no more.
    #[inline]
    pub(crate) fn take<'a, T: Kept>(&self, list: &FreeList, arena: &'a Arena<T>) -> Option<Free<'a, T>> {
        let index = match self.free.pop() {
            Some(index) => index,
            None => self.refill(list, arena)?,
        };
        let (slot, written) = arena.at(index)?;
        Some(Free::new(slot, written, index))
    }

    #[cold]
    fn refill<T: Kept>(&self, list: &FreeList, arena: &Arena<T>) -> Option<u32> {
        let Some(batch) = list.refill(arena) else {
            list.refuse();
            return None;
        };
        self.free.fill(&batch);
        self.free.pop()
    }

    /// Keeps a slot whose user has ended for a while.
    #[inline]
    pub(crate) fn retire<T: Slot>(&self, list: &FreeList, slot: Ended<'_, T>) {
        if let Some(batch) = self.ended.push(slot.into_index()) {
            list.put(&batch, &State::Ended);
        }
    }

    /// Gives back a slot that nobody wants to see again: it is the next to be used.
    #[inline]
    pub(crate) fn recycle<T: Slot>(&self, list: &FreeList, slot: Ended<'_, T>) {
        if let Some(batch) = self.free.push(slot.into_index()) {
            list.put(&batch, &State::Free);
        }
    }

    /// Everything, when the thread ends.
    fn empty(&self) -> impl Iterator<Item = u32> {
        std::iter::from_fn(|| self.ended.pop()).chain(std::iter::from_fn(|| self.free.pop()))
    }
}

impl Stack {
    const fn new() -> Self {
        Self { slots: [const { Cell::new(0) }; BATCH], len: Cell::new(0) }
    }

    #[inline]
    fn pop(&self) -> Option<u32> {
        let len = self.len.get().checked_sub(1)?;
        self.len.set(len);
        Some(self.slots[len].get())
    }

    /// When it is full, all that it held is returned, and it holds the new one alone.
    #[inline]
    fn push(&self, index: u32) -> Option<Batch> {
        let len = self.len.get();
        if let Some(slot) = self.slots.get(len) {
            slot.set(index);
            self.len.set(len + 1);
            return None;
        }
        let batch = std::array::from_fn(|at| self.slots[at].get());
        self.slots[0].set(index);
        self.len.set(1);
        Some(batch)
    }

    fn fill(&self, batch: &Batch) {
        for (slot, index) in self.slots.iter().zip(batch) {
            slot.set(*index);
        }
        self.len.set(BATCH);
    }
}
