//! A link that is slow: a proxy that passes bytes on at a rate, and late.

use super::peer::{Peer, bind};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::mpsc,
    time::{Instant, sleep_until},
};

/// What a link carries, in each of its directions.
#[derive(Clone, Copy)]
pub(crate) struct Slow {
    pub bytes_per_second: u32,
    pub delay: Duration,
}

/// As much is read at a time, so that a rate is one and no row of bursts.
const PIECE: usize = 1_024;

/// Pieces on their way: more than a delay of a second holds at the rates here. What has no room waits with the sender.
const ON_THEIR_WAY: usize = 256;

/// A slow way to what listens at an address.
pub(crate) fn to(address: SocketAddr, slow: Slow) -> Peer {
    Peer::run(bind(([127, 0, 0, 1], 0).into()), move |listener| async move {
        let listener = TcpListener::from_std(listener).expect("a listener");
        while let Ok((near, _)) = listener.accept().await {
            let far = TcpStream::connect(address).await.expect("the peer listens");
            let ((near_read, near_write), (far_read, far_write)) = (near.into_split(), far.into_split());
            tokio::spawn(pass(near_read, far_write, slow));
            tokio::spawn(pass(far_read, near_write, slow));
        }
    })
}

/// Passes on what comes until one side is gone.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, slow: Slow) {
    let (pieces, mut arriving) = mpsc::channel::<(Instant, Vec<u8>)>(ON_THEIR_WAY);
    tokio::spawn(async move {
        while let Some((arrives, piece)) = arriving.recv().await {
            sleep_until(arrives).await;
            if to.write_all(&piece).await.is_err() {
                return;
            }
        }
    });
    let mut free = Instant::now();
    let mut buffer = [0; PIECE];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let takes = Duration::from_secs_f64(read as f64 / f64::from(slow.bytes_per_second));
        free = free.max(Instant::now()) + takes;
        sleep_until(free).await;
        if pieces.send((free + slow.delay, buffer[..read].to_vec())).await.is_err() {
            return;
        }
    }
}
