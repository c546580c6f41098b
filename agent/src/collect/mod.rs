//! The hot path: what happens on the service's own threads. No lock is held across a callback, nothing is allocated after a
//! task's first poll, and nothing grows without bound.
//!
//! It knows nothing of who reads what it writes.

mod attribute;
pub(crate) mod callsite;
#[cfg(tokio_unstable)]
pub(crate) mod hooks;
mod lock_sites;
pub(crate) mod lock_state;
mod locks;
pub(crate) mod op;
mod permits;
pub(crate) mod redaction;
pub(crate) mod resource;
pub(crate) mod spans;
pub(crate) mod subscriber;
pub(crate) mod task;
pub(crate) mod thread_state;
pub(crate) mod threads;

/// How much is collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Detail {
    /// All that the runtime tells.
    Full,
    /// Polls of tasks and locks, without wakers and other resources.
    Lean,
}

#[cfg(test)]
mod tests;
