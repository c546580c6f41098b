//! Who holds a lock and who waits for it, at instants that are known: one thread polls everything, so that nothing happens
//! between two lines but what is there to read.

use super::*;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{MappedMutexGuard, MutexGuard, OwnedMutexGuard, OwnedRwLockWriteGuard, RwLockWriteGuard, oneshot},
    task::{JoinHandle, yield_now},
};

/// A task that awaits `first` while it holds what that gives, until it is told to go on.
fn holding<F>(first: F) -> (JoinHandle<u64>, oneshot::Sender<()>)
where
    F: Future<Output: Send> + Send + 'static,
{
    let (go_on, told) = oneshot::channel();
    let task = tokio::spawn(async move {
        let held = first.await;
        told.await.expect("it is told");
        drop(held);
        me()
    });
    (task, go_on)
}

/// Lets every task run as far as it can.
async fn settle() {
    for _ in 0..20 {
        yield_now().await;
    }
}

#[test]
fn a_mutex_that_is_held_across_an_await() {
    current_thread().block_on(async {
        let mutex = Arc::new(Mutex::new(0));
        let id = id_of(&mutex);
        assert_eq!(holders(id), []);
        let (holder, go_on) = holding(Arc::clone(&mutex).lock_owned());
        settle().await;
        let held = lock(id);
        assert_eq!(held.holders.len(), 1);
        assert_eq!((held.acquisitions, held.contended), (2, 0));
        assert_eq!(held.across_await.count, 1, "a poll of the holder has ended");
        assert!(held.across_await.longest > Duration::ZERO);
        go_on.send(()).expect("it waits");
        let holder = holder.await.expect("it ends");
        assert_eq!(held.holders[0].owner, Owner::Task(holder));
        assert_eq!(held.holders[0].access, Access::Exclusive);
        let free = lock(id);
        assert_eq!(free.holders, []);
        assert_eq!(free.across_await.count, 1);
        assert_eq!(free.hold_times.iter().sum::<u64>(), 2);
        assert!(free.longest_hold >= held.across_await.longest);
        assert!(free.held >= free.longest_hold);
    });
}

#[test]
fn a_mutex_that_is_held_within_one_poll() {
    current_thread().block_on(async {
        let mutex = Arc::new(Mutex::new(0));
        let id = id_of(&mutex);
        let task = tokio::spawn(async move {
            let guard = mutex.lock().await;
            assert_eq!(holders(id), alone(me()));
            drop(guard);
            assert_eq!(holders(id), []);
            yield_now().await;
            drop(mutex);
        });
        task.await.expect("it ends");
        let gone = changes::lock(id).expect("it is kept for a while");
        assert_eq!((gone.acquisitions, gone.across_await.count), (2, 0));
        assert!(gone.dropped.is_some());
    });
}

#[test]
fn those_who_wait_are_in_order_and_are_served_in_order() {
    current_thread().block_on(async {
        let mutex = Arc::new(Mutex::new(0));
        let id = id_of(&mutex);
        let (holder, release) = holding(Arc::clone(&mutex).lock_owned());
        settle().await;
        let mut waiting = Vec::new();
        for _ in 0..3 {
            waiting.push(holding(Arc::clone(&mutex).lock_owned()));
            settle().await;
        }
        let before: Vec<u64> = waiters(id).into_iter().map(|(task, _)| task).collect();
        assert_eq!(before.len(), 3);
        let since: Vec<_> = lock(id).waiters.iter().map(|waiter| waiter.since).collect();
        assert!(since.is_sorted());
        release.send(()).expect("it waits");
        let mut served = vec![holder.await.expect("it ends")];
        for (at, (task, release)) in waiting.into_iter().enumerate() {
            settle().await;
            assert_eq!(holders(id), alone(before[at]));
            assert_eq!(waiters(id), before[at + 1..].iter().map(|task| (*task, Access::Exclusive)).collect::<Vec<_>>());
            release.send(()).expect("it waits");
            served.push(task.await.expect("it ends"));
        }
        assert_eq!(served[1..], before);
        assert_eq!(lock(id).contended, 3);
    });
}

#[test]
fn a_wait_that_is_cancelled_is_gone() {
    current_thread().block_on(async {
        let mutex = Arc::new(Mutex::new(0));
        let id = id_of(&mutex);
        let guard = mutex.lock().await;
        let waiting = tokio::time::timeout(Duration::from_millis(5), mutex.lock());
        let other = tokio::spawn({
            let mutex = Arc::clone(&mutex);
            async move { drop(mutex.lock().await) }
        });
        assert!(waiting.await.is_err());
        let left: Vec<_> = waiters(id);
        assert_eq!(left.len(), 1, "the other one still waits");
        assert_ne!(left[0].0, me());
        other.abort();
        assert!(other.await.is_err());
        assert_eq!(waiters(id), []);
        assert_eq!(lock(id).contended, 0);
        drop(guard);
    });
}

