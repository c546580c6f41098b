//! Waits for what is neither a lock nor a channel: for others to meet, a notification, a timer, an end, a signal, a file.

use crate::{
    cases::{LONG, spawn},
    frame,
    truth::{self, of, task, timer},
    wait,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    io::AsyncReadExt,
    signal::unix::{SignalKind, signal},
    sync::{Barrier, Notify},
    task::JoinHandle,
    time::{Instant, interval_at, sleep_until},
};

pub(super) fn all() {
    let barrier = Arc::new(Barrier::new(3));
    tokio::spawn(meets(barrier.clone()));
    tokio::spawn(meets(barrier));
    tokio::spawn(notified(Arc::default()));
    spawn(notified_owned(Arc::default()));
    spawn(ticks());
    tokio::spawn(joins());
    spawn(joins_job());
    spawn(waits_for_child_process());
    tokio::spawn(NUMBER.scope(7, scoped()));
    spawn(signalled());
    spawn(piped());
    spawn(opens());
}

tokio::task_local! {
    static NUMBER: u8;
}

async fn scoped() {
    let mut at = frame!();
    wait!(at);
    tokio::task::unconstrained(sleeper()).await;
}

async fn signalled() {
    let mut at = frame!();
    let Ok(mut signals) = signal(SignalKind::user_defined1()) else { return };
    wait!(at, truth::opaque());
    signals.recv().await;
}

/// Reads what its other end, in the same program, never writes.
async fn piped() {
    let mut at = frame!();
    let (mut one, other) = tokio::io::duplex(64);
    let mut bytes = [0; 8];
    wait!(at, truth::opaque());
    let _ = one.read(&mut bytes).await;
    drop(other);
}

/// What is done with files is a job of the pool: this one waits for somebody who writes.
async fn opens() {
    let mut at = frame!();
    let path = std::env::temp_dir().join(format!("victim-pipe-{}", std::process::id()));
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    if !made.is_ok_and(|made| made.success()) {
        return;
    }
    let removed = path.clone();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(200));
        let _ = std::fs::remove_file(removed);
    });
    wait!(at, truth::opaque());
    let _ = tokio::fs::File::open(path).await;
}

async fn meets(barrier: Arc<Barrier>) {
    let mut at = frame!();
    wait!(at, of("barrier", &*barrier));
    barrier.wait().await;
}

async fn notified(notify: Arc<Notify>) {
    let mut at = frame!();
    notify.notify_one();
    notify.notified().await;
    wait!(at, of("notify", &*notify));
    notify.notified().await;
}

async fn notified_owned(notify: Arc<Notify>) {
    let mut at = frame!();
    wait!(at, of("notify", &*notify));
    notify.notified_owned().await;
}

async fn ticks() {
    let mut at = frame!();
    let due = Instant::now() + LONG;
    let mut ticks = interval_at(due, LONG);
    wait!(at, timer(due));
    ticks.tick().await;
}

async fn sleeper() {
    let mut at = frame!();
    let due = Instant::now() + LONG;
    wait!(at, timer(due));
    sleep_until(due).await;
}

async fn joins() {
    let mut at = frame!();
    let handle: JoinHandle<()> = tokio::spawn(sleeper());
    wait!(at, task(handle.id()));
    let _ = handle.await;
}

async fn joins_job() {
    let mut at = frame!();
    let handle = tokio::task::spawn_blocking(|| {
        if let Some(id) = tokio::task::try_id() {
            truth::fact("job", truth::number(id).to_string());
        }
        std::thread::sleep(LONG);
    });
    wait!(at, task(handle.id()));
    let _ = handle.await;
}

/// Waits for another process, which ends with this one.
async fn waits_for_child_process() {
    let mut at = frame!();
    let child = tokio::process::Command::new("cat").stdin(std::process::Stdio::piped()).kill_on_drop(true).spawn();
    let Ok(mut child) = child else { return };
    let stdin = child.stdin.take();
    wait!(at, truth::opaque());
    let _ = child.wait().await;
    drop(stdin);
}
