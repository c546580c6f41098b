//! Waits: each thing of tokio that can be waited for, and guards of each kind.

use super::{LONG, rest, settle, spawn};
use crate::{
    frame,
    truth::{self, hold, of, task, through, timer},
    wait,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    io::AsyncReadExt,
    signal::unix::{SignalKind, signal},
    sync::{
        Barrier, Mutex, MutexGuard, Notify, OnceCell, OwnedMutexGuard, OwnedRwLockWriteGuard, RwLock, RwLockWriteGuard,
    },
    sync::{Semaphore, SetOnce, broadcast, mpsc, oneshot, watch},
    task::JoinHandle,
    time::{Instant, interval_at, sleep, sleep_until},
};

type Pair = (u32, String);

pub async fn run() {
    let mut at = frame!();
    locks();
    read_write_locks();
    semaphores();
    cells();
    channels();
    others();
    wait!(at);
    settle().await;
    wait!(at);
    rest().await;
}

fn locks() {
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

/// A little later, so that those that have it are there first.
async fn later() {
    sleep(Duration::from_millis(50)).await;
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

fn read_write_locks() {
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

fn semaphores() {
    let semaphore = Arc::new(Semaphore::new(7));
    tokio::spawn(takes(semaphore.clone(), 2));
    spawn(takes_owned(semaphore.clone(), 3));
    spawn(wants_many(semaphore.clone(), 5));
    spawn(wants_many(semaphore, 1));
}

async fn takes(semaphore: Arc<Semaphore>, count: u32) {
    let mut at = frame!();
    let permit = semaphore.acquire_many(count).await;
    let _has = hold(of("semaphore", &*semaphore).times(count.into()), "permit");
    let due = Instant::now() + LONG;
    wait!(at, timer(due));
    sleep_until(due).await;
    drop(permit);
}

async fn takes_owned(semaphore: Arc<Semaphore>, count: u32) {
    let mut at = frame!();
    let _has = hold(of("semaphore", &*semaphore).times(count.into()), "permit");
    let permit = semaphore.acquire_many_owned(count).await;
    let due = Instant::now() + LONG;
    wait!(at, timer(due));
    sleep_until(due).await;
    drop(permit);
}

async fn wants_many(semaphore: Arc<Semaphore>, count: u32) {
    let mut at = frame!();
    later().await;
    wait!(at, of("semaphore", &*semaphore).times(count.into()));
    let _ = semaphore.acquire_many(count).await;
}

fn cells() {
    let cell: Arc<OnceCell<u32>> = Arc::default();
    spawn(initializes(cell.clone()));
    spawn(wants_cell(cell));
}

async fn initializes(cell: Arc<OnceCell<u32>>) {
    let mut at = frame!();
    wait!(at);
    cell.get_or_init(|| value(&cell)).await;
}

async fn value(cell: &OnceCell<u32>) -> u32 {
    let mut at = frame!();
    let _has = hold(of("oncecell", cell), "");
    let due = Instant::now() + LONG;
    wait!(at, timer(due));
    sleep_until(due).await;
    1
}

async fn wants_cell(cell: Arc<OnceCell<u32>>) {
    let mut at = frame!();
    later().await;
    wait!(at, of("oncecell", &*cell));
    cell.get_or_init(async || 2).await;
}

fn channels() {
    let (tx, rx) = mpsc::channel::<Pair>(4);
    tokio::spawn(receives(rx, tx));
    let (tx, rx) = mpsc::unbounded_channel::<Pair>();
    spawn(receives_unbounded(rx, tx));
    let (tx, rx) = mpsc::channel::<Pair>(2);
    tokio::spawn(sends(tx.clone(), rx));
    spawn(sends_in_time(tx.clone()));
    spawn(reserves(tx));
    let (tx, rx) = mpsc::channel::<Pair>(2);
    spawn(has_room(tx.clone()));
    spawn(reserves_later(tx, rx));
    let (tx, rx) = oneshot::channel::<Pair>();
    tokio::spawn(oneshot_receives(rx));
    spawn(oneshot_sends(tx));
    let (tx, rx) = oneshot::channel::<Pair>();
    spawn(oneshot_closed(tx, rx));
    let (tx, rx) = mpsc::channel::<Pair>(2);
    spawn(mpsc_closed(tx, rx));
    let (tx, rx) = mpsc::unbounded_channel::<Pair>();
    spawn(unbounded_closed(tx, rx));
    let (tx, rx) = broadcast::channel::<u8>(4);
    spawn(broadcast_closed(tx, rx));
    let (tx, rx) = mpsc::channel::<Pair>(4);
    spawn(receives_many(rx, tx));
    let (tx, rx) = mpsc::channel::<Pair>(3);
    tokio::spawn(has_permits(tx, rx));
    let (tx, rx) = mpsc::channel::<Pair>(3);
    tokio::spawn(had_permits(tx, rx));
    spawn(set_once(Arc::default()));
    let (tx, rx) = watch::channel(1_u8);
    tokio::spawn(watches(rx.clone(), tx.clone()));
    spawn(watches_for(rx));
    spawn(watched(tx));
    let (tx, rx) = broadcast::channel::<u8>(4);
    tokio::spawn(listens(rx, tx));
}

async fn receives(mut rx: mpsc::Receiver<Pair>, tx: mpsc::Sender<Pair>) {
    let mut at = frame!();
    wait!(at, through("mpsc", &rx));
    while let Some(pair) = rx.recv().await {
        std::hint::black_box(pair);
    }
    drop(tx);
}

async fn receives_unbounded(mut rx: mpsc::UnboundedReceiver<Pair>, tx: mpsc::UnboundedSender<Pair>) {
    let mut at = frame!();
    let _ = tx.send((1, String::new()));
    rx.recv().await;
    wait!(at, through("mpsc", &rx));
    while let Some(pair) = rx.recv().await {
        std::hint::black_box(pair);
    }
    drop(tx);
}

async fn sends(tx: mpsc::Sender<Pair>, rx: mpsc::Receiver<Pair>) {
    let mut at = frame!();
    loop {
        wait!(at, through("room", &tx));
        if tx.send((1, String::new())).await.is_err() {
            break;
        }
    }
    drop(rx);
}

async fn reserves(tx: mpsc::Sender<Pair>) {
    let mut at = frame!();
    later().await;
    wait!(at, through("room", &tx));
    let _ = tx.reserve().await;
}

async fn has_room(tx: mpsc::Sender<Pair>) {
    let mut at = frame!();
    let permits = tx.reserve_many(2).await;
    let _has = hold(through("room", &tx).times(2), "permits");
    let due = Instant::now() + LONG;
    wait!(at, timer(due));
    sleep_until(due).await;
    drop(permits);
}

async fn reserves_later(tx: mpsc::Sender<Pair>, rx: mpsc::Receiver<Pair>) {
    let mut at = frame!();
    later().await;
    wait!(at, through("room", &tx));
    let _ = tx.reserve_owned().await;
    drop(rx);
}

async fn oneshot_receives(rx: oneshot::Receiver<Pair>) {
    let mut at = frame!();
    wait!(at, through("oneshot", &rx));
    let _ = rx.await;
}

async fn oneshot_sends(tx: oneshot::Sender<Pair>) {
    let mut at = frame!();
    let due = Instant::now() + LONG;
    wait!(at, timer(due));
    sleep_until(due).await;
    let _ = tx.send((1, String::new()));
}

async fn oneshot_closed(mut tx: oneshot::Sender<Pair>, rx: oneshot::Receiver<Pair>) {
    let mut at = frame!();
    wait!(at, through("closed", &tx));
    tx.closed().await;
    drop(rx);
}

async fn watches(mut rx: watch::Receiver<u8>, tx: watch::Sender<u8>) {
    let mut at = frame!();
    wait!(at, through("watch", &rx));
    while rx.changed().await.is_ok() {}
    drop(tx);
}

async fn watches_for(mut rx: watch::Receiver<u8>) {
    let mut at = frame!();
    wait!(at, through("watch", &rx));
    let _ = rx.wait_for(|value| *value > 7).await;
}

async fn watched(tx: watch::Sender<u8>) {
    let mut at = frame!();
    wait!(at, through("closed", &tx));
    tx.closed().await;
}

async fn mpsc_closed(tx: mpsc::Sender<Pair>, rx: mpsc::Receiver<Pair>) {
    let mut at = frame!();
    wait!(at, through("closed", &tx));
    tx.closed().await;
    drop(rx);
}

async fn unbounded_closed(tx: mpsc::UnboundedSender<Pair>, rx: mpsc::UnboundedReceiver<Pair>) {
    let mut at = frame!();
    wait!(at, through("closed", &tx));
    tx.closed().await;
    drop(rx);
}

async fn broadcast_closed(tx: broadcast::Sender<u8>, rx: broadcast::Receiver<u8>) {
    let mut at = frame!();
    wait!(at, through("closed", &tx));
    tx.closed().await;
    drop(rx);
}

async fn sends_in_time(tx: mpsc::Sender<Pair>) {
    let mut at = frame!();
    later().await;
    let due = Instant::now() + LONG;
    wait!(at, through("room", &tx), timer(due));
    let _ = tx.send_timeout((1, String::new()), LONG).await;
}

async fn receives_many(mut rx: mpsc::Receiver<Pair>, tx: mpsc::Sender<Pair>) {
    let mut at = frame!();
    let mut pairs = Vec::new();
    wait!(at, through("mpsc", &rx));
    rx.recv_many(&mut pairs, 8).await;
    drop(tx);
}

/// Has room by each kind of permit, beside a message.
async fn has_permits(tx: mpsc::Sender<Pair>, rx: mpsc::Receiver<Pair>) {
    let mut at = frame!();
    let _ = tx.send((1, String::new())).await;
    let Ok(permit) = tx.reserve().await else { return };
    let _has = hold(through("room", &tx), "permit");
    let Ok(owned) = tx.clone().reserve_owned().await else { return };
    let _has_owned = hold(through("room", &tx), "owned");
    tokio::spawn(reserves(tx.clone()));
    let due = Instant::now() + LONG;
    wait!(at, timer(due));
    sleep_until(due).await;
    permit.send((2, String::new()));
    owned.send((3, String::new()));
    drop(rx);
}

/// A permit that was used keeps no room.
async fn had_permits(tx: mpsc::Sender<Pair>, rx: mpsc::Receiver<Pair>) {
    let mut at = frame!();
    if let Ok(permit) = tx.reserve().await {
        permit.send((1, String::new()));
    }
    let Ok(permits) = tx.reserve_many(2).await else { return };
    for permit in permits {
        permit.send((2, String::new()));
    }
    tokio::spawn(reserves(tx.clone()));
    let due = Instant::now() + LONG;
    wait!(at, timer(due));
    sleep_until(due).await;
    drop((tx, rx));
}

async fn set_once(cell: Arc<SetOnce<u8>>) {
    let mut at = frame!();
    wait!(at, of("notify", &*cell));
    cell.wait().await;
}

async fn listens(mut rx: broadcast::Receiver<u8>, tx: broadcast::Sender<u8>) {
    let mut at = frame!();
    let _ = tx.send(1);
    let _ = rx.recv().await;
    wait!(at, through("broadcast", &rx));
    let _ = rx.recv().await;
    drop(tx);
}

fn others() {
    let barrier = Arc::new(Barrier::new(3));
    tokio::spawn(meets(barrier.clone()));
    tokio::spawn(meets(barrier));
    tokio::spawn(notified(Arc::default()));
    spawn(notified_owned(Arc::default()));
    spawn(ticks());
    tokio::spawn(joins());
    spawn(joins_job());
    spawn(waits_for_child_process());
    tokio::spawn(NUMBER.scope(7, scoped()));
    spawn(signalled());
    spawn(piped());
    spawn(opens());
}

tokio::task_local! {
    static NUMBER: u8;
}

async fn scoped() {
    let mut at = frame!();
    wait!(at);
    tokio::task::unconstrained(sleeper()).await;
}

async fn signalled() {
    let mut at = frame!();
    let Ok(mut signals) = signal(SignalKind::user_defined1()) else { return };
    wait!(at, truth::opaque());
    signals.recv().await;
}

/// Reads what its other end, in the same program, never writes.
async fn piped() {
    let mut at = frame!();
    let (mut one, other) = tokio::io::duplex(64);
    let mut bytes = [0; 8];
    wait!(at, truth::opaque());
    let _ = one.read(&mut bytes).await;
    drop(other);
}

/// What is done with files is a job of the pool: this one waits for somebody who writes.
async fn opens() {
    let mut at = frame!();
    let path = std::env::temp_dir().join(format!("victim-pipe-{}", std::process::id()));
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    if !made.is_ok_and(|made| made.success()) {
        return;
    }
    let removed = path.clone();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(200));
        let _ = std::fs::remove_file(removed);
    });
    wait!(at, truth::opaque());
    let _ = tokio::fs::File::open(path).await;
}

