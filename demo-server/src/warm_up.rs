//! One task that does a bit of everything, before there is anything to see.
//!
//! console-subscriber 0.5 has to be told of each kind of event once, and until it has been, it leaves out the events of
//! that kind that another thread emits in the meantime. Two tasks that take their first locks at the same moment, as those
//! of the deadlock do, could lose the one event that says who has them. So every kind happens here first, on one thread.

use std::{
    io,
    sync::{Arc, mpsc},
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::{Mutex, RwLock, Semaphore},
    task::yield_now,
    time::{interval, sleep},
};

use crate::unstable::spawn_named;

const SHORT: Duration = Duration::from_millis(1);

/// The longest wait for it: what it does takes a few milliseconds, and is not worth failing for.
const PATIENCE: Duration = Duration::from_secs(2);

/// Runs it on `service` and waits until it is over.
pub(crate) fn run(service: &Handle) -> io::Result<()> {
    let (done, over) = mpsc::channel();
    spawn_named(service, "warm-up", async move {
        bit_of_everything().await;
        // Nobody listens any more after a machine has been too slow.
        let _ = done.send(());
    })?;
    let _ = over.recv_timeout(PATIENCE);
    Ok(())
}

async fn bit_of_everything() {
    let mutex = Arc::new(Mutex::new(()));
    let guard = mutex.lock().await;
    // Polled, so that it waits for the guard, and dropped while it does.
    tokio::select! {
        biased;
        _ = mutex.lock() => {}
        () = sleep(SHORT) => {}
    }
    drop(guard);
    drop(Arc::clone(&mutex).lock_owned().await);

    let lock = RwLock::new(());
    drop(lock.write().await);
    drop(lock.read().await);

    let semaphore = Arc::new(Semaphore::new(1));
    drop(semaphore.acquire().await);
    drop(Arc::clone(&semaphore).acquire_owned().await);

    interval(SHORT).tick().await;
    yield_now().await;
    std::future::poll_fn(|cx| {
        cx.waker().wake_by_ref();
        std::task::Poll::Ready(())
    })
    .await;
}
