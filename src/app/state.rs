//! The interactive client's state, and what of it the views ask for.

use crate::{
    app::open_session::OpenSession,
    app::{
        frame::Shown,
        input::bindings::Place,
        layer::{Layer, Page, PageSubject},
        list::{cursor::Cursor, rows::RowList},
        locks::list::{LockRow, lock_rows},
        options::{Charset, Options, Palette},
        resources::list::{ResourceRow, resource_rows},
        screens::Screen,
        tasks::list::{Listing, TaskList},
        workers::list::{WorkerRow, worker_rows},
    },
    diagnose::{Finding, FindingId, Status},
    model::{Retention, Stamp},
    session::Session,
    update::Connection,
};
use jiff::tz::TimeZone;
use std::time::{Duration, Instant};

/// What the user is doing, and what is known of the target.
pub struct App {
    pub(crate) open: OpenSession,
    /// The target as the user would type it.
    pub target: String,
    /// Colours.
    pub palette: Palette,
    /// Characters.
    pub charset: Charset,
    /// Where the user's clock is.
    pub time_zone: TimeZone,
    /// The screen below the layers.
    pub screen: Screen,
    /// What lies on top of it, the topmost last.
    pub layers: Vec<Layer>,
    /// The findings, the worst first.
    pub findings: Vec<FindingId>,
    /// Where the user is among the findings.
    pub finding_cursor: Cursor<FindingId>,
    /// The task list.
    pub tasks: TaskList,
    /// The workers.
    pub workers: RowList<WorkerRow>,
    /// The locks.
    pub locks: RowList<LockRow>,
    /// The resources.
    pub resources: RowList<ResourceRow>,
    /// When the locks or the resources were last looked at; `None` since they changed.
    pub(super) listed: Option<Instant>,
    pub(super) notice: Option<Notice>,
    pub(super) seen: Shown,
    pub(super) clock: Clock,
    /// A character that may be the first of two.
    pub(super) prefix: Option<char>,
    pub(super) clicked: Option<(crate::app::frame::RowId, Instant)>,
}

/// A short message to the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Notice {
    pub(super) text: String,
    pub(super) until: Instant,
}

/// How long a list that is made anew stays as it was made, if no update comes.
const LISTED: Duration = Duration::from_secs(1);

/// How long a message stands.
const NOTICE: Duration = Duration::from_secs(4);

/// When, on this machine's clock, something of the target's was heard.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Clock {
    /// The latest complete update.
    pub(super) updated: Option<Instant>,
    /// The loss of the connection.
    pub(super) lost: Option<Instant>,
}

impl App {
    /// Nothing known yet of a target.
    pub fn new(target: &str, options: Options) -> Self {
        let Options { settings, retention, palette, charset, start, time_zone } = options;
        Self {
            open: OpenSession::new(&settings, Retention { beside: TaskList::BYTES_A_TASK, ..retention }),
            target: target.to_owned(),
            palette,
            charset,
            time_zone,
            screen: start,
            layers: Vec::new(),
            findings: Vec::new(),
            finding_cursor: Cursor::default(),
            tasks: TaskList::default(),
            workers: RowList::default(),
            locks: RowList::default(),
            resources: RowList::default(),
            listed: None,
            notice: None,
            seen: Shown::default(),
            clock: Clock::default(),
            prefix: None,
            clicked: None,
        }
    }

    /// The target as it is shown.
    pub fn session(&self) -> &Session {
        self.open.shown()
    }

    /// How many events wait for the display to go on; `None` while it is not frozen.
    pub fn held(&self) -> Option<usize> {
        self.open.held()
    }

    /// The target's clock now, where anything is known of it.
    pub fn now(&self, at: Instant) -> Option<Stamp> {
        self.open.now(self.clock.updated.map_or(Duration::ZERO, |updated| at.saturating_duration_since(updated)))
    }

    /// How long until the next try to connect, and why one is needed.
    pub fn retry(&self, at: Instant) -> Option<(Duration, &str)> {
        let Connection::Lost { reason, retry_in, .. } = &self.open.shown().status().connection else { return None };
        let gone = self.clock.lost.map_or(Duration::ZERO, |lost| at.saturating_duration_since(lost));
        Some((retry_in.saturating_sub(gone), reason))
    }

    /// The message that stands at the moment.
    pub fn notice(&self) -> Option<&str> {
        self.notice.as_ref().map(|notice| notice.text.as_str())
    }

