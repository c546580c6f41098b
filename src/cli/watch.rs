//! Watches a target until the window is over. Knows nothing of how that is printed.

use super::config::Config;
use crate::{
    app::options::ValuesForm,
    compare::Heard,
    diagnose::Settings,
    model::Retention,
    report::{End, Observation, Totals, tree},
    session::{Scope, Session},
    source::{self, Attachment, Target},
    update::{BeginMode, Command, Connection, Event, Stamp, look::Values},
};
use std::{
    future::Future,
    io::{IsTerminal as _, Write as _},
    pin::pin,
    time::Duration,
};
use tokio::{
    runtime::Runtime,
    time::{Instant, sleep_until},
};

/// A target that says nothing for longer than this, and for most of the window, has not been watched: nothing that was found, or
/// was not, says how it is.
const SILENT: Duration = Duration::from_secs(2);

/// Of more chains nobody reads what their frames hold.
const VALUES_MOST: usize = 256;

/// How long all of that may take.
const ASKED_FOR_MOST: Duration = Duration::from_secs(10);

/// What to watch, and for how long.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// The target.
    pub target: Target,
    /// How the link behaves.
    pub source: source::Options,
    /// Which lints run.
    pub settings: Settings,
    /// What is kept of what is over.
    pub retention: Retention,
    /// Whether what frames hold is read at the end, of one task of each chain.
    pub values: ValuesForm,
    /// How long to watch, from the first complete update on.
    pub window: Duration,
    /// How long the target may be silent before its first complete update.
    pub connect_timeout: Duration,
}

impl Plan {
    /// To watch a target as everything is set, for so long from its first complete update on.
    pub(super) fn new(target: &Target, config: &Config, window: Duration, connect_timeout: Duration) -> Self {
        let mut source = config.source();
        source.memory.within = Some(window);
        Self {
            target: target.clone(),
            source,
            settings: config.lints.clone(),
            retention: config.retention(),
            values: config.values,
            window,
            connect_timeout,
        }
    }
}

/// Why there is nothing to report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSeen {
    /// No connection.
    #[error("{target} could not be reached within {}: {reason}", humantime::format_duration(*.waited))]
    Unreachable {
        /// The target.
        target: Target,
        /// How long we tried.
        waited: Duration,
        /// Why the last try failed.
        reason: String,
    },
    /// What answers there cannot be watched, now or later.
    #[error("{target} cannot be watched: {reason}")]
    Unwatchable {
        /// The target.
        target: Target,
        /// What it is instead.
        reason: String,
    },
    /// A connection, and no update.
    #[error("{target} answers, but sent no update within {}; is it paused?", humantime::format_duration(*.waited))]
    Silent {
        /// The target.
        target: Target,
        /// How long we waited.
        waited: Duration,
    },
    /// Nothing is wrong with it as far as is known: we were not through.
    #[error(
        "{target} was not read within {}: that takes long where it has much debug information or the machine is busy; \
         give it more time with --connect-timeout",
        humantime::format_duration(*.waited)
    )]
    Unread {
        /// The target.
        target: Target,
        /// How long we waited.
        waited: Duration,
    },
    /// Stopped too early.
    #[error("stopped before {target} sent its first update")]
    Interrupted {
        /// The target.
        target: Target,
    },
}

impl NotSeen {
    /// The time is up, and there is no complete update: it was not reached for this reason, or told nothing.
    pub(super) fn timed_out(target: Target, waited: Duration, reason: Option<String>) -> Self {
        match reason {
            Some(reason) => Self::Unreachable { target, waited, reason },
            None if target.is_read() => Self::Unread { target, waited },
            None => Self::Silent { target, waited },
        }
    }
}

/// Ends when ctrl-c, SIGTERM or the end of the terminal asks the process to stop.
pub(super) async fn asked_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
                () = hung_up() => {}
            }
            return;
        }
    }
    // Without handlers the process ends by the signal itself.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Ends when the terminal does, unless whoever started the process has it go on then, as `nohup` does.
#[cfg(unix)]
async fn hung_up() {
    use tokio::signal::unix::{SignalKind, signal};
    // Asked for first: who hears it does not ignore it any more.
    let heard = if ignores_hangup() { None } else { signal(SignalKind::hangup()).ok() };
    match heard {
        Some(mut hangup) => drop(hangup.recv().await),
        None => std::future::pending().await,
    }
}

