//! What hostile clients do.

use crate::frames;
use clap::ValueEnum;
use std::{io, net::SocketAddr, sync::Arc, thread, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::oneshot,
    task::JoinSet,
    time::{sleep, timeout},
};

/// Connections that a garbage attack makes in a second.
const GARBAGE: u64 = 200;

/// How long one that was turned away waits before it comes again.
const AGAIN: Duration = Duration::from_secs(1);

/// One way to do harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Attack {
    /// Ten clients ask for everything, of both services, and read nothing.
    Unread,
    /// One connection asks for everything a thousand times.
    Streams,
    /// Three thousand connections say nothing.
    Idle,
    /// 200 connections in a second that speak something else: noise, HTTP/1, TLS, a head that never ends.
    Garbage,
    /// All of these.
    All,
}

impl Attack {
    /// What is done, in words.
    pub fn title(self) -> &'static str {
        match self {
            Self::Unread => "10 clients ask for everything and read nothing",
            Self::Streams => "1 connection with 1,000 Watch streams",
            Self::Idle => "3,000 idle connections",
            Self::Garbage => "garbage, HTTP/1, TLS, an endless head: 200 a second",
            Self::All => "all of these at once",
        }
    }
}

/// Those who attack, from a thread of their own, for as long as this is kept.
#[derive(Debug)]
pub struct Attackers {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Attackers {
    /// Begins to attack an agent. `idle` is how many connections say nothing, of those that do so; each takes a file descriptor here.
    ///
    /// # Errors
    ///
    /// Where there can be no thread for it.
    pub fn start(attack: Attack, address: SocketAddr, idle: usize) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new().name("attackers".to_owned()).spawn(move || {
            runtime.block_on(async {
                let mut clients = JoinSet::new();
                spawn(&mut clients, attack, address, idle);
                // Also when the sender is gone.
                let _ = stopped.await;
            });
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Attackers {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // What it was about is over, however it ended.
            let _ = thread.join();
        }
    }
}

fn spawn(clients: &mut JoinSet<()>, attack: Attack, address: SocketAddr, idle: usize) {
    match attack {
        Attack::Unread => {
            for _ in 0..5 {
                clients.spawn(again(move || deaf(address)));
                clients.spawn(again(move || stingy(address)));
            }
        }
        Attack::Streams => _ = clients.spawn(again(move || thousand(address))),
        Attack::Idle => {
            for _ in 0..idle {
                clients.spawn(again(move || silent(address)));
            }
        }
        Attack::Garbage => {
            let kinds = Arc::new([noise(), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), tls()]);
            clients.spawn(async move {
                let mut all = JoinSet::new();
                for number in 0.. {
                    sleep(Duration::from_secs(1) / GARBAGE as u32).await;
                    let kinds = Arc::clone(&kinds);
                    all.spawn(async move {
                        // That it is turned away is what is expected.
                        let _ = match kinds.get(number % 4) {
                            Some(bytes) => says(address, bytes).await,
                            None => endless(address).await,
                        };
                    });
                    while all.try_join_next().is_some() {}
                }
            });
        }
        Attack::All => {
            for attack in [Attack::Unread, Attack::Streams, Attack::Idle, Attack::Garbage] {
                spawn(clients, attack, address, idle);
            }
        }
    }
}

/// Does it over and over.
async fn again<F: Future<Output = io::Result<()>>>(attack: impl Fn() -> F) {
    loop {
        // That it ends is what the other side wants.
        let _ = attack().await;
        sleep(AGAIN).await;
    }
}

const UPDATES: &str = "/rs.tokio.console.instrument.Instrument/WatchUpdates";
const REPORTS: &str = "/holdup.v1.Diagnostics/Watch";

/// Asks for everything, allows two gigabytes, and does not touch its socket.
async fn deaf(address: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    let authority = address.to_string();
    let bytes = [frames::greedy(), frames::call(1, UPDATES, &authority), frames::call(3, REPORTS, &authority)].concat();
    stream.write_all(&bytes).await?;
    closed(&stream).await
}

/// Asks for everything, answers every ping, and never says that it has read anything.
async fn stingy(address: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    let authority = address.to_string();
    let bytes = [frames::plain(), frames::call(1, UPDATES, &authority), frames::call(3, REPORTS, &authority)].concat();
    stream.write_all(&bytes).await?;
    answer(&mut stream).await
}

/// Asks for everything a thousand times, and then behaves as the one before.
async fn thousand(address: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    let authority = address.to_string();
    stream.write_all(&frames::plain()).await?;
    let (mut incoming, mut outgoing) = stream.split();
    let asks = async {
        for number in 0..1_000 {
            outgoing.write_all(&frames::call(2 * number + 1, REPORTS, &authority)).await?;
        }
        std::future::pending::<io::Result<()>>().await
    };
    let mut buffer = vec![0; 64 << 10];
    let hears = async {
        while incoming.read(&mut buffer).await? > 0 {}
        io::Result::Ok(())
    };
    tokio::select! {
        ended = asks => ended,
        ended = hears => ended,
    }
}

/// Reads, answers pings and settings, and nothing else.
async fn answer(stream: &mut TcpStream) -> io::Result<()> {
    let (mut unread, mut buffer) = (Vec::new(), vec![0; 64 << 10]);
    loop {
        let read = stream.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        unread.extend_from_slice(&buffer[..read]);
        let (answers, whole) = frames::pongs(&unread);
        unread.drain(..whole);
        stream.write_all(&answers).await?;
    }
}

async fn silent(address: SocketAddr) -> io::Result<()> {
    closed(&TcpStream::connect(address).await?).await
}

/// Waits until the other side has closed it, without taking anything out of it.
async fn closed(stream: &TcpStream) -> io::Result<()> {
    let mut byte = [0];
    while stream.peek(&mut byte).await? > 0 {
        sleep(AGAIN).await;
    }
    Ok(())
}

async fn says(address: SocketAddr, bytes: &[u8]) -> io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(bytes).await?;
    // It may answer.
    let heard = timeout(Duration::from_secs(5), stream.read_to_end(&mut Vec::new())).await;
    heard.map_or(Ok(()), |read| read.map(drop))
}

async fn endless(address: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    let (begin, more) = frames::endless_head();
    stream.write_all(&begin).await?;
    loop {
        stream.write_all(&more).await?;
        sleep(Duration::from_millis(1)).await;
    }
}

/// Bytes that are nothing, some thousands of them.
fn noise() -> Vec<u8> {
    (0..4_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 13) as u8 | 0x80).collect()
}

/// What a TLS client begins with, as far as anybody reads: a record of a handshake, of version 1.0, with a hello in it.
fn tls() -> Vec<u8> {
    let mut bytes = vec![0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3];
    bytes.resize(517, 0x42);
    bytes
}
