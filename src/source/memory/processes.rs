//! What can be asked of this machine beside looks: which processes run on Tokio, and a grab of one.

use std::{path::Path, time::Duration};

/// A grab is at most so large unless it is told otherwise.
pub const GRAB_MOST: u64 = 4 << 30;

/// The Tokio processes of this machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Processes {
    /// By id.
    pub found: Vec<Listed>,
    /// How many others may not be looked at, by the reason.
    pub hidden: Vec<(String, usize)>,
}

/// A process that runs on Tokio.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listed {
    /// Its id.
    pub pid: u32,
    /// Its name.
    pub name: String,
    /// Its user.
    pub user: String,
    /// Its executable's path.
    pub executable: String,
    /// The versions of tokio that are in it, as far as they are told.
    pub tokio: Vec<String>,
    /// What its debug information gives, in one word.
    pub grade: &'static str,
    /// Where more of it may be.
    pub elsewhere: Option<String>,
    /// Threads that bear the names that tokio gives to those of a runtime; `None` where none does.
    pub workers: Option<usize>,
    /// Tasks, where they were counted.
    pub tasks: Option<u64>,
    /// Why they were not.
    pub uncounted: Option<String>,
    /// Where it is instrumented: by `agent` or `console`, and the address, where that was found.
    pub ports: Vec<(&'static str, Option<String>)>,
    /// Where it listens.
    pub listens: Vec<String>,
    /// Why its memory may not be read, and what to type.
    pub refused: Option<String>,
}

/// Lists them.
///
/// # Errors
///
/// Where that cannot be told here, in words.
pub fn processes() -> Result<Processes, String> {
    let listing = holdup_memory::ps::list()?;
    let listed = |process: holdup_memory::ps::Listed| {
        let best = process.copies.iter().max_by_key(|copy| copy.grade);
        Listed {
            grade: super::convert::grade(best.map(|copy| copy.grade).unwrap_or_default()).name(),
            elsewhere: best.and_then(|copy| copy.elsewhere.clone()),
            tokio: process.copies.iter().filter_map(|copy| copy.version.clone()).collect(),
            pid: process.pid,
            name: process.name,
            user: process.user,
            executable: process.executable,
            workers: process.workers,
            tasks: process.tasks.as_ref().ok().copied(),
            uncounted: process.tasks.err(),
            ports: process.ports.into_iter().map(|port| (instrumentation(port.what), port.at)).collect(),
            listens: process.listens,
            refused: process.refused,
        }
    };
    Ok(Processes { found: listing.processes.into_iter().map(listed).collect(), hidden: listing.hidden })
}

fn instrumentation(what: holdup_memory::ps::Instrumentation) -> &'static str {
    match what {
        holdup_memory::ps::Instrumentation::Agent => "agent",
        holdup_memory::ps::Instrumentation::Console => "console",
    }
}

/// The only process of this machine that is called so.
///
/// # Errors
///
/// Where there is none, or more than one, in words.
pub fn process_called(name: &str) -> Result<u32, String> {
    super::names::find(name).map_err(|failure| failure.to_string())
}

/// What became of a grab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grabbed {
    /// Bytes of memory in it.
    pub memory: u64,
    /// Threads.
    pub threads: usize,
    /// What was left out, in words.
    pub left_out: Vec<String>,
    /// What it took.
    pub took: Duration,
}

/// Writes a grab of a process to a file, which is there as a whole or not at all.
///
/// # Errors
///
/// Where the process may not be read or has ended, or the file cannot be written, in words.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub fn grab(pid: u32, to: &Path, most: u64) -> Result<Grabbed, String> {
    let words = |error: holdup_memory::bytes::Error| error.to_string();
    let process = holdup_memory::bytes::Live::open(pid).map_err(words)?;
    let grabbed = holdup_memory::bytes::grab::grab(&process, to, most).map_err(words)?;
    let holdup_memory::bytes::grab::Grabbed { memory, threads, left_out, took, .. } = grabbed;
    Ok(Grabbed { memory, threads, left_out, took })
}

/// Writes a grab of a process to a file.
///
/// # Errors
///
/// Always: nobody can, here.
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
pub fn grab(_: u32, _: &Path, _: u64) -> Result<Grabbed, String> {
    Err("a process's memory is read on Linux alone, on x86_64 and aarch64".into())
}

/// What a layout came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Types that were kept.
    pub types: usize,
    /// Bytes of the file.
    pub bytes: u64,
}

/// Makes a layout of an executable's debug information.
///
/// # Errors
///
/// Where it has none, or the file cannot be written, in words.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub fn layout(executable: &Path, to: &Path) -> Result<Layout, String> {
    let written = holdup_memory::debug::Debug::open(executable)?.write_layout(to)?;
    Ok(Layout { types: written.types, bytes: written.bytes })
}

/// Makes a layout of an executable's debug information.
///
/// # Errors
///
/// Always: nobody can, here.
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
pub fn layout(_: &Path, _: &Path) -> Result<Layout, String> {
    Err("layouts are made on Linux alone, on x86_64 and aarch64".into())
}

/// Waits until what was read of gigabytes of debug information is kept for the next look, or for so long.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub fn wait_for_layouts(most: Duration) -> bool {
    holdup_memory::debug::wait_for_layouts(most)
}

/// Nothing is read here, and nothing kept.
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
pub fn wait_for_layouts(_: Duration) -> bool {
    true
}