/// Whether the end of the terminal is nothing to this process. Where the system does not tell, it is left as it is.
#[cfg(unix)]
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // SIGHUP is the first of them.
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_none_or(|mask| mask & 1 != 0)
}

/// So long, at most, a command that has said everything stays for the next one's sake.
const KEEPS: Duration = Duration::from_secs(60);

/// What comes after all has been said: what was read of gigabytes of debug information is kept, so that the next look begins at once.
pub(super) fn keep(runtime: Runtime) {
    let kept = runtime.spawn_blocking(|| {
        let soon = source::wait_for_layouts(Duration::from_millis(300));
        if !soon && std::io::stderr().is_terminal() {
            let said = "keeping what was read of the debug information for the next look; ctrl-c ends it";
            // Nobody who cannot be told needs to be.
            let _ = writeln!(std::io::stderr(), "{said}");
        }
        soon || source::wait_for_layouts(KEEPS)
    });
    runtime.block_on(async {
        tokio::select! {
            _ = kept => {}
            () = asked_to_stop() => {}
        }
    });
    // The link's background task may be in a name's resolution, which nobody waits for any more.
    runtime.shutdown_background();
}

/// Watches until the window is over, or `stop` completes.
pub(super) async fn watch(plan: &Plan, stop: impl Future<Output = ()>) -> Result<Observation, NotSeen> {
    watch_each(plan, stop, |_, _| ()).await
}

/// The same, and shows the session to somebody after each event, with what that was.
pub(super) async fn watch_each(
    plan: &Plan,
    stop: impl Future<Output = ()>,
    mut each: impl FnMut(Heard, &Session),
) -> Result<Observation, NotSeen> {
    let mut attachment = Attachment::new(source::open(plan.target.clone(), plan.source.clone()));
    let mut watch = Watch::new(&plan.settings, plan.retention);
    let mut until = Instant::now() + plan.connect_timeout;
    let mut stop = pin!(stop);
    let why = loop {
        tokio::select! {
            event = attachment.next(watch.session.wants()) => {
                let Some(event) = event else { break Why::TimeIsUp };
                let heard = Heard::of(&event);
                let milestone = watch.take(event);
                each(heard, &watch.session);
                match milestone {
                    Milestone::Begun => until = Instant::now() + plan.window,
                    Milestone::Answer => until = Instant::now() + plan.connect_timeout,
                    Milestone::GaveUp => break Why::TimeIsUp,
                    Milestone::Other => {}
                }
            }
            () = sleep_until(until) => break Why::TimeIsUp,
            () = &mut stop => break Why::Stopped,
        }
    };
    if plan.values == ValuesForm::Read {
        watch.read_values(&mut attachment).await;
    }
    watch.end(plan, why)
}

/// Why the loop ended.
#[derive(Debug, Clone, Copy)]
enum Why {
    TimeIsUp,
    Stopped,
}

/// What an event was to the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Milestone {
    /// The first complete update: the window begins.
    Begun,
    /// The first update is on its way.
    Answer,
    /// There will be none, however long one waits.
    GaveUp,
    /// Nothing to it.
    Other,
}

/// What has come of watching so far.
pub(super) struct Watch {
    session: Session,
    begun: Option<(Instant, Stamp)>,
    /// When the last update came, and what time it said.
    heard: Option<(Instant, Stamp)>,
    /// Of the sessions before this one; and of this one, the tasks whose rows are gone.
    totals: Totals,
    last_failure: Option<String>,
    /// What frames hold, where that was asked for.
    values: Vec<Values>,
}

impl Watch {
    pub(super) fn new(settings: &Settings, retention: Retention) -> Self {
        Self {
            session: Session::new(settings, retention),
            begun: None,
            heard: None,
            totals: Totals::default(),
            last_failure: None,
            values: Vec::new(),
        }
    }

    /// What was before is known.
    pub(super) fn go_on_from(&mut self, session: Session) {
        self.session = session;
        self.totals.sessions = self.totals.sessions.max(1);
        self.note_update();
        self.begun = self.begun.or(self.heard);
    }

