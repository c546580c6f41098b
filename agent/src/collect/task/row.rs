//! Spawn locations as rows, in which the lengths of their tasks' polls and waits are counted. The first two hundred have a row each, in the order in
//! which tasks are first spawned there; all others have one together.

use crate::{collect::rows::Rows, slots::doublings::ROWS, view::Location};

static LOCATIONS: Rows<{ ROWS as u8 - 1 }> = Rows::new();

/// The row of all tasks whose location has none, or is not known.
pub(crate) const OTHERS: u32 = ROWS as u32;

/// What is no row: what is never counted.
pub(crate) const NOWHERE: u32 = OTHERS + 1;

/// The row of the tasks that are spawned at a location; 0 is the number of none.
#[inline]
pub(crate) fn of(location: u32) -> u32 {
    LOCATIONS.of(location)
}

/// The location of a row; `None` of the one for all others.
pub(crate) fn location(row: usize) -> Option<&'static Location> {
    LOCATIONS.place(row)
}

/// How many locations have no row.
pub(crate) fn without() -> usize {
    LOCATIONS.without()
}

/// The same in a sentence; `None` where all have one.
pub(crate) fn limitation() -> Option<String> {
    let without = without();
    (without > 0).then(|| {
        let most = ROWS - 1;
        format!(
            "how long polls took is told apart for {most} spawn locations: tasks of {without} more are counted together"
        )
    })
}
