//! A plain OS thread that notices stalls; it works when every worker is blocked.
//!
//! It looks at which thread polls what since when ([`collect::threads`](crate::collect::threads)): once in half the threshold, and
//! every 25 ms while there is something to see, so that a stall is noticed at most 25 ms late. A poll that has lasted longer than the threshold, on a thread that is a worker, becomes a [`Stall`](record::Stall): `kernel` says why it lasts, `capture_queue` has
//! the stack captured, and `record` keeps what is known for whoever serves it. What all workers do now is captured in a `round` where somebody asks
//! for that: the thread that watches is the only one that interrupts others. It knows nothing of how runtimes are asked which
//! thread is which worker, nor of any wire format. No thread of the service ever waits for it.

mod capture_queue;
pub(crate) mod cause;
mod kernel;
pub(crate) mod limits;
pub(crate) mod record;
pub(crate) mod round;
#[cfg(target_os = "linux")]
mod syscalls;
#[cfg(all(test, target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod tests;
mod watch;
pub(crate) mod watchdog;
mod whose;

use std::{thread::ThreadId, time::Duration};

/// What a thread is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// A worker: nobody else polls the tasks of its queue. A current-thread runtime has one, of index 0.
    Worker {
        /// Tokio's own number of the runtime.
        runtime: u64,
        index: u32,
        /// Tasks in its own queue, now.
        queued: u64,
    },
    /// No worker of any runtime that is known: it runs a blocking job, handed its worker over by `block_in_place`, or drives
    /// the root future of a multi-thread runtime.
    Other,
}

/// Tells what a thread is for. Asked only of threads in a poll that lasts, so it may take its time, but no lock that a thread
/// of the service holds for long.
pub(crate) type Roles = Box<dyn FnMut(ThreadId) -> Role + Send>;

/// Which stacks are captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Stacks {
    /// Of threads that sleep, and of threads that run, which are interrupted by a signal.
    All,
    /// Of threads that sleep: nothing is interrupted.
    Asleep,
    /// None.
    Off,
}

/// What can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settings {
    /// How long a poll may last.
    pub(crate) threshold: Duration,
    pub(crate) stacks: Stacks,
}

impl Default for Settings {
    fn default() -> Self {
        Self { threshold: Duration::from_millis(100), stacks: Stacks::All }
    }
}
