//! Which slots are free. Each thread has a few at hand, and gives back or asks for many at once, so that the lock here is
//! taken once for [`BATCH`] slots. What has ended stays readable for a while: its slots wait in line, oldest first.

use super::{arena::Arena, id::INDEX_BITS};
use parking_lot::Mutex;
use std::{
    cell::Cell,
    collections::VecDeque,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

/// Slots that change hands at once.
pub(super) const BATCH: usize = 64;

type Batch = [u32; BATCH];

/// Slots of one kind, at most.
const ROOM: u32 = 1 << INDEX_BITS;

/// How much of what has ended is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keep {
    /// So many at least, in batches.
    pub(super) least: usize,
    /// So many at most, in batches, while they are unread and somebody watches.
    pub(super) most: usize,
}

/// The free slots of one kind.
pub(super) struct Stock {
    inner: Mutex<Inner>,
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

/// Whether somebody reads what changes.
static WATCHED: AtomicBool = AtomicBool::new(false);

/// Tells whether somebody reads what changes: while nobody does, what ends unread is no loss.
pub(super) fn set_watched(watched: bool) {
    WATCHED.store(watched, Ordering::Relaxed);
}

impl Stock {
    pub(super) const fn new(keep: Keep) -> Self {
        let inner = Inner { free: Vec::new(), ended: VecDeque::new(), loose: Vec::new(), made: 0, keep };
        Self { inner: Mutex::new(inner), lost: AtomicU64::new(0), refused: AtomicU64::new(0) }
    }

    /// A batch of slots to use; `None` when there can be no more.
    #[cold]
    fn refill<T: Default>(&self, arena: &Arena<T>) -> Option<Batch> {
        let mut inner = self.inner.lock();
        if let Some(batch) = inner.free.pop() {
            return Some(batch);
        }
        let watched = WATCHED.load(Ordering::Relaxed);
        let lost = |batch: &Batch| batch.iter().filter(|index| watched && arena.is_touched(**index)).count() as u64;
        let full = inner.made + BATCH as u32 > ROOM;
        let spare = inner.ended.len() > inner.keep.least;
        if let Some(batch) = inner.ended.front().filter(|_| spare).copied() {
            let lost = lost(&batch);
            if lost == 0 || inner.ended.len() >= inner.keep.most || full {
                self.lost.fetch_add(lost, Ordering::Relaxed);
                inner.ended.pop_front();
                return Some(batch);
            }
        }
        if full {
            let batch = inner.ended.pop_front()?;
            self.lost.fetch_add(lost(&batch), Ordering::Relaxed);
            return Some(batch);
        }
        let first = inner.made;
        inner.made += BATCH as u32;
        arena.reach(inner.made);
        Some(std::array::from_fn(|at| first + (BATCH - 1 - at) as u32))
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
    pub(super) fn take_back(&self, magazine: &Magazine) {
        self.put_loose(magazine.empty());
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
    pub(super) fn keep(&self, bytes: usize, slot: usize) {
        let keep = &mut self.inner.lock().keep;
        keep.most = (bytes / (slot * BATCH)).max(keep.least + 1);
    }

    /// How many ended and were overwritten before they were read, while somebody watched.
    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// How many found no slot.
    pub(super) fn refused(&self) -> u64 {
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
pub(super) struct Magazine {
    free: Stack,
    ended: Stack,
}

struct Stack {
    slots: [Cell<u32>; BATCH],
    len: Cell<usize>,
}

impl Magazine {
    pub(super) const fn new() -> Self {
        Self { free: Stack::new(), ended: Stack::new() }
    }

    /// A slot to use; `None` when there can be no more.
    #[inline]
    pub(super) fn take<T: Default>(&self, stock: &Stock, arena: &Arena<T>) -> Option<u32> {
        if let Some(index) = self.free.pop() {
            return Some(index);
        }
        let Some(batch) = stock.refill(arena) else {
            stock.refuse();
            return None;
        };
        self.free.fill(&batch);
        self.free.pop()
    }

    /// A slot whose user has ended, to be kept for a while.
    #[inline]
    pub(super) fn retire(&self, stock: &Stock, index: u32) {
        if let Some(batch) = self.ended.push(index) {
            stock.put(&batch, &State::Ended);
        }
    }

    /// A slot that nobody wants to see again: it is the next to be used.
    #[inline]
    pub(super) fn recycle(&self, stock: &Stock, index: u32) {
        if let Some(batch) = self.free.push(index) {
            stock.put(&batch, &State::Free);
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
