//! Who took permits and who gave them back, at instants that are known: one thread polls everything.

use super::*;
use crate::view::Permits;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Semaphore, mpsc, oneshot},
    task::yield_now,
};

/// What is told of the permits of a semaphore, found by asking it for none.
async fn told_of(semaphore: &Semaphore) -> impl Fn() -> Permits + use<> {
    drop(semaphore.acquire_many(0).await.expect("open"));
    told()
}

/// What is told of the permits of which this thread asked for some last.
fn told() -> impl Fn() -> Permits + use<> {
    let id = cloned_last();
    move || changes::resource(id).and_then(|row| row.permits).expect("it lives")
}

/// Who has how many.
fn taken(permits: &Permits) -> Vec<(u64, u64)> {
    assert!(permits.is_known || permits.taken.is_empty());
    permits.taken.iter().map(|taken| (taken.task, taken.permits)).collect()
}

async fn settle() {
    for _ in 0..20 {
        yield_now().await;
    }
}

#[test]
fn whoever_takes_permits_has_them_until_they_give_them_back() {
    current_thread().block_on(async {
        let semaphore = Arc::new(Semaphore::new(3));
        let told = told_of(&semaphore).await;
        assert_eq!((told().first, taken(&told()), told().returned), (3, vec![], None));
        let (go_on, waits) = oneshot::channel::<()>();
        let first = tokio::spawn({
            let semaphore = Arc::clone(&semaphore);
            async move {
                let one = semaphore.acquire().await.expect("open");
                let _two = semaphore.acquire_many(2).await.expect("open");
                drop(one);
                let _ = waits.await;
                me()
            }
        });
        // Wants two, of which there is one.
        let second = tokio::spawn({
            let semaphore = Arc::clone(&semaphore);
            async move {
                settle().await;
                let _two = semaphore.acquire_many(2).await.expect("open");
                me()
            }
        });
        settle().await;
        settle().await;
        let half = told();
        assert!(half.is_known && half.returned.is_some());
        go_on.send(()).expect("it waits");
        let (first, second) = (first.await.expect("it ends"), second.await.expect("it ends"));
        assert_eq!(taken(&half), [(first, 2), (second, 1)], "what one was given counts before it has all");
        assert_eq!((taken(&told()), told().givers), (vec![], vec![]), "all are back");
    });
}

#[test]
fn a_wait_that_is_cancelled_gives_back_what_it_was_given() {
    current_thread().block_on(async {
        let semaphore = Arc::new(Semaphore::new(2));
        let told = told_of(&semaphore).await;
        let one = semaphore.acquire().await.expect("open");
        let task = tokio::spawn({
            let semaphore = Arc::clone(&semaphore);
            async move {
                let both = tokio::time::timeout(Duration::from_millis(5), semaphore.acquire_many(2)).await;
                assert!(both.is_err());
                me()
            }
        });
        task.await.expect("it ends");
        assert_eq!(taken(&told()), [(me(), 1)]);
        drop(one);
        assert_eq!(taken(&told()), []);
        assert!(told().is_known);
    });
}

#[test]
fn nothing_is_told_of_permits_that_others_give_back_or_that_are_tried_for() {
    current_thread().block_on(async {
        let semaphore = Arc::new(Semaphore::new(2));
        let told = told_of(&semaphore).await;
        let (go_on, waits) = oneshot::channel::<()>();
        let (one, two) = (
            Arc::clone(&semaphore).acquire_owned().await.expect("open"),
            Arc::clone(&semaphore).acquire_owned().await.expect("open"),
        );
        assert_eq!(taken(&told()), [(me(), 2)]);
        let other = tokio::spawn(async move {
            drop(one);
            let _ = waits.await;
            drop(two);
        });
        settle().await;
        assert!(!told().is_known, "one was handed on: the other one may have been, too");
        go_on.send(()).expect("it waits");
        other.await.expect("it ends");
        assert!(told().is_known, "all are back");

        let tried = semaphore.try_acquire().expect("there are two");
        assert!(told().is_known, "nothing is told of it");
        drop(tried);
        assert!(!told().is_known, "more came back than were taken");
    });
}

#[test]
fn a_signal_has_no_holders() {
    current_thread().block_on(async {
        let signal = Arc::new(Semaphore::new(0));
        let told = told_of(&signal).await;
        let waits = tokio::spawn({
            let signal = Arc::clone(&signal);
            async move {
                for _ in 0..2 {
                    signal.acquire().await.expect("open").forget();
                }
            }
        });
        settle().await;
        signal.add_permits(1);
        settle().await;
        assert!(!told().is_known);
        assert_eq!(taken(&told()), []);
        signal.add_permits(1);
        waits.await.expect("it ends");
    });
}

#[test]
fn of_a_lock_nothing_is_counted() {
    current_thread().block_on(async {
        let mutex = Mutex::new(0);
        drop(mutex.lock().await);
        let mut parts = 0;
        changes::resources(&mut |row| parts += usize::from(row.parent == id_of(&mutex) && row.permits.is_some()));
        assert_eq!(parts, 0);
    });
}

#[test]
fn whoever_makes_room_in_a_channel_receives_from_it() {
    current_thread().block_on(async {
        let (sender, mut receiver) = mpsc::channel(2);
        drop(sender.reserve_many(0).await.expect("open"));
        let told = told();
        let sends = tokio::spawn(async move {
            for message in 0..6 {
                sender.send(message).await.expect("it is received");
            }
            me()
        });
        settle().await;
        assert_eq!((taken(&told()).len(), told().givers), (1, vec![]), "nobody has received");
        let other = tokio::spawn(async move {
            for _ in 0..5 {
                receiver.recv().await.expect("it is sent");
            }
            let _kept = receiver;
            settle().await;
            (me(), told())
        });
        let (sender, (receiver, told)) = (sends.await.expect("it ends"), other.await.expect("it ends"));
        assert_ne!(sender, receiver);
        assert_eq!((told.givers, told.is_known), (vec![receiver], false));
    });
}

#[test]
fn of_many_who_take_it_is_not_told_who_did() {
    current_thread().block_on(async {
        let semaphore = Arc::new(Semaphore::new(100));
        let told = told_of(&semaphore).await;
        let (go_on, waits) = tokio::sync::watch::channel(());
        let task = |_| {
            let (semaphore, mut waits) = (Arc::clone(&semaphore), waits.clone());
            tokio::spawn(async move {
                let _permit = semaphore.acquire().await.expect("open");
                let _ = waits.changed().await;
            })
        };
        let tasks: Vec<_> = (0..100).map(task).collect();
        settle().await;
        assert_eq!((told().is_known, taken(&told())), (false, vec![]));
        go_on.send(()).expect("they wait");
        for task in tasks {
            task.await.expect("it ends");
        }
        assert!(told().is_known, "all are back");
    });
}
