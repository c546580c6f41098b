//! What a target tells, in plain data: events of a source, in their order. Nothing here judges what is claimed.

mod event;
mod knows;

pub use event::{Begin, Command, Connection, Event, Process, Protocol, Temporality};
pub use knows::{Consistency, Fact, FactSet, Knows};
