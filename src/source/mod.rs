//! Where a session's events come from, and the only rooms that do I/O for one. With `proto/` the only ones that name tonic and prost.
//!
//! [`open`] makes a [`Link`] to a [`Target`]: events come out of it, commands go in. A source is a function that returns one, not a trait.
//!
//! ```text
//! attachment   what a session is fed by, of a link or of more
//!   wire         a target over gRPC
//!     codec        bytes → pages of an update, and back
//!   naming       what an agent could not name, by what is here
//!   beside       both of one service
//!   memory       a process of this machine, or what was kept of one
//! past         what an agent has kept by itself → the events that a link would have told
//! bounded      files that a user names
//! chance       numbers that differ from one run to the next
//! listed       lists of targets, as files have them
//! ```
//!
//! This room must not know what an update means: it keeps nothing of one, compares no two, and judges none.

mod attachment;
mod beside;
mod bounded;
mod chance;
mod codec;
mod listed;
mod memory;
mod naming;
mod past;
mod target;
mod wire;

pub use crate::update::{Begin, Command, Connection, Event, Process, Protocol, Temporality};
pub use attachment::Attachment;
pub use bounded::read_bounded;
pub use codec::{
    console::decode as decode_console,
    holdup::{decode, encode},
};
pub use listed::{ListError, ListedTarget, parse_list, read_list};
pub use memory::{
    Beside, GRAB_MOST, Grabbed, Layout, Listed, MemoryOptions, Processes, Stacks, grab, layout, process_called,
    processes, wait_for_layouts,
};
pub use past::{NoPast, Past};
pub use target::{DEFAULT_PORT, ParseTargetError, Target};
pub use wire::{Backoff, CatchUp, CredentialError, Credentials, InvalidBackoff, Options, Secret, Token, fetch_past};

use tokio::sync::mpsc;

/// Both ends of a link. Dropping `events` ends it.
#[derive(Debug)]
pub struct Link {
    /// What happens. While nobody takes events, nothing is read from the target.
    pub events: mpsc::Receiver<Event>,
    /// What to do. Dropping it changes nothing.
    pub commands: mpsc::Sender<Command>,
}

impl Link {
    /// A link on which nothing happens any more.
    #[must_use]
    pub fn ended() -> Self {
        let ((_, events), (commands, _)) = (mpsc::channel(1), mpsc::channel(1));
        Self { events, commands }
    }
}

/// A link that says why there is none.
fn gave_up(reason: &str) -> Link {
    let (tell, events) = mpsc::channel(1);
    let (commands, _) = mpsc::channel(1);
    // There is room for one.
    let _ = tell.try_send(Event::Connection(Connection::GaveUp { reason: reason.to_owned() }));
    Link { events, commands }
}

/// Opens a link to a target, and returns at once: the first event says that it is connecting.
///
/// # Panics
///
/// Outside a tokio runtime with time and I/O enabled.
pub fn open(target: Target, options: Options) -> Link {
    match target {
        Target::Pid(pid) => memory::connect(memory::Whose::Pid(pid), options.memory),
        Target::Name(name) => memory::connect(memory::Whose::Name(name), options.memory),
        Target::Core(path) => memory::connect(memory::Whose::File(path), options.memory),
        Target::Recording(_) => {
            gave_up("a recording has no link: `holdup replay`, `holdup check` and `holdup tree` read it")
        }
        Target::Tcp { .. } | Target::Tls { .. } | Target::Unix(_) => {
            let memory = options.memory.clone();
            let service = naming::open(wire::connect(target.clone(), options), &memory);
            if memory.beside != Beside::Forbidden && beside::may_be_here(&target) {
                beside::open(service, target, memory)
            } else {
                service
            }
        }
    }
}
