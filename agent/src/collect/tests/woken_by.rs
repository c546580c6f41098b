//! Who woke a task, from real runtimes.

use super::*;
use crate::{
    clock,
    collect::task::{slot, woken_by},
    slots::id,
};
use std::{sync::Arc, time::Duration};
use tokio::sync::{Notify, Semaphore};

/// Keeps who wakes a task, as when somebody looks at it.
fn keep(task: u64) {
    let slot = id::decode(task).and_then(slot::slot).expect("it lives");
    woken_by::keep(task, slot, clock::now());
}

/// Who woke it, the latest first, each with the number of times.
fn told(task: u64) -> Vec<(WokenBy, u64)> {
    let wakers = changes::task(task).expect("the task is known").woken_by.map(|kept| kept.latest);
    wakers.into_iter().flatten().map(|waking| (waking.by, waking.count)).collect()
}

/// A task that is woken again and again, and whoever wants to.
fn woken(notify: &Arc<Notify>) -> (tokio::task::JoinHandle<()>, std::sync::mpsc::Receiver<u64>) {
    let (tell, id) = std::sync::mpsc::channel();
    let notify = Arc::clone(notify);
    let woken = tokio::spawn(async move {
        tell.send(me()).expect("somebody listens");
        loop {
            notify.notified().await;
        }
    });
    (woken, id)
}

/// Wakes a task until that is noted: a wake is none of a task that does not wait yet, and is not noted while somebody else is at its
/// place of the table.
fn wake_until(notify: &Notify, task: u64, noted: impl Fn(&[(WokenBy, u64)]) -> bool) {
    while !noted(&told(task)) {
        notify.notify_one();
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn tasks_threads_and_the_runtime_are_told_apart() {
    let runtime = multi_thread(2);
    let notify = Arc::new(Notify::new());
    let (_woken, id) = {
        let _inside = runtime.enter();
        woken(&notify)
    };
    let id = id.recv().expect("it runs");
    keep(id);
    let theirs = Arc::clone(&notify);
    let waker = runtime.spawn(async move {
        // Who is woken from a task waits in its worker's own slot until that goes on.
        while told(id).first().is_none_or(|(_, count)| *count < 3) {
            theirs.notify_one();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        me()
    });
    let waker = runtime.block_on(waker).expect("it ends");
    let by = |task| told(task).into_iter().map(|(by, _)| by).collect::<Vec<_>>();
    assert_eq!(by(id), [WokenBy::Task(waker)]);
    // Code that is no task's, on a thread of its own.
    std::thread::scope(|scope| {
        scope.spawn(|| wake_until(&notify, id, |told| told.len() == 2));
    });
    assert_eq!(by(id), [WokenBy::Outside, WokenBy::Task(waker)]);
    // A blocking job is one as well.
    let theirs = Arc::clone(&notify);
    let job = runtime.spawn_blocking(move || {
        wake_until(&theirs, id, |told| told.len() == 3);
        me()
    });
    let job = runtime.block_on(job).expect("it ends");
    assert_eq!(by(id), [WokenBy::Task(job), WokenBy::Outside, WokenBy::Task(waker)]);
}

/// A task that only a timer wakes.
async fn ticks(tell: std::sync::mpsc::Sender<u64>) {
    tell.send(me()).expect("somebody listens");
    loop {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[test]
fn a_timer_is_the_runtime_s_doing_on_workers_and_inside_of_block_on() {
    for runtime in [multi_thread(1), current_thread()] {
        let (tell, id) = std::sync::mpsc::channel();
        let _ticks = runtime.spawn(ticks(tell));
        runtime.block_on(async move {
            tokio::time::sleep(Duration::from_millis(5)).await;
            let id = id.recv().expect("it runs");
            keep(id);
            while told(id).is_empty() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let told = told(id);
            assert!(told.iter().all(|(by, _)| *by == WokenBy::Runtime), "{told:?}");
        });
    }
}

#[test]
fn who_wakes_themselves_often_is_kept_without_being_asked_for() {
    current_thread().block_on(async {
        let spawned = tokio::spawn(async {
            for _ in 0..300 {
                let mut first = true;
                std::future::poll_fn(|cx| {
                    if std::mem::take(&mut first) {
                        cx.waker().wake_by_ref();
                        return std::task::Poll::Pending;
                    }
                    std::task::Poll::Ready(())
                })
                .await;
            }
            (me(), told(me()))
        });
        let (id, told) = spawned.await.expect("it ends");
        // From the hundredth on, or from the next one where somebody was in the way.
        assert!(matches!(told[..], [(WokenBy::Task(task), 1..=200)] if task == id), "{told:?}");
    });
}

#[test]
fn who_waited_long_is_kept_and_others_are_not() {
    current_thread().block_on(async {
        let go = Arc::new(Semaphore::new(0));
        let theirs = Arc::clone(&go);
        let (tell, id) = std::sync::mpsc::channel();
        let _waits = tokio::spawn(async move {
            tell.send(me()).expect("somebody listens");
            loop {
                theirs.acquire().await.expect("it is open").forget();
            }
        });
        let quick = tokio::spawn(async {
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
            changes::task(me()).expect("it is known")
        });
        let quick = quick.await.expect("it ends");
        // The machine may have made it wait.
        assert!(quick.woken_by.is_none() || quick.scheduled >= woken_by::LONG_WAIT, "{quick:?}");
        let id = id.recv().expect("it runs");
        // From the second on, or from a later one where somebody was in the way.
        while told(id).is_empty() {
            go.add_permits(1);
            // It is ready, and its thread is not.
            std::thread::sleep(woken_by::LONG_WAIT + Duration::from_millis(10));
            tokio::task::yield_now().await;
        }
        assert_eq!(told(id), [(WokenBy::Task(me()), 1)]);
    });
}

#[test]
fn room_is_given_back() {
    current_thread().block_on(async {
        // Far more than there is room for, one after the other.
        for _ in 0..10_000 {
            let kept = tokio::spawn(async {
                // Somebody may be in the way for a moment.
                (0..1_000).any(|_| {
                    keep(me());
                    changes::task(me()).expect("it is known").woken_by.is_some()
                })
            });
            assert!(kept.await.expect("it ends"));
        }
    });
}
