//! Chains: async functions and blocks, and what stands between them.

use super::{LONG, asleep, chains_more, rest, settle, spawn};
use crate::{
    frame,
    truth::{self, of, timer},
    wait,
};
use futures::{
    FutureExt, StreamExt,
    future::{BoxFuture, join_all, select_all, try_join_all},
    stream::{self, FuturesOrdered, FuturesUnordered},
};
use std::{future::Future, pin::Pin, sync::Arc};
use tokio::{
    sync::Notify,
    time::{Instant, sleep, sleep_until, timeout},
};

pub async fn run() {
    let mut at = frame!();
    let notify: Arc<Notify> = Arc::default();
    let never = |notify: &Arc<Notify>| told(notify.clone());
    tokio::spawn(first(1));
    spawn(blocks(notify.clone()));
    tokio::spawn(async {
        let mut at = frame!();
        wait!(at);
        first(2).await
    });
    tokio::spawn(join(notify.clone()));
    spawn(join_of_three(notify.clone()));
    spawn(try_join(notify.clone()));
    tokio::spawn(select(notify.clone()));
    spawn(select_biased(notify.clone()));
    spawn(select_else(notify.clone()));
    spawn(select_off(notify.clone()));
    spawn(select_pinned(notify.clone()));
    spawn(all(3));
    spawn(all(40));
    spawn(try_all());
    spawn(any());
    tokio::spawn(unordered());
    spawn(ordered());
    spawn(buffered());
    spawn(buffer_unordered());
    tokio::spawn(set());
    tokio::spawn(within(notify.clone()));
    spawn(boxed(notify.clone()));
    spawn(pinned());
    let boxed: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(never(&notify));
    tokio::spawn(boxed);
    spawn(recursive(4));
    tokio::spawn(large());
    tokio::spawn(kept(notify.clone()));
    chains_more::spawn(&notify);
    wait!(at);
    settle().await;
    wait!(at);
    rest().await;
}

/// Waits for a notification that never comes.
pub async fn told(notify: Arc<Notify>) {
    let mut at = frame!();
    wait!(at, of("notify", &*notify));
    notify.notified().await;
}

async fn first(n: u64) -> u64 {
    let mut at = frame!();
    wait!(at);
    second(n + 1).await + 1
}

async fn second(n: u64) -> u64 {
    let mut at = frame!();
    let words = vec![n; 4];
    wait!(at);
    let got = third(n * 2).await;
    got + words[0]
}

async fn third(n: u64) -> u64 {
    let mut at = frame!();
    // The first of these has gone by when it is looked at.
    wait!(at);
    tokio::task::yield_now().await;
    wait!(at);
    let got = asleep(n).await;
    got + 1
}

async fn blocks(notify: Arc<Notify>) {
    let mut at = frame!();
    let inner = async {
        let mut at = frame!();
        let innermost = async move || {
            let mut at = frame!();
            wait!(at);
            told(notify).await;
            7
        };
        wait!(at);
        innermost().await
    };
    wait!(at);
    let _: u32 = inner.await;
}

async fn join(notify: Arc<Notify>) {
    let mut at = frame!();
    wait!(at, of("notify", &*notify));
    tokio::join!(first(7), notify.notified());
}

async fn join_of_three(notify: Arc<Notify>) {
    let mut at = frame!();
    let done = async { 1 };
    wait!(at);
    let _ = tokio::join!(told(notify.clone()), done, asleep(3));
}

async fn fails_never(n: u64) -> Result<u64, ()> {
    let mut at = frame!();
    wait!(at);
    Ok(asleep(n).await)
}

async fn try_join(notify: Arc<Notify>) {
    let mut at = frame!();
    let other = async {
        let mut at = frame!();
        wait!(at);
        told(notify).await;
        Ok(())
    };
    wait!(at);
    let _ = tokio::try_join!(fails_never(1), other);
}

async fn select(notify: Arc<Notify>) {
    let mut at = frame!();
    wait!(at, of("notify", &*notify));
    tokio::select! {
        () = notify.notified() => {}
        _ = asleep(1) => {}
    }
}

async fn select_biased(notify: Arc<Notify>) {
    let mut at = frame!();
    wait!(at);
    tokio::select! {
        biased;
        () = told(notify) => {}
        _ = first(1) => {}
    }
}

