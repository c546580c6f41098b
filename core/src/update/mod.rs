//! What a target tells, in plain data: events of a source, in their order. Nothing here judges what is claimed.

mod event;

pub use event::{Begin, Command, Connection, Event, Process, Protocol, Temporality};