#[test]
fn several_readers_and_a_writer_that_waits() {
    current_thread().block_on(async {
        let shared_lock = Arc::new(RwLock::new(0));
        let id = id_of_rw(&shared_lock);
        let (one, release_one) = holding(Arc::clone(&shared_lock).read_owned());
        let (two, release_two) = holding(Arc::clone(&shared_lock).read_owned());
        settle().await;
        let (writer, release_writer) = holding(Arc::clone(&shared_lock).write_owned());
        settle().await;
        let (late, release_late) = holding(Arc::clone(&shared_lock).read_owned());
        settle().await;
        let (held, wait) = (holders(id), waiters(id));
        assert_eq!(wait.iter().map(|(_, access)| *access).collect::<Vec<_>>(), [Access::Exclusive, Access::Shared]);
        release_one.send(()).expect("it waits");
        let one = one.await.expect("it ends");
        let left = holders(id);
        release_two.send(()).expect("it waits");
        let two = two.await.expect("it ends");
        assert_eq!(held, shared(&[one, two]));
        assert_eq!(left, shared(&[two]));
        settle().await;
        assert_eq!(holders(id), alone(wait[0].0));
        release_writer.send(()).expect("it waits");
        assert_eq!(writer.await.expect("it ends"), wait[0].0);
        settle().await;
        assert_eq!(holders(id), shared(&[wait[1].0]));
        release_late.send(()).expect("it waits");
        late.await.expect("it ends");
        assert_eq!(holders(id), []);
    });
}

#[test]
fn a_guard_that_is_dropped_by_another_task() {
    current_thread().block_on(async {
        let mutex = Arc::new(Mutex::new(0));
        let id = id_of(&mutex);
        let owner = tokio::spawn({
            let mutex = Arc::clone(&mutex);
            async move { (me(), mutex.lock_owned().await) }
        });
        let (owner, guard): (u64, OwnedMutexGuard<_>) = owner.await.expect("it ends");
        assert_eq!(holders(id), alone(owner), "whoever acquired it is its holder, though the task has ended");
        tokio::spawn(async move { drop(guard) }).await.expect("it ends");
        assert_eq!(holders(id), []);
        assert_eq!(lock(id).across_await.count, 1);
    });
}

#[test]
fn a_read_guard_that_is_dropped_by_another_reader() {
    current_thread().block_on(async {
        let rw = Arc::new(RwLock::new(0));
        let id = id_of_rw(&rw);
        let first = tokio::spawn({
            let rw = Arc::clone(&rw);
            async move { (me(), rw.read_owned().await) }
        });
        let (first, guard) = first.await.expect("it ends");
        let (second, release) = holding(async move {
            let own = rw.read_owned().await;
            drop(guard);
            own
        });
        settle().await;
        let left = holders(id);
        release.send(()).expect("it waits");
        let second = second.await.expect("it ends");
        assert_eq!(left, shared(&[second]), "it was the guard of {first:x} that was dropped");
    });
}

#[test]
fn a_guard_that_is_forgotten_by_a_task_that_ends() {
    current_thread().block_on(async {
        let mutex = Arc::new(Mutex::new(0));
        let id = id_of(&mutex);
        let task = tokio::spawn({
            let mutex = Arc::clone(&mutex);
            async move {
                std::mem::forget(mutex.lock().await);
                me()
            }
        });
        let task = task.await.expect("it ends");
        settle().await;
        assert_eq!(holders(id), alone(task));
        assert_eq!(lock(id).across_await.count, 1);
        assert!(mutex.try_lock().is_err());
        assert_eq!(holders(id), alone(task));
    });
}

#[test]
fn mapped_guards() {
    current_thread().block_on(async {
        let mutex = Mutex::new((1, 2));
        let id = id_of(&mutex);
        let mapped: MappedMutexGuard<'_, i32> = MutexGuard::map(mutex.lock().await, |pair| &mut pair.0);
        assert_eq!(holders(id), alone(me()));
        drop(mapped);
        assert_eq!(holders(id), []);

        let mutex = Arc::new(mutex);
        let mapped = OwnedMutexGuard::map(Arc::clone(&mutex).lock_owned().await, |pair| &mut pair.1);
        assert_eq!(holders(id), alone(me()));
        drop(mapped);
        assert_eq!(holders(id), []);

        let rw = RwLock::new((1, 2));
        let id = id_of_rw(&rw);
        let mapped = RwLockWriteGuard::map(rw.write().await, |pair| &mut pair.1);
        assert_eq!(holders(id), alone(me()));
        drop(mapped);
        assert_eq!(holders(id), []);
    });
}

