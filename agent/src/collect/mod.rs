//! The hot path: what happens on the service's own threads. No lock is held across a callback, nothing is allocated after a
//! task's first poll but what a thread counts in that never polled a task of its spawn location before, and nothing grows without bound.
//!
//! It knows nothing of who reads what it writes. What it relies on is numbered in [`crate::slots`].

mod attribute;
pub(crate) mod callsite;
pub(crate) mod gone_locks;
mod handles;
#[cfg(all(tokio_unstable, feature = "schedule-latency"))]
pub(crate) mod hooks;
mod keyed;
mod lock_sites;
pub(crate) mod lock_state;
mod locks;
pub(crate) mod op;
mod permits;
pub(crate) mod polled_runtimes;
pub(crate) mod redaction;
pub(crate) mod resource;
mod rows;
pub(crate) mod spans;
pub(crate) mod spans_alone;
pub(crate) mod subscriber;
pub(crate) mod task;
pub(crate) mod tested;
pub(crate) mod thread_state;
pub(crate) mod threads;

use std::sync::atomic::{AtomicBool, Ordering};

/// How much is collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Detail {
    /// All that the runtime tells.
    Full,
    /// Polls of tasks and locks, without wakers and other resources.
    Lean,
    /// Nothing: what the service's own subscriber sees is what it would see without the agent.
    Off,
}

/// Whether the agent has begun.
static BEGUN: AtomicBool = AtomicBool::new(false);

/// From here on tokio is asked to tell what it does. A subscriber that the service itself installs before says that it wants what the service's own
/// does: what is set by that as it is installed, as the level of `log` is, is then what it is without the agent.
pub(crate) fn begin() {
    BEGUN.store(true, Ordering::Release);
    callsite::ask_again();
}

/// Whether tokio is asked.
fn has_begun() -> bool {
    BEGUN.load(Ordering::Acquire)
}

/// Whether the agent has ended.
static ENDED: AtomicBool = AtomicBool::new(false);

/// From here on everything is passed on, nothing is noted, and tokio's callsites are dead, so that they cost what they cost where nobody
/// listens.
pub(crate) fn end() {
    pass_on();
    callsite::ask_again();
}

/// The same, but for the callsites: a store, and nothing else.
pub(crate) fn pass_on() {
    ENDED.store(true, Ordering::Release);
}

/// Whether nothing is collected any more.
#[inline]
pub(crate) fn has_ended() -> bool {
    ENDED.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests;
