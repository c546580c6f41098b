//! Waits: each thing of tokio that can be waited for, and guards of each kind.

mod channels;
mod locks;
mod others;
mod permits;

use super::{rest, settle};
use crate::{frame, wait};
use std::time::Duration;
use tokio::time::sleep;

type Pair = (u32, String);

pub async fn run() {
    let mut at = frame!();
    locks::mutexes();
    locks::read_write();
    permits::semaphores();
    permits::cells();
    channels::all();
    others::all();
    wait!(at);
    settle().await;
    wait!(at);
    rest().await;
}

/// A little later, so that those that have it are there first.
async fn later() {
    sleep(Duration::from_millis(50)).await;
}
