//! Spawn locations as rows, in which the lengths of their tasks' polls and waits are counted. The first two hundred have a row each, in the order in
//! which tasks are first spawned there; all others have one together.

use crate::slots::{
    doublings::ROWS,
    intern::{self, MOST_PLACES},
};
use crate::view::Location;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

/// The row of all tasks whose location has none, or is not known.
pub(crate) const OTHERS: u32 = ROWS as u32;

/// What is no row: what is never counted.
pub(crate) const NOWHERE: u32 = OTHERS + 1;

/// Rows of locations, by their numbers in [`intern`]; 0 of one that was not asked for.
static ROW_OF: [AtomicU8; MOST_PLACES + 1] = [const { AtomicU8::new(0) }; MOST_PLACES + 1];

/// The locations that have rows, in the rows' order.
static LOCATIONS: Mutex<Vec<u32>> = Mutex::new(Vec::new());

/// How many have none.
static WITHOUT: AtomicUsize = AtomicUsize::new(0);

/// The row of the tasks that are spawned at a location; 0 is the number of none.
#[inline]
pub(crate) fn of(location: u32) -> u32 {
    match ROW_OF.get(location as usize) {
        Some(row) if location != 0 => match row.load(Ordering::Relaxed) {
            0 => first(location, row),
            known => known.into(),
        },
        _ => OTHERS,
    }
}

#[cold]
fn first(location: u32, row: &AtomicU8) -> u32 {
    let mut locations = LOCATIONS.lock();
    // Another thread may have been here before.
    if row.load(Ordering::Relaxed) == 0 {
        if locations.len() < ROWS - 1 {
            locations.push(location);
            row.store(locations.len() as u8, Ordering::Relaxed);
        } else {
            WITHOUT.fetch_add(1, Ordering::Relaxed);
            row.store(OTHERS as u8, Ordering::Relaxed);
        }
    }
    row.load(Ordering::Relaxed).into()
}

/// The location of a row; `None` of the one for all others.
pub(crate) fn location(row: usize) -> Option<&'static Location> {
    let number = LOCATIONS.lock().get(row.checked_sub(1)?).copied()?;
    intern::location(number)
}

/// How many locations have no row, in a sentence; `None` where all have one.
pub(crate) fn limitation() -> Option<String> {
    let without = WITHOUT.load(Ordering::Relaxed);
    (without > 0).then(|| {
        let most = ROWS - 1;
        format!(
            "how long polls took is told apart for {most} spawn locations: tasks of {without} more are counted together"
        )
    })
}
