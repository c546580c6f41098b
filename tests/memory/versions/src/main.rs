//! Tasks that await what there is to await in any tokio from 1.38 on. What a task's number is it cannot ask of all of these, so that
//! the truth is told by functions: `is NAME LINE KIND`, each of which one task sleeps in.

use std::{future::Future, io::Read, sync::Arc, time::Duration};
use tokio::{
    net::TcpListener,
    sync::{Barrier, Mutex, Notify, OnceCell, RwLock, Semaphore, broadcast, mpsc, oneshot, watch},
    task::{JoinHandle, JoinSet},
    time::{sleep, timeout},
};

const LONG: Duration = Duration::from_secs(100_000);

/// Says that a task is about to sleep at the next line.
macro_rules! at {
    ($name:literal, $($kind:literal),*) => {
        println!("is {} {} {}", $name, line!() + 1, [$($kind),*].join(","))
    };
}

fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        spawn().await;
        sleep(Duration::from_millis(500)).await;
        println!("ready {}", std::process::id());
        std::thread::spawn(|| {
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
            std::process::exit(0);
        });
        sleep(LONG).await;
    });
}

fn start<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    tokio::spawn(future)
}

async fn spawn() {
    start(asleep());
    start(within());
    let lock: Arc<Mutex<u64>> = Arc::default();
    start(has(lock.clone()));
    start(wants(lock));
    let lock: Arc<RwLock<u64>> = Arc::default();
    start(reads(lock.clone()));
    start(writes(lock));
    let semaphore = Arc::new(Semaphore::new(2));
    start(takes(semaphore.clone()));
    start(wants_permits(semaphore));
    start(wants_cell());
    let (tx, rx) = mpsc::channel(1);
    start(sends(tx, rx));
    let (tx, rx) = mpsc::unbounded_channel();
    start(receives(tx, rx));
    let (tx, rx) = oneshot::channel();
    start(answered(rx));
    start(notified());
    let (_, watched) = (start(watches()), start(listens()));
    start(meets());
    start(joins(watched));
    start(set());
    start(selects());
    start(large());
    if let Ok(listener) = TcpListener::bind("127.0.0.1:0").await {
        start(accepts(listener));
    }
    start(keeps(tx));
}

async fn later() {
    sleep(Duration::from_millis(100)).await;
}

async fn asleep() {
    at!("asleep", "timer");
    sleep(LONG).await;
}

async fn within() {
    at!("within", "timer", "notify");
    let _ = timeout(LONG, Notify::new().notified()).await;
}

async fn has(lock: Arc<Mutex<u64>>) {
    let mut guard = lock.lock().await;
    println!("has mutex has");
    at!("has", "timer");
    sleep(LONG).await;
    *guard += 1;
}

async fn wants(lock: Arc<Mutex<u64>>) {
    later().await;
    at!("wants", "permits");
    *lock.lock().await += 1;
}

async fn reads(lock: Arc<RwLock<u64>>) {
    let guard = lock.read().await;
    println!("has rwlock reads");
    at!("reads", "timer");
    sleep(LONG).await;
    std::hint::black_box(*guard);
}

async fn writes(lock: Arc<RwLock<u64>>) {
    later().await;
    at!("writes", "permits");
    *lock.write().await += 1;
}

async fn takes(semaphore: Arc<Semaphore>) {
    let permit = semaphore.acquire().await;
    at!("takes", "timer");
    sleep(LONG).await;
    drop(permit);
}

async fn wants_permits(semaphore: Arc<Semaphore>) {
    later().await;
    at!("wants_permits", "permits");
    let _ = semaphore.acquire_many(2).await;
}

async fn wants_cell() {
    let cell: OnceCell<u64> = OnceCell::new();
    let first = cell.get_or_init(async || {
        sleep(LONG).await;
        1
    });
    let second = async {
        later().await;
        cell.get_or_init(async || 2).await;
    };
    at!("wants_cell", "timer", "permits");
    tokio::join!(first, second);
}

async fn sends(tx: mpsc::Sender<u64>, rx: mpsc::Receiver<u64>) {
    let _ = tx.send(1).await;
    at!("sends", "permits");
    let _ = tx.send(2).await;
    drop(rx);
}

async fn receives(tx: mpsc::UnboundedSender<u64>, mut rx: mpsc::UnboundedReceiver<u64>) {
    at!("receives", "mpsc");
    rx.recv().await;
    drop(tx);
}

async fn answered(rx: oneshot::Receiver<u64>) {
    at!("answered", "oneshot");
    let _ = rx.await;
}

async fn keeps(tx: oneshot::Sender<u64>) {
    at!("keeps", "timer");
    sleep(LONG).await;
    let _ = tx.send(1);
}

async fn notified() {
    let notify = Notify::new();
    at!("notified", "notify");
    notify.notified().await;
}

async fn watches() {
    let (tx, mut rx) = watch::channel(1);
    at!("watches", "watch");
    let _ = rx.changed().await;
    drop(tx);
}

async fn listens() {
    let (tx, mut rx) = broadcast::channel::<u8>(2);
    at!("listens", "broadcast");
    let _ = rx.recv().await;
    drop(tx);
}

async fn meets() {
    let barrier = Barrier::new(2);
    at!("meets", "barrier");
    barrier.wait().await;
}

async fn joins(handle: JoinHandle<()>) {
    at!("joins", "join");
    let _ = handle.await;
}

async fn set() {
    let mut set = JoinSet::new();
    set.spawn(async { sleep(LONG).await });
    at!("set", "join-any");
    set.join_next().await;
}

async fn selects() {
    let notify = Notify::new();
    let on = std::hint::black_box(false);
    at!("selects", "timer");
    tokio::select! {
        () = notify.notified(), if on => {}
        () = sleep(LONG) => {}
    }
}

async fn large() {
    let mut bytes = [1_u8; 40_000];
    std::hint::black_box(&mut bytes);
    at!("large", "timer");
    sleep(LONG).await;
    std::hint::black_box(&bytes);
}

async fn accepts(listener: TcpListener) {
    at!("accepts", "io");
    let _ = listener.accept().await;
}
