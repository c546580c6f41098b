//! The Tokio processes of this machine, quickly: by what stands in their executables and libraries. Of their memory only so much is
//! looked at as it takes to count tasks, and that within a bound.
//!
//! Which files have tokio in them is kept by device, inode and time of change, so that a second list costs little.

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod contents;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod ports;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod scan;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod tasks;

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub use scan::Lister;

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(crate) use contents::version_in;

use crate::Grade;

/// The Tokio processes that were found, and what could not be looked at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// By id.
    pub processes: Vec<Listed>,
    /// How many others may not be looked at, by the reason.
    pub hidden: Vec<(String, usize)>,
}

/// A process with tokio in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub pid: u32,
    /// Its name.
    pub name: String,
    /// Its user, by name, or by number where there is no name.
    pub user: String,
    /// Its executable's path, as the process sees it.
    pub executable: String,
    /// The objects with tokio in them.
    pub copies: Vec<ListedCopy>,
    /// Threads.
    pub threads: usize,
    /// Threads that bear the names that tokio gives to those of a runtime, those of its blocking pool among them. `None` where none
    /// does: the program names them itself, or its runtimes have no threads of their own.
    pub workers: Option<usize>,
    /// Tasks in the lists of its runtimes; else why they were not counted, in words.
    pub tasks: Result<u64, String>,
    /// Where it is instrumented.
    pub ports: Vec<Port>,
    /// Where it listens: `127.0.0.1:6669`, `/run/orders.sock`.
    pub listens: Vec<String>,
    /// Why its memory may not be read, and what to type; `None` where it may.
    pub refused: Option<String>,
}

/// Where a process is instrumented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// By what.
    pub what: Instrumentation,
    /// Its address, where that was found.
    pub at: Option<String>,
}

/// What a process may be instrumented by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instrumentation {
    /// holdup's agent.
    Agent,
    /// console-subscriber.
    Console,
}

/// A copy of tokio in an object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListedCopy {
    /// The object's path, as the process sees it.
    pub object: String,
    /// Tokio's version, where the object tells it.
    pub version: Option<String>,
    /// What its debug information gives, by the sections that it has.
    pub grade: Grade,
    /// Where more of it may be: `split` for files of its own (`.dwp`, `.dwo`), else the name of a file that the object gives.
    pub elsewhere: Option<String>,
}

/// Lists processes.
///
/// # Errors
///
/// On systems that this is not written for, in words.
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
pub fn list() -> Result<Listing, String> {
    Err("processes can be read on Linux alone, on x86-64 and aarch64".into())
}

/// Lists processes.
///
/// # Errors
///
/// Where `/proc` cannot be read, in words.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub fn list() -> Result<Listing, String> {
    Lister::default().list()
}
