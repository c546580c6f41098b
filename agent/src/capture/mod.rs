//! Stacks of threads of this process: registers and memory are copied, of a thread that sleeps, runs or asks for it itself, into
//! memory made beforehand.
//!
//! Only copying has to be done while the thread is where it is. What unwinds and names a copy, the crate `stack`, is slow the
//! first time, and is done on a thread of its own, [`worker`]. This room knows nothing of tasks, runtimes and stalls.

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(crate) mod buffer;
pub(crate) mod current_thread;
pub(crate) mod rate;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(crate) mod running;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(crate) mod sleeping;
#[cfg(all(test, target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod stress;
#[cfg(all(test, target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(crate) mod tests;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(crate) mod worker;

use crate::clock::Nanos;
use holdup_stack::frame::Frame;
use std::sync::Arc;

/// A stack, innermost frame first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stack {
    pub(crate) frames: Vec<Frame>,
    /// Parts of it were guessed.
    pub(crate) approximate: bool,
    /// When it was captured.
    pub(crate) captured_at: Nanos,
    /// The build id of the executable; empty where there is none.
    pub(crate) executable: Arc<[u8]>,
    /// Why there are no frames, or not all of them, in words; empty when nothing is missing.
    pub(crate) limitation: String,
}

impl Stack {
    /// A stack that could not be had.
    pub(crate) fn none(captured_at: Nanos, limitation: impl Into<String>) -> Self {
        let limitation = limitation.into();
        Self { frames: Vec::new(), approximate: false, captured_at, executable: Arc::default(), limitation }
    }
}
