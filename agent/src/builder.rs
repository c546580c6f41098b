//! How a service sets the agent up and starts it.

use crate::{
    Agent, Alarm, Detail, Error, Fields, Signal, Stacks,
    access::{self, Address, Exposure},
    agent::{self, ALARMS, Installed, MayOpen, Start, Watching, Without},
    alarms::Callback,
    missing::{Missing, Part},
    runtimes,
    settings::{self, LEAST_HISTORY, LEAST_MEMORY, MOST_CLIENTS, Settings},
};
use std::{
    any::Any,
    io::Write as _,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};
use tokio::runtime::Handle;
use tracing_core::{
    Dispatch, LevelFilter, Subscriber,
    dispatcher::{self, set_global_default},
    subscriber::NoSubscriber,
};

/// The agent before it is started; made by [`builder`](crate::builder).
///
/// ```
/// # fn main() {
/// use holdup_agent::Detail;
/// use std::time::Duration;
///
/// let agent = holdup_agent::builder()
///     .name("orders")
///     .address(([127, 0, 0, 1], 0).into())
///     .detail(Detail::Lean)
///     .stall_threshold(Duration::from_millis(50))
///     .init();
/// println!("to watch this service: holdup http://{}", agent.address().expect("it is on"));
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing starts before init()"]
pub struct Builder<S = NoSubscriber> {
    settings: Settings,
    listener: Option<TcpListener>,
    subscriber: S,
    on_alarm: Callback,
    /// What the environment asked for and cannot have.
    refused: Vec<Error>,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self {
            settings: Settings::default(),
            listener: None,
            subscriber: NoSubscriber::new(),
            on_alarm: Callback::default(),
            refused: Vec::new(),
        }
    }

    /// The service's own `tracing` subscriber, with all of its layers. It is told of the service's spans and events as if
    /// there were no agent, and of none of the runtime's, whatever its filters say. The spans that it enables are those that
    /// holdup shows around a task; without a subscriber, they are those of level `INFO` and above.
    ///
    /// ```
    /// # fn main() {
    /// use tracing_subscriber::layer::SubscriberExt;
    ///
    /// let logs = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    /// let _agent = holdup_agent::builder()
    ///     .address(([127, 0, 0, 1], 0).into())
    ///     .with_subscriber(tracing_subscriber::registry().with(logs))
    ///     .init();
    /// tracing::info!("goes to stderr, as always");
    /// # }
    /// ```
    pub fn with_subscriber<S>(self, subscriber: S) -> Builder<S>
    where
        S: Subscriber + Send + Sync + 'static,
    {
        let Self { settings, listener, on_alarm, refused, .. } = self;
        Builder { settings, listener, subscriber, on_alarm, refused }
    }
}

