//! The lifetime of a slot: who uses it, and how many handles of the span there are, in one word. A slot is used again and
//! again; its stamp tells the users apart.
//!
//! A word: 27 bits of handles, one bit that is set while the slot is written for a new user, and the stamp: 20 bits that
//! count the users, and 16 bits that count the clones of a handle. A resource's handles thus have an id each, which tells
//! *which* guard of a lock is dropped, whoever drops it. Of other spans all 36 bits count the users.

use super::{
    atomics::{AtomicU64, Ordering, fence},
    id::STAMP_BITS,
};

const BUSY: u64 = 1 << 27;
const HANDLES: u64 = BUSY - 1;
const STAMP_AT: u32 = 28;
const CLONES_AT: u32 = 48;
/// The part of a resource's stamp that counts users.
pub(crate) const USERS: u64 = (1 << (CLONES_AT - STAMP_AT)) - 1;
const _: () = assert!(STAMP_AT + STAMP_BITS == 64, "a stamp fills the rest of the word");

/// Whether clones of a span's handle are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clones {
    Alike,
    Numbered,
}

/// One slot's lifetime.
#[derive(Debug, Default)]
pub(crate) struct Lifetime(AtomicU64);

/// What a lifetime was when a read of its slot began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reading {
    word: u64,
}

impl Reading {
    /// Whether there are handles.
    pub(crate) fn is_alive(self) -> bool {
        self.word & HANDLES != 0
    }

    /// The stamp of the first handle.
    pub(crate) fn stamp(self, clones: Clones) -> u64 {
        user(self.word >> STAMP_AT, clones)
    }
}

/// The stamp without what counts clones.
#[inline]
pub(crate) fn user(stamp: u64, clones: Clones) -> u64 {
    match clones {
        Clones::Alike => stamp,
        Clones::Numbered => stamp & USERS,
    }
}

impl Lifetime {
    /// Begins a new one, by the only thread that may touch the slot; returns its stamp. Until [`Lifetime::publish`], whoever
    /// reads the slot passes it over.
    #[inline]
    pub(crate) fn begin(&self, clones: Clones) -> u64 {
        let last = self.0.load(Ordering::Relaxed) >> STAMP_AT;
        let most = match clones {
            Clones::Alike => (1 << STAMP_BITS) - 1,
            Clones::Numbered => USERS,
        };
        // Never 0, which says that the slot was never used.
        let stamp = ((last + 1) & most).max(1);
        self.0.store((stamp << STAMP_AT) | BUSY, Ordering::Relaxed);
        // What is written from here on is seen by nobody who did not see that it is busy.
        fence(Ordering::Release);
        stamp
    }

    /// The slot is written, and one handle exists.
    #[inline]
    pub(crate) fn publish(&self, stamp: u64) {
        self.0.store((stamp << STAMP_AT) | 1, Ordering::Release);
    }

    /// Whether the slot's user is still the one with this stamp.
    #[inline]
    pub(crate) fn is(&self, stamp: u64, clones: Clones) -> bool {
        user(self.0.load(Ordering::Relaxed) >> STAMP_AT, clones) == user(stamp, clones)
    }

    /// One more handle; returns its stamp.
    #[inline]
    pub(crate) fn clone_handle(&self, clones: Clones) -> u64 {
        let step = match clones {
            Clones::Alike => 1,
            Clones::Numbered => (1 << CLONES_AT) + 1,
        };
        self.0.fetch_add(step, Ordering::Relaxed).wrapping_add(step) >> STAMP_AT
    }

    /// One handle less; true when it was the last one, and `end` has run.
    #[inline]
    pub(crate) fn drop_handle(&self, end: impl FnOnce()) -> bool {
        // With a single handle nobody else can clone or drop one.
        let word = self.0.load(Ordering::Acquire);
        if word & HANDLES == 1 {
            end();
            self.0.store(word - 1, Ordering::Release);
            return true;
        }
        let last = self.0.fetch_sub(1, Ordering::AcqRel) & HANDLES == 1;
        if last {
            end();
        }
        last
    }

    /// What `read` finds in the slot, all of one user: read again when the slot was written for another one meanwhile. `None`
    /// when the slot is nobody's.
    pub(crate) fn read<T>(&self, clones: Clones, mut read: impl FnMut(Reading) -> Option<T>) -> Option<T> {
        loop {
            let seen = self.look()?;
            let found = read(seen);
            if self.still(seen, clones) {
                return found;
            }
        }
    }

    /// Looks at it, to read the slot: `None` when it has no user yet, or is being written.
    #[inline]
    pub(crate) fn look(&self) -> Option<Reading> {
        let word = self.0.load(Ordering::Acquire);
        (word >> STAMP_AT != 0 && word & BUSY == 0).then_some(Reading { word })
    }

    /// Whether what was read since `seen` is all of one user.
    #[inline]
    pub(crate) fn still(&self, seen: Reading, clones: Clones) -> bool {
        fence(Ordering::Acquire);
        let word = self.0.load(Ordering::Relaxed);
        word & BUSY == 0 && user(word >> STAMP_AT, clones) == seen.stamp(clones)
    }
}
