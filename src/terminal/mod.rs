//! The real terminal: the guard that restores it, and the event loop.
//!
//! [`event_loop`] is the loop, generic over where it draws and what it hears, so that tests run the one that ships. [`run`] gives it the
//! real screen (`guard`, `screen`), the real keys and signals (`events`), and a link to a target.

mod event_loop;
mod events;
mod fault;
mod guard;
mod screen;

pub use event_loop::{Host, TerminalEvent, event_loop};

use crate::{app, source};
use guard::Guard;
use ratatui::{Terminal, backend::CrosstermBackend};
use std::io;
use tokio::sync::oneshot;

/// What ends the interactive client other than the user.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no terminal to draw on.
    #[error("the interactive view needs a terminal; without one, use `holdup check`")]
    NoTerminal,
    /// The terminal failed.
    #[error("the terminal cannot be used: {0}")]
    Terminal(#[from] io::Error),
    /// A frame could not be drawn.
    #[error("a frame could not be drawn: {0}")]
    Draw(String),
    /// A part of the program panicked. What it said is on the screen by now.
    #[error("holdup itself failed; this is a defect of holdup, not of the target")]
    Panicked,
}

/// Watches a target in the terminal until the user quits, or a signal says so. What `told` says is shown.
pub async fn run(
    target: source::Target,
    source_options: source::Options,
    options: app::Options,
    told: oneshot::Receiver<String>,
) -> Result<(), Error> {
    let guard = Guard::enter()?;
    let events = events::real(told)?;
    let link = source::open(target.clone(), source_options);
    let mut app = app::App::new(&target.short(), options);
    let mut terminal = Terminal::new(CrosstermBackend::new(guard.output()))?;
    let mut host = &guard;
    tokio::select! {
        result = event_loop(&mut terminal, &mut host, events, link, &mut app) => result,
        () = fault::panic_on_request() => Ok(()),
    }
}
