//! A session that is open: what of it is shown while the display is frozen, and what waits until it goes on.

use crate::{
    diagnose::{FindingId, Settings},
    model::{Retention, Stamp, report::Report, update::Update},
    session::{Scope, Session},
    update::Event,
};
use std::{collections::VecDeque, time::Duration};

/// How many rows of updates are held while the display is frozen. Beyond that it moves on: memory has a bound.
const HELD_MOST: usize = 2_000_000;

/// A session, and whether its display stands still.
pub struct OpenSession {
    session: Session,
    held: Option<Held>,
    /// Why the display went on although nobody asked for that.
    went_on: Option<&'static str>,
}

/// Updates that wait for a frozen display.
#[derive(Default)]
struct Held {
    events: VecDeque<Event>,
    rows: usize,
}

impl OpenSession {
    /// Nothing known yet.
    pub fn new(settings: &Settings, retention: Retention) -> Self {
        Self { session: Session::new(settings, retention), held: None, went_on: None }
    }

    /// The session as it is shown.
    pub fn shown(&self) -> &Session {
        &self.session
    }

    /// The findings that somebody looks at.
    pub fn watch(&mut self, findings: impl IntoIterator<Item = FindingId>) {
        self.session.watch(findings);
    }

    /// Takes in an event. While frozen, what would change the model waits.
    pub fn apply(&mut self, event: Event) -> Scope {
        if let Some(held) = &mut self.held
            && matches!(event, Event::Update(_) | Event::Report(_) | Event::Begin(_) | Event::Details(_))
        {
            held.rows += rows(&event);
            held.events.push_back(event);
            if held.rows > HELD_MOST {
                self.went_on = Some("the display went on: it was frozen for longer than there is room for");
                return self.thaw();
            }
            return Scope::Status;
        }
        self.session.apply(event)
    }

    /// Lets the display stand still. Nothing is lost: updates wait.
    pub fn freeze(&mut self) {
        self.held.get_or_insert_default();
    }

    /// Lets the display go on, with everything that waited.
    pub fn thaw(&mut self) -> Scope {
        let mut scope = Scope::Nothing;
        for event in self.held.take().into_iter().flat_map(|held| held.events) {
            // Which rows changed is known of the latest event alone.
            scope = match (scope, self.session.apply(event)) {
                (Scope::Everything, _) | (Scope::Rows, Scope::Rows) => Scope::Everything,
                (Scope::Rows, Scope::Status) => Scope::Rows,
                (_, next) => next,
            };
        }
        scope
    }

    /// How many events wait for the display; `None` while it is not frozen.
    pub fn held(&self) -> Option<usize> {
        self.held.as_ref().map(|held| held.events.len())
    }

    /// The target's clock, `elapsed` after the latest update; it stands still with the display.
    pub fn now(&self, elapsed: Duration) -> Option<Stamp> {
        self.session.now(if self.held.is_some() { Duration::ZERO } else { elapsed })
    }

    /// What the user should be told, once.
    pub fn take_trouble(&mut self) -> Option<String> {
        self.session.take_trouble().or_else(|| self.went_on.take().map(str::to_owned))
    }

    /// Another task's details will be asked for.
    pub fn forget_details(&mut self) {
        self.session.forget_details();
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
