//! The loop for many targets: it shows what is told of each, and opens one of them in the loop for one.

use super::{
    Error, Past, TerminalEvent,
    event_loop::{Host, Leaving, clear, event_loop},
};
use crate::{
    app::{self, App, Fleet, FleetEffect, TaskList},
    fleet::Crew,
    model::Retention,
    record::Limits,
    source::{self, ListedTarget},
    view,
};
use futures::{FutureExt, Stream, StreamExt};
use ratatui::{Terminal, backend::Backend};
use std::{io, time::Duration};
use tokio::time::{Instant, sleep_until};

/// The shortest time between two frames that no key asked for.
const FRAME: Duration = Duration::from_millis(250);

/// What there is to watch, and how.
#[derive(Debug, Clone)]
pub struct Many {
    /// The targets.
    pub targets: Vec<ListedTarget>,
    /// How their links behave.
    pub source: source::Options,
    /// How much of the past is kept of the one that is open.
    pub past: Option<Limits>,
    /// What the user chose. What is known of all targets together takes the room that is given to one.
    pub options: app::Options,
}

/// Runs until the user or a signal ends it.
pub(super) async fn fleet_loop<B: Backend, H: Host>(
    terminal: &mut Terminal<B>,
    host: &mut H,
    mut events: impl Stream<Item = io::Result<TerminalEvent>> + Unpin,
    many: Many,
) -> Result<(), Error> {
    let Many { targets, source, past, options } = many;
    let names: Vec<String> = targets.iter().map(named).collect();
    let whole: Vec<String> = targets.iter().map(|listed| listed.target.to_string()).collect();
    let retention = Retention { beside: TaskList::BYTES_A_TASK, ..options.retention.among(targets.len()) };
    let crew = Crew::attach(targets.into_iter().map(|listed| listed.target), &source, &options.settings, retention);
    let mut fleet = Fleet::new(names.clone(), options.palette, options.charset);
    while let Some((nth, finding)) = choose(terminal, host, &mut events, &crew, &mut fleet).await? {
        let Some(loan) = crew.lend(nth).await else { continue };
        let (session, mut attachment, give_back) = loan.apart();
        let past = past.map_or_else(Past::nothing, |limits| Past::kept(&whole[nth], Instant::now().into_std(), limits));
        let mut app = App::new(&names[nth], options.clone()).with_past(past.tape()).among_others(session, finding);
        let leaving = event_loop(terminal, host, &mut events, Some(&mut attachment), past, &mut app).await?;
        give_back(app.into_session(), attachment);
        if leaving == Leaving::Program {
            return Ok(());
        }
    }
    Ok(())
}

/// A target as it is shown, with what its list says of it.
fn named(listed: &ListedTarget) -> String {
    let labels = listed.labels.iter().map(|(name, value)| format!(" {name}={value}"));
    std::iter::once(listed.target.short()).chain(labels).collect()
}

/// Shows all of them until one is chosen, and perhaps a finding of it; `None` where the program ends.
async fn choose<B: Backend, H: Host>(
    terminal: &mut Terminal<B>,
    host: &mut H,
    events: &mut (impl Stream<Item = io::Result<TerminalEvent>> + Unpin),
    crew: &Crew,
    fleet: &mut Fleet,
) -> Result<Option<(usize, Option<crate::diagnose::FindingId>)>, Error> {
    let mut next = Instant::now();
    loop {
        let mut effect = None;
        tokio::select! {
            biased;
            event = events.next() => {
                let mut waiting = Some(event);
                // What was typed together is shown together.
                while let Some(event) = waiting.take() {
                    let Some(event) = event else { return Ok(None) };
                    let at = Instant::now().into_std();
                    match event? {
                        TerminalEvent::Key(key) => effect = fleet.key(&key, at),
                        TerminalEvent::Paste(text) => fleet.paste(&text, at),
                        TerminalEvent::Mouse(mouse) => effect = fleet.mouse(mouse, at),
                        TerminalEvent::Told(text) => fleet.say(text, at),
                        TerminalEvent::Redraw => {}
                        TerminalEvent::Stop => return Ok(None),
                        TerminalEvent::Panicked => return Err(Error::Panicked),
                        TerminalEvent::Suspend => effect = Some(FleetEffect::Suspend),
                        TerminalEvent::Resume => {
                            host.resume()?;
                            clear(terminal)?;
                        }
                    }
                    if effect.is_none() {
                        waiting = events.next().now_or_never();
                    }
                }
                next = Instant::now();
            }
            () = sleep_until(next) => {
                fleet.refresh(crew.briefs(), Instant::now().into_std());
                let pace = draw(terminal, fleet)?;
                // News come when they may, and clocks go on.
                next = Instant::now() + pace.period().unwrap_or(Duration::from_secs(1));
            }
            () = crew.changed() => next = next.min(Instant::now() + FRAME),
        }
        match effect {
            Some(FleetEffect::Quit) => return Ok(None),
            Some(FleetEffect::Suspend) => {
                host.suspend()?;
                clear(terminal)?;
            }
            Some(FleetEffect::Retry) => crew.retry(),
            Some(FleetEffect::Open(nth, finding)) => return Ok(Some((nth, finding))),
            None => {}
        }
    }
}

fn draw<B: Backend>(terminal: &mut Terminal<B>, fleet: &mut Fleet) -> Result<app::Pace, Error> {
    let mut shown = None;
    terminal
        .draw(|frame| shown = Some(view::render_fleet(frame, fleet, Instant::now().into_std())))
        .map_err(|error| Error::Draw(error.to_string()))?;
    let shown = shown.unwrap_or_default();
    let pace = shown.pace;
    fleet.shown(shown);
    Ok(pace)
}
