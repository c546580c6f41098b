//! The event loop: hears, lets the app decide, draws when what is on the screen is no longer true.

use super::{Error, past::Past};
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
use futures::{FutureExt, Stream, StreamExt};
use ratatui::{
    Terminal,
    backend::Backend,
    layout::{Position, Rect},
};
use std::{io, ops::ControlFlow, time::Duration};
use tokio::{
    task::unconstrained,
    time::{Instant, sleep_until},
};

/// What comes from outside of the program, the link apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TerminalEvent {
    /// A key.
    Key(KeyEvent),
    /// Text that was pasted, where the terminal tells that from keys.
    Paste(String),
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
    /// Another part of the program has something to say to the user.
    Told(String),
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
    /// Has the demo server begin or end a trouble, where there is one.
    fn switch(&mut self, trouble: &'static str, turn: Turn);
}

/// Which way a trouble of the demo is switched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It begins.
    On,
    /// It ends.
    Off,
}

/// The shortest time between two frames that no key asked for.
const FRAME: Duration = Duration::from_millis(50);

/// How long the link's events are taken in before keys are looked at again, and keys before a frame.
const BATCH: Duration = Duration::from_millis(2);

/// More keys at once than hands press. What is typed is shown at once; what is pasted as keys, as often as what nobody asked for.
const HANDS: usize = 8;

/// Where to from a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaving {
    /// The program ends.
    Program,
    /// Back to all targets.
    Session,
}

/// Runs until the user or a signal ends it, or the user goes back to all targets. A recording is fed by nothing.
pub async fn event_loop<B: Backend, H: Host>(
    terminal: &mut Terminal<B>,
    host: &mut H,
    mut events: impl Stream<Item = io::Result<TerminalEvent>> + Unpin,
    attachment: Option<&mut Attachment>,
    mut past: Past,
    app: &mut App,
) -> Result<Leaving, Error> {
    let mut attached = attachment.is_some();
    let mut nothing = Attachment::new(Link::ended());
    let attachment = attachment.unwrap_or(&mut nothing);
    let mut drawing = Drawing::new();
    loop {
        let now = Instant::now();
        tokio::select! {
            biased;
            event = events.next() => {
                let Some(event) = event else { return Ok(Leaving::Program) };
                let (attachment, past, drawing) = (&*attachment, &mut past, &mut drawing);
                let mut hearing = Hearing { terminal, host, attachment, past, drawing, app };
                if let ControlFlow::Break(leaving) = hearing.take_in(event?, &mut events)? {
                    return Ok(leaving);
                }
            }
            // After the keys: one that waits needs no other frame before its own.
            () = sleep_until(drawing.next.unwrap_or(now)), if drawing.next.is_some() => {
                if let Some(Effect::Past(seek)) = app.tick(now.into_std()) {
                    past.ask(seek);
                }
                drawing.draw(terminal, app, Instant::now())?;
            }
            input = past.next() => {
                for effect in app.update(input, now.into_std()) {
                    if let Effect::Send(command) = effect {
                        attachment.send(command);
                    }
                }
                drawing.soon(now);
            }
            event = attachment.next(app.live().wants()), if attached => match event {
                Some(event) => {
                    take_in(event, attachment, &mut past, app, now);
                    drawing.soon(now);
                }
                None => attached = false,
            },
        }
    }
}

/// Takes in what the link has ready, for as long as nobody has to wait for it.
fn take_in(first: Event, attachment: &mut Attachment, past: &mut Past, app: &mut App, now: Instant) {
    let mut next = Some(first);
    while let Some(event) = next {
        let begun = Instant::now();
        past.hear(begun.into_std(), &event, app.live());
        for effect in app.update(Input::Link(Box::new(event)), now.into_std()) {
            if let Effect::Send(command) = effect {
                attachment.send(command);
            }
        }
        past.applied(begun.into_std(), app.live());
        // Read by `benches/scale`: a key would have had to wait for as long.
        tracing::debug!(took_us = begun.elapsed().as_micros() as u64, "took in an event");
        if now.elapsed() >= BATCH {
            return;
        }
        next = attachment.try_next();
    }
}

/// What hears keys, and everything else that is no news of the target.
struct Hearing<'a, B: Backend, H> {
    terminal: &'a mut Terminal<B>,
    host: &'a mut H,
    attachment: &'a Attachment,
    past: &'a mut Past,
    drawing: &'a mut Drawing,
    app: &'a mut App,
}

