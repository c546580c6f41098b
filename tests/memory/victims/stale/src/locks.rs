//! Locks: guards that were dropped in their scope, boxes that were freed, futures that were dropped or are not polled.

use crate::{
    Bytes, LONG, frame, ms, poll_once, spawn_boxed,
    truth::{self, Hold, Who, hold, hold_as, of, timer},
    wait,
};
use std::{collections::BTreeMap, pin::Pin, sync::Arc};
use tokio::{
    sync::{Mutex, OwnedMutexGuard, oneshot},
    time::{Instant, sleep, sleep_until},
};

pub type Lock = Arc<Mutex<u64>>;

pub fn spawn(name: &str, bytes: Bytes) -> bool {
    match name {
        "self-job" | "self-running" | "self-in-place" | "self-map" => again(name, bytes),
        "pair-jobs" | "pair-map" => pair(name, bytes),
        "box" => drop(tokio::spawn(boxed(bytes))),
        "acquire" => acquire(bytes),
        "disabled" => disabled(bytes),
        _ => return false,
    }
    true
}

static MAP: std::sync::Mutex<BTreeMap<u64, (OwnedMutexGuard<u64>, Hold)>> = std::sync::Mutex::new(BTreeMap::new());

/// Takes the lock after a while, in a way that no frame shows, and keeps it.
pub fn takes_unseen(lock: Lock, how: &str) {
    match how {
        "self-running" | "self-in-place" => {
            let in_place = how == "self-in-place";
            tokio::spawn(async move {
                sleep(ms(100)).await;
                let guard = lock.lock().await;
                let _has = hold(of("mutex", &*lock), "guard");
                // Another worker wakes up for the first of these, and drives timers while this one is blocked.
                spawn_boxed(async {});
                spawn_boxed(async {});
                if in_place {
                    tokio::task::block_in_place(|| std::thread::sleep(LONG));
                } else {
                    std::thread::sleep(LONG);
                }
                drop(guard);
            });
        }
        "self-map" | "pair-map" => {
            tokio::spawn(async move {
                sleep(ms(100)).await;
                let has = hold_as(Who::Nobody, of("mutex", &*lock), "");
                let guard = lock.lock_owned().await;
                if let Ok(mut map) = MAP.lock() {
                    let key = map.len() as u64;
                    map.insert(key, (guard, has));
                }
            });
        }
        _ => {
            tokio::task::spawn_blocking(move || {
                std::thread::sleep(ms(100));
                let guard = lock.blocking_lock();
                let _has = hold_as(Who::Thread(truth::thread()), of("mutex", &*lock), "guard");
                std::thread::sleep(LONG);
                drop(guard);
            });
        }
    }
}

/// Has had `first`, and waits for `second`.
async fn drops_and_wants(first: Lock, second: Lock) {
    let mut at = frame!();
    let mut guard = first.lock().await;
    *guard += 1;
    drop(guard);
    sleep(ms(300)).await;
    wait!(at, of("mutex", &*second));
    *second.lock().await += 1;
}

/// Has `first`, and waits for `second`.
async fn keeps_and_wants(first: Lock, second: Lock) {
    let mut at = frame!();
    let mut guard = first.lock().await;
    *guard += 1;
    let _has = hold(of("mutex", &*first), "guard");
    sleep(ms(300)).await;
    wait!(at, of("mutex", &*second));
    *second.lock().await += 1;
    *guard += 1;
}

fn again(how: &str, bytes: Bytes) {
    let lock = Lock::default();
    if bytes == Bytes::Control {
        tokio::spawn(keeps_and_wants(lock.clone(), lock));
        return;
    }
    tokio::spawn(drops_and_wants(lock.clone(), lock.clone()));
    takes_unseen(lock, how);
}

/// Two of them, crosswise: a deadlock in the control alone.
fn pair(how: &str, bytes: Bytes) {
    let (a, b) = (Lock::default(), Lock::default());
    for (first, second) in [(&a, &b), (&b, &a)] {
        match bytes {
            Bytes::Control => drop(tokio::spawn(keeps_and_wants(first.clone(), second.clone()))),
            Bytes::Lie => drop(tokio::spawn(drops_and_wants(first.clone(), second.clone()))),
        }
    }
    if bytes == Bytes::Lie {
        takes_unseen(a, how);
        takes_unseen(b, how);
    }
}

