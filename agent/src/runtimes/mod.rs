//! The runtimes of this process that are known: told by the service, found when the agent starts, or met by a thread that
//! polls a task of theirs.
//!
//! A handle keeps the memory of its runtime alive, and tokio has no weak one: so a runtime that shows no sign of life is let
//! go here, and met again should it have been asleep only. It never makes a thread of the service wait: the one lock is held
//! for as long as it takes to copy a list of pointers.

mod busy;
mod driver;
mod gaps;
mod metrics;
mod processor;
pub(crate) mod sample;
mod turns;
pub(crate) mod verdict;

use crate::{clock::Nanos, collect::threads::runtime_number as number, standstills};
use parking_lot::Mutex;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::ThreadId,
    time::Duration,
};
use tokio::runtime::{Handle, RuntimeFlavor, RuntimeMetrics};

/// Names that are remembered for runtimes which are not known at the moment.
const MOST_NAMES: usize = 256;

/// Runtimes that are known at once: each keeps the memory and the file descriptors of its runtime alive. A service that makes
/// one for each request must not run out of them because it is watched.
const MOST_KNOWN: usize = 64;

/// How many there may be before those that nobody blocks on are let go early.
const MANY_KNOWN: usize = 16;

/// A runtime of the service.
#[derive(Debug)]
pub(crate) struct Runtime {
    /// Tokio's number of it, unique in the process.
    pub(crate) id: u64,
    /// What the service calls it, empty where it does not.
    pub(crate) name: Box<str>,
    pub(crate) flavor: Flavor,
    metrics: RuntimeMetrics,
}

impl Runtime {
    /// What it is called, or else its number in words.
    pub(crate) fn label(&self) -> String {
        if self.name.is_empty() { format!("runtime {}", self.id) } else { self.name.to_string() }
    }
}

/// How a runtime spreads its tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavor {
    CurrentThread,
    MultiThread,
}

/// A worker by its place in its runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct WorkerId {
    pub(crate) runtime: u64,
    pub(crate) index: u32,
}

#[derive(Debug)]
struct Registry {
    known: Vec<Arc<Runtime>>,
    /// Names that the service gave, also of runtimes that were let go.
    names: Vec<(u64, Box<str>)>,
}

static NOT_KNOWN: AtomicU64 = AtomicU64::new(0);

static REGISTRY: Mutex<Registry> = Mutex::new(Registry { known: Vec::new(), names: Vec::new() });

/// Makes a runtime known, under a name that the service gave it here.
pub(crate) fn name(name: &str, handle: &Handle) {
    let id = number(handle);
    {
        let mut registry = REGISTRY.lock();
        registry.names.retain(|(known, _)| *known != id);
        if registry.names.len() == MOST_NAMES {
            registry.names.remove(0);
        }
        registry.names.push((id, name.into()));
        registry.known.retain(|runtime| runtime.id != id);
    }
    meet(handle);
}

/// Makes a runtime known if it is not. Cheap when it is; to be called by a thread that begins to poll for it.
pub(crate) fn meet(handle: &Handle) {
    let id = number(handle);
    let mut forgotten = Vec::new();
    let mut registry = REGISTRY.lock();
    if registry.known.iter().any(|runtime| runtime.id == id) {
        return;
    }
    if registry.known.len() >= MANY_KNOWN {
        forgotten = registry.known.extract_if(.., |runtime| is_unused(runtime)).collect();
    }
    if registry.known.len() >= MOST_KNOWN {
        NOT_KNOWN.fetch_add(1, Ordering::Relaxed);
        return;
    }
    let given = registry.names.iter().find(|(known, _)| *known == id).map(|(_, name)| name.clone());
    let name = given.or_else(|| built_name(handle)).unwrap_or_default();
    let flavor = match handle.runtime_flavor() {
        RuntimeFlavor::CurrentThread => Flavor::CurrentThread,
        _ => Flavor::MultiThread,
    };
    registry.known.push(Arc::new(Runtime { id, name, flavor, metrics: handle.metrics() }));
    drop(registry);
    // What is freed with the last handle is not freed under the lock.
    drop(forgotten);
}

/// The name that a runtime was built with.
#[cfg(feature = "schedule-latency")]
fn built_name(handle: &Handle) -> Option<Box<str>> {
    handle.name().map(Into::into)
}

/// The name that a runtime was built with, which tokio does not tell before 1.52.
#[cfg(not(feature = "schedule-latency"))]
fn built_name(_: &Handle) -> Option<Box<str>> {
    None
}

/// Lets go of all of them.
pub(crate) fn end() {
    let known = std::mem::take(&mut REGISTRY.lock().known);
    drop(known);
}

/// Whether nobody blocks on a current-thread runtime, and it has no tasks: it is met again when somebody does.
fn is_unused(runtime: &Runtime) -> bool {
    runtime.flavor == Flavor::CurrentThread
        && metrics::whole(runtime).alive_tasks == 0
        && metrics::worker(runtime, 0).parks_and_unparks.is_multiple_of(2)
}

/// One that is known now.
fn known_by(id: u64) -> Option<Arc<Runtime>> {
    REGISTRY.lock().known.iter().find(|runtime| runtime.id == id).cloned()
}

/// What a runtime is called, or else its number in words.
pub(crate) fn label(id: u64) -> String {
    known_by(id).map_or_else(|| format!("runtime {id}"), |runtime| runtime.label())
}

/// How many workers a runtime has; `None` where it is not known.
pub(crate) fn workers(id: u64) -> Option<u32> {
    known_by(id).map(|runtime| metrics::workers(&runtime))
}

/// Runtimes for which there was no room.
pub(crate) fn not_known() -> u64 {
    NOT_KNOWN.load(Ordering::Relaxed)
}

/// The runtimes that are known now.
pub(crate) fn known() -> Vec<Arc<Runtime>> {
    REGISTRY.lock().known.clone()
}

/// Tasks that live, as the runtimes that are known count them.
pub(crate) fn alive_tasks() -> u64 {
    known().iter().map(|runtime| metrics::whole(runtime).alive_tasks).sum()
}

/// Lets go of a runtime.
fn forget(id: u64) {
    // The handle may be the last one, and what is then freed is the runtime's: not under the lock.
    let forgotten = {
        let mut registry = REGISTRY.lock();
        let at = registry.known.iter().position(|runtime| runtime.id == id);
        at.map(|at| registry.known.swap_remove(at))
    };
    drop(forgotten);
}

/// The worker that this thread is at the moment; `None` for every other thread, and for one that has handed its worker on
/// by `block_in_place`.
pub(crate) fn worker(thread: ThreadId) -> Option<WorkerId> {
    known().iter().find_map(|runtime| {
        let index = (0..metrics::workers(runtime)).find(|index| metrics::thread(runtime, *index) == Some(thread))?;
        Some(WorkerId { runtime: runtime.id, index })
    })
}

/// Tasks that wait in the worker's own queue.
pub(crate) fn queued(worker: WorkerId) -> u64 {
    let known = known();
    let runtime = known.iter().find(|runtime| runtime.id == worker.runtime);
    runtime.map_or(0, |runtime| metrics::worker(runtime, worker.index).queue_depth)
}

/// How long something must have lasted to be said: a moment of it is no fault.
#[derive(Debug, Clone, Copy)]
struct Lasting {
    threshold: Duration,
    now: Nanos,
}

impl Lasting {
    fn since(self, since: Nanos) -> bool {
        standstills::lasted(since, self.now) >= self.threshold
    }
}
