//! Reads the state of a Tokio process out of its memory: every task and what it awaits, line by line; locks with holders and
//! waiters; runtimes, workers, threads. Nothing has to be built into the process, and nothing is stopped.
//!
//! Which way a datum goes, each layer knowing those before it alone:
//!
//! ```text
//! bytes     the memory of a live process, of a core file, of a grab, and what the kernel tells
//! debug     types, functions and lines of each object that is mapped
//! tokio     headers, vtables, lists, semaphores, channels, timers: what tokio's own structures say
//! future    from a task's future down to what it waits for
//! holders   who has what, counted before anybody is named
//! round     looks that follow one another: what changed, and what two looks agree on
//! thread    beside: threads, what they are to tokio, their stacks
//! values    beside: what a frame's variables are, when somebody asks for them
//! ```
//!
//! # What it reads
//!
//! Pages that are present, by `process_vm_readv`; `/proc/PID`; the files that are mapped, and their debug information.
//!
//! # What it never does
//!
//! It writes nothing, stops nothing and signals nothing, unless a stack of a running thread is asked for; it follows no pointer
//! without bounds; it names no layout that it does not know.
//!
//! In its own process it sees to `SIGBUS`, which the kernel sends where a file that it has mapped was cut short; one of other memory
//! goes on to whoever saw to it before.
//!
//! # What can be wrong
//!
//! The process runs while it is read. What was in motion is marked and not believed. A local that was dropped keeps its bytes: a
//! claim is a proof only where the counts close and nothing unread could say otherwise ([`Basis`]).

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub mod bytes;
mod data;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub mod debug;
pub mod ps;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub mod thread;

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod descriptors;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod finder;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod future;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod holders;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod objects;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod options;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod peers;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod reach;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod reader;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod resolve;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod roots;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod round;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod sleepers;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod things;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod tokio;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod values;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod words;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod workers;

pub use data::{
    Address, Basis, Blocking, Chain, Channel, Claim, ClaimKind, Copy, Cost, DEBUG_INFORMATION, Flavor, Frame,
    FrameKind, FrameValues, Grade, Holder, Interest, Job, LocalSet, Look, Owner, Place, Process, ProcessState, Queued,
    Reach, Role, Root, Runtime, Sleeps, SleepsFor, Socket, StackFrame, Task, TaskNumber, TaskState, Thing, ThingKind,
    Thread, Unread, Values, Variable, Wait, WaitOn, Waiter, Who, Worker,
};
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub use options::{Kept, Options};
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub use reader::{Reader, Stacks, Wants};
