//! The interactive client's state, and what of it the views ask for.

use crate::{
    app::{
        frame::LastFrame,
        input::{
            bindings::Context,
            twice::{Clicks, Prefix},
        },
        layer::Layer,
        open_session::OpenSession,
        options::{Charset, Options, Palette, StackForm, ValuesForm},
        page::Page,
        panel::{List, PageSubject, Panel, Upkeep},
        panels::Panels,
        past::{Past, Tape},
        screens::{SCREENS, Screen},
        tasks::list::TaskList,
        tour::Tour,
    },
    diagnose::{Finding, FindingId},
    model::Retention,
    session::{Scope, Session},
    update::{BeginMode, Connection, Event, Part, Protocol, Stamp, Temporality},
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
    /// What the screens show.
    pub panels: Panels,
    /// How stacks are shown, wherever one is.
    pub stacks: StackForm,
    /// Whether what frames hold is read of the task whose page is open.
    pub values: ValuesForm,
    pub(super) past: Past,
    pub(super) company: Company,
    pub(super) tour: Option<Tour>,
    pub(super) notice: Option<Notice>,
    pub(super) last_frame: LastFrame,
    pub(super) clock: Clock,
    pub(super) prefix: Prefix,
    pub(super) clicked: Clicks,
}

/// Whether there are other targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Company {
    /// There are none.
    #[default]
    Alone,
    /// It was opened from the list of all of them.
    OneOfMany,
}

/// A short message to the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Notice {
    pub(super) text: String,
    pub(super) until: Instant,
}

/// How long a message stands.
const NOTICE: Duration = Duration::from_secs(4);

/// When, on this machine's clock, something of the target's was heard.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Clock {
    /// The latest complete update that is shown.
    pub(super) updated: Option<Instant>,
    /// Whatever came from the target last.
    heard: Option<Instant>,
    /// The latest complete update, shown or not.
    told: Option<Instant>,
    /// How long it took from the one before to that.
    every: Duration,
    /// The loss of the connection.
    pub(super) lost: Option<Instant>,
}

/// How long a target may say nothing until that is said: what tells seldom is given twice as long as it took the last time.
const SILENCE: Duration = Duration::from_secs(5);

impl Clock {
    /// Takes note of what the target says, whatever it is. What memory shows beside it, and what the client does by itself, the target
    /// does not say.
    pub(super) fn hear(&mut self, event: &Event, at: Instant) {
        match event {
            Event::Update(update) if update.mode == BeginMode::Joins => {}
            Event::Begin(begin) if begin.mode == BeginMode::Joins => {}
            Event::Update(update) if update.part == Part::Last => {
                self.every = self.told.map_or(Duration::ZERO, |told| at.saturating_duration_since(told));
                (self.told, self.heard) = (Some(at), Some(at));
            }
            // How often the one before told, says nothing of this one.
            Event::Begin(_) => (self.told, self.every, self.heard) = (None, Duration::ZERO, Some(at)),
            Event::Beside(_) | Event::Values(_) | Event::CommandFailed { .. } | Event::CatchUp { .. } => {}
            _ => self.heard = Some(at),
        }
    }

    fn patience(&self) -> Duration {
        SILENCE.max(self.every.saturating_mul(2))
    }
}

impl App {
    /// Nothing known yet of a target.
    pub fn new(target: &str, options: Options) -> Self {
        let Options { settings, retention, palette, charset, start, values, time_zone } = options;
        Self {
            open: OpenSession::new(&settings, Retention { beside: TaskList::BYTES_A_TASK, ..retention }),
            target: target.to_owned(),
            palette,
            charset,
            time_zone,
            screen: start,
            layers: Vec::new(),
            panels: Panels::default(),
            stacks: StackForm::default(),
            values,
            past: Past::default(),
            company: Company::default(),
            tour: None,
            notice: None,
            last_frame: LastFrame::default(),
            clock: Clock::default(),
            prefix: Prefix::default(),
            clicked: Clicks::default(),
        }
    }

    /// Of which there is a past, or which is one.
    #[must_use]
    pub fn with_past(mut self, tape: Tape) -> Self {
        self.past = Past::new(tape);
        self
    }

    /// The demo's tour begins: the trouble of its first stop is on.
    #[must_use]
    pub fn on_tour(mut self) -> Self {
        self.tour = Some(Tour::begun());
        self
    }

    /// Where the user is on the demo's tour, if this is one.
    pub fn tour(&self) -> Option<Tour> {
        self.tour
    }

    /// Goes on with a session of a target among many, at a finding of it where that is given.
    #[must_use]
    pub fn among_others(mut self, session: Session, finding: Option<FindingId>) -> Self {
        self.company = Company::OneOfMany;
        self.open = OpenSession::of(session);
        for spec in SCREENS {
            self.panels.of_mut(spec.screen).changed(self.open.shown(), Scope::Everything);
        }
        if let Some(finding) = finding {
            self.layers.push(Layer::Page(Page::new(PageSubject::Finding(finding))));
        }
        self
    }

    /// The session as it is, without what the user was doing.
    pub fn into_session(self) -> Session {
        self.open.into_live()
    }

    /// The target as it is shown.
    pub fn session(&self) -> &Session {
        self.open.shown()
    }

    /// The target as it is, also while the display stands still: where the connection stands is seen at once.
    pub fn live(&self) -> &Session {
        self.open.live()
    }