async fn meets(barrier: Arc<Barrier>) {
    let mut at = frame!();
    wait!(at, of("barrier", &*barrier));
    barrier.wait().await;
}

async fn notified(notify: Arc<Notify>) {
    let mut at = frame!();
    notify.notify_one();
    notify.notified().await;
    wait!(at, of("notify", &*notify));
    notify.notified().await;
}

async fn notified_owned(notify: Arc<Notify>) {
    let mut at = frame!();
    wait!(at, of("notify", &*notify));
    notify.notified_owned().await;
}

async fn ticks() {
    let mut at = frame!();
    let due = Instant::now() + LONG;
    let mut ticks = interval_at(due, LONG);
    wait!(at, timer(due));
    ticks.tick().await;
}

async fn sleeper() {
    let mut at = frame!();
    let due = Instant::now() + LONG;
    wait!(at, timer(due));
    sleep_until(due).await;
}

async fn joins() {
    let mut at = frame!();
    let handle: JoinHandle<()> = tokio::spawn(sleeper());
    wait!(at, task(handle.id()));
    let _ = handle.await;
}

async fn joins_job() {
    let mut at = frame!();
    let handle = tokio::task::spawn_blocking(|| {
        if let Some(id) = tokio::task::try_id() {
            truth::fact("job", truth::number(id).to_string());
        }
        std::thread::sleep(LONG);
    });
    wait!(at, task(handle.id()));
    let _ = handle.await;
}

/// Waits for another process, which ends with this one.
async fn waits_for_child_process() {
    let mut at = frame!();
    let child = tokio::process::Command::new("cat").stdin(std::process::Stdio::piped()).kill_on_drop(true).spawn();
    let Ok(mut child) = child else { return };
    let stdin = child.stdin.take();
    wait!(at, truth::opaque());
    let _ = child.wait().await;
    drop(stdin);
}
