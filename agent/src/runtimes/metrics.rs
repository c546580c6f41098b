//! What a runtime tells of itself, read at one moment. Tokio's metrics are atomics, and a worker's thread a lock that is held
//! for one store: reading them makes nobody wait.
//!
//! Most of it exists only under `--cfg tokio_unstable`, without which the agent refuses to start: the other half of this file
//! is there so that a service built without the flag still compiles, and is told so.

use crate::runtimes::Runtime;
use std::{thread::ThreadId, time::Duration};

/// A runtime at one moment. Counters are totals since it started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Whole {
    pub(crate) alive_tasks: u64,
    /// As the other counters, since it started.
    pub(crate) spawned_tasks: u64,
    pub(crate) global_queue_depth: u64,
    pub(crate) blocking_threads: u64,
    pub(crate) idle_blocking_threads: u64,
    pub(crate) blocking_queue_depth: u64,
    pub(crate) io_registered: u64,
    /// Registrations that ever were: it has an I/O driver when there are some.
    pub(crate) io_registrations: u64,
    pub(crate) io_ready: u64,
    pub(crate) remote_schedules: u64,
    pub(crate) budget_yields: u64,
}

/// A worker at one moment. Counters are totals since the runtime started, as of when the worker last published them: before
/// it parked, or after some tens of polls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Worker {
    /// Time between two parks, up to the last end of one.
    pub(crate) busy: Duration,
    /// Odd while parked.
    pub(crate) parks_and_unparks: u64,
    pub(crate) queue_depth: u64,
    pub(crate) polls: u64,
    pub(crate) parks: u64,
    pub(crate) steals: u64,
    pub(crate) steal_operations: u64,
    pub(crate) overflows: u64,
    pub(crate) local_schedules: u64,
    pub(crate) noops: u64,
}

/// How many workers it has, for its whole life.
pub(super) fn workers(runtime: &Runtime) -> u32 {
    u32::try_from(runtime.metrics.num_workers()).unwrap_or(u32::MAX)
}

#[cfg(tokio_unstable)]
pub(super) fn thread(runtime: &Runtime, index: u32) -> Option<ThreadId> {
    runtime.metrics.worker_thread_id(index as usize)
}

#[cfg(not(tokio_unstable))]
pub(super) fn thread(_runtime: &Runtime, _index: u32) -> Option<ThreadId> {
    None
}

#[cfg(tokio_unstable)]
pub(super) fn whole(runtime: &Runtime) -> Whole {
    let metrics = &runtime.metrics;
    let registrations = metrics.io_driver_fd_registered_count();
    Whole {
        alive_tasks: metrics.num_alive_tasks() as u64,
        spawned_tasks: metrics.spawned_tasks_count(),
        global_queue_depth: metrics.global_queue_depth() as u64,
        blocking_threads: metrics.num_blocking_threads() as u64,
        idle_blocking_threads: metrics.num_idle_blocking_threads() as u64,
        blocking_queue_depth: metrics.blocking_queue_depth() as u64,
        io_registered: registrations.saturating_sub(metrics.io_driver_fd_deregistered_count()),
        io_registrations: registrations,
        io_ready: metrics.io_driver_ready_count(),
        remote_schedules: metrics.remote_schedule_count(),
        budget_yields: metrics.budget_forced_yield_count(),
    }
}

#[cfg(not(tokio_unstable))]
pub(super) fn whole(runtime: &Runtime) -> Whole {
    Whole {
        alive_tasks: runtime.metrics.num_alive_tasks() as u64,
        global_queue_depth: runtime.metrics.global_queue_depth() as u64,
        ..Whole::default()
    }
}

#[cfg(tokio_unstable)]
pub(super) fn worker(runtime: &Runtime, index: u32) -> Worker {
    let (metrics, index) = (&runtime.metrics, index as usize);
    Worker {
        busy: metrics.worker_total_busy_duration(index),
        parks_and_unparks: metrics.worker_park_unpark_count(index),
        queue_depth: metrics.worker_local_queue_depth(index) as u64,
        polls: metrics.worker_poll_count(index),
        parks: metrics.worker_park_count(index),
        steals: metrics.worker_steal_count(index),
        steal_operations: metrics.worker_steal_operations(index),
        overflows: metrics.worker_overflow_count(index),
        local_schedules: metrics.worker_local_schedule_count(index),
        noops: metrics.worker_noop_count(index),
    }
}

#[cfg(not(tokio_unstable))]
pub(super) fn worker(runtime: &Runtime, index: u32) -> Worker {
    let (metrics, index) = (&runtime.metrics, index as usize);
    Worker {
        busy: metrics.worker_total_busy_duration(index),
        parks_and_unparks: metrics.worker_park_unpark_count(index),
        parks: metrics.worker_park_count(index),
        ..Worker::default()
    }
}