    /// The page on top, if one is shown: other layers may lie over it.
    pub fn page(&self) -> Option<&Page> {
        self.layers.iter().rev().find_map(|layer| match layer {
            Layer::Page(page) => Some(page),
            _ => None,
        })
    }

    /// What the page on top is about.
    pub(super) fn page_subject(&self) -> Option<PageSubject> {
        self.page().map(|page| page.subject)
    }

    /// The selected finding.
    pub fn finding(&self) -> Option<&Finding> {
        self.open.shown().engine().finding(self.finding_cursor.selected(&self.findings[..])?)
    }

    /// How many of the findings are over.
    pub fn past_findings(&self) -> usize {
        let past = |id: &&FindingId| {
            self.open.shown().engine().finding(**id).is_some_and(|finding| finding.status == Status::Past)
        };
        self.findings.iter().filter(past).count()
    }

    /// Where the user is, the innermost place first.
    pub fn places(&self) -> Vec<Place> {
        self.places_on(self.layers.last())
    }

    /// Where the user was before asking for help.
    pub fn places_below_help(&self) -> Vec<Place> {
        self.places_on(self.layers.iter().rev().find(|layer| !matches!(layer, Layer::Help(_))))
    }

    fn places_on(&self, layer: Option<&Layer>) -> Vec<Place> {
        let places: &[Place] = match (layer, self.screen, self.tasks.listing) {
            (Some(layer), ..) => layer.places(),
            (None, Screen::Findings, _) => &[Place::Findings, Place::List, Place::Lost, Place::Anywhere, Place::Always],
            (None, Screen::Tasks, Listing::Tasks) => {
                &[Place::Tasks, Place::Table, Place::List, Place::Lost, Place::Anywhere, Place::Always]
            }
            (None, Screen::Tasks, Listing::Places) => {
                &[Place::Places, Place::Table, Place::List, Place::Lost, Place::Anywhere, Place::Always]
            }
            (None, Screen::Workers | Screen::Locks | Screen::Resources, _) => {
                &[Place::Table, Place::List, Place::Lost, Place::Anywhere, Place::Always]
            }
        };
        let lost = matches!(self.open.shown().status().connection, Connection::Lost { .. });
        places.iter().copied().filter(|&place| lost || place != Place::Lost).collect()
    }

    /// Brings everything that is about to be shown up to date.
    pub fn prepare(&mut self, at: Instant) {
        self.notice.take_if(|notice| notice.until <= at);
        let visible = self.screen == Screen::Tasks;
        if visible || self.tasks.is_behind() {
            self.tasks.settle(self.open.shown());
        }
        let Some(now) = self.now(at) else { return };
        self.prepare_lists(now, at);
        for layer in &mut self.layers {
            if let Layer::Page(page) = layer {
                page.refresh(self.open.shown(), now);
            }
        }
    }

    /// Lists that are made anew are made after an update, and for the times in them once a second.
    fn prepare_lists(&mut self, now: Stamp, at: Instant) {
        let fresh = self.listed.is_some_and(|listed| at.saturating_duration_since(listed) < LISTED);
        let model = self.open.shown().model();
        match self.screen {
            _ if fresh => return,
            Screen::Findings | Screen::Tasks => return,
            Screen::Workers => self.workers.show(worker_rows(model, now), model),
            Screen::Locks => self.locks.show(lock_rows(model, now), model),
            Screen::Resources => self.resources.show(resource_rows(model, now), model),
        }
        self.listed = Some(at);
    }

    /// Forgets what the lists that are made anew have shown.
    pub(super) fn restart_lists(&mut self) {
        self.workers = RowList::default();
        self.locks = RowList::default();
        self.resources = RowList::default();
        self.listed = None;
    }

    /// Takes note of what a frame showed.
    pub fn shown(&mut self, shown: Shown) {
        if let Some(window) = shown.window {
            self.with_list(|list| list.shown(window));
        }
        self.seen = shown;
    }

    pub(super) fn say(&mut self, text: impl Into<String>, at: Instant) {
        self.notice = Some(Notice { text: text.into(), until: at + NOTICE });
    }

    pub(super) fn refresh_findings(&mut self) {
        self.findings = self.open.shown().engine().findings().iter().map(|finding| finding.id).collect();
        self.finding_cursor.follow(&self.findings[..]);
    }
}
