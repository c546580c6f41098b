//! What locks came to that are gone, by where they were made: what a place's locks have counted stays counted.

use super::{
    lock_state::{MUTEX, RW_LOCK, State},
    rows::Rows,
};
#[cfg(feature = "metrics")]
use crate::view::{Location, LockTotals};
use std::sync::atomic::{AtomicU64, Ordering};
#[cfg(feature = "metrics")]
use std::time::Duration;

/// Places that are told apart.
const MOST: u8 = 100;

/// Rows: one for each, and one for all others.
const ROWS: usize = MOST as usize + 1;

static PLACES: Rows<MOST> = Rows::new();

struct Gone {
    acquisitions: AtomicU64,
    waited: AtomicU64,
}

/// By kind and row.
static GONE: [[Gone; ROWS]; 2] =
    [const { [const { Gone { acquisitions: AtomicU64::new(0), waited: AtomicU64::new(0) } }; ROWS] }; 2];

fn of(kind: u32, place: u32) -> Option<&'static Gone> {
    let of_kind = match kind {
        MUTEX => &GONE[0],
        RW_LOCK => &GONE[1],
        _ => return None,
    };
    of_kind.get(PLACES.of(place) as usize - 1)
}

/// A lock that was made there is gone: called once, when the last that can use it is.
pub(super) fn add(kind: u32, place: u32, state: &State) {
    if state.acquisitions > 0
        && let Some(gone) = of(kind, place)
    {
        gone.acquisitions.fetch_add(state.acquisitions, Ordering::Relaxed);
        gone.waited.fetch_add(state.waited, Ordering::Relaxed);
    }
}

/// What the locks that are gone came to, by [`index`].
#[cfg(feature = "metrics")]
pub(crate) fn all() -> Vec<LockTotals> {
    let totals = |gone: &Gone| {
        let acquisitions = gone.acquisitions.load(Ordering::Relaxed);
        LockTotals { waiters: 0, acquisitions, waited: Duration::from_nanos(gone.waited.load(Ordering::Relaxed)) }
    };
    GONE.iter().flatten().map(totals).collect()
}

/// Where in [`all`] locks of this kind are that were made there.
#[cfg(feature = "metrics")]
pub(crate) fn index(kind: u32, place: u32) -> Option<usize> {
    let of_kind = match kind {
        MUTEX => 0,
        RW_LOCK => ROWS,
        _ => return None,
    };
    Some(of_kind + PLACES.of(place) as usize - 1)
}

/// Of which kind locks are at such an index, and where they were made; no place of those that are not told apart.
#[cfg(feature = "metrics")]
pub(crate) fn at(index: usize) -> (&'static str, Option<&'static Location>) {
    (if index < ROWS { "Mutex" } else { "RwLock" }, PLACES.place(index % ROWS + 1))
}

/// How many places have no row of their own.
#[cfg(feature = "metrics")]
pub(crate) fn without() -> usize {
    PLACES.without()
}
