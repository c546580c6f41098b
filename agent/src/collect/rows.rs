//! Places of the source as rows: the first ones that are asked for have one each, and all others share one.

use crate::{
    slots::intern::{self, MOST_PLACES},
    view::Location,
};
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

/// Rows of places, from 1 on: so many have one of their own. It is a static, and nothing but zeros until the first place is asked for.
pub(crate) struct Rows<const MOST: u8> {
    /// By their numbers in [`intern`]; 0 of one that was not asked for.
    row_of: [AtomicU8; MOST_PLACES + 1],
    places: Mutex<Places>,
    /// How many have none.
    without: AtomicUsize,
}

/// The places that have rows, in the rows' order.
struct Places {
    count: usize,
    numbers: [u32; u8::MAX as usize],
}

impl<const MOST: u8> Rows<MOST> {
    /// The row of all that have none of their own.
    const OTHERS: u8 = MOST + 1;

    #[expect(clippy::large_stack_arrays, reason = "it is a static, and this is evaluated when the crate is compiled")]
    pub(crate) const fn new() -> Self {
        let row_of = [const { AtomicU8::new(0) }; MOST_PLACES + 1];
        let places = Places { count: 0, numbers: [0; u8::MAX as usize] };
        Self { row_of, places: Mutex::new(places), without: AtomicUsize::new(0) }
    }

    /// The row of a place; 0 is the number of none.
    #[inline]
    pub(crate) fn of(&self, place: u32) -> u32 {
        match self.row_of.get(place as usize) {
            Some(row) if place != 0 => match row.load(Ordering::Relaxed) {
                0 => self.first(place, row),
                known => known.into(),
            },
            _ => Self::OTHERS.into(),
        }
    }

    #[cold]
    fn first(&self, place: u32, row: &AtomicU8) -> u32 {
        let mut places = self.places.lock();
        // Another thread may have been here before.
        if row.load(Ordering::Relaxed) == 0 {
            let count = places.count;
            if let Some(number) = places.numbers.get_mut(count).filter(|_| count < usize::from(MOST)) {
                *number = place;
                places.count += 1;
                row.store(places.count as u8, Ordering::Relaxed);
            } else {
                self.without.fetch_add(1, Ordering::Relaxed);
                row.store(Self::OTHERS, Ordering::Relaxed);
            }
        }
        row.load(Ordering::Relaxed).into()
    }

    /// The place of a row; `None` of the one for all others.
    pub(crate) fn place(&self, row: usize) -> Option<&'static Location> {
        let number = {
            let places = self.places.lock();
            *places.numbers[..places.count].get(row.checked_sub(1)?)?
        };
        intern::location(number)
    }

    /// How many places have no row of their own.
    pub(crate) fn without(&self) -> usize {
        self.without.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_places_have_rows_of_their_own_and_keep_them() {
        static ROWS: Rows<2> = Rows::new();
        assert_eq!([9, 7, 9, 5, 0, 5, 7].map(|place| ROWS.of(place)), [1, 2, 1, 3, 3, 3, 2]);
        assert_eq!(ROWS.without(), 1);
        assert!(ROWS.place(3).is_none() && ROWS.place(0).is_none());
    }
}
