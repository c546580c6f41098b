//! Locks: guards that were dropped in their scope, boxes that were freed, futures that were dropped or are not polled.

use crate::{
    Bytes, LONG, frame, ms, poll_once, spawn_boxed,
    truth::{self, Hold, Who, hold, hold_as, of, through, timer},
    wait,
};
use std::{collections::BTreeMap, ops::AddAssign, pin::Pin, sync::Arc};
use tokio::{
    sync::{Mutex, OwnedMutexGuard, mpsc, oneshot},
    time::{Instant, sleep, sleep_until},
};
use tracing::Instrument as _;

pub type Lock = Arc<Mutex<u64>>;

/// What a lock is of whose guards some type of the program keeps, one for each: whoever reads types alone cannot tell such locks from
/// one another, and all others are to be told from them.
#[derive(Default)]
pub struct Of<const KEPT: usize>(u64);

impl<const KEPT: usize> AddAssign<u64> for Of<KEPT> {
    fn add_assign(&mut self, other: u64) {
        self.0 += other;
    }
}

const MAP: usize = 0;
const CHANNEL: usize = 1;
const OUTPUT: usize = 2;
const STATIC: usize = 3;
const THREAD: usize = 4;
/// Of a structure that is shared.
pub const SHARED: usize = 5;

pub fn spawn(name: &str, bytes: Bytes) -> bool {
    match name {
        "self-job" | "self-running" | "self-in-place" => again(bytes, |lock| takes_unseen(lock, name)),
        "self-idle" => {
            // A thread of the blocking pool that has nothing to do.
            tokio::task::spawn_blocking(|| std::thread::sleep(ms(1)));
            again(bytes, |lock| takes_unseen(lock, name));
        }
        "self-map" => again(bytes, into_map),
        "self-channel" => again(bytes, into_channel),
        "self-output" => again(bytes, into_output),
        "self-static" => with_static(bytes),
        "self-thread" => again(bytes, on_a_thread),
        "pair-jobs" => pair(bytes, |lock| takes_unseen(lock, name)),
        "pair-map" => pair(bytes, into_map),
        // What a task that runs was given by its span is no lock.
        "pair-span" => {
            tokio::spawn(async { std::thread::sleep(LONG) }.instrument(tracing::info_span!("computes")));
            pair(bytes, |lock| takes_unseen(lock, name));
        }
        "box" => drop(tokio::spawn(boxed(bytes))),
        "acquire" => acquire(bytes),
        "disabled" => disabled(bytes),
        _ => return false,
    }
    true
}

/// Takes the lock after a while in a call that blocks, and keeps it.
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

/// Waits for a lock, and has it from then on in a way that no frame shows.
fn kept_unseen<V: Send + 'static>(lock: Arc<Mutex<V>>, keep: impl FnOnce(OwnedMutexGuard<V>, Hold) + Send + 'static) {
    spawn_boxed(async move {
        sleep(ms(100)).await;
        let has = hold_as(Who::Nobody, of("mutex", &*lock), "");
        keep(lock.lock_owned().await, has);
    });
}

fn into_map(lock: Arc<Mutex<Of<MAP>>>) {
    static KEPT: std::sync::Mutex<BTreeMap<u64, (OwnedMutexGuard<Of<MAP>>, Hold)>> =
        std::sync::Mutex::new(BTreeMap::new());
    kept_unseen(lock, |guard, has| {
        if let Ok(mut map) = KEPT.lock() {
            let key = map.len() as u64;
            map.insert(key, (guard, has));
        }
    });
}

/// As a message that nobody has taken out.
fn into_channel(lock: Arc<Mutex<Of<CHANNEL>>>) {
    let (tx, rx) = mpsc::unbounded_channel();
    kept_unseen(lock, move |guard, has| drop(tx.send((guard, has))));
    spawn_boxed(async move {
        let _has = hold(through("receiver", &rx), "rx");
        sleep(LONG).await;
        drop(rx);
    });
}

