//! A library with a thread-local variable too large for the room that the loader keeps for late libraries.

use std::cell::Cell;

thread_local! {
    static VERY_LARGE: Cell<[u64; 1000]> = const { Cell::new([9; 1000]) };
}

#[unsafe(no_mangle)]
pub extern "C" fn where_it_is() -> usize {
    VERY_LARGE.with(|large| large.as_ptr() as usize)
}
