//! What lets the server be seen: holdup's agent, or console-subscriber as anybody else uses it. Both serve the console on one
//! port, from threads that are none of the service's.

use std::{
    io::{self, IsTerminal},
    net::TcpListener,
    str::FromStr,
};

use clap::ValueEnum;
use holdup_agent::Agent;
use tokio::{
    runtime::{Builder, Handle},
    sync::mpsc,
};
use tracing::Subscriber;
use tracing_subscriber::{
    Layer, Registry, filter::Targets, layer::SubscriberExt, registry::LookupSpan, util::SubscriberInitExt,
};

use crate::{Error, Filter, console, keeps::Keeps, stop::Stop, warm_up};

/// What the service is called on the screen.
const NAME: &str = "echo-demo";

/// How the server lets itself be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::Args)]
pub struct Instrumentation {
    /// What collects and serves what there is to see
    #[arg(long, value_name = "WHICH", value_enum, default_value_t)]
    pub instrument: Instrument,

    /// How much the agent collects; console-subscriber knows one level only
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t)]
    pub detail: Detail,

    /// Where the agent has its other settings from
    #[arg(long, value_name = "FROM", value_enum, default_value_t)]
    pub settings: Settings,
}

/// Where the agent has those settings from that the server does not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Settings {
    /// Nowhere: they are the defaults
    #[default]
    Defaults,
    /// Its variables in the environment
    Environment,
}

/// What collects and serves what there is to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Instrument {
    /// holdup's own agent
    #[default]
    Agent,
    /// The stock subscriber of tokio-console
    ConsoleSubscriber,
    /// Nothing: what there is to see stands in the server's memory
    None,
}

/// How much the agent collects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Detail {
    /// Everything
    #[default]
    Full,
    /// What production can always afford
    Lean,
}

impl Instrumentation {
    /// The same as words of a command line.
    pub(crate) fn to_words(self) -> [String; 6] {
        let word = |value: Option<clap::builder::PossibleValue>| {
            value.map(|value| value.get_name().to_owned()).unwrap_or_default()
        };
        let (instrument, detail) = (word(self.instrument.to_possible_value()), word(self.detail.to_possible_value()));
        let settings = word(self.settings.to_possible_value());
        let [first, second, third] = ["--instrument", "--detail", "--settings"].map(str::to_owned);
        [first, instrument, second, detail, third, settings]
    }
}

/// What sees the server, for as long as this is kept.
#[derive(Debug)]
pub(crate) enum Seen {
    ByAgent(Agent),
    ByConsoleSubscriber,
    Unseen,
}

/// Installs the subscriber for the process, with a log on stderr when a filter asks for one, and serves the console on a
/// listener that is bound already. A later failure is sent to `stop`.
pub(crate) fn start(
    instrumentation: Instrumentation,
    log: Option<&str>,
    keeps: Keeps,
    listener: TcpListener,
    stop: mpsc::Sender<Stop>,
) -> Result<Seen, Error> {
    let Instrumentation { instrument, detail, settings } = instrumentation;
    match instrument {
        Instrument::Agent => {
            let detail = match detail {
                Detail::Full => holdup_agent::Detail::Full,
                Detail::Lean => holdup_agent::Detail::Lean,
            };
            let builder = match settings {
                Settings::Defaults => holdup_agent::builder(),
                Settings::Environment => holdup_agent::builder().from_env(),
            };
            let builder = builder.name(NAME).detail(detail).retention(keeps.retention).listener(listener);
            let agent = match (log_layer(log)?, keeps.filter) {
                (None, Filter::OfEachLayer) => builder.try_init()?,
                (layer, _) => {
                    builder.with_subscriber(Registry::default().with(keeps.level()).with(layer)).try_init()?
                }
            };
            Ok(Seen::ByAgent(agent))
        }
        Instrument::ConsoleSubscriber => {
            console::serve(console::install(log_layer(log)?, keeps)?, listener, stop)?;
            Ok(Seen::ByConsoleSubscriber)
        }
        // The listener is let go of: nothing is served.
        Instrument::None => {
            Registry::default().with(log_layer(log)?).init();
            Ok(Seen::Unseen)
        }
    }
}

/// The log on stderr.
fn log_layer<S>(log: Option<&str>) -> Result<Option<impl Layer<S> + Send + Sync + use<S>>, Error>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    log.map(|filter| {
        let parsed = Targets::from_str(filter)
            .map_err(|reason| Error::LogFilter { filter: filter.to_owned(), reason: reason.to_string() })?;
        let layer = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
        Ok(layer.with_filter(parsed))
    })
    .transpose()
}

impl Seen {
    /// Hooks into the service's runtime, which is about to be built.
    pub(crate) fn prepare(&self, builder: &mut Builder) {
        if let Self::ByAgent(agent) = self {
            agent.instrument(builder);
        }
    }

    /// Gets ready for the service's runtime, before there is anything to see.
    pub(crate) fn meet(&self, service: &Handle) -> Result<(), Error> {
        match self {
            Self::ByAgent(agent) => {
                agent.runtime("echo", service);
                Ok(())
            }
            Self::Unseen => Ok(()),
            Self::ByConsoleSubscriber => warm_up::run(service).map_err(Error::io("warm up the console")),
        }
    }
}