impl<S> Builder<S>
where
    S: Subscriber + Send + Sync + 'static,
{
    /// Replaces every setting for which the environment has a variable; the [crate's documentation](crate#settings) has
    /// them all. What is set after this stands. A variable whose value it cannot have changes nothing, and is [missing](Agent::missing);
    /// where it is to say who may look, or at what, nobody may. For [`try_init`](Self::try_init) it is an error.
    pub fn from_env(mut self) -> Self {
        self.refused.extend(self.settings.read_environment());
        self
    }

    /// Where to listen for clients; port 0 picks a free one, which [`Agent::address`] tells, the log, and the
    /// [file](Self::address_file) for it.
    pub fn address(mut self, address: SocketAddr) -> Self {
        self.settings.access.address = Address::Tcp(address, Exposure::Guarded);
        self
    }

    /// The same for an address that other machines reach, and where everybody who does may watch.
    pub fn insecure_address(mut self, address: SocketAddr) -> Self {
        self.settings.access.address = Address::Tcp(address, Exposure::Insecure);
        self
    }

    /// Listens on a Unix socket at this absolute path, which [`Agent::socket`] tells: for whoever owns it, and root.
    pub fn socket(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.access.address = Address::Unix(path.into());
        self
    }

    /// The file to which is written where the agent listens, as `holdup` takes it, as soon as clients can come; it is removed when the agent ends.
    pub fn address_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.address_file = Some(path.into());
        self
    }

    /// Names by which clients may call the agent without TLS, beside `localhost` and its address.
    pub fn hosts(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.settings.access.hosts = names.into_iter().map(Into::into).collect();
        self
    }

    /// The file of the tokens that clients have to show, one of them; see [who may look](crate#who-may-look).
    pub fn token_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.access.token_file = Some(path.into());
        self
    }

    /// The agent's certificate and its key, PEM files: clients come by TLS alone.
    pub fn tls(mut self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.settings.access.certificate = Some(certificate.into());
        self.settings.access.key = Some(key.into());
        self
    }

    /// Who signs the certificates that clients have to show, a PEM file. They may watch.
    pub fn client_ca(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.access.client_ca = Some(path.into());
        self
    }

    /// Which of those certificates were taken back: a PEM file of revocation lists, one of each authority that signed any.
    pub fn revoked(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.access.revoked = Some(path.into());
        self
    }

    /// The names that those certificates may have, and what each may do, as in `ops.example=watch+pause,ci.example`.
    ///
    /// # Errors
    ///
    /// [`Error::Access`] when a right is none.
    pub fn client_names(mut self, names: &str) -> Result<Self, Error> {
        let reason = "write names with what each may do, such as ops.example=watch+pause,ci.example";
        self.settings.access.client_names =
            access::client_names(names).ok_or_else(|| Error::access("client_names", reason))?;
        Ok(self)
    }

    /// Serves on a listener that is bound already, instead of an address. What an address that other machines reach needs, it needs too.
    pub fn listener(mut self, listener: TcpListener) -> Self {
        self.listener = Some(listener);
        self
    }

    /// How much is collected.
    pub fn detail(mut self, detail: Detail) -> Self {
        self.settings.detail = detail;
        self
    }

    /// What is told of the fields of the service's spans, and of its panics' messages.
    pub fn fields(mut self, fields: Fields) -> Self {
        self.settings.fields = fields;
        self
    }

    /// Fields that are told all the same; `panic.message` stands for the messages of panics.
    pub fn fields_allowed(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.settings.fields_allowed = names.into_iter().map(Into::into).collect();
        self
    }

    /// What the service is called on the screen; without it, the file name of its executable.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.settings.name = Some(name.into());
        self
    }

    /// How long what has ended is kept for clients that attach later.
    pub fn retention(mut self, retention: Duration) -> Self {
        self.settings.retention = retention;
        self
    }

    /// How many bytes of what has ended are kept for clients that are yet to be told of it. While there is none that is
    /// behind, a few hundred kilobytes are: the latest.
    pub fn retention_bytes(mut self, bytes: usize) -> Self {
        self.settings.retention_bytes = bytes;
        self
    }

    /// How many bytes the agent takes at the most for what it collects, what it keeps and what it is yet to tell; 8 MiB at the least. What finds no room is
    /// counted, and shown as not kept.
    pub fn memory(mut self, bytes: usize) -> Self {
        self.settings.memory = bytes.max(LEAST_MEMORY);
        self
    }

    /// How much of one processor the agent's own threads may use together on average, in percent; from 0.1 to 100. Where what there is to
    /// tell takes more, clients are told less often, and that they are.
    pub fn cpu(mut self, percent: f64) -> Self {
        self.settings.cpu = (percent.clamp(0.1, 100.0) * 10.0).round() as u32;
        self
    }

    /// How long one poll may last before it is a stall; a millisecond at the least.
    pub fn stall_threshold(mut self, threshold: Duration) -> Self {
        self.settings.stall_threshold = threshold.max(Duration::from_millis(1));
        self
    }

    /// Of which threads the stack is captured, when they stall or a client asks.
    pub fn stacks(mut self, stacks: Stacks) -> Self {
        self.settings.stacks = stacks;
        self
    }

    /// How often clients are told what has changed; a millisecond at the least.
    pub fn publish_interval(mut self, interval: Duration) -> Self {
        self.settings.publish_interval = interval.max(Duration::from_millis(1));
        self
    }

    /// How many clients there may be at once, one at the least and a thousand at most. The next one is told that there is no room.
    pub fn clients(mut self, most: usize) -> Self {
        self.settings.clients = most.clamp(1, MOST_CLIENTS);
        self
    }

    /// After how long the agent itself tells of a poll that keeps its worker, as an event of `tracing`; a millisecond at the least,
    /// and never less than the [threshold](Self::stall_threshold). It is off by default; the
    /// [crate's documentation](crate#without-a-client) says what the event has.
    pub fn alarms(mut self, after: Duration) -> Self {
        self.settings.alarms = Some(after.max(Duration::from_millis(1)));
        self
    }

    /// Calls `f` with each alarm before it is logged, on a thread of the agent's own: while it does not return there is no other
    /// alarm, and everything else goes on. Where [alarms](Self::alarms) are off, it switches them on, after five seconds.
    ///
    /// ```
    /// # fn main() {
    /// let _agent = holdup_agent::builder()
    ///     .address(([127, 0, 0, 1], 0).into())
    ///     .on_alarm(|alarm| eprintln!("{alarm}"))
    ///     .init();
    /// # }
    /// ```
    pub fn on_alarm(mut self, f: impl Fn(&Alarm) + Send + Sync + 'static) -> Self {
        self.settings.alarms.get_or_insert(ALARMS);
        self.on_alarm = Callback(Some(Arc::new(f)));
        self
    }

    /// How many bytes the agent keeps of the past, packed: a mebibyte at the least. It is off by default, and takes the feature `history`; see
    /// [the past](crate#the-past).
    pub fn history(mut self, bytes: usize) -> Self {
        self.settings.history = Some(bytes.max(LEAST_HISTORY));
        self
    }

    /// The folder to which the past is written at an alarm. Where [alarms](Self::alarms) are off, it switches them on, after five seconds.
    pub fn history_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.history_dir = Some(path.into());
        self
    }

    /// Where Prometheus asks for metrics; port 0 picks a free one, which [`Agent::metrics_address`] tells. It is off by default, and takes the feature
    /// `metrics`; see [metrics](crate#metrics).
    pub fn metrics(mut self, address: SocketAddr) -> Self {
        self.settings.metrics = Some(Address::Tcp(address, Exposure::Guarded));
        self
    }

    /// The same at an address that other machines reach, where everybody who does may read.
    pub fn insecure_metrics(mut self, address: SocketAddr) -> Self {
        self.settings.metrics = Some(Address::Tcp(address, Exposure::Insecure));
        self
    }

    /// Writes everything that is known as text when the process gets this signal: to stderr, or to the
    /// [file](Self::state_file).
    pub fn state_signal(mut self, signal: Signal) -> Self {
        self.settings.state_signal = Some(signal);
        self
    }

    /// Where the text goes that is written at a [signal](Self::state_signal): it is appended.
    pub fn state_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.state_file = Some(path.into());
        self
    }

    /// Names a runtime that is there already. Runtimes that are not named here are found when they first poll a task, and
    /// go by the name that they were built with, if any.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let background = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build()?;
    /// let _agent = holdup_agent::builder()
    ///     .address(([127, 0, 0, 1], 0).into())
    ///     .runtime("background", background.handle())
    ///     .init();
    /// # Ok(())
    /// # }
    /// ```
    pub fn runtime(self, name: &str, handle: &Handle) -> Self {
        runtimes::name(name, handle);
        self
    }

    /// The service's own subscriber with the agent's part in front of it, for a service that installs it itself: by `init()` of
    /// `tracing_subscriber`, which takes in records of the crate `log` as well, or for some threads by `set_default`. The agent is
    /// [started](Self::init) right after that: tokio is asked for what it does from then on, so that nothing which `init()` sets, as the level up to which
    /// `log` lets records through, is another one than without the agent. It must be the outermost one, and how much is [collected](Self::detail), shown
    /// and [kept](Self::memory) be set before.
    ///
    /// ```
    /// use tracing_subscriber::{layer::SubscriberExt, util::SubscriberInitExt};
    ///
    /// let agent = holdup_agent::builder().address(([127, 0, 0, 1], 0).into());
    /// let logs = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    /// agent.wrap(tracing_subscriber::registry().with(logs)).init();
    /// let _agent = agent.init();
    /// ```
    pub fn wrap<T>(&self, subscriber: T) -> impl Subscriber + Send + Sync + use<T, S>
    where
        T: Subscriber + Send + Sync + 'static,
    {
        agent::bound(&self.settings);
        agent::wrap(subscriber, self.settings.detail)
    }

    /// Hooks the agent into a runtime that is about to be built, if the [detail](Self::detail) set so far is lean; see
    /// [`Agent::instrument`].
    pub fn instrument(self, runtime: &mut tokio::runtime::Builder) -> Self {
        agent::instrument(runtime, self.settings.detail);
        self
    }

    /// Starts the agent, for as long as what this returns is kept. Whatever it cannot have, the service goes on, with its own subscriber
    /// installed: [`Agent::missing`] tells, and so do a warning in the log and every client.
    pub fn init(self) -> Agent {
        let Self { settings, listener, subscriber, on_alarm, refused } = self;
        let missing = Arc::new(Missing::default());
        let mut door = MayOpen::Yes;
        for error in refused {
            let Error::Variable { name, .. } = error else { continue };
            if settings::guards(name) {
                door = MayOpen::No;
            }
            missing.note(Part::Setting(name), &error);
        }
        let start = Start { settings: &settings, listener, on_alarm, missing: &missing, without: Without::Note, door };
        let logs = if is_none(&subscriber) && !dispatcher::has_been_set() { Logs::Nowhere } else { Logs::There };
        let watching = started(start, subscriber).unwrap_or_else(|error| {
            missing.note(Part::Agent, &error);
            None
        });
        warn(&missing, logs);
        Agent::new(watching, missing)
    }

    /// The same, where an agent that is not whole is an error.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the set-up, see [`Error`]. The service can go on without the agent; its own subscriber is
    /// then installed nowhere.
    pub fn try_init(self) -> Result<Agent, Error> {
        let Self { settings, listener, subscriber, on_alarm, refused } = self;
        if let Some(error) = refused.into_iter().next() {
            return Err(error);
        }
        let missing = Arc::new(Missing::default());
        let start = Start {
            settings: &settings,
            listener,
            on_alarm,
            missing: &missing,
            without: Without::Fail,
            door: MayOpen::Yes,
        };
        Ok(Agent::new(started(start, subscriber)?, missing))
    }
}

