//! The agent while it runs.

use crate::{
    Detail, Error,
    access::Access,
    alarms::{Alarms, Callback},
    audit::Audit,
    capture::current_thread,
    clock,
    collect::{
        self,
        redaction::{Redaction, Shown},
        thread_state, threads,
    },
    forked,
    missing::{Missing, Part},
    on_signal::OnSignal,
    panics,
    process::Process,
    read::changes,
    runtimes,
    serve::{
        history::History,
        holdup::report::Description,
        listen::Place,
        metrics,
        server::{self, Door, Serving},
    },
    settings::{Fields, Settings, Stacks},
    stalls::{self, Role, limits, record::Stalls, round::Rounds, watchdog::Watchdog},
    text::Teller,
};
use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::ThreadId,
    time::Duration,
};
use tokio::runtime::Handle;
use tracing_core::{
    Dispatch, Subscriber,
    dispatcher::{self, set_global_default},
};

/// The agent, for as long as this is kept: when it is dropped, nobody can attach any more.
///
/// ```
/// # fn main() {
/// # let builder = holdup_agent::builder().address(([127, 0, 0, 1], 0).into());
/// let agent = builder.init();
/// // …
/// agent.shutdown();
/// # }
/// ```
#[derive(Debug)]
#[must_use = "the agent stops when this is dropped: keep it for as long as the service runs"]
pub struct Agent {
    watching: Option<Box<Watching>>,
    missing: Arc<Missing>,
}

impl Agent {
    pub(crate) fn new(watching: Option<Watching>, missing: Arc<Missing>) -> Self {
        Self { watching: watching.map(Box::new), missing }
    }

    /// Where it listens, with the port that was picked; `None` when it is switched off, listens on a [socket](Self::socket), or cannot
    /// listen now.
    pub fn address(&self) -> Option<SocketAddr> {
        match self.place()? {
            Place::Tcp(address) => Some(*address),
            Place::Unix(_) => None,
        }
    }

    /// The path of the Unix socket that it listens on; `None` when it listens on none.
    pub fn socket(&self) -> Option<&Path> {
        match self.place()? {
            Place::Tcp(_) => None,
            Place::Unix(path) => Some(path),
        }
    }

    /// Where Prometheus asks for metrics, with the port that was picked; `None` when it is not to, or cannot now.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.watching.as_ref()?.serving.as_ref()?.metrics()
    }

    fn place(&self) -> Option<&Place> {
        self.watching.as_ref()?.serving.as_ref()?.place()
    }

    /// What it does without now, each in words that say why and what to try; empty where it has all that was asked for.
    pub fn missing(&self) -> Vec<String> {
        self.missing.in_words().into_iter().chain(clock::limitation()).collect()
    }

    /// Names a runtime. Runtimes that are not named are found when they first poll a task, and go by the name that they
    /// were built with, if any.
    pub fn runtime(&self, name: &str, handle: &Handle) {
        if self.watching.is_some() {
            runtimes::name(name, handle);
        }
    }

    /// Hooks the agent into a runtime that is about to be built: in lean detail, where wakes are not seen, this is how it is
    /// known for how long tasks waited to be polled. It takes the builder's `on_before_task_poll`: a service that needs
    /// that for itself does without this. In full detail, or without the feature `schedule-latency`, it does nothing.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let agent = holdup_agent::builder().address(([127, 0, 0, 1], 0).into()).init();
    /// let mut builder = tokio::runtime::Builder::new_multi_thread();
    /// builder.enable_all();
    /// let runtime = agent.instrument(&mut builder).build()?;
    /// runtime.block_on(async { /* the service */ });
    /// # Ok(())
    /// # }
    /// ```
    pub fn instrument<'a>(&self, runtime: &'a mut tokio::runtime::Builder) -> &'a mut tokio::runtime::Builder {
        if let Some(watching) = &self.watching {
            instrument(runtime, watching.detail);
        }
        runtime
    }

    /// Ends it all, and returns when the port is free: nothing is collected any more, and tokio's callsites cost what they cost where nobody
    /// listens. The service's own subscriber stays installed, as does the agent's part in front of it, which passes everything on:
    /// `tracing` has no way to take a subscriber out. Another agent cannot be started in this process.
    pub fn shutdown(self) {
        drop(self);
    }
}

