//! Tasks that spawn, end, cancel, lock and move as fast as they can, and check what they share.

use super::{LONG, asleep, rest, settle, spawn};
use crate::{
    frame,
    truth::{self, hold, of, task, through, timer},
    wait,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::{
    sync::{Mutex, RwLock, mpsc},
    task::yield_now,
    time::{Instant, sleep_until},
};

const ACCOUNTS: usize = 8;

#[derive(Default)]
struct Account {
    inside: AtomicBool,
    balance: Mutex<i64>,
}

pub async fn run() {
    let mut at = frame!();
    start();
    wait!(at);
    settle().await;
    wait!(at);
    rest().await;
}

pub fn start() {
    truth::keep_paths();
    let accounts: Arc<Vec<Account>> = Arc::new((0..ACCOUNTS).map(|_| Account::default()).collect());
    let book: Arc<RwLock<[u64; 2]>> = Arc::default();
    for n in 0..20 {
        spawn(asleep(n));
    }
    for n in 0..6 {
        tokio::spawn(transfers(accounts.clone(), n));
        tokio::spawn(reads(book.clone()));
    }
    tokio::spawn(writes(book));
    spawn(keeps(accounts));
    let (tx, rx) = mpsc::channel(3);
    spawn(sends(tx));
    spawn(receives(rx));
    spawn(spawns());
}

/// The next number that is as good as drawn.
fn draw(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

async fn transfers(accounts: Arc<Vec<Account>>, seed: u64) {
    let mut at = frame!();
    let mut state = seed + 1;
    loop {
        let (one, other) = (draw(&mut state) as usize % ACCOUNTS, draw(&mut state) as usize % ACCOUNTS);
        if one != other {
            wait!(at);
            transfer(&accounts[one.min(other)], &accounts[one.max(other)]).await;
        }
        if draw(&mut state).is_multiple_of(16) {
            let due = Instant::now() + Duration::from_millis(draw(&mut state) % 4);
            wait!(at, timer(due));
            sleep_until(due).await;
        }
    }
}

async fn transfer(one: &Account, other: &Account) {
    let mut at = frame!();
    wait!(at, of("mutex", &one.balance));
    let mut from = one.balance.lock().await;
    let _has = hold(of("mutex", &one.balance), "from");
    assert!(!one.inside.swap(true, SeqCst), "two inside");
    wait!(at);
    yield_now().await;
    wait!(at, of("mutex", &other.balance));
    let mut to = other.balance.lock().await;
    let _has = hold(of("mutex", &other.balance), "to");
    assert!(!other.inside.swap(true, SeqCst), "two inside");
    *from -= 1;
    *to += 1;
    wait!(at);
    yield_now().await;
    other.inside.store(false, SeqCst);
    drop(to);
    one.inside.store(false, SeqCst);
}

/// Has one of them for longer, now and then.
async fn keeps(accounts: Arc<Vec<Account>>) {
    let mut at = frame!();
    for n in 0_usize.. {
        let account = &accounts[n % ACCOUNTS];
        wait!(at, of("mutex", &account.balance));
        let guard = account.balance.lock().await;
        let has = hold(of("mutex", &account.balance), "guard");
        let due = Instant::now() + Duration::from_millis(150);
        wait!(at, timer(due));
        sleep_until(due).await;
        drop((has, guard));
        let due = Instant::now() + Duration::from_millis(20);
        wait!(at, timer(due));
        sleep_until(due).await;
    }
}

async fn reads(book: Arc<RwLock<[u64; 2]>>) {
    let mut at = frame!();
    loop {
        wait!(at, of("rwlock", &*book));
        let guard = book.read().await;
        let _has = hold(of("rwlock", &*book), "guard");
        assert_eq!(guard[0], guard[1], "read while it was written");
        wait!(at);
        yield_now().await;
    }
}

async fn writes(book: Arc<RwLock<[u64; 2]>>) {
    let mut at = frame!();
    loop {
        wait!(at, of("rwlock", &*book).times((u32::MAX >> 3).into()));
        let mut guard = book.write().await;
        guard[0] += 1;
        wait!(at);
        yield_now().await;
        guard[1] += 1;
        drop(guard);
        let due = Instant::now() + Duration::from_millis(2);
        wait!(at, timer(due));
        sleep_until(due).await;
    }
}

async fn sends(tx: mpsc::Sender<u64>) {
    let mut at = frame!();
    for n in 0.. {
        wait!(at, through("room", &tx));
        if tx.send(n).await.is_err() {
            break;
        }
    }
}

async fn receives(mut rx: mpsc::Receiver<u64>) {
    let mut at = frame!();
    let mut next = 0;
    loop {
        wait!(at, through("mpsc", &rx));
        let Some(n) = rx.recv().await else { break };
        assert_eq!(n, next, "in order");
        next += 1;
    }
}

static ENDED: AtomicU64 = AtomicU64::new(0);

async fn spawns() {
    let mut at = frame!();
    let mut kept = Vec::new();
    for n in 0_u64.. {
        kept.push(tokio::spawn(brief(n)));
        if kept.len() > 200 {
            for (n, handle) in kept.drain(..).enumerate() {
                if n % 2 == 0 {
                    handle.abort();
                } else {
                    wait!(at, task(handle.id()));
                    let _ = handle.await;
                }
            }
            truth::fact("ended", ENDED.load(SeqCst).to_string());
        }
        if n.is_multiple_of(8) {
            wait!(at);
            yield_now().await;
        }
    }
}

async fn brief(n: u64) {
    let mut at = frame!();
    if n.is_multiple_of(3) {
        let boxed = Box::pin(briefer(n));
        wait!(at);
        boxed.await;
    } else {
        wait!(at);
        briefer(n).await;
    }
    ENDED.fetch_add(1, SeqCst);
}

async fn briefer(n: u64) {
    let mut at = frame!();
    let due = Instant::now()
        + if n.is_multiple_of(50) { LONG.min(Duration::from_secs(1)) } else { Duration::from_millis(n % 7) };
    wait!(at, timer(due));
    sleep_until(due).await;
}
