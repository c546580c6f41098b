//! One target: its session, and what is told of it. Events go in, and a page comes out whenever somebody asks.
//!
//! What is remembered beyond a session lasts as long as the target's process: counters of it never fall, also when the connection was lost meanwhile. A target that is not
//! attached to tells nothing but that.

use super::{
    findings::{Findings, Heard, Turn},
    locks::Locks,
    places::Places,
    tasks::{self, Tasks},
    whose::Whose,
    words::runtime_label,
};
use crate::{
    diagnose::{Finding, Settings},
    model::Retention,
    session::Session,
    update::{Begin, BeginMode, Command, Connection, Event, Fact, Knows, Protocol, Stamp},
};
use holdup_metrics::{Label, Ledger, Metric, Page, Sheet};
use std::{mem, time::Instant};

/// Whoever is told what becomes of findings.
pub(super) type Hears = Box<dyn Fn(&Heard<'_>) + Send>;

/// Workers of a runtime are numbered below this.
const WORKERS: u64 = 1 << 16;

/// A process, for as long as it lives.
#[derive(Debug, Default)]
struct Boot {
    /// Who it is; `None` before anything was told.
    whose: Option<Whose>,
    ledger: Ledger,
    places: Places,
    tasks: Tasks,
    locks: Locks,
    findings: Findings,
    /// What stock services lost before this attachment.
    lost: Lost,
}

/// What was lost, by kind.
#[derive(Debug, Clone, Copy, Default)]
struct Lost {
    tasks: u64,
    resources: u64,
    ops: u64,
    not_kept: u64,
}

/// One target.
pub(super) struct Collector {
    settings: Settings,
    retention: Retention,
    session: Session,
    boot: Boot,
    hears: Option<Hears>,
    /// When it was last heard of, in nanoseconds since 1970.
    heard: Option<u64>,
    /// When its latest update came.
    updated: Option<Instant>,
    attempt: Attempt,
}

/// Whether it is known whether the target can be attached to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempt {
    /// The first attempt goes on.
    GoesOn,
    /// It has ended, one way or another.
    Ended,
}

impl Collector {
    pub(super) fn new(settings: &Settings, retention: Retention, hears: Option<Hears>) -> Self {
        Self {
            settings: settings.clone(),
            retention,
            session: Session::new(settings, retention),
            boot: Boot::default(),
            hears,
            heard: None,
            updated: None,
            attempt: Attempt::GoesOn,
        }
    }

    /// Where the first attempt stands.
    pub(super) fn attempt(&self) -> Attempt {
        self.attempt
    }

    /// Who the target is, or was when it was attached to last; `None` before anything was told.
    #[cfg(feature = "otlp")]
    pub(super) fn whose(&self) -> Option<&Whose> {
        self.boot.whose.as_ref()
    }

    /// What the target should be asked for.
    pub(super) fn wants(&self) -> Option<Command> {
        self.session.wants()
    }

    /// Takes in an event, which came at this time since 1970.
    pub(super) fn take(&mut self, mut event: Event, now: u64) {
        match &mut event {
            Event::Begin(begin) if begin.mode == BeginMode::Alone => self.begin(begin, now),
            Event::Connection(Connection::Live) => self.attempt = Attempt::Ended,
            Event::Connection(Connection::Lost { .. } | Connection::GaveUp { .. }) => {
                self.attempt = Attempt::Ended;
                self.let_go(now);
            }
            Event::Update(update) => {
                let boot = &mut self.boot;
                boot.places.bound(update);
                boot.tasks.end(self.session.model(), &tasks::ended(update));
                (self.heard, self.updated) = (Some(now), Some(Instant::now()));
                self.session.apply(event);
                return self.follow(now);
            }
            _ => {}
        }
        self.session.apply(event);
    }

    fn follow(&mut self, now: u64) {
        let (boot, model) = (&mut self.boot, self.session.model());
        boot.tasks.follow(model);
        boot.locks.follow(model);
        if model.changes().complete {
            boot.tasks.settle(model);
            boot.locks.settle(model);
        }
        let Boot { findings, whose, .. } = boot;
        let mut tell = telling(self.hears.as_ref(), whose.as_ref(), &self.session, now);
        findings.follow(&self.session, tell.as_mut().map(|tell| tell as _));
    }

    /// A target begins to tell. What it is counts on where it is the same process as before, which only an agent and memory can say.
    fn begin(&mut self, begin: &Begin, now: u64) {
        self.let_go(now);
        let whose = Whose::of(begin, now);
        let is_same = self.boot.whose.as_ref().is_some_and(|known| !whose.boot.is_empty() && known.boot == whose.boot);
        if !is_same {
            self.boot = Boot { whose: Some(whose), ..Boot::default() };
        }
    }

    /// Nothing that was known is so any more. What was counted stays.
    fn let_go(&mut self, now: u64) {
        let boot = &mut self.boot;
        if self.session.model().now().is_some() {
            boot.lost = lost(&self.session, boot.lost);
            boot.tasks.begin_again(self.session.model());
            boot.locks.begin_again(self.session.model());
            let Boot { findings, whose, .. } = boot;
            let mut tell = telling(self.hears.as_ref(), whose.as_ref(), &self.session, now);
            findings.begin_again(tell.as_mut().map(|tell| tell as _));
        }
        let connection = self.session.status().connection.clone();
        self.session = Session::new(&self.settings, self.retention);
        self.session.apply(Event::Connection(connection));
        self.updated = None;
    }

