//! The real terminal: the guard that restores it, and the event loop.
//!
//! [`event_loop`] is the loop, generic over where it draws and what it hears, so that tests run the one that ships. [`run`] gives it the
//! real screen (`guard`, `screen`), the real keys and signals (`events`), a link to a target, and its past (`past`); [`replay`] a recording instead.

mod event_loop;
mod events;
mod fault;
mod fleet;
mod guard;
mod past;
mod screen;

pub use event_loop::{Host, Leaving, TerminalEvent, Turn, event_loop};
pub use fleet::Many;
pub use guard::Switchboard;
pub use past::Past;

use crate::{
    app,
    record::{Limits, Player, Seek},
    source::{self, Attachment, Link},
};
use guard::{Guard, Outside};
use ratatui::{Terminal, backend::CrosstermBackend};
use std::{
    io,
    time::{Duration, Instant},
};
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

/// Watches a target in the terminal until the user quits, or a signal says so. What `told` says is shown. Where there is a switchboard, it is the demo
/// on its tour, and the first trouble is on.
pub async fn run(
    target: source::Target,
    source_options: source::Options,
    options: app::Options,
    past: Option<Limits>,
    told: oneshot::Receiver<String>,
    switchboard: Option<Switchboard>,
) -> Result<(), Error> {
    let name = target.to_string();
    let past = past.map_or_else(Past::nothing, |limits| Past::kept(&name, Instant::now(), limits));
    let app = app::App::new(&target.short(), options);
    let app = if switchboard.is_some() { app.on_tour() } else { app };
    show(app, past, told, switchboard, || Some(source::open(target, source_options))).await
}

/// Shows a recording, from an instant on.
pub async fn replay(
    name: &str,
    player: Player,
    at: Option<Duration>,
    options: app::Options,
    told: oneshot::Receiver<String>,
) -> Result<(), Error> {
    let past = Past::recorded(player);
    past.ask(at.map_or(Seek::First, Seek::To));
    show(app::App::new(name, options), past, told, None, || None).await
}

/// Watches many targets in the terminal until the user quits, or a signal says so.
pub async fn run_fleet(many: Many, told: oneshot::Receiver<String>) -> Result<(), Error> {
    let guard = Guard::enter()?;
    let events = events::real(told)?;
    let mut terminal = Terminal::new(CrosstermBackend::new(guard.output()))?;
    let mut host = Outside { guard: &guard, switchboard: None };
    let result = tokio::select! {
        result = fleet::fleet_loop(&mut terminal, &mut host, events, many) => result,
        () = fault::panic_on_request() => Ok(()),
    };
    guard.give_back();
    result
}

async fn show(
    app: app::App,
    past: Past,
    told: oneshot::Receiver<String>,
    switchboard: Option<Switchboard>,
    link: impl FnOnce() -> Option<Link>,
) -> Result<(), Error> {
    let guard = Guard::enter()?;
    let events = events::real(told)?;
    let mut attachment = link().map(Attachment::new);
    let mut app = app.with_past(past.tape());
    let mut terminal = Terminal::new(CrosstermBackend::new(guard.output()))?;
    let mut host = Outside { guard: &guard, switchboard };
    let result = tokio::select! {
        result = event_loop(&mut terminal, &mut host, events, attachment.as_mut(), past, &mut app) => result.map(drop),
        () = fault::panic_on_request() => Ok(()),
    };
    guard.give_back();
    result
}
