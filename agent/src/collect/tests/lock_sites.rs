//! Where locks are acquired and where their holders sleep, in optimized code: right to the function and the line, and nothing
//! where nothing is known. The rate is the whole process's, so the tests let a hold repeat until it gets its turn.

use super::*;
use crate::{
    capture::{Stack, current_thread},
    collect::lock_sites::BOUND,
};
use holdup_stack::frame::Frame;
use stalling::holding::{self, Lines};
use std::{
    future::poll_fn,
    sync::{Arc, atomic::Ordering},
    task::Poll,
    time::{Duration, Instant},
};
use tokio::{
    task::{JoinHandle, yield_now},
    time::sleep,
};

const HELD: Duration = Duration::from_millis(40);

/// The innermost function of the service on a stack: its name without path, and its line.
fn top(stack: &Stack) -> (String, u32) {
    let of_service = |frame: &&Frame| frame.file.ends_with("stalling/src/holding.rs");
    let frame = stack.frames.iter().find(of_service);
    let frame = frame.unwrap_or_else(|| panic!("none of the service's functions in {stack:#?}"));
    let names = frame.function.split("::").filter(|name| !name.starts_with('{'));
    (names.last().unwrap_or_default().to_owned(), frame.line)
}

/// The first hold of a lock, of those that `is_it`, that is seen.
async fn seen(id: u64, is_it: impl Fn(&Holder) -> bool) -> Holder {
    let begun = Instant::now();
    loop {
        if let Some(holder) = lock(id).holders.into_iter().find(|holder| is_it(holder)) {
            return holder;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "it never came: {:#?}", lock(id));
        sleep(Duration::from_millis(3)).await;
    }
}

fn is_told(holder: &Holder) -> bool {
    holder.acquired_at.is_some() && holder.suspended_at.is_some()
}

/// A lock, its id, and the lines of who is to hold it. From here on stacks are captured.
fn looked_at<L: Default>(id: impl Fn(&L) -> u64) -> (Arc<L>, u64, Arc<Lines>) {
    current_thread::switch_on(thread_state::hide);
    let lock = Arc::<L>::default();
    let id = id(&lock);
    (lock, id, Arc::default())
}

/// A task that does something with a lock again and again.
fn again<L, F>(
    lock: &Arc<L>,
    lines: &Arc<Lines>,
    act: impl Fn(Arc<L>, Arc<Lines>) -> F + Send + 'static,
) -> JoinHandle<()>
where
    L: Send + Sync + 'static,
    F: Future + Send,
{
    let (lock, lines) = (Arc::clone(lock), Arc::clone(lines));
    tokio::spawn(async move {
        loop {
            act(Arc::clone(&lock), Arc::clone(&lines)).await;
            sleep(Duration::from_millis(1)).await;
        }
    })
}

/// Asserts where a hold was acquired, and where its holder sleeps.
fn assert_told(holder: &Holder, function: &str, asleep: &str, lines: &Lines) {
    assert!(holder.is_across_await);
    let (acquired, suspended) = (holder.acquired_at.as_ref().unwrap(), holder.suspended_at.as_ref().unwrap());
    assert_eq!(top(acquired), (function.to_owned(), lines.acquired.load(Ordering::Acquire)), "{acquired:#?}");
    assert_eq!(top(suspended), (asleep.to_owned(), lines.suspended.load(Ordering::Acquire)), "{suspended:#?}");
    for stack in [acquired, suspended] {
        assert!(!stack.approximate, "{stack:#?}");
        let first = &stack.frames[0];
        assert!(first.file.contains("tokio"), "neither ours nor tracing's: {first:?}");
    }
}

#[test]
fn a_mutex_that_is_held_across_a_sleep() {
    current_thread().block_on(async {
        let (mutex, id, lines) = looked_at(id_of);
        let task = again(&mutex, &lines, |mutex, lines| async move { holding::holds(&lines, &mutex, HELD).await });
        assert_told(&seen(id, is_told).await, "holds", "holds", &lines);
        task.abort();
    });
}

#[test]
fn a_holder_that_goes_on_to_sleep_elsewhere() {
    current_thread().block_on(async {
        let (mutex, id, lines) = looked_at(id_of);
        let task = again(&mutex, &lines, |mutex, lines| async move { holding::moves_on(&lines, &mutex, HELD).await });
        let is_at_the_second = |holder: &Holder| {
            is_told(holder) && holder.suspended_at.as_ref().is_some_and(|stack| top(stack).0 == "rests")
        };
        assert_told(&seen(id, is_at_the_second).await, "moves_on", "rests", &lines);
        task.abort();
    });
}

#[test]
fn a_holder_that_waits_for_another_lock() {
    multi_thread(2).block_on(async {
        let (mutex, id, lines) = looked_at(id_of);
        let (other, _, of_other) = looked_at(id_of);
        let keeper = again(&other, &of_other, |other, lines| async move {
            holding::holds(&lines, &other, HELD).await;
        });
        let task = again(&mutex, &lines, move |mutex, lines| {
            let other = Arc::clone(&other);
            async move { holding::tries(&lines, &mutex, &other).await }
        });
        assert_told(&seen(id, is_told).await, "tries", "tries", &lines);
        keeper.abort();
        task.abort();
    });
}

