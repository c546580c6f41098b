//! What comes in, and what is to be done about it.

use crate::{
    record::{Seek, View},
    update::{Command, Event},
};
use crossterm::event::{KeyEvent, MouseEvent};

/// Something that happened.
#[derive(Debug)]
pub enum Input {
    /// A key was pressed.
    Key(KeyEvent),
    /// Text was pasted, where the terminal tells that from keys.
    Paste(String),
    /// Another part of the program has something to say to the user.
    Told(String),
    /// The mouse did something.
    Mouse(MouseEvent),
    /// Something happened on the link.
    Link(Box<Event>),
    /// Something came of a look at the past.
    Past(View),
}

/// Something to do that needs the world outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// End the program.
    Quit,
    /// Give the terminal back to the shell until it is asked for again.
    Suspend,
    /// Tell the link.
    Send(Command),
    /// Put text where the user can paste it from.
    Copy(String),
    /// Show another instant.
    Past(Seek),
    /// Write the past to a file.
    Save,
    /// Have the demo server begin a trouble.
    SwitchOn(&'static str),
    /// Have the demo server end a trouble.
    SwitchOff(&'static str),
    /// Leave this session for all targets.
    AllTargets,
}