    pub(super) fn take(&mut self, event: Event) -> Milestone {
        let gave_up = matches!(event, Event::Connection(Connection::GaveUp { .. }));
        match &event {
            Event::Connection(Connection::Lost { reason, .. } | Connection::GaveUp { reason }) => {
                self.last_failure = Some(reason.clone());
            }
            Event::Begin(begin) if begin.mode == BeginMode::Alone => {
                self.totals = self.counted();
                self.totals.sessions += 1;
            }
            _ => {}
        }
        let answers = matches!(event, Event::Progress { .. } | Event::Update(_));
        if self.session.apply(event) == Scope::Rows {
            self.note_update();
            if let (None, Some(now), true) =
                (self.begun, self.session.model().now(), self.session.model().changes().complete)
            {
                self.begun = Some((Instant::now(), now));
                return Milestone::Begun;
            }
        }
        if gave_up {
            return Milestone::GaveUp;
        }
        if answers && self.begun.is_none() { Milestone::Answer } else { Milestone::Other }
    }

    /// Asks for what frames hold, task by task. It is of the end of the window: a task that has gone on meanwhile says so.
    async fn read_values(&mut self, attachment: &mut Attachment) {
        let until = Instant::now() + ASKED_FOR_MOST;
        for of in tree::speakers(self.session.model()).into_iter().take(VALUES_MOST) {
            attachment.send(Command::ReadValues(of));
            loop {
                let event = tokio::select! {
                    event = attachment.next(None) => event,
                    () = sleep_until(until) => return,
                };
                match event {
                    Some(Event::Values(told)) if told.of == of => break self.values.push(*told),
                    // What it tells beside that is of the time after the window.
                    Some(Event::Connection(Connection::GaveUp { .. } | Connection::Lost { .. })) | None => return,
                    Some(_) => {}
                }
            }
        }
    }

    fn note_update(&mut self) {
        let model = &self.session.model();
        self.heard = model.now().map(|now| (Instant::now(), now)).or(self.heard);
        self.totals.tasks += model.changes().removed.len();
        self.totals.worst_lag = self.totals.worst_lag.max(model.health().lag);
        self.totals.worst_behind = self.totals.worst_behind.max(model.health().behind);
    }

    /// The totals with what the present session holds.
    fn counted(&self) -> Totals {
        let health = self.session.model().health();
        let mut totals = self.totals;
        totals.tasks += self.session.model().tasks().len();
        totals.dropped.tasks += health.dropped.tasks;
        totals.dropped.resources += health.dropped.resources;
        totals.dropped.ops += health.dropped.ops;
        totals.issues.add(health.issues);
        totals.catch_ups += self.session.status().catch_ups;
        totals
    }

    /// What came of a recording; `None` where it has no complete update.
    pub(super) fn recorded(mut self, elapsed: Duration) -> Option<Observation> {
        self.session.describe_all();
        let ((_, start), (_, end_at)) = (self.begun?, self.heard?);
        let totals = self.counted();
        Some(Observation {
            session: self.session,
            start,
            end_at,
            values: self.values,
            elapsed,
            end: End::Elapsed,
            totals,
        })
    }

    fn end(mut self, plan: &Plan, why: Why) -> Result<Observation, NotSeen> {
        self.session.describe_all();
        let target = plan.target.clone();
        let (Some((begun, start)), Some((heard, end_at))) = (self.begun, self.heard) else {
            let waited = plan.connect_timeout;
            return Err(match (why, &self.session.status().connection) {
                (Why::Stopped, _) => NotSeen::Interrupted { target },
                (Why::TimeIsUp, Connection::Live) => NotSeen::timed_out(target, waited, None),
                (Why::TimeIsUp, Connection::GaveUp { reason }) => {
                    NotSeen::Unwatchable { target, reason: reason.clone() }
                }
                (Why::TimeIsUp, _) if target.is_read() => NotSeen::timed_out(target, waited, self.last_failure),
                (Why::TimeIsUp, _) => {
                    let reason = self.last_failure.unwrap_or_else(|| "it did not answer".into());
                    NotSeen::timed_out(target, waited, Some(reason))
                }
            });
        };
        let (elapsed, silent) = (begun.elapsed(), heard.elapsed());
        let end = match (why, &self.session.status().connection) {
            (Why::Stopped, _) => End::Interrupted,
            // What is read at our own pace says nothing that could be missed.
            (Why::TimeIsUp, Connection::Live) if !target.is_read() && silent > SILENT.max(elapsed / 2) => {
                End::Silent { silent }
            }
            (Why::TimeIsUp, Connection::Live) => End::Elapsed,
            (Why::TimeIsUp, _) => {
                End::Lost { reason: self.last_failure.clone().unwrap_or_else(|| "the connection ended".into()) }
            }
        };
        let totals = self.counted();
        Ok(Observation { session: self.session, start, end_at, values: self.values, elapsed, end, totals })
    }
}
