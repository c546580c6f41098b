//! Places of the source as rows: the first ones that are asked for have one each, and all others share one.

use crate::{
    slots::intern::{self, MOST_PLACES},
    view::Location,
};
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

/// Rows of places, from 1 on. All zeros until the first place is asked for.
pub(crate) struct Rows {
    /// So many places have a row of their own.
    most: u8,
    /// By their numbers in [`intern`]; 0 of one that was not asked for.
    row_of: [AtomicU8; MOST_PLACES + 1],
    /// The places that have rows, in the rows' order.
    places: Mutex<Vec<u32>>,
    /// How many have none.
    without: AtomicUsize,
}

impl Rows {
    #[expect(clippy::large_stack_arrays, reason = "it is a static, and this is evaluated when the crate is compiled")]
    pub(crate) const fn new(most: u8) -> Self {
        let row_of = [const { AtomicU8::new(0) }; MOST_PLACES + 1];
        Self { most, row_of, places: Mutex::new(Vec::new()), without: AtomicUsize::new(0) }
    }

    /// The row of all that have none of their own.
    pub(crate) const fn others(&self) -> u32 {
        self.most as u32 + 1
    }

    /// The row of a place; 0 is the number of none.
    #[inline]
    pub(crate) fn of(&self, place: u32) -> u32 {
        match self.row_of.get(place as usize) {
            Some(row) if place != 0 => match row.load(Ordering::Relaxed) {
                0 => self.first(place, row),
                known => known.into(),
            },
            _ => self.others(),
        }
    }

    #[cold]
    fn first(&self, place: u32, row: &AtomicU8) -> u32 {
        let mut places = self.places.lock();
        // Another thread may have been here before.
        if row.load(Ordering::Relaxed) == 0 {
            if places.len() < usize::from(self.most) {
                places.push(place);
                row.store(places.len() as u8, Ordering::Relaxed);
            } else {
                self.without.fetch_add(1, Ordering::Relaxed);
                row.store(self.most + 1, Ordering::Relaxed);
            }
        }
        row.load(Ordering::Relaxed).into()
    }

    /// The place of a row; `None` of the one for all others.
    pub(crate) fn place(&self, row: usize) -> Option<&'static Location> {
        let number = self.places.lock().get(row.checked_sub(1)?).copied()?;
        intern::location(number)
    }

    /// How many places have no row of their own.
    pub(crate) fn without(&self) -> usize {
        self.without.load(Ordering::Relaxed)
    }
}