/// As the output of a task that has ended, which nobody has asked for.
fn into_output(lock: Arc<Mutex<Of<OUTPUT>>>) {
    let handle = tokio::spawn(async move {
        sleep(ms(100)).await;
        let has = hold_as(Who::Nobody, of("mutex", &*lock), "");
        (lock.lock_owned().await, has)
    });
    spawn_boxed(async move {
        sleep(LONG).await;
        drop(handle);
    });
}

/// On the stack of a thread that has never used tokio but for this lock.
fn on_a_thread(lock: Arc<Mutex<Of<THREAD>>>) {
    std::thread::spawn(move || {
        std::thread::sleep(ms(100));
        let guard = lock.try_lock();
        let _has = hold_as(Who::Thread(truth::thread()), of("mutex", &*lock), "guard");
        std::thread::sleep(LONG);
        drop(guard);
    });
}

/// In a job of which no variable leads to the lock: it is the program's own.
fn with_static(bytes: Bytes) {
    static LOCK: std::sync::LazyLock<Arc<Mutex<Of<STATIC>>>> = std::sync::LazyLock::new(Arc::default);
    if bytes == Bytes::Control {
        tokio::spawn(keeps_and_wants(LOCK.clone(), LOCK.clone()));
        return;
    }
    tokio::spawn(drops_and_wants(LOCK.clone(), LOCK.clone()));
    tokio::task::spawn_blocking(|| {
        std::thread::sleep(ms(100));
        let guard = LOCK.blocking_lock();
        let _has = hold_as(Who::Thread(truth::thread()), of("mutex", &**LOCK), "guard");
        std::thread::sleep(LONG);
        drop(guard);
    });
}

/// Has had `first`, and waits for `second`.
async fn drops_and_wants<V: AddAssign<u64>>(first: Arc<Mutex<V>>, second: Arc<Mutex<V>>) {
    let mut at = frame!();
    let mut guard = first.lock().await;
    *guard += 1;
    drop(guard);
    sleep(ms(300)).await;
    wait!(at, of("mutex", &*second));
    *second.lock().await += 1;
}

/// Has `first`, and waits for `second`.
async fn keeps_and_wants<V: AddAssign<u64>>(first: Arc<Mutex<V>>, second: Arc<Mutex<V>>) {
    let mut at = frame!();
    let mut guard = first.lock().await;
    *guard += 1;
    let _has = hold(of("mutex", &*first), "guard");
    sleep(ms(300)).await;
    wait!(at, of("mutex", &*second));
    *second.lock().await += 1;
    *guard += 1;
}

fn again<V: AddAssign<u64> + Default + Send + 'static>(bytes: Bytes, takes: impl Fn(Arc<Mutex<V>>)) {
    let lock: Arc<Mutex<V>> = Arc::default();
    match bytes {
        Bytes::Control => drop(tokio::spawn(keeps_and_wants(lock.clone(), lock))),
        Bytes::Lie => {
            tokio::spawn(drops_and_wants(lock.clone(), lock.clone()));
            takes(lock);
        }
    }
}

/// Two of them, crosswise: a deadlock in the control alone.
fn pair<V: AddAssign<u64> + Default + Send + 'static>(bytes: Bytes, takes: impl Fn(Arc<Mutex<V>>)) {
    let (a, b): (Arc<Mutex<V>>, Arc<Mutex<V>>) = Default::default();
    for (first, second) in [(&a, &b), (&b, &a)] {
        match bytes {
            Bytes::Control => drop(tokio::spawn(keeps_and_wants(first.clone(), second.clone()))),
            Bytes::Lie => drop(tokio::spawn(drops_and_wants(first.clone(), second.clone()))),
        }
    }
    if bytes == Bytes::Lie {
        takes(a);
        takes(b);
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

pub async fn wants<V: AddAssign<u64>>(lock: Arc<Mutex<V>>) {
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
