//! Locks that are held for ever, and locks that change hands.

use crate::{Case, LONG, ms};
use std::sync::Arc;
use tokio::{
    sync::{Mutex, mpsc},
    task::JoinSet,
    time::{sleep, timeout},
};

/// As long as a task has something that it is given again and again.
const TURN: u64 = 7;

/// Two wait for each other's locks. In the control one of them waits with a timeout, again and again.
pub fn deadlock(case: Case) {
    let (a, b): (Arc<Mutex<u64>>, Arc<Mutex<u64>>) = Default::default();
    tokio::spawn(crossed(a.clone(), b.clone()));
    match case {
        Case::Wrong => drop(tokio::spawn(crossed(b, a))),
        Case::Control => drop(tokio::spawn(crossed_in_time(b, a))),
    }
}

async fn crossed(first: Arc<Mutex<u64>>, second: Arc<Mutex<u64>>) {
    let mut has = first.lock().await;
    sleep(ms(50)).await;
    *has += *second.lock().await;
}

async fn crossed_in_time(first: Arc<Mutex<u64>>, second: Arc<Mutex<u64>>) {
    let mut has = first.lock().await;
    sleep(ms(50)).await;
    while timeout(ms(5_000), second.lock()).await.is_err() {
        *has += 1;
    }
}

/// Two wait for each other's locks, and forty more for one of these. In the control they wait for one who sleeps.
pub fn deadlock_of_many(case: Case) {
    let (a, b): (Arc<Mutex<u64>>, Arc<Mutex<u64>>) = Default::default();
    match case {
        Case::Wrong => {
            tokio::spawn(crossed(a.clone(), b.clone()));
            tokio::spawn(crossed(b, a.clone()));
        }
        Case::Control => drop(tokio::spawn(sleeps_with(a.clone(), b))),
    }
    for _ in 0..40 {
        tokio::spawn(wants_later(a.clone()));
    }
}

/// One has a lock and waits for the end of any task of a set, all of which wait for the lock. In the control one of them sleeps for a moment
/// instead, again and again.
pub fn join_set(case: Case) {
    let lock: Arc<Mutex<u64>> = Arc::default();
    tokio::spawn(async move {
        loop {
            let mut set = JoinSet::new();
            let mut has = lock.lock().await;
            for _ in 0..3 {
                set.spawn(wants_later(lock.clone()));
            }
            if case == Case::Control {
                set.spawn(sleep(ms(2_000)));
            }
            set.join_next().await;
            *has += 1;
            set.detach_all();
        }
    });
}

async fn sleeps_with(first: Arc<Mutex<u64>>, second: Arc<Mutex<u64>>) {
    let mut has = first.lock().await;
    *has += *second.lock().await;
    sleep(LONG).await;
    *has += 1;
}

async fn wants_later(lock: Arc<Mutex<u64>>) {
    sleep(ms(200)).await;
    *lock.lock().await += 1;
}

/// One sleeps with a lock that another waits for. In the control the lock goes from one to the other with each message of a channel,
/// a hundred a second, and nobody waits for long.
pub fn held_across_await(case: Case) {
    match case {
        Case::Wrong => {
            let lock: Arc<Mutex<u64>> = Arc::default();
            tokio::spawn(sleeps_with(lock.clone(), Arc::default()));
            tokio::spawn(wants_later(lock));
        }
        Case::Control => receivers(2),
    }
}

/// Eight wait for one lock that is held for ever. In the control eight have it in turn, each for as long as it takes for a message to come,
/// so that at each look somebody else may have it, or the same.
pub fn lock_convoy(case: Case) {
    match case {
        Case::Wrong => {
            let lock: Arc<Mutex<u64>> = Arc::default();
            tokio::spawn(sleeps_with(lock.clone(), Arc::default()));
            (0..8).for_each(|_| drop(tokio::spawn(wants_later(lock.clone()))));
        }
        Case::Control => receivers(8),
    }
}

/// So many who share the end of a channel that receives.
fn receivers(count: usize) {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        while sender.send(1).await.is_ok() {
            sleep(ms(TURN)).await;
        }
    });
    let receiver = Arc::new(Mutex::new(receiver));
    for _ in 0..count {
        tokio::spawn(receives(receiver.clone()));
    }
}

async fn receives(receiver: Arc<Mutex<mpsc::Receiver<u64>>>) {
    loop {
        receiver.lock().await.recv().await;
    }
}