#[test]
fn a_write_guard_that_is_downgraded() {
    current_thread().block_on(async {
        let rw = Arc::new(RwLock::new(0));
        let id = id_of_rw(&rw);
        let (reader, release) = {
            let guard = rw.write().await;
            assert_eq!(holders(id), alone(me()));
            let other = holding(Arc::clone(&rw).read_owned());
            settle().await;
            let guard = RwLockWriteGuard::downgrade(guard);
            assert_eq!(holders(id), shared(&[me()]));
            settle().await;
            assert_eq!(holders(id).len(), 2);
            drop(guard);
            other
        };
        let left = holders(id);
        release.send(()).expect("it waits");
        assert_eq!(left, shared(&[reader.await.expect("it ends")]));
        let guard = OwnedRwLockWriteGuard::downgrade(Arc::clone(&rw).write_owned().await);
        assert_eq!(holders(id), shared(&[me()]));
        drop(guard);
        assert_eq!(holders(id), []);
    });
}

#[test]
fn trying() {
    current_thread().block_on(async {
        let mutex = Arc::new(Mutex::new(0));
        let id = id_of(&mutex);
        let guard = mutex.try_lock().expect("it is free");
        assert_eq!(holders(id), alone(me()));
        assert!(Arc::clone(&mutex).try_lock_owned().is_err());
        assert_eq!((holders(id), waiters(id)), (alone(me()), vec![]));
        drop(guard);
        assert_eq!(holders(id), []);

        let rw = RwLock::new(0);
        let id = id_of_rw(&rw);
        let (one, two) = (rw.try_read().expect("it is free"), rw.try_read().expect("it is free"));
        assert!(rw.try_write().is_err());
        assert_eq!(holders(id), shared(&[me(), me()]));
        drop((one, two));
        let guard = rw.try_write().expect("it is free");
        assert_eq!(holders(id), alone(me()));
        drop(guard);
        assert_eq!(holders(id), []);
    });
}

#[test]
fn a_thread_outside_of_any_task() {
    let runtime = current_thread();
    let mutex = Arc::new(Mutex::new(0));
    let id = id_of(&mutex);
    let thread = std::thread::Builder::new().name("outsider".to_owned());
    let (held, holds) = std::sync::mpsc::channel();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let outsider = thread.spawn({
        let mutex = Arc::clone(&mutex);
        move || {
            let guard = mutex.blocking_lock();
            held.send(()).expect("somebody listens");
            released.recv().expect("it is told");
            drop(guard);
        }
    });
    holds.recv().expect("it holds");
    let holder = holders(id).remove(0);
    assert!(matches!(&holder.0, Owner::Thread { name, .. } if &**name == "outsider"), "{holder:?}");
    runtime.block_on(async {
        let waiting = tokio::spawn(async move { drop(mutex.lock().await) });
        settle().await;
        assert_eq!(waiters(id).len(), 1);
        release.send(()).expect("it waits");
        waiting.await.expect("it ends");
    });
    outsider.expect("a thread is made").join().expect("it ends");
    assert_eq!(holders(id), []);
    assert_eq!(lock(id).contended, 1);
}

#[test]
fn a_task_that_began_before_the_agent_is_not_taken_for_a_thread() {
    multi_thread(1).block_on(async {
        let mutex = Arc::new(Mutex::new(0));
        let id = id_of(&mutex);
        let (held, holds) = tokio::sync::oneshot::channel();
        let (release, released) = tokio::sync::oneshot::channel::<()>();
        let (runtime, theirs) = (tokio::runtime::Handle::current(), Arc::clone(&mutex));
        // A task that a hidden thread spawns is not seen, as little as one that is there already.
        let spawns = std::thread::spawn(move || {
            thread_state::hide();
            runtime.spawn(async move {
                let guard = theirs.lock().await;
                held.send(()).expect("somebody listens");
                released.await.expect("it is told");
                drop(guard);
            })
        });
        let task = spawns.join().expect("it ends");
        holds.await.expect("it holds");
        assert_eq!((holders(id), lock(id).unknown_holders), (Vec::new(), 1));
        let waiting = tokio::spawn(async move { drop(mutex.lock().await) });
        while waiters(id).is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!((waiters(id).len(), lock(id).unknown_holders), (1, 1));
        release.send(()).expect("it waits");
        task.await.expect("it ends");
        waiting.await.expect("it ends");
        assert_eq!((lock(id).unknown_holders, lock(id).acquisitions), (0, 3));
    });
}

#[test]
fn a_blocking_job_is_a_task_too() {
    current_thread().block_on(async {
        let mutex = Arc::new(Mutex::new(0));
        let id = id_of(&mutex);
        let job = tokio::task::spawn_blocking(move || {
            let guard = mutex.blocking_lock();
            assert_eq!(holders(id), alone(me()));
            drop(guard);
            assert_eq!(holders(id), []);
            drop(mutex);
        });
        job.await.expect("it ends");
        assert_eq!(changes::lock(id).map_or(0, |lock| lock.across_await.count), 0);
    });
}

#[test]
fn a_lock_without_a_resource_is_nobodys() {
    static CONST: Mutex<u32> = Mutex::const_new(0);
    current_thread().block_on(async {
        let seen = Arc::new(Mutex::new(0));
        let id = id_of(&seen);
        let guard = CONST.lock().await;
        assert_eq!(holders(id), []);
        drop(guard);
        assert_eq!(lock(id).acquisitions, 1);
    });
}
