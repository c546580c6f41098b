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
//! Where connections come from is a [`Listen`], and what they speak through an [`Io`]: this room knows of no address and of no certificate. Who may come in
//! and what they may do is the [`gate`](super::gate)'s to say: before the first byte, and for each call.

mod accept;
mod allowance;
mod calls;
mod connection;
pub(super) mod descriptors;
mod guests;
mod hello;
mod metered;

pub(super) use accept::serve;
#[cfg(feature = "tls")]
pub(super) use allowance::Allowance;

use super::listen::Origin;
use std::{future::Future, io};
use tokio::io::{AsyncRead, AsyncWrite};

/// What the bytes of a connection go through.
pub(super) trait Io: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + 'static> Io for T {}

/// A connection that has just come.
pub(super) struct Arrived {
    pub(super) io: Box<dyn Io>,
    /// The number of its file descriptor. The system gives the lowest that is free.
    pub(super) descriptor: Option<u64>,
    pub(super) from: Origin,
}

/// Where connections come from.
pub(super) trait Listen: Send + 'static {
    /// The next connection. What is cancelled has accepted none.
    fn accept(&mut self) -> impl Future<Output = io::Result<Arrived>> + Send;
}

#[cfg(test)]
mod tests;
