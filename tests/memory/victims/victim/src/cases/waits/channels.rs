//! Waits for a channel: for a message, for room, for the end of the other end; and those that have room.

use super::{Pair, later};
use crate::{
    cases::{LONG, spawn},
    frame,
    truth::{hold, through, timer},
    wait,
};
use tokio::{
    sync::{broadcast, mpsc, oneshot, watch},
    time::{Instant, sleep_until},
};

pub(super) fn all() {
    let (tx, rx) = mpsc::channel::<Pair>(4);
    tokio::spawn(receives(rx, tx));
    let (tx, rx) = mpsc::unbounded_channel::<Pair>();
    spawn(receives_unbounded(rx, tx));
    let (tx, rx) = mpsc::channel::<Pair>(2);
    tokio::spawn(sends(tx.clone(), rx));
    spawn(sends_in_time(tx.clone()));
    spawn(reserves(tx));
    let (tx, rx) = mpsc::channel::<Pair>(2);
    spawn(has_room(tx.clone()));
    spawn(reserves_later(tx, rx));
    let (tx, rx) = oneshot::channel::<Pair>();
    tokio::spawn(oneshot_receives(rx));
    spawn(oneshot_sends(tx));
    let (tx, rx) = oneshot::channel::<Pair>();
    spawn(oneshot_closed(tx, rx));
    let (tx, rx) = mpsc::channel::<Pair>(2);
    spawn(mpsc_closed(tx, rx));
    let (tx, rx) = mpsc::unbounded_channel::<Pair>();
    spawn(unbounded_closed(tx, rx));
    let (tx, rx) = broadcast::channel::<u8>(4);
    spawn(broadcast_closed(tx, rx));
    let (tx, rx) = mpsc::channel::<Pair>(4);
    spawn(receives_many(rx, tx));
    let (tx, rx) = mpsc::channel::<Pair>(3);
    tokio::spawn(has_permits(tx, rx));
    let (tx, rx) = mpsc::channel::<Pair>(3);
    tokio::spawn(had_permits(tx, rx));
    let (tx, rx) = watch::channel(1_u8);
    tokio::spawn(watches(rx.clone(), tx.clone()));
    spawn(watches_for(rx));
    spawn(watched(tx));
    let (tx, rx) = broadcast::channel::<u8>(4);
    tokio::spawn(listens(rx, tx));
}

async fn receives(mut rx: mpsc::Receiver<Pair>, tx: mpsc::Sender<Pair>) {
    let mut at = frame!();
    wait!(at, through("mpsc", &rx));
    while let Some(pair) = rx.recv().await {
        std::hint::black_box(pair);
    }
    drop(tx);
}

async fn receives_unbounded(mut rx: mpsc::UnboundedReceiver<Pair>, tx: mpsc::UnboundedSender<Pair>) {
    let mut at = frame!();
    let _ = tx.send((1, String::new()));
    rx.recv().await;
    wait!(at, through("mpsc", &rx));
    while let Some(pair) = rx.recv().await {
        std::hint::black_box(pair);
    }
    drop(tx);
}

async fn sends(tx: mpsc::Sender<Pair>, rx: mpsc::Receiver<Pair>) {
    let mut at = frame!();
    loop {
        wait!(at, through("room", &tx));
        if tx.send((1, String::new())).await.is_err() {
            break;
        }
    }
    drop(rx);
}

async fn reserves(tx: mpsc::Sender<Pair>) {
    let mut at = frame!();
    later().await;
    wait!(at, through("room", &tx));
    let _ = tx.reserve().await;
}

async fn has_room(tx: mpsc::Sender<Pair>) {
    let mut at = frame!();
    let permits = tx.reserve_many(2).await;
    let _has = hold(through("room", &tx).times(2), "permits");
    let due = Instant::now() + LONG;
    wait!(at, timer(due));
    sleep_until(due).await;
    drop(permits);
}

async fn reserves_later(tx: mpsc::Sender<Pair>, rx: mpsc::Receiver<Pair>) {
    let mut at = frame!();
    later().await;
    wait!(at, through("room", &tx));
    let _ = tx.reserve_owned().await;
    drop(rx);
}

