//! More bytes that lie: ends of channels and handles that were moved away, guards in shared structures, parts of guards, and
//! permits that were forgotten.

use crate::{
    Bytes, LONG, frame,
    locks::{Lock, Of, SHARED, has, takes_unseen, wants},
    ms, spawn_boxed,
    truth::{self, Who, hold, hold_as, of, task, through, timer},
    wait,
};
use std::sync::Arc;
use tokio::{
    sync::{Mutex, MutexGuard, OwnedMutexGuard, RwLock, Semaphore, mpsc, oneshot},
    task::JoinHandle,
    time::{Instant, sleep, sleep_until},
};

pub fn spawn(name: &str, bytes: Bytes) -> bool {
    match name {
        "ends" => drop(spawn_boxed(ends(bytes))),
        "handle" => drop(spawn_boxed(handle(bytes))),
        "arc" => drop(spawn_boxed(shared(bytes))),
        "part" => part(bytes),
        "downgrade" => downgrade(bytes),
        "readers" => readers(bytes),
        "room" => room(bytes),
        "forget" => forget(bytes),
        _ => return false,
    }
    true
}

async fn receives(mut rx: mpsc::Receiver<u64>, answer: oneshot::Sender<u64>) {
    let mut at = frame!();
    let _has = (hold(through("receiver", &rx), "rx"), hold(through("sender", &answer), "answer"));
    wait!(at, through("mpsc", &rx));
    rx.recv().await;
    let _ = answer.send(1);
}

/// Both ends were used before they were moved into the child.
async fn ends(bytes: Bytes) {
    let mut at = frame!();
    let (tx, mut rx) = mpsc::channel::<u64>(4);
    let (answer, answered) = oneshot::channel::<u64>();
    let _ = tx.try_send(1);
    let _ = rx.try_recv();
    let _ = answer.is_closed();
    let _has = hold(through("sender", &tx), "tx");
    if bytes == Bytes::Control {
        let _has = hold(through("receiver", &rx), "rx");
        let _has = hold(through("sender", &answer), "answer");
        spawn_boxed(awaits(answered));
        wait!(at, through("mpsc", &rx));
        rx.recv().await;
        drop((tx, answer));
        return;
    }
    spawn_boxed(receives(rx, answer));
    wait!(at, through("oneshot", &answered));
    let _ = answered.await;
    drop(tx);
}

async fn awaits(answered: oneshot::Receiver<u64>) {
    let mut at = frame!();
    let _has = hold(through("receiver", &answered), "answered");
    wait!(at, through("oneshot", &answered));
    let _ = answered.await;
}

async fn sleeper() {
    let mut at = frame!();
    let due = Instant::now() + LONG;
    wait!(at, timer(due));
    sleep_until(due).await;
}

async fn joins(handle: JoinHandle<()>) {
    let mut at = frame!();
    wait!(at, task(handle.id()));
    let _ = handle.await;
}

/// A handle was asked before it was moved into the child: the parent waits for the child alone.
async fn handle(bytes: Bytes) {
    let mut at = frame!();
    let handle = spawn_boxed(sleeper());
    let _ = handle.is_finished();
    if bytes == Bytes::Control {
        wait!(at, task(handle.id()));
        let _ = handle.await;
        return;
    }
    let child = spawn_boxed(joins(handle));
    let _ = child.is_finished();
    wait!(at, task(child.id()));
    let _ = child.await;
}

struct Kept {
    guard: OwnedMutexGuard<Of<SHARED>>,
}

async fn keeps(kept: Arc<Kept>, lock: Arc<Mutex<Of<SHARED>>>) {
    let mut at = frame!();
    let _has = hold(of("mutex", &*lock), "kept");
    let due = Instant::now() + LONG;
    wait!(at, timer(due));
    sleep_until(due).await;
    std::hint::black_box(&kept.guard);
}

/// A guard inside of what two tasks had, and one has still.
async fn shared(bytes: Bytes) {
    let mut at = frame!();
    let lock: Arc<Mutex<Of<SHARED>>> = Arc::default();
    let kept = Arc::new(Kept { guard: lock.clone().lock_owned().await });
    std::hint::black_box(&kept.guard);
    spawn_boxed(wants(lock.clone()));
    let due = Instant::now() + LONG;
    if bytes == Bytes::Control {
        let _has = hold(of("mutex", &*lock), "kept");
        wait!(at, timer(due));
        sleep_until(due).await;
        std::hint::black_box(&kept.guard);
        return;
    }
    spawn_boxed(keeps(kept.clone(), lock));
    drop(kept);
    wait!(at, timer(due));
    sleep_until(due).await;
}

/// A part of a guard, dropped in its scope, while a job has the lock.
fn part(bytes: Bytes) {
    let lock = Lock::default();
    spawn_boxed(has_part(lock.clone(), bytes));
    match bytes {
        Bytes::Control => drop(spawn_boxed(wants(lock))),
        Bytes::Lie => takes_unseen(lock, "part"),
    }
}

async fn has_part(lock: Lock, bytes: Bytes) {
    let mut at = frame!();
    let mut guard = MutexGuard::map(lock.lock().await, |value| value);
    *guard += 1;
    let due = Instant::now() + LONG;
    if bytes == Bytes::Control {
        let _has = hold(of("mutex", &*lock), "guard");
        wait!(at, timer(due));
        sleep_until(due).await;
        *guard += 1;
        return;
    }
    drop(guard);
    sleep(ms(300)).await;
    wait!(at, of("mutex", &*lock));
    *lock.lock().await += 1;
}

