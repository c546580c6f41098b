//! Connect, back off, reconnect; decode messages. The only room that names tonic and prost.
//!
//! This room must not know what an update means: it keeps nothing of one, compares no two, and judges none.

mod backoff;
mod event;
mod options;
mod target;

pub use backoff::{Backoff, InvalidBackoff};
pub use event::{Command, Connection, Event, Process, Protocol, Session, Temporality};
pub use options::{CatchUp, Options};
pub use target::{DEFAULT_PORT, ParseTargetError, Target};
