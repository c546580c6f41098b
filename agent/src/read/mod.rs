//! Copies of what is collected, made at the moment of asking, for whoever serves it: reading makes no thread of the service wait.
//!
//! It knows how a slot is laid out, and nothing of who asks. No slot is read here without a [`Round`](crate::slots::round::Round).

pub(crate) mod changes;
pub(crate) mod lock;
pub(crate) mod spans;
pub(crate) mod spawn_times;
pub(crate) mod task;
#[cfg(feature = "metrics")]
pub(crate) mod totals;
