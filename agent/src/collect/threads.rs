//! Which thread polls which task since when: written by the thread itself at the edges of a poll, read by others at any time.
//!
//! | `edges` | `task`, `since` | by whom | how |
//! |---|---|---|---|
//! | even to odd | as before | the thread itself | release store |
//! | odd | are written | the same | release stores, so that who sees one sees that it is odd |
//! | odd to even | both new | the same | release store, so that who sees it sees both |
//!
//! A reader has both of one poll where it saw the same even number before and after (acquire loads). Nobody but the thread writes any of them.

use crate::clock::{self, Nanos};
use parking_lot::Mutex;
use std::{
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicU64, Ordering},
    },
    thread::ThreadId,
    time::Duration,
};

/// A thread on which at least one task was polled, or that is a worker of a multi-thread runtime.
#[derive(Debug)]
pub(crate) struct Thread {
    /// The system's id, as in `/proc/self/task`; 0 where there is none.
    pub(crate) tid: u32,
    /// The standard library's id: a runtime's metrics tell by it which thread is which worker.
    pub(crate) id: ThreadId,
    /// Its name, empty where it has none.
    pub(crate) name: Box<str>,
    /// Odd while `task` and `since` are written; grows with each edge.
    edges: AtomicU64,
    task: AtomicU64,
    since: AtomicU64,
    /// When somebody was woken on it outside of any poll, by the runtime; 0 for never.
    woke_outside: AtomicU64,
    /// What became of the service's panic hook, see [`PanicHook`]: 0, [`RUNS`], or when it was over.
    panic_hook: AtomicU64,
}

/// The service's panic hook runs.
const RUNS: u64 = u64::MAX;

/// Whether the service's panic hook runs on a thread. It belongs to no future: it may read debug information for a backtrace, and
/// wait for other threads that do the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PanicHook {
    /// Not for as long as the thread is known.
    Never,
    Runs,
    /// It was over then.
    Over(Nanos),
}

/// A poll that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Polling {
    /// The task's id in the console's format.
    pub(crate) task: u64,
    /// When the poll began.
    pub(crate) since: Nanos,
    /// Tells this poll from every other one of the thread.
    pub(crate) edge: u64,
}

impl Thread {
    /// The poll that this thread is in, as far as one can be seen: `None` when there is none, or when it changes at this
    /// very moment, which a stalled thread's does not.
    pub(crate) fn polling(&self) -> Option<Polling> {
        let edge = self.edges.load(Ordering::Acquire);
        let task = self.task.load(Ordering::Acquire);
        let since = self.since.load(Ordering::Acquire);
        let unchanged = edge.is_multiple_of(2) && self.edges.load(Ordering::Acquire) == edge;
        (unchanged && task != 0).then_some(())?;
        Some(Polling { task, since: Nanos::from_raw(since)?, edge })
    }

    /// When the runtime woke somebody on it, outside of any poll, for the last time.
    pub(crate) fn woke_outside(&self) -> Option<Nanos> {
        Nanos::from_raw(self.woke_outside.load(Ordering::Relaxed))
    }

    /// Notes, on the thread itself, that the runtime wakes somebody.
    #[inline]
    pub(crate) fn wakes_outside(&self, now: Nanos) {
        self.woke_outside.store(now.raw(), Ordering::Relaxed);
    }

    /// Whether the service's panic hook runs on it.
    pub(crate) fn panic_hook(&self) -> PanicHook {
        match self.panic_hook.load(Ordering::Acquire) {
            RUNS => PanicHook::Runs,
            over => Nanos::from_raw(over).map_or(PanicHook::Never, PanicHook::Over),
        }
    }

    /// Runs the service's panic hook, on the thread itself.
    pub(crate) fn run_panic_hook(&self, hook: impl FnOnce()) {
        self.panic_hook.store(RUNS, Ordering::Release);
        hook();
        self.panic_hook.store(clock::now().raw(), Ordering::Release);
    }

