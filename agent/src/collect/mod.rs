//! The hot path: what happens on the service's own threads. No lock is held across a callback, nothing is allocated after a
//! task's first poll, and nothing grows without bound.
//!
//! It knows nothing of who reads what it writes.

pub(crate) mod clock;
pub(crate) mod thread;
