//! Waits for descriptors.

use super::{rest, settle, spawn as spawn_boxed};
use crate::{
    frame,
    truth::{io, opaque},
    wait,
};
use std::os::fd::AsRawFd;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, copy_bidirectional, unix::AsyncFd},
    net::{TcpListener, TcpStream, UdpSocket, UnixListener, UnixStream, unix::pipe},
    time::{Instant, timeout_at},
};

pub async fn run() {
    let mut at = frame!();
    if let Err(error) = spawn().await {
        eprintln!("{error}");
        std::process::exit(1);
    }
    wait!(at);
    settle().await;
    wait!(at);
    rest().await;
}

async fn spawn() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(accepts(TcpListener::bind("127.0.0.1:0").await?));
    let (one, (other, _)) = (TcpStream::connect(address).await?, listener.accept().await?);
    tokio::spawn(reads(one));
    tokio::spawn(writes(other));
    let (one, (other, _)) = (TcpStream::connect(address).await?, listener.accept().await?);
    spawn_boxed(reads_half(one));
    spawn_boxed(reads_lines(other));
    let (one, (other, _)) = (TcpStream::connect(address).await?, listener.accept().await?);
    let (third, (fourth, _)) = (TcpStream::connect(address).await?, listener.accept().await?);
    spawn_boxed(copies(one, third));
    spawn_boxed(reads_within(other));
    spawn_boxed(writable_or_closed(fourth));
    let (one, (other, _)) = (TcpStream::connect(address).await?, listener.accept().await?);
    spawn_boxed(reads_owned(one));
    spawn_boxed(both_owned(other));
    let (one, other) = UnixStream::pair()?;
    spawn_boxed(reads_unix_owned(one));
    spawn_boxed(reads_any_half(other));
    spawn_boxed(datagram(UdpSocket::bind("127.0.0.1:0").await?));
    let (one, other) = UnixStream::pair()?;
    spawn_boxed(reads_unix(one));
    let path = std::env::temp_dir().join(format!("victim-{}", std::process::id()));
    let listener = UnixListener::bind(&path)?;
    std::fs::remove_file(&path)?;
    spawn_boxed(accepts_unix(listener, other));
    let (one, other) = pipe::pipe()?;
    spawn_boxed(reads_pipe(other, one));
    let (one, other) = std::os::unix::net::UnixStream::pair()?;
    one.set_nonblocking(true)?;
    // SAFETY: the descriptor stays open for as long as it is registered.
    let one = unsafe { AsyncFd::register(one)? };
    spawn_boxed(any_fd(one, other));
    Ok(())
}

async fn accepts(listener: TcpListener) {
    let mut at = frame!();
    wait!(at, io(&listener, "read"));
    let _ = listener.accept().await;
}

async fn reads(mut stream: TcpStream) {
    let mut at = frame!();
    let mut bytes = vec![0; 65_536];
    // Its peer has written all that fits before it waits; this one reads nothing of it.
    wait!(at, opaque());
    std::future::pending::<()>().await;
    let _ = stream.read(&mut bytes).await;
}

async fn writes(mut stream: TcpStream) {
    let mut at = frame!();
    let bytes = vec![7; 65_536];
    for _ in 0..10_000 {
        wait!(at, io(&stream, "write"));
        if stream.write_all(&bytes).await.is_err() {
            break;
        }
    }
}

async fn reads_half(stream: TcpStream) {
    let mut at = frame!();
    let (mut read, _write) = stream.into_split();
    let mut bytes = [0; 64];
    wait!(at, io(read.as_ref(), "read"));
    let _ = read.read_exact(&mut bytes).await;
}

async fn reads_lines(stream: TcpStream) {
    let mut at = frame!();
    let fd = stream.as_raw_fd();
    let mut lines = BufReader::new(stream).lines();
    wait!(at, io(&fd, "read"));
    while let Ok(Some(line)) = lines.next_line().await {
        std::hint::black_box(line);
    }
}

async fn copies(mut one: TcpStream, mut other: TcpStream) {
    let mut at = frame!();
    wait!(at, io(&one, "read"), io(&other, "read"));
    let _ = copy_bidirectional(&mut one, &mut other).await;
}

async fn reads_within(mut stream: TcpStream) {
    let mut at = frame!();
    let mut bytes = [0; 64];
    let due = Instant::now() + super::LONG;
    wait!(at, io(&stream, "read"), crate::truth::timer(due));
    let _ = timeout_at(due, stream.read(&mut bytes)).await;
}

async fn writable_or_closed(stream: TcpStream) {
    let mut at = frame!();
    wait!(at, io(&stream, "read"));
    let _ = stream.readable().await;
}

async fn datagram(socket: UdpSocket) {
    let mut at = frame!();
    let mut bytes = [0; 64];
    wait!(at, io(&socket, "read"));
    let _ = socket.recv_from(&mut bytes).await;
}

/// Whoever writes has the other half.
async fn reads_owned(stream: TcpStream) {
    let mut at = frame!();
    let (mut half, other) = stream.into_split();
    let mut bytes = [0; 64];
    wait!(at, io(half.as_ref(), "read"));
    let _ = half.read(&mut bytes).await;
    drop(other);
}

/// Both halves of one socket, by one task.
async fn both_owned(stream: TcpStream) {
    let mut at = frame!();
    let (mut reader, mut writer) = stream.into_split();
    let (mut bytes, much) = ([0; 64], [7; 64]);
    let _ = writer.as_ref().try_write(&much[..0]);
    wait!(at, io(reader.as_ref(), "read"));
    let _ = reader.read(&mut bytes).await;
    let _ = writer.write_all(&much).await;
}

async fn reads_unix_owned(stream: UnixStream) {
    let mut at = frame!();
    let (mut half, other) = stream.into_split();
    let mut bytes = [0; 64];
    wait!(at, io(half.as_ref(), "read"));
    let _ = half.read(&mut bytes).await;
    drop(other);
}

/// Of whatever reads and writes.
async fn reads_any_half(stream: UnixStream) {
    let mut at = frame!();
    let socket = stream.as_raw_fd();
    let (mut half, other) = tokio::io::split(stream);
    let mut bytes = [0; 64];
    wait!(at, io(&socket, "read"));
    let _ = half.read(&mut bytes).await;
    drop(other);
}

async fn reads_unix(mut stream: UnixStream) {
    let mut at = frame!();
    let mut bytes = [0; 64];
    wait!(at, io(&stream, "read"));
    let _ = stream.read(&mut bytes).await;
}

async fn accepts_unix(listener: UnixListener, other: UnixStream) {
    let mut at = frame!();
    wait!(at, io(&listener, "read"));
    let _ = listener.accept().await;
    drop(other);
}

async fn reads_pipe(mut receiver: pipe::Receiver, sender: pipe::Sender) {
    let mut at = frame!();
    let mut bytes = [0; 64];
    wait!(at, io(&receiver, "read"));
    let _ = receiver.read(&mut bytes).await;
    drop(sender);
}

async fn any_fd(fd: AsyncFd<std::os::unix::net::UnixStream>, other: std::os::unix::net::UnixStream) {
    let mut at = frame!();
    wait!(at, io(fd.get_ref(), "read"));
    let _ = fd.readable().await;
    drop(other);
}
