//! Services as a whole: one that waits for a store that is silent, one in which all is well, one that nobody asks anything.

use crate::{Case, LONG, ms};
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Mutex, Semaphore, mpsc},
    time::{interval, sleep},
};

/// Connections to a store.
struct Pool {
    permits: Semaphore,
    idle: std::sync::Mutex<Vec<TcpStream>>,
}

const CONNECTIONS: usize = 4;
const REQUESTS: usize = 60;

impl Pool {
    async fn query(&self) -> u8 {
        let _permit = self.permits.acquire().await.expect("it is never closed");
        let mut connection = self.idle.lock().expect("nobody panics with it").pop().expect("as many as permits");
        let answer = ask(&mut connection).await;
        self.idle.lock().expect("nobody panics with it").push(connection);
        answer
    }
}

async fn ask(connection: &mut TcpStream) -> u8 {
    connection.write_all(b"?").await.expect("the store is there");
    connection.read_u8().await.expect("the store is there")
}

async fn report(pool: Arc<Pool>) {
    loop {
        pool.query().await;
        sleep(ms(50)).await;
    }
}

async fn housekeeping() {
    let mut due = interval(Duration::from_secs(3_600));
    loop {
        due.tick().await;
    }
}

/// Sixty requests share the four connections to a store, which takes questions and does not answer. In the control it answers.
pub fn pool(case: Case) {
    tokio::spawn(async move {
        let store = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = store.local_addr().expect("it is bound");
        let mut idle = Vec::new();
        for _ in 0..CONNECTIONS {
            let (ours, theirs) = tokio::join!(TcpStream::connect(address), store.accept());
            idle.push(ours.expect("it listens"));
            let (mut theirs, _) = theirs.expect("it was asked");
            match case {
                Case::Wrong => std::mem::forget(theirs),
                Case::Control => drop(tokio::spawn(async move {
                    while theirs.read_u8().await.is_ok() {
                        let _ = theirs.write_all(b"!").await;
                    }
                })),
            }
        }
        let pool = Arc::new(Pool { permits: Semaphore::new(CONNECTIONS), idle: idle.into() });
        for _ in 0..REQUESTS {
            tokio::spawn(report(pool.clone()));
        }
        for _ in 0..5 {
            tokio::spawn(housekeeping());
        }
    });
}

/// Everything that a service does, without anything wrong: connections that ask now and then, a lock that is held for an instant, a
/// channel, timers.
pub fn healthy(_: Case) {
    let lock: Arc<Mutex<u64>> = Arc::default();
    let (sender, mut receiver) = mpsc::channel(16);
    tokio::spawn(async move {
        let server = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = server.local_addr().expect("it is bound");
        for n in 0..10 {
            let (lock, sender) = (lock.clone(), sender.clone());
            tokio::spawn(async move {
                let mut connection = TcpStream::connect(address).await.expect("it listens");
                loop {
                    ask(&mut connection).await;
                    *lock.lock().await += 1;
                    let _ = sender.send(n).await;
                    sleep(ms(20 + n)).await;
                }
            });
        }
        while let Ok((mut peer, _)) = server.accept().await {
            tokio::spawn(async move {
                while peer.read_u8().await.is_ok() {
                    let _ = peer.write_all(b"!").await;
                }
            });
        }
    });
    tokio::spawn(async move { while receiver.recv().await.is_some() {} });
    (0..3).for_each(|_| drop(tokio::spawn(housekeeping())));
}

/// A server that nobody connects to, beside what happens once an hour.
pub fn idle(_: Case) {
    tokio::spawn(async {
        let server = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        while server.accept().await.is_ok() {}
        sleep(LONG).await;
    });
    (0..8).for_each(|_| drop(tokio::spawn(housekeeping())));
}
