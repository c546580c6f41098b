//! Waits for locks, and those that have them by guards of each kind.

use super::{Pair, later};
use crate::{
    cases::{LONG, spawn},
    frame,
    truth::{hold, of, timer},
    wait,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Mutex, MutexGuard, OwnedMutexGuard, OwnedRwLockWriteGuard, RwLock, RwLockWriteGuard},
    time::{Instant, sleep, sleep_until},
};

pub(super) fn mutexes() {
    let mutex: Arc<Mutex<Pair>> = Arc::default();
    tokio::spawn(has(mutex.clone()));
    for _ in 0..2 {
        tokio::spawn(wants(mutex.clone()));
    }
    spawn(wants_owned(mutex));
    let mutex: Arc<Mutex<Pair>> = Arc::default();
    spawn(has_owned(mutex.clone()));
    tokio::spawn(wants(mutex));
    let mutex: Arc<Mutex<Pair>> = Arc::default();
    spawn(has_part(mutex.clone()));
    tokio::spawn(wants(mutex));
    let mutex: Arc<Mutex<Pair>> = Arc::default();
    spawn(has_part_owned(mutex.clone()));
    tokio::spawn(wants(mutex));
}

async fn has(mutex: Arc<Mutex<Pair>>) {
    let mut at = frame!();
    let mut guard = mutex.lock().await;
    guard.0 += 1;
    let _has = hold(of("mutex", &*mutex), "guard");
    let due = Instant::now() + LONG;
    wait!(at, timer(due));
    sleep_until(due).await;
    guard.0 += 1;
}

async fn wants(mutex: Arc<Mutex<Pair>>) {
    let mut at = frame!();
    later().await;
    wait!(at, of("mutex", &*mutex));
    mutex.lock().await.0 += 1;
}

async fn wants_owned(mutex: Arc<Mutex<Pair>>) {
    let mut at = frame!();
    later().await;
    wait!(at, of("mutex", &*mutex));
    mutex.lock_owned().await.0 += 1;
}

async fn has_owned(mutex: Arc<Mutex<Pair>>) {
    let mut at = frame!();
    let _has = hold(of("mutex", &*mutex), "guard");
    let mut guard = mutex.lock_owned().await;
    guard.0 += 1;
    let due = Instant::now() + LONG;
    wait!(at, timer(due));
    sleep_until(due).await;
    guard.0 += 1;
}

async fn has_part(mutex: Arc<Mutex<Pair>>) {
    let mut at = frame!();
    let mut guard = MutexGuard::map(mutex.lock().await, |pair| &mut pair.0);
    *guard += 1;
    let _has = hold(of("mutex", &*mutex), "guard");
    let due = Instant::now() + LONG;
    wait!(at, timer(due));
    sleep_until(due).await;
    *guard += 1;
}

async fn has_part_owned(mutex: Arc<Mutex<Pair>>) {
    let mut at = frame!();
    let _has = hold(of("mutex", &*mutex), "guard");
    let mut guard = OwnedMutexGuard::map(mutex.lock_owned().await, |pair| &mut pair.1);
    guard.push('x');
    let due = Instant::now() + LONG;
    wait!(at, timer(due));
    sleep_until(due).await;
    guard.push('y');
}

pub(super) fn read_write() {
    let lock: Arc<RwLock<Pair>> = Arc::default();
    tokio::spawn(reads(lock.clone()));
    spawn(reads_owned(lock.clone()));
    spawn(wants_write(lock.clone()));
    spawn(wants_read(lock));
    for how in [Written::Plain, Written::Part, Written::OwnedPart] {
        let lock: Arc<RwLock<Pair>> = Arc::default();
        tokio::spawn(writes(lock.clone(), how));
        spawn(wants_read(lock.clone()));
        spawn(wants_write(lock));
    }
    let lock: Arc<RwLock<Pair>> = Arc::default();
    spawn(downgrades(lock.clone()));
    spawn(wants_write(lock));
    let lock: Arc<RwLock<Pair>> = Arc::default();
    spawn(downgrades_to(lock.clone()));
    spawn(wants_write(lock));
}

enum Written {
    Plain,
    Part,
    OwnedPart,
}

async fn writes(lock: Arc<RwLock<Pair>>, how: Written) {
    let mut at = frame!();
    let _has = hold(of("rwlock", &*lock).times((u32::MAX >> 3).into()), "guard");
    let due = Instant::now() + LONG;
    match how {
        Written::Plain => {
            let mut guard = lock.write().await;
            wait!(at, timer(due));
            sleep_until(due).await;
            guard.0 += 1;
        }
        Written::Part => {
            let mut guard = RwLockWriteGuard::map(lock.write().await, |pair| &mut pair.0);
            wait!(at, timer(due));
            sleep_until(due).await;
            *guard += 1;
        }
        Written::OwnedPart => {
            let mut guard = OwnedRwLockWriteGuard::map(lock.write_owned().await, |pair| &mut pair.0);
            wait!(at, timer(due));
            sleep_until(due).await;
            *guard += 1;
        }
    }
}

async fn downgrades(lock: Arc<RwLock<Pair>>) {
    let mut at = frame!();
    let mut guard = lock.write().await;
    guard.0 += 1;
    let guard = guard.downgrade();
    let _has = hold(of("rwlock", &*lock), "guard");
    let due = Instant::now() + LONG;
    wait!(at, timer(due));
    sleep_until(due).await;
    std::hint::black_box(&guard);
}

/// The guard that it was keeps its bytes, and claims more than is held.
async fn downgrades_to(lock: Arc<RwLock<Pair>>) {
    let mut at = frame!();
    let mut guard = lock.write().await;
    guard.0 += 1;
    let shared = guard.downgrade();
    let _has = hold(of("rwlock", &*lock), "shared");
    let due = Instant::now() + LONG;
    wait!(at, timer(due));
    sleep_until(due).await;
    std::hint::black_box(&shared);
}

async fn reads(lock: Arc<RwLock<Pair>>) {
    let mut at = frame!();
    let guard = lock.read().await;
    let _has = hold(of("rwlock", &*lock), "guard");
    let due = Instant::now() + LONG;
    wait!(at, timer(due));
    sleep_until(due).await;
    std::hint::black_box(&guard);
}

async fn reads_owned(lock: Arc<RwLock<Pair>>) {
    let mut at = frame!();
    let _has = hold(of("rwlock", &*lock), "guard");
    let guard = lock.read_owned().await;
    let due = Instant::now() + LONG;
    wait!(at, timer(due));
    sleep_until(due).await;
    std::hint::black_box(&guard);
}

async fn wants_write(lock: Arc<RwLock<Pair>>) {
    let mut at = frame!();
    later().await;
    wait!(at, of("rwlock", &*lock).times((u32::MAX >> 3).into()));
    lock.write().await.0 += 1;
}

async fn wants_read(lock: Arc<RwLock<Pair>>) {
    let mut at = frame!();
    sleep(Duration::from_millis(100)).await;
    wait!(at, of("rwlock", &*lock));
    std::hint::black_box(lock.read().await.0);
}
