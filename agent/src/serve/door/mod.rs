//! The way in: connections are accepted, counted and turned away here, so that whoever knocks takes no more of the process than it can spare.
//!
//! ```text
//! accept      one connection after the other, at a bounded pace          (descriptors: what the service needs is left to it)
//!   guests      who waits at the door, and who is in                      (allowance: how much, how often)
//!   connection  one connection's life, whatever its bytes come through    (hello: what the first ones say; metered: how many)
//!     calls       each call is counted, and goes on to the two services
//! ```
//!
//! A connection waits at the door until it has made its first call. Those that wait are few, have little time, and the one that waits for longest makes
//! room for the next: so that thousands that say nothing keep nobody out. Whoever makes a call and finds no room is told so by its answer.
//!
//! Where connections come from is a [`Listen`], and what they speak through an [`Io`]: this room knows of no address and of no certificate.

mod accept;
mod allowance;
mod calls;
mod connection;
mod descriptors;
mod guests;
mod hello;
mod metered;

pub(super) use accept::serve;

use std::{future::Future, io};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
};

/// What the bytes of a connection go through.
pub(super) trait Io: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + 'static> Io for T {}

/// A connection that has just come.
#[derive(Debug)]
pub(super) struct Arrived<I> {
    pub(super) io: I,
    /// The number of its file descriptor. The system gives the lowest that is free.
    pub(super) descriptor: Option<u64>,
}

/// Where connections come from.
pub(super) trait Listen: Send + 'static {
    type Io: Io;

    /// The next connection. What is cancelled has accepted none.
    fn accept(&mut self) -> impl Future<Output = io::Result<Arrived<Self::Io>>> + Send;
}

impl Listen for TcpListener {
    type Io = tokio::net::TcpStream;

    async fn accept(&mut self) -> io::Result<Arrived<Self::Io>> {
        let (io, _) = Self::accept(self).await?;
        // What is written is written for somebody who waits for it. One that is gone already is noticed when it is read.
        let _ = io.set_nodelay(true);
        let descriptor = descriptors::number(&io);
        Ok(Arrived { io, descriptor })
    }
}
