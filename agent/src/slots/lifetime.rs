//! The lifetime of a slot: who uses it, and how many handles of the span there are, in one word. A slot is used again and
//! again; its stamp tells the users apart.
//!
//! ```text
//!  63                48 47                   28   27   26                           0
//! ┌────────────────────┬───────────────────────┬──────┬──────────────────────────────┐
//! │ clones, 16 bits    │ users, 20 bits        │ BUSY │ handles, 27 bits             │  Clones::Numbered: a resource
//! ├────────────────────┴───────────────────────┼──────┼──────────────────────────────┤
//! │ users, 36 bits                             │ BUSY │ handles, 27 bits             │  Clones::Alike: all others
//! └────────────────────────────────────────────┴──────┴──────────────────────────────┘
//!  the stamp                                      the slot is written for a new user
//! ```
//!
//! A resource's handles thus have an id each, which tells *which* guard of a lock is dropped, whoever drops it.
//!
//! | from | to | by whom | how | what it publishes |
//! |---|---|---|---|---|
//! | any stamp, no handles | next stamp, BUSY, no handles | [`begin`](Lifetime::begin): whoever took the slot off the free list, alone (I1) | relaxed store, then a release fence | that what is written from here on is another user's |
//! | stamp, BUSY | stamp, 1 handle | [`publish`](Lifetime::publish): the same thread | release store | all that was written in between |
//! | stamp, *n* handles | stamp, *n* + 1 handles; of a resource another count of clones | [`clone_handle`](Lifetime::clone_handle): whoever has a handle (I3) | relaxed `fetch_add` | nothing: the handle that is cloned keeps the user |
//! | stamp, *n* > 1 handles | stamp, *n* - 1 handles | [`drop_handle`](Lifetime::drop_handle): whoever has a handle (I3) | acquire-release `fetch_sub` | what its holder wrote, to whoever drops the last one |
//! | stamp, 1 handle | stamp, no handles | [`drop_handle`](Lifetime::drop_handle): the holder of the last handle | release store | the end, written before it |
//!
//! Nothing else writes the word. Readers [`look`](Lifetime::look) at it, read, and look whether it is [`still`](Lifetime::still) the same user's
//! (I4). The invariants are numbered in [`super`].

use super::{
    atomics::{AtomicU64, Ordering, fence},
    id::STAMP_BITS,
};

/// The slot is written for a new user.
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
    /// Begins a new one, by the only thread that may touch the slot (I1); returns its stamp. Until [`Lifetime::publish`], whoever
    /// reads the slot passes it over. Nobody calls it but [`Free::begin`](super::stages::Free::begin).
    #[inline]
    pub(super) fn begin(&self, clones: Clones) -> u64 {
        let word = self.0.load(Ordering::Relaxed);
        debug_assert_eq!(word & (BUSY | HANDLES), 0, "I1: the slot is in use: {word:#x}");
        let last = word >> STAMP_AT;
        let most = match clones {
            Clones::Alike => (1 << STAMP_BITS) - 1,
            Clones::Numbered => USERS,
        };
        // Never 0, which says that the slot was never used.
        let stamp = ((last + 1) & most).max(1);
        self.0.store((stamp << STAMP_AT) | BUSY, Ordering::Relaxed);
        // I4: what is written from here on is seen by nobody who did not see that it is busy.
        fence(Ordering::Release);
        stamp
    }

    /// The slot is written, and one handle exists. Nobody calls it but [`Newborn::publish`](super::stages::Newborn::publish).
    #[inline]
    pub(super) fn publish(&self, stamp: u64) {
        debug_assert_eq!(
            self.0.load(Ordering::Relaxed),
            (stamp << STAMP_AT) | BUSY,
            "I2: it was not written for this user"
        );
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
        let word = self.0.fetch_add(step, Ordering::Relaxed);
        debug_assert!(
            word & BUSY == 0 && word & HANDLES != 0,
            "I3: a handle is cloned of which there is none: {word:#x}"
        );
        debug_assert_ne!(word & HANDLES, HANDLES, "I2: more handles than the word can count");
        word.wrapping_add(step) >> STAMP_AT
    }

    /// One handle less; true when it was the last one, and `end` has run. Nobody calls it but
    /// [`Arena::drop_handle`](super::arena::Arena::drop_handle).
    #[inline]
    pub(super) fn drop_handle(&self, end: impl FnOnce()) -> bool {
        let word = self.0.load(Ordering::Acquire);
        debug_assert!(
            word & BUSY == 0 && word & HANDLES != 0,
            "I3: a handle is dropped of which there is none: {word:#x}"
        );
        // I3: with a single handle, which is ours, nobody else can clone or drop one.
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

    /// Looks at it, to read the slot: `None` when it has no user yet, or is being written.
    #[inline]
    pub(super) fn look(&self) -> Option<Reading> {
        let word = self.0.load(Ordering::Acquire);
        (word >> STAMP_AT != 0 && word & BUSY == 0).then_some(Reading { word })
    }

    /// Whether what was read since `seen` is all of one user (I4).
    #[inline]
    pub(super) fn still(&self, seen: Reading, clones: Clones) -> bool {
        fence(Ordering::Acquire);
        let word = self.0.load(Ordering::Relaxed);
        word & BUSY == 0 && user(word >> STAMP_AT, clones) == seen.stamp(clones)
    }
}
