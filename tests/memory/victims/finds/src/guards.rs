//! Locks of the standard library, for which threads sleep: held across awaits, by those whom only a thread that sleeps could poll.

use crate::{Case, LONG, ms, threads};
use std::{
    future::Future,
    mem::transmute,
    ops::AddAssign,
    pin::Pin,
    sync::{Arc, Condvar, Mutex, PoisonError, RwLock},
    thread,
};
use tokio::{
    runtime::Builder,
    sync::{Mutex as Turn, oneshot},
    task::{JoinHandle, LocalSet, spawn_blocking, spawn_local},
    time::sleep,
};

type Boxed = Pin<Box<dyn Future<Output = ()>>>;

/// A future with a guard across an await, on a runtime of several threads. Nothing polls it on two of them at once, but the guard is
/// dropped on another thread than it was made on, which the lock does not mind on Linux.
fn spawn(future: impl Future<Output = ()> + 'static) -> JoinHandle<()> {
    let future: Boxed = Box::pin(future);
    // SAFETY: what it has in it is only what these examples have, which is read by one thread at a time.
    tokio::spawn(unsafe { transmute::<Boxed, Pin<Box<dyn Future<Output = ()> + Send>>>(future) })
}

/// What runs on a thread of its own, by a runtime of that thread alone.
fn on_one_thread(what: impl FnOnce() -> Boxed + Send + 'static) {
    thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(what());
    });
}

/// Has the lock while it sleeps.
async fn keeps(lock: Arc<Mutex<u64>>, until: std::time::Duration) {
    let mut has = lock.lock().unwrap_or_else(PoisonError::into_inner);
    *has += 1;
    sleep(until).await;
    *has += 1;
}

/// Blocks its thread until it has the lock.
async fn blocks<T: AddAssign + From<u8>>(lock: Arc<Mutex<T>>) {
    sleep(ms(50)).await;
    *lock.lock().unwrap_or_else(PoisonError::into_inner) += T::from(1);
}

/// One sleeps for a moment with the lock, and another one blocks their only thread until it has it. In the control the lock is let go of
/// before the await, whose variable keeps its bytes; a thread has it now, and gives it back in time.
pub fn only_thread(case: Case) {
    match case {
        Case::Wrong => on_one_thread(|| {
            Box::pin(async {
                let lock: Arc<Mutex<u64>> = Arc::default();
                let set = LocalSet::new();
                set.spawn_local(keeps(lock.clone(), ms(200)));
                set.spawn_local(blocks(lock));
                set.await;
            })
        }),
        Case::Control => on_one_thread(|| {
            Box::pin(async {
                let lock: Arc<Mutex<u32>> = Arc::default();
                let set = LocalSet::new();
                set.spawn_local(lets_go(lock.clone()));
                set.spawn_local(blocks(lock.clone()));
                given(Box::new(move || has_in_turn(&lock)));
                set.await;
            })
        }),
    }
}

type Work = Box<dyn FnOnce() + Send>;

/// Gives something to a thread that does what it is given: what that may have no type tells.
fn given(work: Work) {
    let (sender, receiver) = std::sync::mpsc::channel::<Work>();
    thread::spawn(move || receiver.iter().for_each(|work| work()));
    let _ = sender.send(work);
    std::mem::forget(sender);
}

async fn lets_go(lock: Arc<Mutex<u32>>) {
    let mut has = lock.lock().unwrap_or_else(PoisonError::into_inner);
    *has += 1;
    drop(has);
    sleep(LONG).await;
}

/// Has the lock for seconds, over and over.
fn has_in_turn(lock: &Mutex<u32>) {
    loop {
        let mut has = lock.lock().unwrap_or_else(PoisonError::into_inner);
        *has += 1;
        thread::sleep(ms(4_000));
        drop(has);
        thread::sleep(ms(1));
    }
}