/// Starts what is asked for; `None` where nothing is.
fn started<S>(start: Start<'_>, subscriber: S) -> Result<Option<Watching>, Error>
where
    S: Subscriber + Send + Sync + 'static,
{
    if start.settings.detail == Detail::Off {
        return install_alone(subscriber).map(|()| None);
    }
    if let Some(error) = nothing_to_see() {
        if start.without == Without::Note {
            install_alone(subscriber)?;
        }
        return Err(error);
    }
    if is_none(&subscriber) && agent::is_wrapped() {
        return Watching::start::<S>(start, Installed::Already).map(Some);
    }
    if start.settings.detail == Detail::Full && is_none(&subscriber) {
        return Watching::start(start, Installed::NotYet(agent::spans_alone())).map(Some);
    }
    Watching::start(start, Installed::NotYet(subscriber)).map(Some)
}

/// Why this build tells nothing, if it does not.
fn nothing_to_see() -> Option<Error> {
    if !cfg!(tokio_unstable) {
        return Some(Error::NotInstrumented);
    }
    (tracing::level_filters::STATIC_MAX_LEVEL < LevelFilter::TRACE).then_some(Error::CompiledOut)
}

/// Whether anybody hears of a warning.
#[derive(Clone, Copy)]
enum Logs {
    There,
    Nowhere,
}

/// Says once what is missing.
fn warn(missing: &Missing, logs: Logs) {
    let missing = missing.in_words();
    if missing.is_empty() {
        return;
    }
    let words = format!("holdup's agent goes on without some of what it was asked for: {}", missing.join("; "));
    match logs {
        Logs::There => tracing::warn!(target: "holdup", "{words}"),
        // There may be no stderr, and then there is nobody to tell.
        Logs::Nowhere => drop(writeln!(std::io::stderr(), "{words}")),
    }
}

/// Whether the service has no subscriber of its own.
fn is_none<S: 'static>(subscriber: &S) -> bool {
    (subscriber as &dyn Any).is::<NoSubscriber>()
}

/// Installs the service's subscriber as it would have done itself, if it has one.
fn install_alone<S>(subscriber: S) -> Result<(), Error>
where
    S: Subscriber + Send + Sync + 'static,
{
    if is_none(&subscriber) {
        return Ok(());
    }
    set_global_default(Dispatch::new(subscriber)).map_err(|_| Error::SubscriberSet)
}
