//! Connect, back off, reconnect; decode messages. The only room that names tonic and prost.
//!
//! [`connect`] starts one background task for a [`Target`] and returns a [`Link`]: events come out of it, commands go in.
//! The task never gives up. Everything that can go wrong with a target is an event in words, never an error for the
//! caller and never a panic.
//!
//! ```text
//! connection   try, deliver, lose, wait, try again              (backoff)
//!   session    one connection's life: subscribe, deliver, command     (failure: how it ended, in words)
//!     transport  dial, HTTP/2                                         (seen: what the peer's bytes were)
//!     calls      every call but one, through the generated clients    (catch_up: how often one may be made)
//!     stream     that one: a response's frames → pieces of messages   (framing, late: how late an update comes)
//!       walk     pieces of one message → pages of an update           (protobuf; entry, holdup: a format each)
//!         decode   one entry → plain types, counting what cannot be used
//! ```
//!
//! This room must not know what an update means: it keeps nothing of one, compares no two, and judges none.

mod attachment;
mod backoff;
mod calls;
mod catch_up;
mod connection;
mod decode;
mod encode;
mod entry;
mod failure;
mod framing;
mod holdup;
mod late;
mod options;
mod protobuf;
mod seen;
mod session;
mod stream;
mod target;
mod transport;
mod walk;

pub use crate::update::{Begin, Command, Connection, Event, Process, Protocol, Temporality};
pub use attachment::Attachment;
pub use backoff::{Backoff, InvalidBackoff};
pub use encode::encode;
pub use holdup::decode as decode_report;
pub use options::{CatchUp, Options};
pub use target::{DEFAULT_PORT, ParseTargetError, Target};

use tokio::sync::mpsc;

/// Events that wait to be taken. A page of an update may have a megabyte, so that they are few.
const EVENTS: usize = 8;

/// Commands that wait to be taken.
const COMMANDS: usize = 64;

/// Both ends of a link. Dropping `events` ends it.
#[derive(Debug)]
pub struct Link {
    /// What happens. While nobody takes events, nothing is read from the target.
    pub events: mpsc::Receiver<Event>,
    /// What to do. Dropping it changes nothing.
    pub commands: mpsc::Sender<Command>,
}

/// Starts a link to a target, and returns at once: the first event says that it is connecting.
///
/// # Panics
///
/// Outside a tokio runtime with time and I/O enabled.
pub fn connect(target: Target, options: Options) -> Link {
    let (events, receiver) = mpsc::channel(EVENTS);
    let (sender, commands) = mpsc::channel(COMMANDS);
    let backoff = options.backoff;
    let connector = session::Connector { target, options };
    let port = connection::Port { events, commands };
    tokio::spawn(connection::run(connector, backoff, port));
    Link { events: receiver, commands: sender }
}
