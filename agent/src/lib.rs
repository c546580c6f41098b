//! What a Tokio service links in to be seen by holdup: its tasks, locks, workers and
//! stalls, at a cost that production can afford. tokio-console can watch it, too.
//!
//! ```no_run
//! #[tokio::main]
//! async fn main() {
//!     let _agent = holdup_agent::init();
//!     // … the service
//! }
//! ```
//!
//! Then, beside the service: `holdup`, or `holdup http://host:6669` from another machine. The service has to be built with
//! tokio's instrumentation, `--cfg tokio_unstable`; without it, the log says how.
//!
//! It stands on tokio 1.47 and later: with one before 1.53, switch the default features off, among which `schedule-latency` needs that. What is then not known is for how long tasks waited
//! in lean detail, and the names that runtimes were built with.
//!
//! # It never stops the service
//!
//! Whatever the agent cannot have (its port is taken, the kernel refuses a thread, a variable has a value that it cannot have), [`init`] goes on with
//! what is left: the service's own subscriber is installed, one warning goes through it (`target: "holdup"`; to stderr, if there is no subscriber), an
//! address that was taken is tried again every five seconds, and [`Agent::missing`] and every client are told. Who wants an error instead calls [`try_init`].
//!
//! A service that has a `tracing` subscriber of its own hands it over instead of installing it:
//! [`Builder::with_subscriber`]. One that takes in records of the crate `log` installs it itself, with the agent's part in front of it: [`Builder::wrap`]. To
//! name a runtime, or to build one with the agent's hooks: [`Agent::runtime`], [`Agent::instrument`].
//!
//! What the service's own filters leave out, nobody is asked about, as without the agent. Tokio's spans are of the most verbose level there is, so that `trace!` and `debug!` of the service are no
//! longer left out by the first thing that `tracing` looks at but by the second. Records of `log` are left out by a level of their own, which `init()` of `tracing_subscriber` sets: with [`Builder::wrap`]
//! to what it is without the agent. A service that installs a `LogTracer` by itself, before or after, sets that level itself: `log::set_max_level(log::LevelFilter::Info)`.
//!
//! A child that the service forks without starting another program has no agent: nothing is collected in it, and it closes the socket.
//!
//! # Settings
//!
//! [`init`] takes them from the environment; [`builder`] has a method for each but a token itself, and reads the environment only when
//! [`Builder::from_env`] says so.
//!
//! | variable | default | what it is |
//! |---|---|---|
//! | `HOLDUP_ADDR` | `127.0.0.1:6669` | where to listen; port 0 picks a free one; `unix:/run/orders/holdup.sock` is a socket; see [who may look](#who-may-look) |
//! | `HOLDUP_ADDR_FILE` |  | the file to which is written where the agent listens; see [many instances](#many-instances) |
//! | `HOLDUP_HOSTS` |  | names by which clients may call the agent without TLS, beside `localhost` and its address, such as `orders.internal` |
//! | `HOLDUP_TOKEN_FILE` |  | the file of the tokens that clients have to show, one of them |
//! | `HOLDUP_TOKEN` |  | such a token itself, where there is no file |
//! | `HOLDUP_TLS_CERT` |  | the agent's certificate, a PEM file; with it, clients come by TLS alone |
//! | `HOLDUP_TLS_KEY` |  | the key of that certificate, a PEM file |
//! | `HOLDUP_TLS_CLIENT_CA` |  | who signs the certificates that clients have to show, a PEM file |
//! | `HOLDUP_TLS_REVOKED` |  | which of those certificates were taken back: a PEM file of revocation lists (CRL), one of each authority that signed any |
//! | `HOLDUP_TLS_CLIENT_NAMES` |  | the names that those may have, and what each may do, such as `ops.example=watch+capture,ci.example`; without it, every name may watch |
//! | `HOLDUP_DETAIL` | `full` | `full`, `lean` for production, or `off` |
//! | `HOLDUP_FIELDS` | `all` | what is told of the fields of the service's spans and of its panics' messages: `all`, `names` of fields, or `none`; see [what is left out](#what-is-left-out) |
//! | `HOLDUP_FIELDS_ALLOW` |  | the fields that are told all the same, such as `route,panic.message` |
//! | `HOLDUP_NAME` |  | what the service is called on the screen; without it, the file name of its executable |
//! | `HOLDUP_RETENTION` | `10min` | how long what has ended is kept for clients that attach later |
//! | `HOLDUP_RETENTION_BYTES` | `16MiB` | how much of it is kept for a client that is yet to be told of it, a quarter of `HOLDUP_MEMORY` at the most |
//! | `HOLDUP_MEMORY` | `64MiB` | how much memory what is collected, kept and yet to be told may take; see [below](#memory) |
//! | `HOLDUP_CPU` | `5%` | how much of one processor the agent's threads may use together on average (on Linux); where what there is to tell takes more, clients are told less often, at least each ten seconds, and that they are; who begins to watch is told everything at once all the same |
//! | `HOLDUP_STALL_THRESHOLD` | `100ms` | how long one poll may last before it is a stall |
//! | `HOLDUP_STACKS` | `all` | of which threads the stack is captured, when they stall or a client asks: `all`, `asleep`, which interrupts none, or `off`; with that, where locks are acquired is not captured either |
//! | `HOLDUP_PUBLISH_INTERVAL` | `250ms` | how often clients are told what has changed |
//! | `HOLDUP_CLIENTS` | `16` | how many clients there may be at once; the next one is told that there is no room |
//! | `HOLDUP_ALARMS` | `off` | after how long the agent itself logs a poll that keeps its worker, such as `5s`; see [without a client](#without-a-client) |
//! | `HOLDUP_HISTORY` | `off` | how much of the past is kept, packed, such as `64MiB`; see [the past](#the-past) |
//! | `HOLDUP_HISTORY_DIR` |  | the folder to which that is written at an alarm; it switches alarms on, after five seconds |
//! | `HOLDUP_METRICS` | `off` | where Prometheus asks for metrics, such as `127.0.0.1:9669`; see [metrics](#metrics) |
//! | `HOLDUP_STATE_SIGNAL` | `off` | the signal at which everything that is known is written as text: `hup`, `quit`, `usr1`, `usr2` or `off` |
//! | `HOLDUP_STATE_FILE` |  | the file to which that is appended; without it, it goes to stderr |
//!
//! With `HOLDUP_DETAIL=off` there is no thread, no port, and no subscriber but the service's own: the agent is linked, and
//! costs nothing.
//!
//! # Many instances
//!
//! With `HOLDUP_ADDR=127.0.0.1:0` each instance on a machine listens on a port of its own. Where that is, [`Agent::address`] tells, `holdup ps`, and one
//! event of `tracing`: level `INFO`, target `holdup`, with the fields `kind` (`listening`) and `address`. With `HOLDUP_ADDR_FILE=/run/orders/1.addr` that file has it, too, in the form that
//! `holdup` takes: `http://127.0.0.1:40123`, `https://…`, or `unix:/run/orders/holdup.sock`. It is written as a whole when clients can come, which is before [`init`]
//! returns unless the address was taken, and removed when the agent ends. A service that is killed leaves it behind, for the next one to replace.
//!
//! # Memory
//!
//! `HOLDUP_MEMORY` bounds what grows with the service and its clients: five eighths of it are for tasks, resources and operations, those that live and those
//! that have ended and are kept; one eighth is for the service's own spans, and one for the last states that clients are yet to be told of, all together. The rest is for pages under way.
//! At 256 bytes for a task, 64 MiB have room for some fifty thousand that each wait for something. What finds no room is counted by its kind, and shown as not
//! kept; nothing of the service waits for it or fails. A client that does not read costs a page and which rows it knows; when it reads again, it is told of everything.
//!
//! Not in it are what the build itself brings (tables of some megabytes), and the debug information that is read to name a captured stack.
//!
//! # Who may look
//!
//! By default the agent listens on loopback, where everybody on the machine may watch. Other choices:
//!
//! - **A Unix socket**, `HOLDUP_ADDR=unix:/run/orders/holdup.sock`: its mode is 0600, and whoever connects must be its owner, who is the user that the
//!   service runs as, or root. They may do everything. A socket that a process left behind is replaced; one that somebody answers at is not, and
//!   neither is a file that is no socket.
//! - **An address that other machines reach** needs TLS (`HOLDUP_TLS_CERT`, `HOLDUP_TLS_KEY`), and clients that show a token (`HOLDUP_TOKEN_FILE`) or a
//!   certificate (`HOLDUP_TLS_CLIENT_CA`); where both are set, both. Otherwise [`init`] says no, and why. `HOLDUP_ADDR=0.0.0.0:6669,insecure` is the word
//!   for "everybody who reaches it may watch".
//!
//! A token file has a token in each line, and behind it what it is good for: `watch`, which is what it is without that, or more, as in `watch,capture,pause`. Nobody but its owner
//! may read it. Watching changes nothing in the service. **Acting** is another right, and each way to act one of its own: by TCP nobody may have captured what the workers
//! are doing now (`capture`), for which those that run are interrupted for a moment, nor pause what tokio-console is shown (`pause`), unless a token or
//! a certificate says so. Stacks are captured once a second at the most, whoever asks; [`Stacks`] says of which threads. Certificates, keys and token files are looked at again when they change; while the new ones cannot be used, the
//! old ones count, and the log has a warning.
//!
//! Without TLS a call must name this machine or the address: a page in somebody's browser cannot make its own name lead here.
//!
//! Whoever attaches, is turned away, or acts is an event of `tracing` with the target `holdup::audit` and the fields `kind` (`attach`, `refusal`, `act`), `peer`, `who`,
//! `what` and `unsaid`, which counts what was left out: a hundred at once and five a second are told. It is written on a thread of its own.
//!
//! TLS is the feature `tls`, which is on by default.
//!
//! # What is left out
//!
//! The fields of a service's own spans, and the messages of its panics, may say who its users are. With `HOLDUP_FIELDS=names` the values of fields are left out, and with
//! `none` their names, too: they are never formatted by the agent, and the screen has `request{user=(left out)}` or `request{fields=(2 left out)}`. A panic keeps its place, and its
//! message is `(left out)`. `HOLDUP_FIELDS_ALLOW` names fields that are told all the same; `panic.message` there stands for those messages. Names of tasks, spans and
//! functions are told in any case. The text at a signal has no fields and no messages.
//!
//! # Without a client
//!
//! With `HOLDUP_ALARMS=5s` a poll that has kept its worker for five seconds, and a runtime all of whose workers are kept like that, is an
//! event of `tracing`: level `ERROR`, target `holdup`, with the fields `kind` (`stall`, `all-workers-stuck`), `runtime`, `lasted_ms`, `stack`
//! and `unsaid`. It goes where the service's own events go, so there must be a subscriber: [`Builder::with_subscriber`]. Of tasks
//! that were spawned at one place there is one in a minute, and `unsaid` counts what was left out. [`Builder::on_alarm`] is called with the same.
//! Both happen on a thread of their own: a log that blocks keeps nothing else.
//!
//! With `HOLDUP_STATE_SIGNAL=usr2`, `kill -USR2 PID` writes runtimes, workers, stalls with their stacks, locks with who has them and who
//! waits, and every task that lives, as text. The signal takes the place of what it did before, and as any signal that is sent it may interrupt
//! a system call. Nothing of the service is stopped or polled for either.
//!
//! # Metrics
//!
//! With `HOLDUP_METRICS=127.0.0.1:9669` the agent tells Prometheus at `http://127.0.0.1:9669/metrics` what it knows: runtimes, workers, tasks by where they are spawned, locks, how long polls took, stalls and panics. It is a listener of its own,
//! served by the agent's own thread, so that it answers while every worker of the service is blocked, and it reads what is collected already. Who may ask is the same as for clients that come by TCP: a token, TLS,
//! a certificate; an address that other machines reach needs them, or `,insecure` behind it. There are eight connections at once, each for one request and five seconds. Series are bounded: of each label the first
//! values that come have their own, and the rest is `other`. Where the address is taken, the service goes on, [`Agent::missing`] says so, and it is tried again.
//!
//! It is the feature `metrics`, which is on by default.
//!
//! # The past
//!
//! With `HOLDUP_HISTORY=64MiB` the agent keeps what it told, or would have told, for as long as that has room for, and whoever comes late has it: `holdup record --past` writes it to a
//! file and ends, which is the line for a runbook. With `HOLDUP_HISTORY_DIR=/var/lib/orders/past` it is written there as well when an alarm comes, so that what was before is
//! there after a restart: one file for each kind of alarm in ten minutes, for its owner alone, and of one service's files no more than three times what is kept; the oldest go. `holdup replay FILE`
//! reads them. What cannot be written is told to clients, and not tried again before the next alarm.
//!
//! It is the feature `history`, which is off by default since it compiles zstd, which is C. About once a second what has changed is packed, on a thread of the lowest priority; reading and packing take at
//! most a hundredth of a processor, and where that is too little the past is coarser, and says so. It takes `HOLDUP_HISTORY` and up to 8 MiB in all, beside `HOLDUP_MEMORY`. Where a single state takes more than a
//! third of it, no past is kept, which clients are told. What is [left out](#what-is-left-out) is left out of it, too.
//!
//! # What stays as it is
//!
//! From one version to the next that Cargo takes for compatible: what this crate exports, the variables with the words that they take, the targets, kinds and fields of its events, and the names of metrics.
//! Not what is written for people to read (errors, what is missing, the text at a signal), nor the defaults. The crates that it stands on (`holdup-proto`, `holdup-stack`, `holdup-metrics`) are its own, and promise nothing.
//! An agent and a holdup of different versions work together as far as both go: each says what it can.
//!
//! # How it works
//!
//! Which way a datum goes: `collect` runs on the service's own threads and writes what happens into `slots`, memory that never
//! moves; `read` copies them; `stalls` is a plain thread that looks at them and notices a poll that does not end; `capture`
//! copies the stack of such a thread, and of one that acquires a contested lock, and names it by the service's own file, for a few
//! megabytes however large that is; `runtimes` reads what the runtimes tell of
//! themselves; `text` writes all of it, and `alarms` tells of the worst, when no client can come; `metrics` sums it up for Prometheus; `serve` tells all of it, on a thread and a runtime of its own, by the console's `Instrument` service and holdup's
//! `Diagnostics`. Nothing flows back: a service's thread never waits for whoever watches it.