impl<B: Backend, H: Host> Hearing<'_, B, H> {
    /// Takes in an event and the keys that wait behind it, and draws what came of them. Breaks where the program ends.
    fn take_in(
        &mut self,
        first: TerminalEvent,
        events: &mut (impl Stream<Item = io::Result<TerminalEvent>> + Unpin),
    ) -> Result<ControlFlow<Leaving>, Error> {
        let begun = Instant::now();
        let mut keys = 0;
        let mut next = Some(first);
        while let Some(event) = next.take() {
            let (key, place) = (is_key(&event), self.app.place());
            if let ControlFlow::Break(leaving) = self.hear(event)? {
                return Ok(ControlFlow::Break(leaving));
            }
            keys += 1;
            // What comes next may be about what this has changed.
            if !key || self.app.place() != place {
                return self.draw();
            }
            if begun.elapsed() >= BATCH {
                break;
            }
            next = match unconstrained(events.next()).now_or_never() {
                Some(None) => return Ok(ControlFlow::Break(Leaving::Program)),
                Some(Some(event)) => Some(event?),
                None => None,
            };
            match &next {
                Some(TerminalEvent::Key(key)) if self.app.is_typed(key) => {}
                Some(event) if is_key(event) => self.app.prepare(Instant::now().into_std()),
                // A click is on what is shown.
                Some(_) => self.drawing.draw(self.terminal, self.app, Instant::now())?,
                None => {}
            }
        }
        if keys > HANDS && !self.drawing.is_due(Instant::now()) {
            self.drawing.soon(Instant::now());
            return Ok(ControlFlow::Continue(()));
        }
        self.draw()
    }

    fn draw(&mut self) -> Result<ControlFlow<Leaving>, Error> {
        self.drawing.draw(self.terminal, self.app, Instant::now())?;
        Ok(ControlFlow::Continue(()))
    }

    fn hear(&mut self, event: TerminalEvent) -> Result<ControlFlow<Leaving>, Error> {
        let at = Instant::now().into_std();
        let effects = match event {
            TerminalEvent::Key(key) => self.app.update(Input::Key(key), at),
            TerminalEvent::Paste(text) => self.app.update(Input::Paste(text), at),
            TerminalEvent::Mouse(mouse) => self.app.update(Input::Mouse(mouse), at),
            TerminalEvent::Told(text) => self.app.update(Input::Told(text), at),
            TerminalEvent::Redraw => Vec::new(),
            TerminalEvent::Stop => return Ok(ControlFlow::Break(Leaving::Program)),
            TerminalEvent::Panicked => return Err(Error::Panicked),
            TerminalEvent::Suspend => vec![Effect::Suspend],
            TerminalEvent::Resume => {
                self.host.resume()?;
                clear(self.terminal)?;
                Vec::new()
            }
        };
        self.perform(effects)
    }

    /// Does what the app wants done.
    fn perform(&mut self, effects: Vec<Effect>) -> Result<ControlFlow<Leaving>, Error> {
        for effect in effects {
            match effect {
                Effect::Quit => return Ok(ControlFlow::Break(Leaving::Program)),
                Effect::Suspend => {
                    self.host.suspend()?;
                    clear(self.terminal)?;
                }
                Effect::Send(command) => self.attachment.send(command),
                Effect::Copy(text) => self.host.copy(&text)?,
                Effect::Past(seek) => self.past.ask(seek),
                Effect::Save => self.past.save(),
                Effect::SwitchOn(trouble) => self.host.switch(trouble, Turn::On),
                Effect::SwitchOff(trouble) => self.host.switch(trouble, Turn::Off),
                Effect::AllTargets => return Ok(ControlFlow::Break(Leaving::Session)),
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// Whether it comes from a keyboard, as any number of others may in no time.
fn is_key(event: &TerminalEvent) -> bool {
    matches!(event, TerminalEvent::Key(_) | TerminalEvent::Paste(_))
}

/// Lets the next frame draw every cell. `Terminal::clear` would ask the terminal where its cursor is, and the answer would
/// be taken for keys.
pub(super) fn clear<B: Backend>(terminal: &mut Terminal<B>) -> Result<(), Error> {
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

    /// Whether so long has gone by since the latest frame that another is due.
    fn is_due(&self, now: Instant) -> bool {
        self.latest.is_none_or(|latest| now >= latest + FRAME)
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
