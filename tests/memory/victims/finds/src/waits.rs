//! Tasks that wait for a notification or at a barrier.

use crate::{Case, LONG, ms};
use std::{
    hint::black_box,
    sync::{Arc, Weak},
};
use tokio::{
    sync::{Barrier, Mutex, Notify},
    task::JoinHandle,
    time::sleep,
};

/// One waits for what it alone could give, one for the end of such a one, and two at a barrier for three; one waits that owns what it waits for.
/// In the control somebody else could end each: one who sleeps, a branch that borrows the handle, a `Weak`, a handle that was forgotten.
pub fn abandoned_wait(case: Case) {
    match case {
        Case::Wrong => {
            let alone = Arc::new(Notify::new());
            let waits = tokio::spawn(async move { alone.notified().await });
            tokio::spawn(ends(waits));
            tokio::spawn(Arc::new(Notify::new()).notified_owned());
            let barrier = Arc::new(Barrier::new(3));
            for _ in 0..2 {
                tokio::spawn(arrives(Arc::clone(&barrier)));
            }
        }
        Case::Control => {
            let notify = Arc::new(Notify::new());
            let (waits, gives) = (Arc::clone(&notify), notify);
            tokio::spawn(async move { waits.notified().await });
            tokio::spawn(async move {
                sleep(LONG).await;
                gives.notify_one();
            });
            tokio::spawn(lends());
            let weak = Arc::new(Notify::new());
            tokio::spawn(keeps(Arc::downgrade(&weak)));
            tokio::spawn(async move { weak.notified().await });
            let forgotten = Arc::new(Notify::new());
            std::mem::forget(Arc::clone(&forgotten));
            tokio::spawn(async move { forgotten.notified().await });
            let barrier = Arc::new(Barrier::new(2));
            tokio::spawn(arrives(Arc::clone(&barrier)));
            tokio::spawn(async move {
                sleep(LONG).await;
                barrier.wait().await;
            });
        }
    }
}

async fn arrives(barrier: Arc<Barrier>) {
    barrier.wait().await;
}

async fn ends(task: JoinHandle<()>) {
    let _ = task.await;
}

async fn keeps(weak: Weak<Notify>) {
    sleep(LONG).await;
    black_box(weak.upgrade());
}

/// A branch of it has no handle of its own, and gives the notification all the same.
async fn lends() {
    let notify = Arc::new(Notify::new());
    let gives = async {
        sleep(LONG).await;
        notify.notify_one();
    };
    tokio::join!(notify.notified(), gives);
}

/// One waits at a barrier for two with a lock that the other one wants before it arrives.
pub fn abandoned_deadlock() {
    let (barrier, lock) = (Arc::new(Barrier::new(2)), Arc::new(Mutex::new(0_u32)));
    let (its_barrier, its_lock) = (Arc::clone(&barrier), Arc::clone(&lock));
    tokio::spawn(async move {
        let guard = its_lock.lock().await;
        its_barrier.wait().await;
        drop(guard);
    });
    tokio::spawn(async move {
        sleep(ms(50)).await;
        drop(lock.lock().await);
        barrier.wait().await;
    });
}
