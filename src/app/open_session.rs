//! A session that is open: the live one, and what is shown in its place while the display stands still, or shows the past.

use crate::{
    diagnose::{FindingId, Settings},
    model::Retention,
    session::{Scope, Session},
    update::{Event, Part, Stamp},
};
use std::time::Duration;

/// A session, and whether its display stands still.
pub(crate) struct OpenSession {
    live: Session,
    frozen: Option<Box<Frozen>>,
    /// Why the display went on although nobody asked for that.
    went_on: Option<&'static str>,
}

/// A session that is shown in place of the live one.
struct Frozen {
    session: Session,
    /// Bytes of rows that the live one had copied when the display was frozen, where it shares its rows with that until they are changed; `None` where it
    /// shares nothing.
    copied: Option<usize>,
    /// How many updates have come since, whatever pages they came in.
    updates: usize,
}

impl OpenSession {
    /// Nothing known yet.
    pub(crate) fn new(settings: &Settings, retention: Retention) -> Self {
        Self::of(Session::new(settings, retention))
    }

    /// One that was fed before.
    pub(crate) fn of(live: Session) -> Self {
        Self { live, frozen: None, went_on: None }
    }

    /// What it was opened on.
    pub(crate) fn into_live(self) -> Session {
        self.live
    }

    /// The session as it is, whatever is shown.
    pub(crate) fn live(&self) -> &Session {
        &self.live
    }

    /// The session as it is shown.
    pub(crate) fn shown(&self) -> &Session {
        self.frozen.as_ref().map_or(&self.live, |frozen| &frozen.session)
    }

    /// The findings that somebody looks at.
    pub(crate) fn watch(&mut self, findings: impl IntoIterator<Item = FindingId>) {
        self.live.watch(findings);
    }

    /// Takes in an event. What is shown does not change while it is frozen.
    pub(crate) fn apply(&mut self, event: Event) -> Scope {
        let is_whole = matches!(&event, Event::Update(update) if update.part == Part::Last);
        let scope = self.live.apply(event);
        let Some(frozen) = &mut self.frozen else { return scope };
        frozen.updates += usize::from(is_whole);
        let model = self.live.model();
        // What was copied is there twice.
        let twice = match frozen.copied {
            Some(copied) => model.copied().saturating_sub(copied),
            None => frozen.session.model().bytes(),
        };
        if model.bytes().saturating_add(twice) > model.max_bytes() {
            self.went_on = Some("the display went on: it was frozen for longer than there is room for");
            return self.thaw();
        }
        Scope::Status
    }

    /// Lets the display stand still. Nothing is lost: the live session goes on.
    pub(crate) fn freeze(&mut self) {
        let copied = Some(self.live.model().copied());
        let session = self.live.clone();
        self.frozen.get_or_insert_with(|| Box::new(Frozen { session, copied, updates: 0 }));
    }

    /// Shows another session in place of the live one, such as that was.
    pub(crate) fn show(&mut self, session: Session) -> Scope {
        let updates = self.missed().unwrap_or_default();
        self.frozen = Some(Box::new(Frozen { session, copied: None, updates }));
        Scope::Everything
    }

    /// Lets the display go on, with everything that has happened meanwhile.
    pub(crate) fn thaw(&mut self) -> Scope {
        match self.frozen.take() {
            Some(_) => Scope::Everything,
            None => Scope::Nothing,
        }
    }

    /// How many updates have come since the display was frozen; `None` while it is not.
    pub(crate) fn missed(&self) -> Option<usize> {
        self.frozen.as_ref().map(|frozen| frozen.updates)
    }

    /// The target's clock, `elapsed` after the latest update; it stands still with the display.
    pub(crate) fn now(&self, elapsed: Duration) -> Option<Stamp> {
        match &self.frozen {
            Some(frozen) => frozen.session.now(Duration::ZERO),
            None => self.live.now(elapsed),
        }
    }

    /// What the user should be told, once.
    pub(crate) fn take_trouble(&mut self) -> Option<String> {
        self.live.take_trouble().or_else(|| self.went_on.take().map(str::to_owned))
    }

    /// What frames have is not shown any more, or another task's is.
    pub(crate) fn forget_values(&mut self) {
        self.live.forget_values();
        if let Some(frozen) = &mut self.frozen {
            frozen.session.forget_values();
        }
    }

    /// Another task's details will be asked for.
    pub(crate) fn forget_details(&mut self) {
        self.live.forget_details();
        if let Some(frozen) = &mut self.frozen {
            frozen.session.forget_details();
        }
    }
}
