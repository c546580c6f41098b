//! Runtimes, by the handles that their tasks and threads lead to: how many tasks they have, what is queued where, the pool of threads
//! that may block.

use super::{timers, value::Value};
use crate::{Blocking, Flavor, Queued, Runtime, Worker};
use rustc_hash::FxHashMap;
use std::time::Duration;

/// A worker's queue has room for so many.
const LOCAL: u64 = 256;
/// More workers of one runtime are not looked at: what was taken for a runtime may say that it has any number.
const MOST_WORKERS: usize = 1024;
/// What says that it has more tasks is no runtime.
const MOST_TASKS: u64 = 1 << 32;
/// More queued tasks, of all runtimes together, are not followed.
const MOST: usize = 100_000;

/// Reads a runtime by its handle; `handle` is what an `Arc` of it leads to.
pub(crate) fn runtime(handle: Value<'_>, now: Duration) -> Option<Runtime> {
    let kind = handle.kind();
    let flavor = if kind.space.contains("current_thread") {
        Flavor::CurrentThread
    } else if kind.space.contains("multi_thread") {
        Flavor::MultiThread
    } else {
        return None;
    };
    let count = handle.find("tokio::runtime::task::list", "OwnedTasks")?.path(&["list", "count"])?.number()?;
    if count > MOST_TASKS {
        return None;
    }
    let workers = workers(handle, flavor);
    Some(Runtime {
        at: handle.at,
        flavor,
        tasks: count,
        injected: handle
            .find("tokio::runtime::scheduler::inject::shared", "Shared")
            .and_then(|queue| queue.path(&["len"])?.number()),
        blocking: blocking(handle, flavor, workers.len() as u64),
        workers,
        timer_lag: timers::lag(handle, now),
        driven: None,
        kept: false,
    })
}

fn workers(handle: Value<'_>, flavor: Flavor) -> Vec<Worker> {
    if flavor == Flavor::CurrentThread {
        return vec![Worker::default()];
    }
    let remotes = handle.path(&["shared", "remotes"]).and_then(Value::elements);
    let remotes = remotes.into_iter().flatten().take(MOST_WORKERS).enumerate();
    remotes
        .map(|(index, remote)| {
            let queue =
                remote.path(&["steal"]).and_then(local_queue).map(|(head, tail, _)| u64::from(tail.wrapping_sub(head)));
            Worker { index: index as u32, queue: queue.filter(|queued| *queued <= LOCAL), ..Worker::default() }
        })
        .collect()
}

/// The ends of a worker's own queue, and where its places are.
fn local_queue(steal: Value<'_>) -> Option<(u32, u32, Value<'_>)> {
    let queue = steal.target()?;
    // The lower half of the head is where it really begins; the upper one is a stealer's.
    let head = queue.path(&["head"])?.number()? as u32;
    let tail = queue.path(&["tail"])?.number()? as u32;
    Some((head, tail, queue.path(&["buffer"])?))
}

/// The pool, without the workers, which run on threads of it.
fn blocking(handle: Value<'_>, flavor: Flavor, workers: u64) -> Option<Blocking> {
    let workers = if flavor == Flavor::MultiThread { workers } else { 0 };
    let pool = handle.path(&["blocking_spawner"])?.target()?;
    let metrics = pool.find("tokio::runtime::blocking::pool", "SpawnerMetrics")?;
    let number = |name: &str| metrics.path(&[name])?.number();
    Some(Blocking {
        most: pool.having("thread_cap").and_then(Value::number).map(|most| most.saturating_sub(workers)),
        threads: number("num_threads")?.saturating_sub(workers),
        idle: number("num_idle_threads")?,
        queue: number("queue_depth")?,
    })
}

/// Where each task is queued on this runtime, by the address of its header.
pub(crate) fn queued(handle: Value<'_>, bytes: &dyn crate::bytes::Bytes, found: &mut FxHashMap<u64, Queued>) {
    let remotes = handle.path(&["shared", "remotes"]).and_then(Value::elements);
    for (index, remote) in remotes.into_iter().flatten().take(MOST_WORKERS).enumerate() {
        let Some((head, tail, buffer)) = remote.path(&["steal"]).and_then(local_queue) else { continue };
        // What has more than there is room for is no queue.
        if u64::from(tail.wrapping_sub(head)) > LOCAL {
            continue;
        }
        if found.len() >= MOST {
            break;
        }
        let Some(start) = bytes.word(buffer.at) else { continue };
        for place in 0..u64::from(tail.wrapping_sub(head)) {
            let slot = (u64::from(head) + place) % LOCAL;
            if let Some(header) = start.checked_add(slot * 8).and_then(|at| bytes.word(at)) {
                found.insert(header, Queued::Local(index as u32));
            }
        }
    }
    let shared = handle.find("tokio::runtime::scheduler::inject::synced", "Synced");
    let mut header = shared.and_then(|queue| bytes.word(queue.path(&["head"])?.at)).unwrap_or(0);
    while header != 0 && found.len() < MOST && found.insert(header, Queued::Injected).is_none() {
        header = header.checked_add(8).and_then(|at| bytes.word(at)).unwrap_or(0);
    }
}