async fn select_else(notify: Arc<Notify>) {
    let mut at = frame!();
    wait!(at);
    tokio::select! {
        biased;
        Some(_) = async { None::<u8> } => {}
        () = told(notify) => {}
        else => {}
    }
}

async fn select_off(notify: Arc<Notify>) {
    let mut at = frame!();
    let on = std::hint::black_box(false);
    wait!(at);
    tokio::select! {
        _ = asleep(9), if on => {}
        () = told(notify) => {}
    }
}

async fn select_pinned(notify: Arc<Notify>) {
    let mut at = frame!();
    let pinned = told(notify);
    tokio::pin!(pinned);
    for _ in 0..2 {
        let due = Instant::now() + if std::hint::black_box(true) { LONG } else { LONG / 2 };
        wait!(at, timer(due));
        tokio::select! {
            () = &mut pinned => {}
            () = sleep_until(due) => {}
        }
    }
}

async fn all(count: u64) {
    let mut at = frame!();
    wait!(at);
    join_all((0..count).map(asleep)).await;
}

async fn try_all() {
    let mut at = frame!();
    wait!(at);
    let _ = try_join_all((0..3).map(fails_never)).await;
}

async fn any() {
    let mut at = frame!();
    let futures: Vec<BoxFuture<'static, u64>> = vec![asleep(1).boxed(), first(2).boxed()];
    wait!(at);
    let _ = select_all(futures).await;
}

async fn unordered() {
    let mut at = frame!();
    let mut all: FuturesUnordered<_> = (0..3).map(asleep).collect();
    wait!(at);
    while let Some(n) = all.next().await {
        std::hint::black_box(n);
    }
}

async fn ordered() {
    let mut at = frame!();
    let mut all: FuturesOrdered<_> = (0..3).map(asleep).collect();
    wait!(at);
    while let Some(n) = all.next().await {
        std::hint::black_box(n);
    }
}

async fn buffered() {
    let mut at = frame!();
    let mut all = stream::iter(0..9).map(asleep).buffered(2);
    wait!(at);
    while let Some(n) = all.next().await {
        std::hint::black_box(n);
    }
}

async fn buffer_unordered() {
    let mut at = frame!();
    let all = stream::iter(0..9).map(asleep).buffer_unordered(2);
    tokio::pin!(all);
    wait!(at);
    while let Some(n) = all.next().await {
        std::hint::black_box(n);
    }
}

async fn set() {
    let mut at = frame!();
    let mut set = tokio::task::JoinSet::new();
    for n in 0..3 {
        set.spawn(asleep(n));
    }
    wait!(at, truth::any_task(3));
    while set.join_next().await.is_some() {}
}

async fn within(notify: Arc<Notify>) {
    let mut at = frame!();
    wait!(at, timer(Instant::now() + LONG));
    let _ = timeout(LONG, told(notify)).await;
}

async fn boxed(notify: Arc<Notify>) {
    let mut at = frame!();
    let future: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(told(notify));
    wait!(at);
    future.await;
}

async fn pinned() {
    let mut at = frame!();
    let mut future = Box::pin(first(5));
    wait!(at);
    let _ = future.as_mut().await;
}

async fn recursive(depth: u32) {
    let mut at = frame!();
    if depth == 0 {
        let due = Instant::now() + LONG;
        wait!(at, timer(due));
        return sleep_until(due).await;
    }
    wait!(at);
    Box::pin(recursive(depth - 1)).await;
}

/// Tokio puts it into a box, since it is large.
async fn large() {
    let mut at = frame!();
    let mut bytes = [1_u8; 40_000];
    std::hint::black_box(&mut bytes);
    let due = Instant::now() + LONG;
    wait!(at, timer(due));
    sleep_until(due).await;
    std::hint::black_box(&bytes);
}

/// Has a future that was started and is not polled any more.
async fn kept(notify: Arc<Notify>) {
    let mut at = frame!();
    let mut future = Box::pin(told(notify));
    let mark = truth::mark();
    super::chains_more::poll_once(&mut future).await;
    truth::held_since(mark);
    wait!(at, timer(Instant::now() + LONG));
    sleep(LONG).await;
    future.await;
}
