//! The hot path: what happens on the service's own threads. No lock is held across a callback, nothing is allocated after a
//! task's first poll, and nothing grows without bound.
//!
//! It knows nothing of who reads what it writes.

mod arena;
mod attribute;
mod barrier;
mod bitmap;
pub(crate) mod callsite;
pub(crate) mod clock;
mod handed_over;
pub(crate) mod histogram;
#[cfg(tokio_unstable)]
pub(crate) mod hooks;
mod id;
mod intern;
mod life;
mod local;
mod locks;
mod op;
pub(crate) mod read;
mod resource;
mod spans;
mod stock;
pub(crate) mod subscriber;
mod sync;
mod task;
pub(crate) mod thread;
mod told;
mod trail;
pub(crate) mod view;
mod word;

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