/// A guard that was for writing, and is for reading: one permit, not all.
fn downgrade(bytes: Bytes) {
    let lock: Arc<RwLock<u64>> = Arc::default();
    spawn_boxed(downgrades(lock.clone(), bytes));
    spawn_boxed(writes(lock));
}

async fn downgrades(lock: Arc<RwLock<u64>>, bytes: Bytes) {
    let mut at = frame!();
    let due = Instant::now() + LONG;
    if bytes == Bytes::Control {
        let guard = lock.read().await;
        let _has = hold(of("rwlock", &*lock), "guard");
        wait!(at, timer(due));
        sleep_until(due).await;
        std::hint::black_box(*guard);
        return;
    }
    let mut wrote = lock.write().await;
    *wrote += 1;
    let guard = wrote.downgrade();
    std::hint::black_box(*guard);
    let _has = hold(of("rwlock", &*lock), "guard");
    wait!(at, timer(due));
    sleep_until(due).await;
    std::hint::black_box(*guard);
}

async fn writes(lock: Arc<RwLock<u64>>) {
    let mut at = frame!();
    sleep(ms(300)).await;
    wait!(at, of("rwlock", &*lock).times((u32::MAX >> 3).into()));
    *lock.write().await += 1;
}

/// Two have had a guard for reading; a job has one.
fn readers(bytes: Bytes) {
    let lock: Arc<RwLock<u64>> = Arc::default();
    for _ in 0..2 {
        spawn_boxed(reads(lock.clone(), bytes));
    }
    spawn_boxed(writes(lock.clone()));
    if bytes == Bytes::Lie {
        tokio::task::spawn_blocking(move || {
            std::thread::sleep(ms(100));
            let guard = lock.blocking_read();
            let _has = hold_as(Who::Thread(truth::thread()), of("rwlock", &*lock), "guard");
            std::thread::sleep(LONG);
            drop(guard);
        });
    }
}

async fn reads(lock: Arc<RwLock<u64>>, bytes: Bytes) {
    let mut at = frame!();
    let guard = lock.read().await;
    std::hint::black_box(*guard);
    let has = hold(of("rwlock", &*lock), "guard");
    let due = Instant::now() + LONG;
    if bytes == Bytes::Control {
        wait!(at, timer(due));
        sleep_until(due).await;
        std::hint::black_box(*guard);
        return drop(has);
    }
    drop(guard);
    drop(has);
    wait!(at, timer(due));
    sleep_until(due).await;
}

/// Room of a channel that was reserved and given back, while a job has all of it.
fn room(bytes: Bytes) {
    let (tx, rx) = mpsc::channel::<u64>(1);
    spawn_boxed(reserves(tx.clone(), rx, bytes));
    if bytes == Bytes::Lie {
        tokio::task::spawn_blocking(move || {
            std::thread::sleep(ms(100));
            let permit = tx.try_reserve();
            let _has = hold_as(Who::Thread(truth::thread()), through("room", &tx), "permit");
            std::thread::sleep(LONG);
            drop(permit);
        });
    }
}

async fn reserves(tx: mpsc::Sender<u64>, rx: mpsc::Receiver<u64>, bytes: Bytes) {
    let mut at = frame!();
    let permit = tx.reserve().await;
    std::hint::black_box(&permit);
    if bytes == Bytes::Control {
        let _has = hold(through("room", &tx), "permit");
        wait!(at, through("room", &tx));
        drop(tx.reserve().await);
        return drop(permit);
    }
    drop(permit);
    sleep(ms(300)).await;
    wait!(at, through("room", &tx));
    drop(tx.reserve().await);
    drop(rx);
}

/// Permits that nobody will ever give back. Of the lock's guard the task that forgot it may be named: it alone had it.
fn forget(bytes: Bytes) {
    let lock = Lock::default();
    if bytes == Bytes::Control {
        spawn_boxed(has(lock.clone()));
        spawn_boxed(wants(lock));
        return;
    }
    spawn_boxed(forgets(lock.clone()));
    spawn_boxed(wants(lock));
    let semaphore = Arc::new(Semaphore::new(1));
    spawn_boxed(forgets_permit(semaphore.clone()));
    spawn_boxed(wants_permit(semaphore));
}

async fn forgets(lock: Lock) {
    let mut at = frame!();
    let mut guard = lock.lock().await;
    *guard += 1;
    std::mem::forget(guard);
    let _has = hold(of("mutex", &*lock), "guard");
    let due = Instant::now() + LONG;
    wait!(at, timer(due));
    sleep_until(due).await;
}

async fn forgets_permit(semaphore: Arc<Semaphore>) {
    let mut at = frame!();
    let Ok(permit) = semaphore.acquire().await else { return };
    std::hint::black_box(&permit);
    permit.forget();
    let due = Instant::now() + LONG;
    wait!(at, timer(due));
    sleep_until(due).await;
}

async fn wants_permit(semaphore: Arc<Semaphore>) {
    let mut at = frame!();
    sleep(ms(300)).await;
    wait!(at, of("semaphore", &*semaphore));
    drop(semaphore.acquire().await);
}