pub async fn has(lock: Lock) {
    let mut at = frame!();
    let mut guard = lock.lock().await;
    *guard += 1;
    let _has = hold(of("mutex", &*lock), "guard");
    let due = Instant::now() + LONG;
    wait!(at, timer(due));
    sleep_until(due).await;
    *guard += 1;
}

pub async fn wants(lock: Lock) {
    let mut at = frame!();
    sleep(ms(300)).await;
    wait!(at, of("mutex", &*lock));
    *lock.lock().await += 1;
}

/// A box that was freed, and whose memory another task's future may have now.
async fn boxed(bytes: Bytes) {
    let mut at = frame!();
    let (old, new) = (Lock::default(), Lock::default());
    tokio::spawn(wants(new.clone()));
    if bytes == Bytes::Control {
        let mut future = Box::pin(has(new));
        poll_once(&mut future).await;
        wait!(at);
        return future.await;
    }
    let mut future = Box::pin(has(old));
    poll_once(&mut future).await;
    drop(future);
    let next: Pin<Box<_>> = Box::pin(has(new));
    tokio::spawn(next);
    let due = Instant::now() + LONG;
    wait!(at, timer(due));
    sleep_until(due).await;
}

/// A lock's future that was given the permit and then dropped, which gave it back; in the control it is kept: a futurelock.
fn acquire(bytes: Bytes) {
    let lock = Lock::default();
    let (gone, goes) = oneshot::channel::<()>();
    let first = lock.clone();
    tokio::spawn(async move {
        let guard = first.lock().await;
        sleep(ms(300)).await;
        drop(guard);
        let _ = gone.send(());
    });
    tokio::spawn(given(lock.clone(), goes, bytes));
    if bytes == Bytes::Lie {
        tokio::task::spawn_blocking(move || {
            std::thread::sleep(ms(450));
            let guard = lock.blocking_lock();
            let _has = hold_as(Who::Thread(truth::thread()), of("mutex", &*lock), "guard");
            std::thread::sleep(LONG);
            drop(guard);
        });
    }
}

async fn given(lock: Lock, goes: oneshot::Receiver<()>, bytes: Bytes) {
    let mut at = frame!();
    sleep(ms(100)).await;
    let mut first = Box::pin(lock.lock());
    poll_once(&mut first).await;
    let _ = goes.await;
    if bytes == Bytes::Control {
        let _has = hold(of("mutex", &*lock), "first");
        wait!(at, of("mutex", &*lock));
        *lock.lock().await += 1;
        return drop(first.await);
    }
    drop(first);
    sleep(ms(300)).await;
    wait!(at, of("mutex", &*lock));
    *lock.lock().await += 1;
}

/// Branches of a `select!` that are switched off: what they wait for is no wait, and the lock that one was given is held.
fn disabled(bytes: Bytes) {
    let lock = Lock::default();
    let first = lock.clone();
    tokio::spawn(async move {
        let guard = first.lock().await;
        sleep(ms(400)).await;
        drop(guard);
    });
    tokio::spawn(switches(lock, bytes));
}

async fn switches(lock: Lock, bytes: Bytes) {
    let mut at = frame!();
    sleep(ms(100)).await;
    let mut first = Box::pin(adds(&lock));
    let mut on = true;
    loop {
        let due = Instant::now() + ms(100);
        if bytes == Bytes::Control {
            // All branches stay on: the lock is taken as soon as it is given.
            wait!(at);
            return first.await;
        }
        let _has = (!on).then(|| hold(of("mutex", &*lock), "first"));
        wait!(at, of("mutex", &*lock));
        tokio::select! {
            () = &mut first, if on => {}
            () = sleep_until(due), if on => { on = false }
            mut guard = lock.lock(), if !on => { *guard += 1; break }
        }
    }
}

async fn adds(lock: &Mutex<u64>) {
    let mut guard = lock.lock().await;
    let mut at = frame!();
    *guard += 1;
    let _has = hold(of("mutex", lock), "guard");
    let due = Instant::now() + LONG;
    wait!(at, timer(due));
    sleep_until(due).await;
    *guard += 1;
}