    /// What is told now. Of a target that is not attached to that is all, and when it was heard of.
    pub(super) fn page(&mut self) -> Page {
        let is_up = self.session.status().connection == Connection::Live;
        let heard = self.heard.map(|heard| (Metric::TargetLastUpdate, heard as f64 / 1e9));
        let of_target = [(Metric::TargetUp, f64::from(u8::from(is_up)))].into_iter().chain(heard);
        let Some(begun) = self.session.status().begun.as_ref().filter(|_| is_up) else {
            return Page::alone(of_target);
        };
        let mut ledger = mem::take(&mut self.boot.ledger);
        let mut sheet = ledger.sheet();
        of_target.for_each(|(metric, value)| sheet.set(metric, &[], value));
        self.fill(&mut sheet, begun);
        let page = sheet.finish();
        self.boot.ledger = ledger;
        page
    }

    fn fill(&self, sheet: &mut Sheet<'_>, begun: &Begin) {
        let (boot, session) = (&self.boot, &self.session);
        let (model, knows) = (session.model(), session.model().knows());
        let now = session.now(self.updated.map(|at| at.elapsed()).unwrap_or_default());
        if let Some(whose) = &boot.whose {
            sheet.set(Metric::TargetInfo, &[&whose.service, whose.instrument, &whose.tokio], 1.0);
        }
        boot.findings.tell(sheet, session, &self.settings, now);
        runtimes(sheet, session, knows);
        workers(sheet, session, knows, now);
        boot.tasks.tell(sheet, model);
        boot.locks.tell(sheet, model);
        match begun.protocol {
            Protocol::Agent => {
                for loss in &model.agent().losses().told {
                    sheet.set(Metric::LostEvents, &[&loss.kind], loss.count as f64);
                }
            }
            Protocol::Console => {
                let health = model.health();
                sheet.set_time(Metric::TargetLag, &[], health.lag.max(health.behind));
                let lost = lost(session, boot.lost);
                for (kind, count) in [("tasks", lost.tasks), ("resources", lost.resources), ("ops", lost.ops)] {
                    sheet.set(Metric::LostEvents, &[kind], count as f64);
                }
            }
            Protocol::Memory => {}
        }
        if begun.protocol != Protocol::Memory {
            sheet.set(Metric::LostEvents, &["not-kept"], lost(session, boot.lost).not_kept as f64);
        }
        sheet.folded(Label::Location, boot.places.other_spawns());
        sheet.folded(Label::Lock, boot.places.other_resources());
    }
}

/// What tells somebody of findings, where there is somebody.
fn telling<'a>(
    hears: Option<&'a Hears>,
    whose: Option<&'a Whose>,
    session: &'a Session,
    now: u64,
) -> Option<impl FnMut(&Finding, Turn) + use<'a>> {
    let (hears, whose) = hears.zip(whose)?;
    Some(move |finding: &Finding, turn: Turn| hears(&Heard::new(finding, turn, session, whose, now)))
}

/// What was lost since the process was attached to first.
fn lost(session: &Session, before: Lost) -> Lost {
    let (dropped, evicted) = (session.model().health().dropped, session.model().evicted());
    Lost {
        tasks: before.tasks.saturating_add(dropped.tasks),
        resources: before.resources.saturating_add(dropped.resources),
        ops: before.ops.saturating_add(dropped.ops),
        not_kept: before.not_kept.saturating_add(evicted.new_tasks + evicted.new_others),
    }
}

fn runtimes(sheet: &mut Sheet<'_>, session: &Session, knows: &Knows) {
    if !knows.has(Fact::Runtimes) {
        return;
    }
    for runtime in session.model().agent().runtimes() {
        let (label, stats) = (runtime.label(), &runtime.stats);
        let of_pool = knows.has(Fact::BlockingPools);
        for (metric, value, is_known) in [
            (Metric::Workers, stats.workers, true),
            (Metric::GlobalQueueDepth, stats.global_queue, true),
            (Metric::AliveTasks, stats.alive_tasks, true),
            (Metric::BlockingThreads, stats.blocking_threads, of_pool),
            (Metric::IdleBlockingThreads, stats.idle_blocking_threads, of_pool),
            (Metric::BlockingQueueDepth, stats.blocking_queue, of_pool),
        ] {
            if is_known {
                sheet.set(metric, &[&label], value as f64);
            }
        }
    }
}

fn workers(sheet: &mut Sheet<'_>, session: &Session, knows: &Knows, now: Option<Stamp>) {
    if !knows.has(Fact::Workers) {
        return;
    }
    for worker in session.model().agent().workers() {
        let (stats, index) = (&worker.stats, worker.stats.id.index.to_string());
        let runtime = runtime_label(session.model(), stats.id.runtime);
        let labels = [runtime.as_str(), index.as_str()];
        sheet.set(Metric::LocalQueueDepth, &labels, stats.queue as f64);
        // Who counts what workers do says since when each polls as well.
        if knows.has(Fact::WorkerCounts) {
            let polls = now.and_then(|now| worker.polling_for(now)).unwrap_or_default();
            sheet.set_time(Metric::CurrentPoll, &labels, polls);
            let source = stats.id.runtime.0.wrapping_mul(WORKERS).wrapping_add(stats.id.index.into());
            sheet.count_of(Metric::WorkerBusy, &labels, source, stats.busy.as_secs_f64());
            sheet.count_of(Metric::WorkerParks, &labels, source, stats.parks as f64);
            sheet.count_of(Metric::WorkerSteals, &labels, source, stats.steals as f64);
        }
    }
}
