//! The event loop: hears, lets the app decide, draws when what is on the screen is no longer true.

use super::Error;
use crate::{
    app::{
        input::event::{Effect, Input},
        state::App,
    },
    source::{Attachment, Link},
    update::Event,
    view,
};
use crossterm::event::{KeyEvent, MouseEvent};
use futures::{Stream, StreamExt};
use ratatui::{
    Terminal,
    backend::Backend,
    layout::{Position, Rect},
};
use std::{io, time::Duration};
use tokio::time::{Instant, sleep_until};

/// What comes from outside of the program, the link apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TerminalEvent {
    /// A key.
    Key(KeyEvent),
    /// The mouse.
    Mouse(MouseEvent),
    /// The terminal has another size, or was drawn over.
    Redraw,
    /// A signal asks to end.
    Stop,
    /// A signal asks to let the shell have the terminal.
    Suspend,
    /// The program goes on after it was stopped; whoever stopped it may have used the terminal.
    Resume,
    /// Another thread panicked.
    Panicked,
}

/// What the loop needs of a terminal that is not drawing.
pub trait Host {
    /// Gives the terminal to the shell, and returns when it is ours again.
    fn suspend(&mut self) -> io::Result<()>;
    /// Takes the terminal back from whoever used it in the meantime.
    fn resume(&mut self) -> io::Result<()>;
    /// Puts text where the user can paste it from.
    fn copy(&mut self, text: &str) -> io::Result<()>;
}

/// The shortest time between two frames that no key asked for.
const FRAME: Duration = Duration::from_millis(50);

/// How long the link's events are taken in before keys are looked at again.
const BATCH: Duration = Duration::from_millis(2);

/// Runs until the user or a signal ends it.
pub async fn event_loop<B: Backend, H: Host>(
    terminal: &mut Terminal<B>,
    host: &mut H,
    mut events: impl Stream<Item = io::Result<TerminalEvent>> + Unpin,
    link: Link,
    app: &mut App,
) -> Result<(), Error> {
    let mut attachment = Attachment::new(link);
    let mut drawing = Drawing::new();
    let mut attached = true;
    loop {
        let now = Instant::now();
        tokio::select! {
            biased;
            event = events.next() => {
                let Some(event) = event else { return Ok(()) };
                let effects = match event? {
                    TerminalEvent::Key(key) => app.update(Input::Key(key), now.into_std()),
                    TerminalEvent::Mouse(mouse) => app.update(Input::Mouse(mouse), now.into_std()),
                    TerminalEvent::Redraw => Vec::new(),
                    TerminalEvent::Stop => return Ok(()),
                    TerminalEvent::Panicked => return Err(Error::Panicked),
                    TerminalEvent::Suspend => vec![Effect::Suspend],
                    TerminalEvent::Resume => {
                        host.resume()?;
                        clear(terminal)?;
                        Vec::new()
                    }
                };
                if perform(effects, terminal, host, &attachment)?.is_break() {
                    return Ok(());
                }
                // What comes next may be about what this has changed.
                drawing.draw(terminal, app, Instant::now())?;
            }
            // After the keys: one that waits needs no other frame before its own.
            () = sleep_until(drawing.next.unwrap_or(now)), if drawing.next.is_some() => {
                drawing.draw(terminal, app, Instant::now())?;
            }
            event = attachment.next(app.live().wants()), if attached => match event {
                Some(event) => {
                    take_in(event, &mut attachment, app, now);
                    drawing.soon(now);
                }
                None => attached = false,
            },
        }
    }
}

/// Takes in what the link has ready, for as long as nobody has to wait for it.
fn take_in(first: Event, attachment: &mut Attachment, app: &mut App, now: Instant) {
    let mut next = Some(first);
    while let Some(event) = next {
        let begun = Instant::now();
        for effect in app.update(Input::Link(Box::new(event)), now.into_std()) {
            if let Effect::Send(command) = effect {
                attachment.send(command);
            }
        }
        // Read by `benches/scale`: a key would have had to wait for as long.
        tracing::debug!(took_us = begun.elapsed().as_micros() as u64, "took in an event");
        if now.elapsed() >= BATCH {
            return;
        }
        next = attachment.try_next();
    }
}

/// Does what the app wants done.
fn perform<B: Backend>(
    effects: Vec<Effect>,
    terminal: &mut Terminal<B>,
    host: &mut impl Host,
    attachment: &Attachment,
) -> Result<std::ops::ControlFlow<()>, Error> {
    for effect in effects {
        match effect {
            Effect::Quit => return Ok(std::ops::ControlFlow::Break(())),
            Effect::Suspend => {
                host.suspend()?;
                clear(terminal)?;
            }
            Effect::Send(command) => attachment.send(command),
            Effect::Copy(text) => host.copy(&text)?,
        }
    }
    Ok(std::ops::ControlFlow::Continue(()))
}

/// Lets the next frame draw every cell. `Terminal::clear` would ask the terminal where its cursor is, and the answer would
/// be taken for keys.
fn clear<B: Backend>(terminal: &mut Terminal<B>) -> Result<(), Error> {
    let size = terminal.size().map_err(|error| Error::Draw(error.to_string()))?;
    terminal.resize(Rect::from((Position::ORIGIN, size))).map_err(|error| Error::Draw(error.to_string()))
}

/// When the next frame is due.
struct Drawing {
    next: Option<Instant>,
    latest: Option<Instant>,
}

impl Drawing {
    fn new() -> Self {
        Self { next: Some(Instant::now()), latest: None }
    }

    /// Something changed.
    fn soon(&mut self, now: Instant) {
        let due = self.latest.map_or(now, |latest| (latest + FRAME).max(now));
        self.next = Some(self.next.map_or(due, |next| next.min(due)));
    }

    fn draw<B: Backend>(&mut self, terminal: &mut Terminal<B>, app: &mut App, now: Instant) -> Result<(), Error> {
        app.prepare(now.into_std());
        let mut shown = None;
        terminal
            .draw(|frame| shown = Some(view::render(frame, app, now.into_std())))
            .map_err(|error| Error::Draw(error.to_string()))?;
        let shown = shown.unwrap_or_default();
        self.latest = Some(now);
        self.next = shown.pace.period().map(|period| now + period);
        app.shown(shown);
        Ok(())
    }
}