async fn oneshot_receives(rx: oneshot::Receiver<Pair>) {
    let mut at = frame!();
    wait!(at, through("oneshot", &rx));
    let _ = rx.await;
}

async fn oneshot_sends(tx: oneshot::Sender<Pair>) {
    let mut at = frame!();
    let due = Instant::now() + LONG;
    wait!(at, timer(due));
    sleep_until(due).await;
    let _ = tx.send((1, String::new()));
}

async fn oneshot_closed(mut tx: oneshot::Sender<Pair>, rx: oneshot::Receiver<Pair>) {
    let mut at = frame!();
    wait!(at, through("closed", &tx));
    tx.closed().await;
    drop(rx);
}

async fn watches(mut rx: watch::Receiver<u8>, tx: watch::Sender<u8>) {
    let mut at = frame!();
    wait!(at, through("watch", &rx));
    while rx.changed().await.is_ok() {}
    drop(tx);
}

async fn watches_for(mut rx: watch::Receiver<u8>) {
    let mut at = frame!();
    wait!(at, through("watch", &rx));
    let _ = rx.wait_for(|value| *value > 7).await;
}

async fn watched(tx: watch::Sender<u8>) {
    let mut at = frame!();
    wait!(at, through("closed", &tx));
    tx.closed().await;
}

async fn mpsc_closed(tx: mpsc::Sender<Pair>, rx: mpsc::Receiver<Pair>) {
    let mut at = frame!();
    wait!(at, through("closed", &tx));
    tx.closed().await;
    drop(rx);
}

async fn unbounded_closed(tx: mpsc::UnboundedSender<Pair>, rx: mpsc::UnboundedReceiver<Pair>) {
    let mut at = frame!();
    wait!(at, through("closed", &tx));
    tx.closed().await;
    drop(rx);
}

async fn broadcast_closed(tx: broadcast::Sender<u8>, rx: broadcast::Receiver<u8>) {
    let mut at = frame!();
    wait!(at, through("closed", &tx));
    tx.closed().await;
    drop(rx);
}

async fn sends_in_time(tx: mpsc::Sender<Pair>) {
    let mut at = frame!();
    later().await;
    let due = Instant::now() + LONG;
    wait!(at, through("room", &tx), timer(due));
    let _ = tx.send_timeout((1, String::new()), LONG).await;
}

async fn receives_many(mut rx: mpsc::Receiver<Pair>, tx: mpsc::Sender<Pair>) {
    let mut at = frame!();
    let mut pairs = Vec::new();
    wait!(at, through("mpsc", &rx));
    rx.recv_many(&mut pairs, 8).await;
    drop(tx);
}

/// Has room by each kind of permit, beside a message.
async fn has_permits(tx: mpsc::Sender<Pair>, rx: mpsc::Receiver<Pair>) {
    let mut at = frame!();
    let _ = tx.send((1, String::new())).await;
    let Ok(permit) = tx.reserve().await else { return };
    let _has = hold(through("room", &tx), "permit");
    let Ok(owned) = tx.clone().reserve_owned().await else { return };
    let _has_owned = hold(through("room", &tx), "owned");
    tokio::spawn(reserves(tx.clone()));
    let due = Instant::now() + LONG;
    wait!(at, timer(due));
    sleep_until(due).await;
    permit.send((2, String::new()));
    owned.send((3, String::new()));
    drop(rx);
}

/// A permit that was used keeps no room.
async fn had_permits(tx: mpsc::Sender<Pair>, rx: mpsc::Receiver<Pair>) {
    let mut at = frame!();
    if let Ok(permit) = tx.reserve().await {
        permit.send((1, String::new()));
    }
    let Ok(permits) = tx.reserve_many(2).await else { return };
    for permit in permits {
        permit.send((2, String::new()));
    }
    tokio::spawn(reserves(tx.clone()));
    let due = Instant::now() + LONG;
    wait!(at, timer(due));
    sleep_until(due).await;
    drop((tx, rx));
}

async fn listens(mut rx: broadcast::Receiver<u8>, tx: broadcast::Sender<u8>) {
    let mut at = frame!();
    let _ = tx.send(1);
    let _ = rx.recv().await;
    wait!(at, through("broadcast", &rx));
    let _ = rx.recv().await;
    drop(tx);
}
