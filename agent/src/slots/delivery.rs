//! What the one reader has told of a slot's users, in one word: so that the end of each is told, or counted as lost, and never
//! neither, whoever comes first: the reader, or the thread that is to use the slot again.
//!
//! ```text
//!  63                                  2 1      0
//! ┌─────────────────────────────────────┬────────┐
//! │ the stamp of a user, 62 bits        │ state  │   0: nobody was told of yet
//! └─────────────────────────────────────┴────────┘
//!  ALIVE 0, ENDED 1, COUNTED 2, HANDED_OVER 3
//! ```
//!
//! | from | to | by whom | what then becomes of the user |
//! |---|---|---|---|
//! | 0, or another stamp | stamp, ALIVE or ENDED | [`tell`](Delivery::tell): the one reader | it is told. Another one that was ALIVE is told as gone |
//! | stamp, ALIVE | stamp, ALIVE or ENDED | the same | it is told again |
//! | stamp, ENDED | stamp, ENDED | the same | its end is told again, which is no news to whoever was told |
//! | stamp, COUNTED or `HANDED_OVER` | the same | the same | nothing is said of it |
//! | 0, or another stamp | stamp, COUNTED | [`give_up`](Delivery::give_up): whoever took the slot out of the line, alone (I1) | it is lost, and counted |
//! | stamp, ALIVE | stamp, `HANDED_OVER` | the same | its last state is kept for the reader |
//! | stamp, any other | the same | the same | its end is known |
//!
//! Each is one exchange that acquires and releases, and fails when the word has changed since it was looked at: so there is one fate for each user (I7), and
//! what the reader has read before it tells belongs to the user that it tells of.

use super::atomics::{AtomicU64, Ordering};

/// It was told to live.
const ALIVE: u64 = 0;
/// Its end was told.
const ENDED: u64 = 1;
/// It was counted as lost.
const COUNTED: u64 = 2;
/// It was told to live, and its last state was handed over when its slot was to be used again.
const HANDED_OVER: u64 = 3;
const STATE: u64 = 3;
const STAMP_AT: u32 = 2;

/// What was told of one slot.
#[derive(Debug, Default)]
pub(crate) struct Delivery(AtomicU64);

/// What was told of a slot when it was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Delivered(u64);

/// What there is to be said of a slot that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct News {
    /// The stamp of a user that was told to live, and whose slot was used again while nobody watched.
    pub(crate) gone: Option<u64>,
    /// What is to be said of the user that was read.
    pub(crate) now: Now,
}

/// What is to be said of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Now {
    Tell,
    /// It was counted as lost, or is told by who handed it over.
    BeSilent,
}

/// What becomes of a slot's last user when the slot is used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Its end was told, or counted.
    Known,
    /// It was told to live: its last state is to be handed over, or it would be taken to live for ever.
    HandOver,
    /// Nothing was ever told of it: it is lost.
    Lost,
}

impl Delivery {
    /// For [`Delivery::tell`], before the slot is read.
    pub(crate) fn look(&self) -> Delivered {
        Delivered(self.0.load(Ordering::Acquire))
    }

    /// The reader has read a user since it looked, who has ended or lives, and is about to tell it. `None` when the slot has
    /// been given up since: it is to look and to read again.
    pub(crate) fn tell(&self, seen: Delivered, stamp: u64, end: End) -> Option<News> {
        debug_assert_ne!(stamp, 0, "I7: a user that never was is told of");
        let state = match end {
            End::Lives => ALIVE,
            End::Ended => ENDED,
        };
        let Delivered(before) = seen;
        let last = before >> STAMP_AT;
        if last == stamp && matches!(before & STATE, COUNTED | HANDED_OVER) {
            return Some(News { gone: None, now: Now::BeSilent });
        }
        // I7: nothing that was read before may be read after it: from here on the slot may be another's.
        self.0.compare_exchange(before, (stamp << STAMP_AT) | state, Ordering::AcqRel, Ordering::Relaxed).ok()?;
        let gone = (last != 0 && last != stamp && before & STATE == ALIVE).then_some(last);
        Some(News { gone, now: Now::Tell })
    }

    /// The slot of this user, who has ended, is to be used again, whether or not that was told.
    pub(crate) fn give_up(&self, stamp: u64) -> Fate {
        debug_assert_ne!(stamp, 0, "I7: a user that never was is given up");
        let mut known = self.0.load(Ordering::Acquire);
        loop {
            let (state, fate) = match known & STATE {
                _ if known >> STAMP_AT != stamp => (COUNTED, Fate::Lost),
                ALIVE => (HANDED_OVER, Fate::HandOver),
                _ => return Fate::Known,
            };
            match self.0.compare_exchange(known, (stamp << STAMP_AT) | state, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return fate,
                Err(now) => known = now,
            }
        }
    }

    /// Whether the end of this user was told, or counted.
    pub(crate) fn is_over(&self, stamp: u64) -> bool {
        let known = self.0.load(Ordering::Acquire);
        known >> STAMP_AT == stamp && known & STATE != ALIVE
    }

    /// Whether anything was told of this user.
    pub(crate) fn has_heard_of(&self, stamp: u64) -> bool {
        let known = self.0.load(Ordering::Relaxed);
        known >> STAMP_AT == stamp && known & STATE != COUNTED
    }
}

/// Whether a user has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Lives,
    Ended,
}
