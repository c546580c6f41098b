//! What watches a work.

use crate::done::{Host, log_layer};
use clap::ValueEnum;
use holdup_agent::{Agent, Detail};
use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
    time::Duration,
};
use tracing::{
    Event, Metadata, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{layer::SubscriberExt as _, registry, util::SubscriberInitExt as _};

/// How long a poll may last in what is measured here; the agent's default.
pub(crate) const STALL_THRESHOLD: Duration = Duration::from_millis(100);

/// What watches the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// Nothing, and tokio is built as for a service that knows of no instrumentation.
    Bare,
    /// Nothing: tokio is built with its instrumentation.
    Plain,
    /// A subscriber that hears all that tokio tells and does nothing: less than this nobody can cost who hears it.
    Deaf,
    /// console-subscriber, its aggregator running.
    Console,
    /// The agent in full detail, its watchdog and its server running.
    Full,
    /// The agent in lean detail.
    Lean,
    /// The agent in full detail, with a past of its own.
    Past,
    /// The agent in full detail, asked for metrics each second: by a thread of this process, so that asking counts, too.
    Scraped,
}

/// How many bytes of the past are kept, where one is: what the documentation proposes.
const PAST: usize = 64 << 20;

/// Who is attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    Holdup,
    Console,
}

/// All of them, in the order of the table.
pub(crate) const MODES: [Mode; 8] =
    [Mode::Bare, Mode::Plain, Mode::Deaf, Mode::Console, Mode::Full, Mode::Lean, Mode::Past, Mode::Scraped];

/// What watches, for as long as this is kept.
pub(crate) struct Watching {
    /// Where it serves; `None` when nothing watches.
    pub address: Option<SocketAddr>,
    _agent: Option<Agent>,
}

impl Mode {
    /// Its word on the command line and in the table.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Whether it is holdup's agent.
    pub(crate) fn is_agent(self) -> bool {
        matches!(self, Self::Full | Self::Lean | Self::Past | Self::Scraped)
    }

    /// What holdup reads of it: of an agent `Watch` alone.
    pub(crate) fn holdup_reads(self) -> Reader {
        if self.is_agent() { Reader::Holdup } else { Reader::Console }
    }

    /// Starts it in this process, beside what the service has.
    pub(crate) fn start(self, host: Host) -> Result<Watching, String> {
        match self {
            Self::Bare | Self::Plain => {
                if host == Host::Logs {
                    registry().with(log_layer()).init();
                }
                Ok(Watching { address: None, _agent: None })
            }
            Self::Deaf => {
                tracing::subscriber::set_global_default(Deaf).map_err(|error| error.to_string())?;
                Ok(Watching { address: None, _agent: None })
            }
            Self::Console => {
                let address = free()?;
                // What it retains is bounded by time alone: so little that the work's memory is its own.
                let console =
                    console_subscriber::ConsoleLayer::builder().server_addr(address).retention(Duration::from_secs(60));
                match host {
                    Host::Silent => console.init(),
                    Host::Logs => registry().with(log_layer()).with(console.spawn()).init(),
                }
                Ok(Watching { address: Some(address), _agent: None })
            }
            Self::Full | Self::Lean | Self::Past | Self::Scraped => {
                let detail = if self == Self::Lean { Detail::Lean } else { Detail::Full };
                let mut builder = holdup_agent::builder().address(([127, 0, 0, 1], 0).into()).detail(detail);
                if self == Self::Past {
                    builder = builder.history(PAST);
                }
                if self == Self::Scraped {
                    builder = builder.metrics(([127, 0, 0, 1], 0).into());
                }
                if host == Host::Logs {
                    builder.wrap(registry().with(log_layer())).init();
                }
                let agent = builder.stall_threshold(STALL_THRESHOLD).try_init().map_err(|error| error.to_string())?;
                if let Some(metrics) = agent.metrics_address() {
                    thread::spawn(move || scrape(metrics));
                }
                Ok(Watching { address: agent.address(), _agent: Some(agent) })
            }
        }
    }
}

/// Hears of tokio's tasks, wakes and resources, and does nothing.
struct Deaf;

impl Subscriber for Deaf {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("tokio") || metadata.target().starts_with("runtime")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Asks for metrics each second, until the process ends.
fn scrape(metrics: SocketAddr) {
    loop {
        let asked = TcpStream::connect(metrics).and_then(|mut stream| {
            stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer)?;
            Ok(answer)
        });
        match asked {
            Ok(answer) if answer.starts_with(b"HTTP/1.1 200") => {}
            Ok(answer) => eprintln!("{}", String::from_utf8_lossy(&answer)),
            Err(error) => eprintln!("nobody tells metrics: {error}"),
        }
        thread::sleep(Duration::from_secs(1));
    }
}

/// An address that is free now: console-subscriber does not tell which port it was given.
fn free() -> Result<SocketAddr, String> {
    let bound = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    bound.map_err(|error| format!("no port is free: {error}"))
}