/// The root of `block_on` has the lock and waits for a task of the same thread, which blocks that until it has it. In the control it
/// gives the lock back before it waits.
pub fn root_has_it(case: Case) {
    on_one_thread(move || {
        Box::pin(async move {
            let lock: Arc<Mutex<u64>> = Arc::default();
            let task = tokio::spawn(blocks(lock.clone()));
            if case == Case::Control {
                *lock.lock().unwrap_or_else(PoisonError::into_inner) += 1;
                let _ = task.await;
                sleep(LONG).await;
            } else {
                let mut has = lock.lock().unwrap_or_else(PoisonError::into_inner);
                let _ = task.await;
                *has += 1;
            }
        })
    });
}

/// One has the lock and waits for the end of a job, which sleeps until it has it. In the control the job has it for a while, and then
/// ends.
pub fn job_waits(case: Case) {
    spawn(async move {
        let lock: Arc<RwLock<u64>> = Arc::default();
        let other = lock.clone();
        if case == Case::Control {
            loop {
                let other = lock.clone();
                let job = spawn_blocking(move || {
                    let mut has = other.write().unwrap_or_else(PoisonError::into_inner);
                    *has += 1;
                    thread::sleep(ms(3_000));
                });
                let _ = job.await;
            }
        }
        let has = lock.read().unwrap_or_else(PoisonError::into_inner);
        let job = spawn_blocking(move || *other.write().unwrap_or_else(PoisonError::into_inner) += 1);
        let _ = job.await;
        drop(has);
    });
}

/// One has a lock of the standard library, and waits for one of tokio's. Who has that blocks its thread until it has the first. In the
/// control the first sleeps for a moment instead: it is polled by another thread.
pub fn two_kinds(case: Case) {
    // Whose worker sleeps may have been the one that saw to timers.
    let runtime = threads(3);
    let guard = runtime.enter();
    let (lock, turn): (Arc<Mutex<u64>>, Arc<Turn<u64>>) = Default::default();
    let (said, heard) = oneshot::channel();
    let (its, own) = (turn.clone(), lock.clone());
    spawn(async move {
        let mut turn = its.lock().await;
        let _ = said.send(());
        sleep(ms(100)).await;
        *turn += *own.lock().unwrap_or_else(PoisonError::into_inner);
    });
    spawn(async move {
        let _ = heard.await;
        loop {
            let mut has = lock.lock().unwrap_or_else(PoisonError::into_inner);
            if case == Case::Wrong {
                *has += *turn.lock().await;
            } else {
                sleep(ms(2_000)).await;
                *has += 1;
            }
        }
    });
    drop(guard);
    std::mem::forget(runtime);
}

/// All workers of a runtime sleep for a lock whose guard sleeps in a task of the same runtime. In the control one of them is free.
pub fn all_workers(case: Case) {
    let workers = if case == Case::Wrong { 2 } else { 3 };
    let runtime = Builder::new_multi_thread().worker_threads(workers).enable_all().build().expect("a runtime");
    let lock: Arc<Mutex<u64>> = Arc::default();
    let until = if case == Case::Wrong { ms(300) } else { LONG };
    let guard = runtime.enter();
    spawn(keeps(lock.clone(), until));
    thread::sleep(ms(50));
    for _ in 0..2 {
        let lock = lock.clone();
        spawn(async move { *lock.lock().unwrap_or_else(PoisonError::into_inner) += 1 });
    }
    drop(guard);
    std::mem::forget(runtime);
}

/// A worker waits for a condition, which a thread of the program's own gives it after a while. Nothing is wrong in either.
pub fn condition() {
    let pair: Arc<(Mutex<u16>, Condvar)> = Arc::default();
    let other = pair.clone();
    thread::spawn(move || {
        loop {
            thread::sleep(ms(3_000));
            *other.0.lock().unwrap_or_else(PoisonError::into_inner) += 1;
            other.1.notify_all();
        }
    });
    on_one_thread(|| {
        Box::pin(async move {
            let set = LocalSet::new();
            set.spawn_local(async {
                loop {
                    sleep(ms(10)).await;
                }
            });
            set.spawn_local(async move {
                sleep(ms(20)).await;
                spawn_local(sleep(LONG));
                let mut count = pair.0.lock().unwrap_or_else(PoisonError::into_inner);
                loop {
                    count = pair.1.wait(count).unwrap_or_else(PoisonError::into_inner);
                }
            });
            set.await;
        })
    });
}
