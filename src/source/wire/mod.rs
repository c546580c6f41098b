//! A target over gRPC: connect, back off, reconnect; deliver what it tells, and carry out commands.
//!
//! [`connect`] starts one background task for a [`Target`]. It ends with its [`Link`]. Everything that can go wrong with a target is an
//! event in words, never an error for the caller and never a panic.
//!
//! ```text
//! reconnect    try, deliver, lose, wait, try again                     (backoff)
//!   connection   one connection's life: subscribe, deliver, command      (failure: how it ended, in words)
//!     outbox       what goes to the link, and what was asked of it
//!     transport    dial, TLS, HTTP/2                                     (credentials, and tls: what its errors mean; peer: what the peer's bytes were)
//!     calls        every call but one, through the generated clients     (catch_up: how often one may be made)
//!     stream       that one: a response's frames → pieces of messages    (framing, lateness: how late an update comes)
//! past         what an agent has kept, asked for once
//! ```
//!
//! This room must not know what an update means: it keeps nothing of one, compares no two, and judges none.

mod backoff;
mod calls;
mod catch_up;
mod connection;
mod credentials;
mod failure;
mod framing;
mod lateness;
mod options;
mod outbox;
mod past;
mod peer;
mod reconnect;
mod stream;
mod tls;
mod transport;

pub use backoff::{Backoff, InvalidBackoff};
pub use credentials::{CredentialError, Credentials, Secret, Token};
pub use options::{CatchUp, Options};
pub use past::fetch_past;

use super::{Link, Target};
use tokio::sync::mpsc;

/// Events that wait to be taken. A page of an update may have a megabyte, so that they are few.
const EVENTS: usize = 8;

/// Commands that wait to be taken.
const COMMANDS: usize = 64;

/// Starts a link to a target, and returns at once: the first event says that it is connecting.
pub(super) fn connect(target: Target, options: Options) -> Link {
    let (events, receiver) = mpsc::channel(EVENTS);
    let (sender, commands) = mpsc::channel(COMMANDS);
    let backoff = options.backoff;
    let connector = connection::Connector { target, options };
    let ends = reconnect::LinkEnds { events, commands };
    tokio::spawn(reconnect::run(connector, backoff, ends));
    Link { events: receiver, commands: sender }
}
