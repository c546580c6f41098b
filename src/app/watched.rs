//! The target being watched: its model and findings, and where the connection stands. Events from the link go in here, in
//! order; everything on the screen and everything that `holdup check` prints comes out of here.

use crate::{
    diagnose::{Engine, Settings},
    model::{Knows, Model, Retention, Stamp, Teller, report::Report, update::TaskDetails, update::Update},
    wire::{Connection, Event, Protocol, Session, Temporality},
};
use std::{collections::VecDeque, time::Duration};

/// How many rows of updates are held while the display is frozen. Beyond that it moves on: memory has a bound.
const HELD_MOST: usize = 2_000_000;

/// What an event changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    /// Nothing that is shown.
    None,
    /// Something beside the model: the connection, a task's details.
    Status,
    /// The model, as [`Model::changes`] tells.
    Model,
    /// Everything: another session began.
    Session,
}

/// How far a large message has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes that are here.
    pub received: u64,
    /// Bytes that there will be.
    pub total: u64,
}

/// A target, and all that is known of it.
pub struct Watched {
    /// The target's state, as told since it was attached to.
    pub model: Model,
    /// What is wrong with it, and was.
    pub engine: Engine,
    /// Where the connection stands.
    pub connection: Connection,
    /// Who answered last.
    pub session: Option<Session>,
    /// Whether the target sends updates; `None` where it does not tell.
    pub temporality: Option<Temporality>,
    /// How far a large message has come, while one is under way.
    pub progress: Option<Progress>,
    /// The latest details of the task that is watched.
    pub details: Option<TaskDetails>,
    /// Why there are none.
    pub details_missing: Option<String>,
    /// Why an agent tells nothing beyond the console's format, where that is so.
    pub reports_missing: Option<String>,
    /// How often the target was asked to catch up.
    pub catch_ups: u64,
    /// What a command did not do.
    pub trouble: Option<String>,
    retention: Retention,
    held: Option<Held>,
}

/// Updates that wait for a frozen display.
#[derive(Default)]
struct Held {
    events: VecDeque<Event>,
    rows: usize,
}

impl Watched {
    /// Nothing known yet.
    pub fn new(settings: &Settings, retention: Retention) -> Self {
        Self {
            model: Model::new(retention),
            engine: Engine::new(settings),
            connection: Connection::Connecting { attempt: 1 },
            session: None,
            temporality: None,
            progress: None,
            details: None,
            details_missing: None,
            reports_missing: None,
            catch_ups: 0,
            trouble: None,
            retention,
            held: None,
        }
    }

    /// Takes in an event. While frozen, what would change the model waits.
    pub fn receive(&mut self, event: Event) -> Reaction {
        if let Some(held) = &mut self.held
            && matches!(event, Event::Update(_) | Event::Report(_) | Event::Session(_) | Event::Details(_))
        {
            held.rows += rows(&event);
            held.events.push_back(event);
            if held.rows > HELD_MOST {
                self.trouble = Some("the display went on: it was frozen for longer than there is room for".into());
                return self.thaw();
            }
            return Reaction::Status;
        }
        self.take(event)
    }

    fn take(&mut self, event: Event) -> Reaction {
        match event {
            Event::Update(update) => {
                self.progress = None;
                self.model.apply(*update);
                self.engine.observe(&self.model);
                return Reaction::Model;
            }
            Event::Report(report) => {
                self.model.hear(*report);
                self.engine.observe(&self.model);
                self.reports_missing = None;
                return Reaction::Model;
            }
            Event::ReportsUnavailable { reason } => self.reports_missing = Some(reason),
            Event::Session(session) => {
                let teller = match session.protocol {
                    Protocol::Console => Teller::Console,
                    Protocol::Agent => {
                        let names = session.process.as_ref().map_or(&[][..], |process| &process.capabilities);
                        Teller::Agent(Knows::from_capabilities(names))
                    }
                };
                self.model = Model::told_by(teller, self.retention);
                self.reports_missing = None;
                self.engine.begin_session();
                self.session = Some(session);
                self.temporality = None;
                self.details = None;
                self.details_missing = None;
                self.catch_ups = 0;
                return Reaction::Session;
            }
            Event::Connection(connection) => {
                self.progress = None;
                self.connection = connection;
            }
            Event::Progress { received, total } => {
                self.progress = (received < total).then_some(Progress { received, total });
            }
            Event::Details(details) => {
                self.details = Some(*details);
                self.details_missing = None;
            }
            Event::DetailsUnavailable { reason, .. } => self.details_missing = Some(reason),
            Event::Temporality(temporality) => self.temporality = Some(temporality),
            Event::CommandFailed { reason, .. } => self.trouble = Some(reason),
            Event::CatchUp { sent } => self.catch_ups = sent,
        }
        Reaction::Status
    }

    /// Lets the display stand still. Nothing is lost: updates wait.
    pub fn freeze(&mut self) {
        self.held.get_or_insert_default();
    }

    /// Lets the display go on, with everything that waited.
    pub fn thaw(&mut self) -> Reaction {
        let mut reaction = Reaction::None;
        for event in self.held.take().into_iter().flat_map(|held| held.events) {
            // A session voids what its predecessor said was changed.
            reaction = match (reaction, self.take(event)) {
                (Reaction::Session, _) | (Reaction::Model, Reaction::Model) => Reaction::Session,
                (Reaction::Model, Reaction::Status) => Reaction::Model,
                (_, next) => next,
            };
        }
        reaction
    }

    /// How many events wait for the display; `None` while it is not frozen.
    pub fn held(&self) -> Option<usize> {
        self.held.as_ref().map(|held| held.events.len())
    }

    /// The target's clock, `elapsed` after the latest update: live values go on between two updates, by the target's own
    /// time. Without a live connection, or frozen, they stand still.
    pub fn now(&self, elapsed: Duration) -> Option<Stamp> {
        let stands =
            self.held.is_some() || self.connection != Connection::Live || self.temporality == Some(Temporality::Paused);
        let now = self.model.now()?;
        Some(if stands { now } else { now.plus(elapsed) })
    }

    /// Whether the target lags so that asking it to catch up makes sense.
    pub fn lags(&self) -> bool {
        self.connection == Connection::Live && !self.model.health().lag.is_zero()
    }
}

/// What an event costs to hold.
fn rows(event: &Event) -> usize {
    match event {
        Event::Update(update) => {
            let Update { new_tasks, task_stats, new_resources, resource_stats, new_ops, op_stats, poll_ops, .. } =
                &**update;
            1 + new_tasks.len()
                + task_stats.len()
                + new_resources.len()
                + resource_stats.len()
                + new_ops.len()
                + op_stats.len()
                + poll_ops.len()
        }
        Event::Report(report) => {
            let Report { workers, locks, stalls, spans, tasks, .. } = &**report;
            1 + workers.len() + locks.len() + stalls.len() + spans.len() + tasks.len()
        }
        _ => 1,
    }
}