/// What runs while the agent is on.
#[derive(Debug)]
pub(crate) struct Watching {
    serving: Option<Serving>,
    watchdog: Option<Watchdog>,
    alarms: Option<Alarms>,
    on_signal: Option<OnSignal>,
    detail: Detail,
}

/// What an agent is started with.
pub(crate) struct Start<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) listener: Option<TcpListener>,
    pub(crate) on_alarm: Callback,
    pub(crate) missing: &'a Arc<Missing>,
    pub(crate) without: Without,
    pub(crate) door: MayOpen,
}

/// When alarms come that are switched on by what is to be done at them.
pub(crate) const ALARMS: Duration = Duration::from_secs(5);

/// Whether clients may come at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MayOpen {
    Yes,
    /// What says who may is not understood: nobody may.
    No,
}

/// How the service's own subscriber stands.
pub(crate) enum Installed<S> {
    /// The service has installed one that the agent wrapped.
    Already,
    /// The agent is to install it.
    NotYet(S),
}

/// Bounds what is collected and kept, and says what of the service's own words is. It comes before the first span does.
pub(crate) fn bound(settings: &Settings) {
    changes::bound(settings.memory);
    changes::keep(settings.retention, settings.retention_bytes.min(settings.memory / 4));
    redact(settings).set();
}

/// A subscriber with the agent's part in front of it.
pub(crate) fn wrap<S: Subscriber>(subscriber: S, detail: Detail) -> collect::subscriber::Subscriber<S> {
    collect::subscriber::Subscriber::new(subscriber, collected(detail))
}

/// A subscriber for a service that has none: it keeps the spans of its own work.
pub(crate) fn spans_alone() -> impl Subscriber {
    collect::spans_alone::SpansAlone::new()
}

/// Whether what this thread tells goes through such a one.
pub(crate) fn is_wrapped() -> bool {
    dispatcher::get_default(Dispatch::is::<collect::subscriber::Ours>)
}

/// How much a subscriber collects.
fn collected(detail: Detail) -> collect::Detail {
    match detail {
        Detail::Full => collect::Detail::Full,
        Detail::Lean => collect::Detail::Lean,
        Detail::Off => collect::Detail::Off,
    }
}

/// What becomes of an agent that cannot have all that it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Without {
    /// It does not start.
    Fail,
    /// It goes on, and says so.
    Note,
}

impl Start<'_> {
    /// A part of it, if it is there.
    fn part<T>(&self, part: Part, started: Result<T, Error>) -> Result<Option<T>, Error> {
        match (started, self.without) {
            (Ok(started), _) => Ok(Some(started)),
            (Err(error), Without::Fail) => Err(error),
            (Err(error), Without::Note) => {
                self.missing.note(part, &error);
                Ok(None)
            }
        }
    }
}

impl Start<'_> {
    /// Where Prometheus asks, if it is to.
    fn door_for_metrics(&self, audit: &Audit) -> Result<metrics::Door, Error> {
        let Some(address) = self.settings.metrics.clone().filter(|_| self.door == MayOpen::Yes) else {
            return Ok(metrics::Door::Shut);
        };
        let access = Access { address, ..self.settings.access.clone() };
        Ok(match self.part(Part::Metrics, metrics::open(&access, audit))? {
            Some(opened) => metrics::Door::Open(Box::new(opened)),
            None => metrics::Door::Later(Box::new(access), audit.clone()),
        })
    }
}

