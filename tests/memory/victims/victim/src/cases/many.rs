//! many N CHURN: N tasks of 512 bytes asleep three awaits deep, CHURN a second that come and go, an echo, and a deadlock of two.

use super::{LONG, threads};
use crate::truth;
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Mutex,
};

type Lock = Arc<Mutex<u64>>;

pub fn run(rest: &[String]) {
    let mut numbers = rest.iter().filter_map(|word| word.parse::<u64>().ok());
    let (count, churn) = (numbers.next().unwrap_or(1_000), numbers.next().unwrap_or(0));
    threads(2).block_on(root(count, churn));
}

async fn root(count: u64, churn: u64) {
    for n in 0..count {
        tokio::spawn(outer(n));
    }
    let (a, b) = (Lock::default(), Lock::default());
    tokio::spawn(takes_both(a.clone(), b.clone()));
    tokio::spawn(takes_both(b, a));
    match TcpListener::bind("127.0.0.1:0").await {
        Ok(listener) => {
            truth::fact("port", listener.local_addr().map(|at| at.port()).unwrap_or_default().to_string());
            tokio::spawn(accepts(listener));
        }
        Err(error) => eprintln!("{error}"),
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    truth::ready();
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    for n in 0_u64.. {
        ticks.tick().await;
        for n in 0..churn / 100 {
            tokio::spawn(brief(n));
        }
        if churn == 0 && n > 0 {
            std::future::pending::<()>().await;
        }
    }
}

async fn outer(n: u64) -> u64 {
    let room = [n as u8; PAD];
    middle(n).await + u64::from(std::hint::black_box(&room)[7])
}

/// What makes a task's cell 512 bytes in all.
const PAD: usize = 184;

async fn middle(n: u64) -> u64 {
    let words = [n; 4];
    inner(n).await + words[1]
}

async fn inner(n: u64) -> u64 {
    tokio::time::sleep(LONG).await;
    n
}

async fn brief(n: u64) -> u64 {
    tokio::time::sleep(Duration::from_millis(5 + n % 50)).await;
    n
}

async fn takes_both(first: Lock, second: Lock) {
    let mut guard = first.lock().await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    *guard += *second.lock().await;
}

async fn accepts(listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(echoes(stream));
    }
}

async fn echoes(mut stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let mut bytes = [0; 64];
    while let Ok(count @ 1..) = stream.read(&mut bytes).await {
        if stream.write_all(&bytes[..count]).await.is_err() {
            break;
        }
    }
}
