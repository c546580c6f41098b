//! One target as it is at one instant: its model, what is wrong with it, and where its source stands. Events go in here, in their
//! order; everything on the screen and everything that `holdup check` prints comes out of here.
//!
//! A session owns no connection, no screen and no clock, and it is never the only one.

mod outline;
mod status;

pub use outline::Outlining;
pub use status::{Progress, Status};

use crate::{
    diagnose::{Engine, FindingId, NotLookedFor, Settings},
    model::{Model, Retention},
    update::{Begin, BeginMode, Beside, Command, Connection, Event, Protocol, Stamp, Temporality},
};
use serde::{Deserialize, Deserializer, Serialize};
use std::time::Duration;

/// How much an event changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Nothing that is shown.
    Nothing,
    /// Something beside the model: the connection, a task's details.
    Status,
    /// Rows of the model, as [`Model::changes`] tells.
    Rows,
    /// Everything: what was known before is void.
    Everything,
}

/// A target, and all that is known of it. A clone shares the rows until one of the two changes them.
#[derive(Clone, Serialize)]
pub struct Session {
    model: Model,
    engine: Engine,
    status: Status,
    retention: Retention,
}

impl<'de> Deserialize<'de> for Session {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (mut model, engine, status, retention): (Model, Engine, Status, Retention) =
            Deserialize::deserialize(from)?;
        model.mend();
        Ok(Self { model, engine, status, retention })
    }
}

impl Session {
    /// The version of the form in which a session is written down. It is raised with each change of what is in one: what another version wrote cannot be
    /// read.
    pub const STATE: u32 = 4;

    /// Nothing known yet.
    pub fn new(settings: &Settings, retention: Retention) -> Self {
        Self { model: Model::new(retention), engine: Engine::new(settings), status: Status::new(), retention }
    }

    /// The target's state, as told since it was attached to.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// What is wrong with it, and was.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Where its source stands.
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// Takes in an event. Which rows it changed stands in [`Model::changes`] until the next one.
    pub fn apply(&mut self, event: Event) -> Scope {
        let status = &mut self.status;
        match event {
            Event::Update(update) => {
                status.progress = None;
                self.model.apply(*update);
                self.engine.observe(&self.model);
                return Scope::Rows;
            }
            Event::Begin(begin) if begin.mode == BeginMode::Joins => {
                self.model.begin_memory(&begin);
                self.status.beside = Some(*begin);
                return Scope::Everything;
            }
            Event::Beside(Beside::Over { reason }) => {
                self.model.end_memory();
                self.status.beside = None;
                if !reason.is_empty() {
                    self.status.trouble = Some(format!("its memory is read no more: {reason}"));
                }
                return Scope::Everything;
            }
            Event::Beside(Beside::Left { reason }) => {
                status.trouble = Some(format!("the service is heard no more ({reason}); its memory is read on"));
                status.service_lost = Some(reason);
            }
            Event::Begin(begin) => {
                self.begin(*begin);
                return Scope::Everything;
            }
            Event::Connection(connection) => {
                status.progress = None;
                status.connection = connection;
            }
            Event::Progress { received, total } => {
                status.progress = (received < total).then_some(Progress { received, total });
            }
            Event::Details(details) => {
                status.details = Some(*details);
                status.details_missing = None;
            }
            Event::DetailsUnavailable { reason, .. } => status.details_missing = Some(reason),
            Event::Values(values) => status.values = Some(*values),
            Event::Temporality(temporality) => {
                if status.temporality.replace(temporality) != Some(temporality) {
                    self.model.expect_a_gap();
                }
            }
            Event::CommandFailed { reason, .. } => status.trouble = Some(reason),
            Event::CatchUp { sent } => status.catch_ups = sent,
        }
        Scope::Status
    }

    /// What was learned before is void. Where the connection stands is not, nor what a command did not do.
    fn begin(&mut self, begin: Begin) {
        self.model = Model::told_by(begin.knows.clone(), self.retention);
        if begin.protocol == Protocol::Memory {
            self.model.begin_memory(&begin);
        }
        self.engine.begin_session();
        let Status { connection, trouble, progress, .. } = std::mem::replace(&mut self.status, Status::new());
        self.status = Status { begun: Some(begin), connection, trouble, progress, ..Status::new() };
    }

    /// The findings that somebody looks at: where there are very many, the words of the others may be some updates old.
    pub fn watch(&mut self, findings: impl IntoIterator<Item = FindingId>) {
        self.engine.watch(findings);
    }

    /// Brings the words of every active finding up to date, for whoever tells of all of them at once.
    pub fn describe_all(&mut self) {
        self.engine.describe_all(&self.model);
    }

    /// The lints that cannot judge, since the source does not know what they need: what they would find is not there to be seen.
    pub fn not_looked_for(&self) -> Vec<NotLookedFor> {
        self.engine.not_looked_for(self.model.knows())
    }

    /// What a command did not do, once.
    pub fn take_trouble(&mut self) -> Option<String> {
        self.status.trouble.take()
    }

    /// Another task's details will be asked for.
    pub fn forget_details(&mut self) {
        self.status.details = None;
        self.status.details_missing = None;
    }

    /// What frames have is not asked for any more, or another task's.
    pub fn forget_values(&mut self) {
        self.status.values = None;
    }

    /// The target's clock, `elapsed` after the latest update: live values go on between two updates, by the target's own
    /// time. Without a live connection they stand still.
    pub fn now(&self, elapsed: Duration) -> Option<Stamp> {
        let now = self.model.now()?;
        let Status { connection, temporality, .. } = &self.status;
        let goes_on = *connection == Connection::Live && *temporality != Some(Temporality::Paused);
        Some(if goes_on { now.plus(elapsed) } else { now })
    }

    /// What its source should be asked for: to catch up, while the target lags.
    pub fn wants(&self) -> Option<Command> {
        let lags = self.status.connection == Connection::Live && !self.model.health().lag.is_zero();
        lags.then_some(Command::CatchUp)
    }
}
