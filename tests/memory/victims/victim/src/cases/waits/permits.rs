//! Waits for permits of a semaphore, and for cells that somebody else sets.

use super::later;
use crate::{
    cases::{LONG, spawn},
    frame,
    truth::{hold, of, timer},
    wait,
};
use std::sync::Arc;
use tokio::{
    sync::{OnceCell, Semaphore, SetOnce},
    time::{Instant, sleep_until},
};

pub(super) fn semaphores() {
    let semaphore = Arc::new(Semaphore::new(7));
    tokio::spawn(takes(semaphore.clone(), 2));
    spawn(takes_owned(semaphore.clone(), 3));
    spawn(wants_many(semaphore.clone(), 5));
    spawn(wants_many(semaphore, 1));
}

async fn takes(semaphore: Arc<Semaphore>, count: u32) {
    let mut at = frame!();
    let permit = semaphore.acquire_many(count).await;
    let _has = hold(of("semaphore", &*semaphore).times(count.into()), "permit");
    let due = Instant::now() + LONG;
    wait!(at, timer(due));
    sleep_until(due).await;
    drop(permit);
}

async fn takes_owned(semaphore: Arc<Semaphore>, count: u32) {
    let mut at = frame!();
    let _has = hold(of("semaphore", &*semaphore).times(count.into()), "permit");
    let permit = semaphore.acquire_many_owned(count).await;
    let due = Instant::now() + LONG;
    wait!(at, timer(due));
    sleep_until(due).await;
    drop(permit);
}

async fn wants_many(semaphore: Arc<Semaphore>, count: u32) {
    let mut at = frame!();
    later().await;
    wait!(at, of("semaphore", &*semaphore).times(count.into()));
    let _ = semaphore.acquire_many(count).await;
}

pub(super) fn cells() {
    let cell: Arc<OnceCell<u32>> = Arc::default();
    spawn(initializes(cell.clone()));
    spawn(wants_cell(cell));
    spawn(set_once(Arc::default()));
}

async fn initializes(cell: Arc<OnceCell<u32>>) {
    let mut at = frame!();
    wait!(at);
    cell.get_or_init(|| value(&cell)).await;
}

async fn value(cell: &OnceCell<u32>) -> u32 {
    let mut at = frame!();
    let _has = hold(of("oncecell", cell), "");
    let due = Instant::now() + LONG;
    wait!(at, timer(due));
    sleep_until(due).await;
    1
}

async fn wants_cell(cell: Arc<OnceCell<u32>>) {
    let mut at = frame!();
    later().await;
    wait!(at, of("oncecell", &*cell));
    cell.get_or_init(async || 2).await;
}

async fn set_once(cell: Arc<SetOnce<u8>>) {
    let mut at = frame!();
    wait!(at, of("notify", &*cell));
    cell.wait().await;
}
