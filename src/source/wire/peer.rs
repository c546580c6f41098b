//! What a connection has shown of the peer: its first bytes, when it last spoke, how it ended.
//!
//! Below tonic a failed connection is one of many errors that name no cause. What the bytes were tells it exactly: a web
//! server, TLS, silence, a reset. Of a connection by TLS both what is inside and what is outside of it are looked at.

use super::tls;
use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

/// As many first bytes as tell a protocol.
const HEAD: usize = 8;

/// What the peer's first bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Speaks {
    /// Nothing has come.
    Nothing,
    /// A `SETTINGS` frame, with which every HTTP/2 server begins; or too little to tell.
    Http2,
    /// A response of the older HTTP.
    Http1,
    /// A record of TLS.
    Tls,
    /// None of these.
    Unknown,
}

/// How the connection ended, as the operating system told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// The peer closed it.
    Closed,
    /// It broke.
    Broken(io::ErrorKind),
    /// TLS says why: a certificate is refused after the connection stands.
    Tls(tls::Refused),
}

#[derive(Debug)]
struct Record {
    head: [u8; HEAD],
    length: usize,
    last_read: Instant,
    end: Option<End>,
}

/// What has been seen of it so far.
#[derive(Debug, Clone)]
pub(super) struct Peer(Arc<Mutex<Record>>);

impl Peer {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Record { head: [0; HEAD], length: 0, last_read: Instant::now(), end: None })))
    }

    pub(super) fn speaks(&self) -> Speaks {
        let record = self.record();
        speaks(&record.head[..record.length])
    }

    pub(super) fn end(&self) -> Option<End> {
        self.record().end.clone()
    }

    /// How long the peer has been silent.
    pub(super) fn silence(&self) -> Duration {
        self.record().last_read.elapsed()
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, bytes: &[u8]) {
        let mut record = self.record();
        record.last_read = Instant::now();
        if bytes.is_empty() {
            record.end.get_or_insert(End::Closed);
        }
        let at = record.length;
        let new = bytes.len().min(HEAD - at);
        record.head[at..at + new].copy_from_slice(&bytes[..new]);
        record.length += new;
    }

    fn broke(&self, error: &io::Error) {
        let end = tls::refused(error).map_or(End::Broken(error.kind()), End::Tls);
        self.record().end.get_or_insert(end);
    }
}

fn speaks(head: &[u8]) -> Speaks {
    match head {
        [] => Speaks::Nothing,
        [b'H', b'T', b'T', b'P', b'/', ..] => Speaks::Http1,
        // An alert or a handshake, of version 3.
        [0x15 | 0x16, 3, ..] => Speaks::Tls,
        // Three bytes of length, then the type, which is 4; the stream is 0.
        [_, _, _, 4, ..] | [_] | [_, _] | [_, _, _] => Speaks::Http2,
        _ => Speaks::Unknown,
    }
}

/// A connection that records what it shows.
#[derive(Debug)]
pub(super) struct Observed<T> {
    io: T,
    peer: Peer,
}

impl<T> Observed<T> {
    pub(super) fn new(io: T, peer: Peer) -> Self {
        Self { io, peer }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Observed<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let room = buf.remaining() > 0;
        let polled = Pin::new(&mut self.io).poll_read(cx, buf);
        match &polled {
            Poll::Ready(Ok(())) if room => self.peer.read(&buf.filled()[before..]),
            Poll::Ready(Err(error)) => self.peer.broke(error),
            Poll::Ready(Ok(())) | Poll::Pending => {}
        }
        polled
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Observed<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write(cx, buf);
        if let Poll::Ready(Err(error)) = &polled {
            self.peer.broke(error);
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[test]
    fn protocols_are_told_by_their_first_bytes() {
        assert_eq!(speaks(b""), Speaks::Nothing);
        assert_eq!(speaks(b"HTTP/1.1"), Speaks::Http1);
        assert_eq!(speaks(&[0, 0, 18, 4, 0, 0, 0, 0]), Speaks::Http2);
        assert_eq!(speaks(&[0, 0]), Speaks::Http2);
        assert_eq!(speaks(&[0x15, 3, 1, 0, 2, 2, 0x46]), Speaks::Tls);
        assert_eq!(speaks(b"220 smtp"), Speaks::Unknown);
    }

    #[tokio::test]
    async fn first_bytes_and_the_end_are_seen() {
        let (mut near, far) = tokio::io::duplex(64);
        let peer = Peer::new();
        let mut observed = Observed::new(far, peer.clone());
        near.write_all(b"HTTP/1.1 400 Bad Request").await.expect("room");
        let mut buffer = [0; 4];
        observed.read_exact(&mut buffer).await.expect("bytes");
        assert_eq!(peer.end(), None);
        drop(near);
        observed.read_to_end(&mut Vec::new()).await.expect("the rest");
        assert_eq!((peer.speaks(), peer.end()), (Speaks::Http1, Some(End::Closed)));
    }
}