#[test]
fn those_who_read_and_those_who_write() {
    current_thread().block_on(async {
        let (rw, id, at_read) = looked_at(id_of_rw);
        let at_write = Arc::default();
        let read = again(&rw, &at_read, |rw, lines| async move { holding::reads(&lines, &rw, HELD).await });
        let write = again(&rw, &at_write, |rw, lines| async move { holding::writes(&lines, &rw, HELD).await });
        let shared = seen(id, |holder| is_told(holder) && holder.access == Access::Shared).await;
        assert_told(&shared, "reads", "reads", &at_read);
        let alone = seen(id, |holder| is_told(holder) && holder.access == Access::Exclusive).await;
        assert_told(&alone, "writes", "writes", &at_write);
        read.abort();
        write.abort();
    });
}

#[test]
fn a_lock_that_is_acquired_once_and_held_for_long() {
    current_thread().block_on(async {
        let (mutex, id, lines) = looked_at(id_of);
        let task = tokio::spawn({
            let lines = Arc::clone(&lines);
            async move { holding::keeps(&lines, &mutex, HELD).await }
        });
        let holder = seen(id, |holder| holder.suspended_at.is_some()).await;
        let suspended = holder.suspended_at.as_ref().unwrap();
        assert_eq!(top(suspended), ("keeps".to_owned(), lines.suspended.load(Ordering::Acquire)));
        assert_eq!(holder.acquired_at, None, "nobody looked then");
        assert_eq!(lock(id).acquisitions, 2);
        task.abort();
    });
}

#[test]
fn a_poll_that_tells_nothing_leaves_it_open() {
    current_thread().block_on(async {
        let (mutex, id, _) = looked_at(id_of::<u64>);
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            loop {
                let waker = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
                let mut guard = mutex.lock().await;
                tell.send(waker).expect("somebody listens");
                // Not ready once, and keeps no waker.
                let mut polls = 0;
                poll_fn(|_| {
                    polls += 1;
                    if polls == 1 { Poll::Pending } else { Poll::Ready(()) }
                })
                .await;
                *guard += 1;
            }
        });
        let (begun, mut acquired) = (Instant::now(), 0);
        while acquired < 5 {
            let waker = told.recv().await.expect("it goes on");
            sleep(Duration::from_millis(5)).await;
            let holder = lock(id).holders.remove(0);
            assert!(holder.is_across_await);
            assert_eq!(holder.suspended_at, None, "nobody can know");
            acquired += u32::from(holder.acquired_at.is_some());
            waker.wake();
            assert!(begun.elapsed() < Duration::from_secs(30), "{acquired}");
        }
        task.abort();
    });
}

#[test]
fn a_thread_that_blocks_on_a_lock() {
    multi_thread(1).block_on(async {
        let (mutex, id, lines) = looked_at(id_of);
        let task = again(&mutex, &Arc::default(), |mutex, lines| async move {
            holding::holds(&lines, &mutex, HELD).await;
        });
        let (tell, told) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn({
            let lines = Arc::clone(&lines);
            move || {
                while told.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
                    let guard = holding::blocks(&lines, &mutex);
                    std::thread::sleep(HELD);
                    drop(guard);
                }
            }
        });
        let is_the_thread = |holder: &Holder| holder.acquired_at.is_some() && !matches!(holder.owner, Owner::Task(_));
        let holder = seen(id, is_the_thread).await;
        let acquired = holder.acquired_at.as_ref().unwrap();
        assert_eq!(top(acquired), ("blocks".to_owned(), lines.acquired.load(Ordering::Acquire)));
        assert_eq!(holder.suspended_at, None, "no task, no await");
        drop(tell);
        task.abort();
        thread.join().unwrap();
    });
}

#[test]
fn a_lock_that_nobody_holds_across_an_await_costs_no_stack() {
    current_thread().block_on(async {
        let (mutex, id, _) = looked_at(id_of::<u64>);
        let task = tokio::spawn(async move {
            for _ in 0..1000 {
                let guard = mutex.lock().await;
                let held = lock(id);
                assert!(held.holders[0].acquired_at.is_none() && held.holders[0].suspended_at.is_none());
                drop(guard);
                holding::lets_go(&mutex).await;
                yield_now().await;
            }
        });
        task.await.expect("it ends");
    });
}

#[test]
fn the_rate_of_one_lock_is_bounded() {
    current_thread().block_on(async {
        let (mutex, id, _) = looked_at(id_of::<u64>);
        let begun = Instant::now();
        let mut told = 0;
        while told < 8 {
            let guard = mutex.lock().await;
            sleep(Duration::from_millis(3)).await;
            told += u32::from(lock(id).holders[0].acquired_at.is_some());
            drop(guard);
            assert!(begun.elapsed() < Duration::from_secs(30), "{told}");
        }
        let allowed = begun.elapsed().as_millis() as u32 / 100 + BOUND.burst;
        assert!(told <= allowed, "{told} in {:?}", begun.elapsed());
    });
}
