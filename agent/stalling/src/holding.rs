//! Functions that hold a lock across an await, one for each way to do it. Each stores the lines on which it acquires the lock
//! and on which it sleeps.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{Mutex, MutexGuard, RwLock},
    time::{sleep, timeout},
};

/// Where a function did it last.
#[derive(Debug, Default)]
pub struct Lines {
    /// The line of the acquire.
    pub acquired: AtomicU32,
    /// The line of the await that it sleeps in.
    pub suspended: AtomicU32,
}

impl Lines {
    fn acquires_at(&self, line: u32) {
        self.acquired.store(line, Ordering::Release);
    }

    fn sleeps_at(&self, line: u32) {
        self.suspended.store(line, Ordering::Release);
    }
}

/// Sleeps with the guard in its hands.
pub async fn holds(lines: &Lines, lock: &Mutex<u64>, time: Duration) {
    lines.acquires_at(line!() + 1);
    let mut guard = lock.lock().await;
    *guard += 1;
    lines.sleeps_at(line!() + 1);
    sleep(time).await;
    *guard += 1;
}

/// Sleeps again and again with the guard in its hands.
pub async fn keeps(lines: &Lines, lock: &Mutex<u64>, time: Duration) {
    let mut guard = lock.lock().await;
    lines.sleeps_at(line!() + 2);
    loop {
        sleep(time).await;
        *guard += 1;
    }
}

/// Sleeps twice, the second time in a function that it awaits.
pub async fn moves_on(lines: &Lines, lock: &Arc<Mutex<u64>>, time: Duration) {
    lines.acquires_at(line!() + 1);
    let mut guard = Arc::clone(lock).lock_owned().await;
    *guard += 1;
    sleep(Duration::from_millis(1)).await;
    *guard += 1;
    rests(lines, time).await;
    *guard += 1;
}

async fn rests(lines: &Lines, time: Duration) {
    lines.sleeps_at(line!() + 1);
    sleep(time).await;
}

/// Takes the lock without waiting for it, and waits for another one.
pub async fn tries(lines: &Lines, lock: &Mutex<u64>, other: &Mutex<u64>) {
    lines.acquires_at(line!() + 1);
    let guard = lock.try_lock();
    if let Ok(mut guard) = guard {
        *guard += 1;
        lines.sleeps_at(line!() + 1);
        *guard += *other.lock().await;
    }
}

/// Reads, within a bound of time.
pub async fn reads(lines: &Lines, lock: &RwLock<u64>, time: Duration) -> u64 {
    lines.acquires_at(line!() + 1);
    let guard = lock.read().await;
    lines.sleeps_at(line!() + 1);
    let late = timeout(time, std::future::pending::<()>()).await;
    *guard + u64::from(late.is_err())
}

/// Writes, and sleeps.
pub async fn writes(lines: &Lines, lock: &RwLock<u64>, time: Duration) {
    lines.acquires_at(line!() + 1);
    let mut guard = lock.write().await;
    lines.sleeps_at(line!() + 1);
    sleep(time).await;
    *guard += 1;
}

/// Awaits nothing while it holds the lock.
pub async fn lets_go(lock: &Mutex<u64>) {
    *lock.lock().await += 1;
}

/// Acquires the lock outside of any task.
pub fn blocks<'a>(lines: &Lines, lock: &'a Mutex<u64>) -> MutexGuard<'a, u64> {
    lines.acquires_at(line!() + 1);
    lock.blocking_lock()
}