impl Watching {
    /// Starts it all. What can fail without a trace comes first: a subscriber, once installed, stays.
    pub(crate) fn start<S>(mut start: Start<'_>, installed: Installed<S>) -> Result<Self, Error>
    where
        S: Subscriber + Send + Sync + 'static,
    {
        let only = Only::claim()?;
        let settings = start.settings;
        let stalls = Arc::new(Stalls::default());
        let audit = Audit::start().map_err(Error::io("start the thread that tells who looks"));
        let audit = start.part(Part::Audit, audit)?.unwrap_or_default();
        let for_metrics = start.door_for_metrics(&audit)?;
        let listener = start.listener.take();
        let is_given = listener.is_some();
        let mut door = if start.door == MayOpen::No {
            Door::Shut
        } else {
            match start.part(Part::Address, server::open(&settings.access, listener, &audit))? {
                Some(opened) => Door::Open(Box::new(opened)),
                // Of a listener that was given there is no address to try again.
                None if is_given => Door::Shut,
                None => Door::Later(audit),
            }
        };
        if let Door::Open(opened) = &mut door {
            start.part(Part::AddressFile, opened.write_to(settings.address_file.as_deref()))?;
        }
        let on_signal = start.part(Part::StateSignal, on_signal(settings, &stalls))?.flatten();
        let description = Description { missing: Arc::clone(start.missing), ..describe(settings) };
        let (rounds, orders) = Rounds::new();
        let doors = (door, for_metrics);
        let mut serving = start.part(Part::Server, server::start(doors, settings, description, (&stalls, rounds)))?;
        bound(settings);
        threads::on_runtime(runtimes::meet);
        threads::on_unwinding(panics::ended);
        collect::begin();
        if let Installed::NotYet(subscriber) = installed {
            set_global_default(Dispatch::new(wrap(subscriber, settings.detail))).map_err(|_| Error::SubscriberSet)?;
        }
        only.keep();
        forked::look_out();
        if let Some(serving) = &mut serving {
            serving.begin();
        }
        if watched_stacks(settings) != stalls::Stacks::Off {
            current_thread::switch_on(thread_state::hide);
        }
        let watching = stalls::Settings { threshold: settings.stall_threshold, stacks: watched_stacks(settings) };
        let watchdog = Watchdog::start(watching, Box::new(role), &stalls, orders, start.missing)
            .map_err(Error::io("start the watchdog"));
        let watchdog = start.part(Part::Watchdog, watchdog)?;
        let history = serving.as_ref().map(|serving| serving.history().clone()).unwrap_or_default();
        let on_alarm = kept_at(history, std::mem::take(&mut start.on_alarm));
        // A folder for what was before an alarm is of no use without any.
        let alarms = settings.alarms.or(settings.history_dir.is_some().then_some(ALARMS));
        let alarms = alarms.map(|after| Alarms::start(after, on_alarm, &stalls)).transpose();
        let alarms = alarms.map_err(Error::io("start the thread for alarms"));
        let alarms = start.part(Part::Alarms, alarms)?.flatten();
        panics::hook(thread_state::current_task);
        if let Ok(handle) = Handle::try_current() {
            runtimes::meet(&handle);
        }
        let detail = settings.detail;
        Ok(Self { serving, watchdog, alarms, on_signal, detail })
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        if forked::is_child() {
            // The threads that would be waited for are the parent's.
            let theirs = (self.serving.take(), self.watchdog.take(), self.alarms.take(), self.on_signal.take());
            return std::mem::forget(theirs);
        }
        collect::end();
        current_thread::switch_off();
        // Handles of runtimes are let go of once nobody asks for them any more.
        drop((self.serving.take(), self.watchdog.take(), self.alarms.take(), self.on_signal.take()));
        runtimes::end();
    }
}

/// What of the service's own words is kept.
fn redact(settings: &Settings) -> Redaction {
    let shown = match settings.fields {
        Fields::All => Shown::Values,
        Fields::Names => Shown::Names,
        Fields::None => Shown::Nothing,
    };
    Redaction { shown, allowed: settings.fields_allowed.clone() }
}

/// Gets ready for the signal at which everything is written as text, if there is to be one.
fn on_signal(settings: &Settings, stalls: &Arc<Stalls>) -> Result<Option<OnSignal>, Error> {
    let Some(signal) = settings.state_signal else { return Ok(None) };
    let teller = Teller {
        process: Process::this(settings.name.as_deref()),
        detail: settings.detail,
        threshold: settings.stall_threshold,
    };
    let started = OnSignal::start(signal, settings.state_file.clone(), teller, stalls);
    started.map(Some).map_err(Error::io("wait for the signal at which the state is written"))
}

fn describe(settings: &Settings) -> Description {
    let mut capabilities = vec![
        "tasks",
        "runtimes",
        "workers",
        "locks",
        "stalls",
        "captures",
        "spans",
        "panics",
        "losses",
        "task-facts",
        "spawn-times",
    ];
    if cfg!(feature = "history") && settings.history.is_some() {
        capabilities.push("history");
    }
    let stacks = watched_stacks(settings);
    let mut limitations = limits::limitations(stacks);
    if stacks != stalls::Stacks::Off && cfg!(target_os = "linux") {
        capabilities.push("stacks");
    }
    if settings.detail == Detail::Lean {
        let scheduled = if cfg!(feature = "schedule-latency") {
            "is known only in runtimes that were built with the agent's hooks"
        } else {
            "is not known, since the agent was built without its feature schedule-latency"
        };
        limitations.push(format!(
            "lean detail: wakers are not counted, and each living task is shown with one; of resources and operations there \
             are only those of locks; how long a task was scheduled {scheduled}"
        ));
    } else {
        capabilities.extend(["wakers", "permits", "driver-turns"]);
    }
    Description {
        process: Process::this(settings.name.as_deref()),
        detail: settings.detail,
        capabilities,
        limitations,
        missing: Arc::default(),
    }
}

fn watched_stacks(settings: &Settings) -> stalls::Stacks {
    match settings.stacks {
        Stacks::All => stalls::Stacks::All,
        Stacks::Asleep => stalls::Stacks::Asleep,
        Stacks::Off => stalls::Stacks::Off,
    }
}

/// Has the past kept when an alarm comes, before the service is called.
fn kept_at(history: History, on_alarm: Callback) -> Callback {
    Callback(Some(Arc::new(move |alarm| {
        history.critical(alarm.kind.word());
        if let Some(callback) = &on_alarm.0 {
            callback(alarm);
        }
    })))
}

/// What a thread is for, as the runtimes tell.
fn role(thread: ThreadId) -> Role {
    runtimes::worker(thread).map_or(Role::Other, |worker| Role::Worker {
        runtime: worker.runtime,
        index: worker.index,
        queued: runtimes::queued(worker),
    })
}

/// Hooks into a runtime that is about to be built.
pub(crate) fn instrument(runtime: &mut tokio::runtime::Builder, detail: Detail) {
    #[cfg(all(tokio_unstable, feature = "schedule-latency"))]
    if detail == Detail::Lean {
        collect::hooks::instrument(runtime);
    }
    #[cfg(not(all(tokio_unstable, feature = "schedule-latency")))]
    let _ = (runtime, detail);
}

/// There is one agent in a process, for the process has one subscriber. Dropped without [`keep`](Self::keep), it has not
/// started, and another try is free.
#[derive(Debug)]
struct Only;

static STARTED: AtomicBool = AtomicBool::new(false);

impl Only {
    fn claim() -> Result<Self, Error> {
        if STARTED.swap(true, Ordering::AcqRel) { Err(Error::Running) } else { Ok(Self) }
    }

    fn keep(self) {
        std::mem::forget(self);
    }
}

impl Drop for Only {
    fn drop(&mut self) {
        STARTED.store(false, Ordering::Release);
    }
}