    /// Notes, on the thread itself, that it polls `task` from `now` on; 0 for none.
    pub(crate) fn set_polling(&self, task: u64, now: Nanos) {
        let edge = self.edges.load(Ordering::Relaxed);
        debug_assert!(edge.is_multiple_of(2), "a thread notes one poll while it notes another");
        self.edges.store(edge + 1, Ordering::Release);
        self.task.store(task, Ordering::Release);
        self.since.store(now.raw(), Ordering::Release);
        self.edges.store(edge + 2, Ordering::Release);
    }
}

static THREADS: Mutex<Vec<Weak<Thread>>> = Mutex::new(Vec::new());

/// Makes the calling thread known.
pub(crate) fn register() -> Arc<Thread> {
    let current = std::thread::current();
    let thread = Arc::new(Thread {
        tid: current_tid(),
        id: current.id(),
        name: current.name().unwrap_or_default().into(),
        edges: AtomicU64::new(0),
        task: AtomicU64::new(0),
        since: AtomicU64::new(0),
        woke_outside: AtomicU64::new(0),
        panic_hook: AtomicU64::new(0),
    });
    let mut threads = THREADS.lock();
    threads.retain(|thread| thread.strong_count() > 0);
    threads.push(Arc::downgrade(&thread));
    thread
}

/// The threads that are known and alive.
pub(crate) fn all() -> Vec<Arc<Thread>> {
    THREADS.lock().iter().filter_map(Weak::upgrade).collect()
}

static ON_RUNTIME: OnceLock<fn(&tokio::runtime::Handle)> = OnceLock::new();

/// Has `f` called with each runtime of the service as it is met: on the service's own threads, at least once for each
/// runtime, and at most once for each thread and `block_on`. Only the first call of this has an effect.
pub(crate) fn on_runtime(f: fn(&tokio::runtime::Handle)) {
    let _first_wins = ON_RUNTIME.set(f);
}

static ON_UNWINDING: OnceLock<fn(u64)> = OnceLock::new();

/// Has `f` called with each task whose poll is left by a panic, on its thread and while that unwinds. Only the first call of
/// this has an effect.
pub(crate) fn on_unwinding(f: fn(u64)) {
    let _first_wins = ON_UNWINDING.set(f);
}

/// A task's poll is left by a panic.
#[cold]
pub(crate) fn unwinds(task: u64) {
    if let Some(tell) = ON_UNWINDING.get() {
        tell(task);
    }
}

/// The number of a runtime, as tokio prints it; 0 where tokio does not tell.
pub(crate) fn runtime_number(handle: &tokio::runtime::Handle) -> u64 {
    #[cfg(tokio_unstable)]
    let number = handle.id().to_string().parse().unwrap_or(0);
    #[cfg(not(tokio_unstable))]
    let number = {
        let _ = handle;
        0
    };
    number
}

/// The number of the runtime that the calling thread works for; 0 for none.
#[cold]
pub(crate) fn current_runtime() -> u64 {
    let Ok(handle) = tokio::runtime::Handle::try_current() else { return 0 };
    if let Some(tell) = ON_RUNTIME.get() {
        tell(&handle);
    }
    runtime_number(&handle)
}

#[cfg(target_os = "linux")]
/// The system's number of the calling thread.
pub(crate) fn current_tid() -> u32 {
    // The function of this name is glibc's since 2.30 only.
    #[expect(unsafe_code, reason = "gettid has no safe wrapper in libc; it takes nothing and cannot fail")]
    let tid = unsafe { libc::syscall(libc::SYS_gettid) };
    tid as u32
}

#[cfg(not(target_os = "linux"))]
/// The system's number of the calling thread.
pub(crate) fn current_tid() -> u32 {
    0
}

/// How long a thread of this process has been on a processor; nothing where there is no such thread, or the system does not say.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(super) fn time_of(thread: u32) -> Duration {
    crate::capture::running::cpu_time(thread).unwrap_or_default()
}

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
pub(super) fn time_of(_thread: u32) -> Duration {
    Duration::ZERO
}
