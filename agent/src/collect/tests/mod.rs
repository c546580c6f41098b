//! Collecting, from real runtimes. The subscriber is the process's, as in a service.

mod delivery;
mod keeping;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod lock_sites;
mod locks;
mod permits;
mod random;
mod tasks;
mod woken_by;

use crate::{
    collect::{self, Detail, resource, subscriber::Subscriber, thread_state},
    read::changes,
    slots::id::Kind,
    view::*,
};
use std::sync::OnceLock;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Mutex, RwLock};

/// A runtime that polls one task at a time, watched.
fn current_thread() -> Runtime {
    watch();
    Builder::new_current_thread().enable_all().build().expect("a runtime is made")
}

/// A runtime with some workers, watched.
fn multi_thread(workers: usize) -> Runtime {
    watch();
    Builder::new_multi_thread().worker_threads(workers).enable_all().build().expect("a runtime is made")
}

/// Has everything collected from here on.
pub(crate) fn watch() {
    static SUBSCRIBED: OnceLock<()> = OnceLock::new();
    SUBSCRIBED.get_or_init(|| {
        collect::begin();
        let subscriber = Subscriber::new(tracing_subscriber::registry(), Detail::Full);
        let dispatch = tracing::Dispatch::new(subscriber);
        tracing::dispatcher::set_global_default(dispatch).expect("nothing else in these tests sets one");
    });
}

/// The task that runs this.
fn me() -> u64 {
    thread_state::with(|local| local.innermost(Kind::Task))
}

/// The resource whose handle this thread cloned last.
fn cloned_last() -> u64 {
    thread_state::with(|local| resource::first_handle(local.just_cloned.get()))
}

/// The resource id of a mutex that is free: found by acquiring it once.
fn id_of<T>(mutex: &Mutex<T>) -> u64 {
    drop(mutex.try_lock().expect("it is free"));
    cloned_last()
}

/// The resource id of a lock that is free: found by acquiring it once.
fn id_of_rw<T>(lock: &RwLock<T>) -> u64 {
    drop(lock.try_read().expect("it is free"));
    cloned_last()
}

fn lock(id: u64) -> LockView {
    changes::lock(id).expect("the lock is known")
}

/// Who holds a lock, and how.
fn holders(id: u64) -> Vec<(Owner, Access)> {
    lock(id).holders.into_iter().map(|holder| (holder.owner, holder.access)).collect()
}

/// Who waits for a lock, in order, and how.
fn waiters(id: u64) -> Vec<(u64, Access)> {
    lock(id).waiters.into_iter().map(|waiter| (waiter.task, waiter.access)).collect()
}

fn alone(task: u64) -> Vec<(Owner, Access)> {
    vec![(Owner::Task(task), Access::Exclusive)]
}

fn shared(tasks: &[u64]) -> Vec<(Owner, Access)> {
    tasks.iter().map(|task| (Owner::Task(*task), Access::Shared)).collect()
}
