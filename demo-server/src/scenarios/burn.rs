//! Keeping a processor busy, for the scenarios that are about just that.

use std::{
    hint::spin_loop,
    thread,
    time::{Duration, Instant},
};

/// Spins for this long. Measured on the wall, so that a busy machine does not make it longer.
pub(super) fn burn(duration: Duration) {
    let start = Instant::now();
    while start.elapsed() < duration {
        spin_loop();
    }
}

/// Spins and never returns, with naps in between: a worker is gone all the same, but only a fifth of a processor is, so
/// that a small machine stays usable and no other task has to wait for one.
pub(super) fn burn_for_ever() -> ! {
    loop {
        burn(Duration::from_millis(2));
        thread::sleep(Duration::from_millis(8));
    }
}
