//! Several runtimes of each kind, local sets, jobs, and roots of `block_on`.

use super::{LONG, asleep, rest, settle, threads};
use crate::{
    frame,
    truth::{self, fact, of},
    wait,
};
use std::sync::Arc;
use tokio::{
    runtime::{Builder, Runtime},
    sync::{Mutex, Notify},
    task::{LocalSet, spawn_local},
};

pub fn run() {
    std::thread::spawn(current_thread);
    std::thread::spawn(local_set);
    std::thread::spawn(local_set_in_a_task);
    std::thread::spawn(set_within_a_set);
    driven_by_another();
    let undriven = undriven();
    let runtime = threads(3);
    for n in 0..3 {
        runtime.spawn(asleep(n));
    }
    let pool = jobs();
    let lock: Arc<Mutex<u64>> = Arc::default();
    runtime.spawn(in_place(lock.clone()));
    runtime.block_on(root(lock));
    drop((undriven, pool));
}

async fn root(lock: Arc<Mutex<u64>>) {
    let mut at = frame!();
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    tokio::spawn(wants(lock));
    wait!(at);
    settle().await;
    wait!(at);
    rest().await;
}

async fn wants(lock: Arc<Mutex<u64>>) {
    let mut at = frame!();
    wait!(at, of("mutex", &*lock));
    *lock.lock().await += 1;
}

/// Has a lock while its worker's thread is in a call that blocks.
async fn in_place(lock: Arc<Mutex<u64>>) {
    let guard = lock.lock().await;
    let _has = truth::hold(of("mutex", &*lock), "guard");
    if let truth::Who::Task(number) = truth::me() {
        fact("in-place", number.to_string());
    }
    tokio::task::block_in_place(|| std::thread::sleep(LONG));
    drop(guard);
}

fn single() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn current_thread() {
    let notify: Arc<Notify> = Arc::default();
    let runtime = single();
    runtime.spawn(asleep(10));
    runtime.block_on(told(notify));
}

async fn told(notify: Arc<Notify>) {
    let mut at = frame!();
    wait!(at, of("notify", &*notify));
    notify.notified().await;
}

fn local_set() {
    let set = LocalSet::new();
    set.spawn_local(asleep(20));
    set.block_on(&single(), async {
        let mut at = frame!();
        let handle = spawn_local(asleep(21));
        wait!(at, truth::task(handle.id()));
        let _ = handle.await;
    });
}

/// A set whose task polls another.
fn set_within_a_set() {
    let set = LocalSet::new();
    set.spawn_local(async {
        let mut at = frame!();
        let inner = LocalSet::new();
        inner.spawn_local(asleep(25));
        wait!(at, truth::local_set());
        inner.await;
    });
    set.block_on(&single(), async {
        let mut at = frame!();
        let inner = LocalSet::new();
        wait!(at);
        inner.run_until(told(Arc::default())).await;
    });
}

/// Several threads in a runtime that one of them drives, each by another way.
fn driven_by_another() {
    let runtime = Arc::new(single());
    let driven = runtime.clone();
    std::thread::spawn(move || driven.block_on(told(Arc::default())));
    std::thread::sleep(std::time::Duration::from_millis(100));
    let handle = runtime.handle().clone();
    std::thread::spawn(move || runtime.block_on(told(Arc::default())));
    std::thread::spawn(move || handle.block_on(told(Arc::default())));
}

/// A set that is a root's future, on a runtime of many threads.
fn local_set_in_a_task() {
    let runtime = threads(1);
    let set = LocalSet::new();
    for n in 30..33 {
        set.spawn_local(asleep(n));
    }
    runtime.block_on(async {
        let mut at = frame!();
        wait!(at, truth::local_set());
        set.await;
    });
}

/// Nobody will ever poll its tasks.
fn undriven() -> Runtime {
    let runtime = single();
    for n in 40..43 {
        let handle = runtime.spawn(asleep(n));
        fact(format!("never-polled-{n}"), truth::number(handle.id()).to_string());
    }
    runtime
}

/// Two jobs run, three are queued.
fn jobs() -> Runtime {
    let runtime = Builder::new_multi_thread().worker_threads(1).max_blocking_threads(2).build().expect("a runtime");
    for n in 0..5 {
        let handle = runtime.spawn_blocking(|| {
            if let Some(id) = tokio::task::try_id() {
                fact(format!("runs-{}", truth::thread()), truth::number(id).to_string());
            }
            std::thread::sleep(LONG);
        });
        fact(format!("job-{n}"), truth::number(handle.id()).to_string());
    }
    runtime
}