mod access;
mod agent;
mod alarms;
mod audit;
mod builder;
mod capture;
mod clock;
mod collect;
mod error;
mod forked;
#[cfg(feature = "metrics")]
mod metrics;
mod missing;
mod on_signal;
mod panics;
mod process;
mod read;
mod runtimes;
mod serve;
mod settings;
mod slots;
mod stalls;
mod standstills;
mod text;
mod view;

pub use agent::Agent;
pub use alarms::{Alarm, AlarmKind, Stuck};
pub use builder::Builder;
pub use error::Error;
pub use settings::{Detail, Fields, Signal, Stacks};

/// Starts the agent with the settings that the environment has, and the defaults for all others. What it returns is to be
/// kept for as long as the service runs.
///
/// It may be called inside of a runtime or before one is built, once in a process. It never fails and never panics: what the agent has to
/// do without, [`Agent::missing`] tells.
pub fn init() -> Agent {
    builder().from_env().init()
}

/// The same, where an agent that is not whole is an error.
///
/// # Errors
///
/// Whatever is wrong with the set-up, in words that say what to do; see [`Error`].
pub fn try_init() -> Result<Agent, Error> {
    builder().from_env().try_init()
}

/// The agent with its default settings, to be changed and started.
pub fn builder() -> Builder {
    Builder::new()
}
