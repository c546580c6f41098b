//! How much memory what is collected may take. Whoever makes more of it asks here first; there is no more where it is refused, and that is counted
//! where it is noticed.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that are promised to nobody.
static LEFT: AtomicUsize = AtomicUsize::new(usize::MAX);

/// Bounds what may be made from now on.
pub(crate) fn set(bytes: usize) {
    LEFT.store(bytes, Ordering::Relaxed);
}

/// Whether so much would be given.
pub(crate) fn has(bytes: usize) -> bool {
    LEFT.load(Ordering::Relaxed) >= bytes
}

/// Takes so much, for good: what is collected is used again, and never given back. Whether there was as much.
pub(crate) fn take(bytes: usize) -> bool {
    LEFT.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes)).is_ok()
}

/// Takes so much even where there is less: what comes with something that was given room is not refused it.
pub(crate) fn charge(bytes: usize) {
    let less = |left: usize| Some(left.saturating_sub(bytes));
    // It has a new value for each.
    let _ = LEFT.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
}
