//! A target that is a process of this machine, or what was kept of one: its memory is read, and nothing is asked of it.
//!
//! ```text
//! options     what the user may choose of it
//! rounds      look after look, from a thread of its own: how often, what is told, and how it ends
//!   reader      what looks: the crate `holdup-memory`, where it is written for this system
//!   convert     a look → pages of an update
//! clock       what instants are told by
//! names       which process is meant by a name
//! naming      functions of an executable that is known by its build id
//! processes   which processes there are, and a grab of one
//! ```
//!
//! This room must not know what an update means. It knows nothing of how memory is read.

mod clock;
mod convert;
mod names;
mod naming;
mod options;
mod processes;
mod reader;
mod rounds;
#[cfg(test)]
mod tests;

pub(super) use clock::Clock;
pub(super) use naming::Naming;
pub use options::{Beside, MemoryOptions, Stacks};
pub use processes::{
    GRAB_MOST, Grabbed, Layout, Listed, Processes, grab, layout, process_called, processes, wait_for_layouts,
};
pub(crate) use reader::Failure;

use super::Link;
use crate::update::{Command, Connection, Event};
use std::{
    panic::{self, AssertUnwindSafe},
    path::PathBuf,
};
use tokio::sync::mpsc;

/// Events that wait to be taken. A page of an update may have a megabyte, so that they are few.
const EVENTS: usize = 8;

/// Commands that wait to be taken.
const COMMANDS: usize = 64;

/// What is said where reading panics.
const FAULT: &str = "a fault of holdup ended the reading of this memory; please report it, with what was printed";

/// Whose memory is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Whose {
    /// The process with this id.
    Pid(u32),
    /// The only process of this name.
    Name(String),
    /// What was kept of one: a core file or a grab.
    File(PathBuf),
}

/// Opens a link that reads memory, and returns at once: the first event says that it is connecting.
pub(super) fn connect(whose: Whose, options: MemoryOptions) -> Link {
    connect_beside(whose, options, Clock::default())
}

/// The same, beside a service that has a clock of its own.
pub(super) fn connect_beside(whose: Whose, options: MemoryOptions, clock: Clock) -> Link {
    let pace = rounds::Pace::within(options.within);
    open(move || reader::open(&whose, &options), pace, clock)
}

/// The same, by whatever looks.
fn open<L: reader::Looks>(
    make: impl Fn() -> Result<L, Failure> + Send + 'static,
    pace: rounds::Pace,
    clock: Clock,
) -> Link {
    let (events, receiver) = mpsc::channel(EVENTS);
    let (sender, commands) = mpsc::channel(COMMANDS);
    let (asks, asked) = std::sync::mpsc::channel();
    tokio::spawn(hand_on(events.clone(), commands, asks));
    let (told, told_of_panics) = (events.clone(), events.clone());
    let begun = std::thread::Builder::new().name("memory".into()).spawn(move || {
        let looks = AssertUnwindSafe(move || rounds::run(make, pace, &rounds::Ends { events, asked, clock }));
        if panic::catch_unwind(looks).is_err() {
            // Whoever waits for the next look would wait for ever. Nobody may be left to be told.
            let reason = FAULT.to_owned();
            drop(told_of_panics.blocking_send(Event::Connection(Connection::GaveUp { reason })));
        }
    });
    if let Err(error) = begun {
        let reason = format!("cannot start a thread: {error}");
        let _ = told.try_send(Event::Connection(Connection::GaveUp { reason }));
    }
    Link { events: receiver, commands: sender }
}

/// Hands commands on to the thread, which waits for them between two looks. When the link's user has left, so does this, and the
/// thread hears of it.
async fn hand_on(
    listener: mpsc::Sender<Event>,
    mut commands: mpsc::Receiver<Command>,
    asks: std::sync::mpsc::Sender<Command>,
) {
    loop {
        tokio::select! {
            () = listener.closed() => return,
            Some(command) = commands.recv() => {
                if asks.send(command).is_err() {
                    return;
                }
            }
        }
    }
}