    /// How many updates have come since the display was frozen; `None` while it is not.
    pub fn missed(&self) -> Option<usize> {
        self.open.missed()
    }

    /// The target's clock now, where anything is known of it.
    ///
    /// It stands still with what is known of it: nothing may go on there while nothing is heard.
    pub fn now(&self, at: Instant) -> Option<Stamp> {
        let since = |then: Instant| at.saturating_duration_since(then).min(self.clock.patience());
        self.open.now(self.clock.updated.map_or(Duration::ZERO, since))
    }

    /// Whether a target is heard that tells by itself, and so is missed when it does not.
    pub fn listens(&self) -> bool {
        let status = self.live().status();
        let tells = status.begun.as_ref().is_some_and(|begun| begun.protocol != Protocol::Memory);
        tells && status.connection == Connection::Live && status.temporality != Some(Temporality::Paused)
    }

    /// For how long nothing was heard of a target that should tell by itself, where that is long.
    pub fn silent_for(&self, at: Instant) -> Option<Duration> {
        let silent = at.saturating_duration_since(self.clock.heard?);
        (self.listens() && silent >= self.clock.patience()).then_some(silent)
    }

    /// How long until the next try to connect, and why one is needed.
    pub fn retry(&self, at: Instant) -> Option<(Duration, &str)> {
        let Connection::Lost { reason, retry_in, .. } = &self.live().status().connection else { return None };
        let gone = self.clock.lost.map_or(Duration::ZERO, |lost| at.saturating_duration_since(lost));
        Some((retry_in.saturating_sub(gone), reason))
    }

    /// Why no more tries to connect are made, where that is so.
    pub fn gave_up(&self) -> Option<&str> {
        match &self.live().status().connection {
            Connection::GaveUp { reason } => Some(reason),
            _ => None,
        }
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
        self.page().map(Page::subject)
    }

    /// What is shown: the page on top, or else the screen.
    pub(super) fn panel(&self) -> &dyn Panel {
        self.page().map_or_else(|| self.panels.of(self.screen), Page::panel)
    }

    /// The selected finding.
    pub fn finding(&self) -> Option<&Finding> {
        self.panels.findings.selected(self.session())
    }

    /// Where the user is, the innermost context first.
    pub fn contexts(&self) -> Vec<Context> {
        self.contexts_on(self.layers.last())
    }

    /// Where the user was before asking for help.
    pub fn contexts_below_help(&self) -> Vec<Context> {
        self.contexts_on(self.layers.iter().rev().find(|layer| !matches!(layer, Layer::Help(_))))
    }

    fn contexts_on(&self, layer: Option<&Layer>) -> Vec<Context> {
        let panel = match layer {
            Some(Layer::Page(page)) => page.panel(),
            Some(layer) => return layer.contexts().to_vec(),
            None => self.panels.of(self.screen),
        };
        let connection = &self.live().status().connection;
        let lost = matches!(connection, Connection::Lost { .. } | Connection::GaveUp { .. });
        let past = match self.past.shown() {
            _ if self.past.is_recording() => Some(Context::Recording),
            Some(_) => Some(Context::Past),
            None => None,
        };
        let member = (self.company == Company::OneOfMany).then_some(Context::Member);
        let common =
            lost.then_some(Context::Lost).into_iter().chain(member).chain([Context::Anywhere, Context::Always]);
        let tour = self.tour.is_some().then_some(Context::Tour);
        past.into_iter().chain(tour).chain(panel.contexts().iter().copied()).chain(common).collect()
    }

    /// Where the user is. When that changes, only a frame tells what the next key is about: how much is visible, how far it scrolls.
    pub fn place(&self) -> (Screen, usize, Option<PageSubject>, StackForm) {
        (self.screen, self.layers.len(), self.page_subject(), self.stacks)
    }

    /// Brings everything that is about to be shown up to date.
    pub fn prepare(&mut self, at: Instant) {
        self.notice.take_if(|notice| notice.until <= at);
        self.open.watch(self.panels.findings.visible());
        let upkeep = Upkeep { now: self.now(at), session: self.open.shown(), at };
        for spec in SCREENS {
            let panel = self.panels.of_mut(spec.screen);
            if spec.screen == self.screen || panel.is_behind() {
                panel.refresh(upkeep);
            }
        }
        for layer in &mut self.layers {
            if let Layer::Page(page) = layer {
                page.panel_mut().refresh(upkeep);
            }
        }
    }

    /// Does something with the list that keys move in: the page's, if one is on top, or else the screen's. A text, a menu
    /// or a question on top has none.
    pub(super) fn with_list<T>(&mut self, act: impl FnOnce(&mut dyn List) -> T) -> Option<T> {
        let panel = match self.layers.last_mut() {
            Some(Layer::Page(page)) => page.panel_mut(),
            Some(Layer::Filter(_)) | None => self.panels.of_mut(self.screen),
            Some(_) => return None,
        };
        panel.list(self.open.shown().model()).map(|mut list| act(&mut *list))
    }

    /// Takes note of what a frame showed.
    pub fn shown(&mut self, shown: LastFrame) {
        if let Some(window) = shown.window {
            self.with_list(|list| list.shown(window));
        }
        self.last_frame = shown;
    }

    pub(super) fn say(&mut self, text: impl Into<String>, at: Instant) {
        self.notice = Some(Notice { text: text.into(), until: at + NOTICE });
    }
}
