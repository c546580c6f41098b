//! Serves the console, `console-subscriber` unmodified, from a thread and a runtime of its own.
//!
//! It must know nothing of the service's runtime: it has to answer while every worker of that is stuck.

use std::{net::TcpListener, thread, time::Duration};

use console_subscriber::{ConsoleLayer, Server, ServerParts};
use tokio::sync::mpsc;
use tokio_stream::wrappers::TcpListenerStream;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{
    Layer, Registry,
    filter::{Filtered, Targets},
    layer::{Layered, SubscriberExt},
    util::SubscriberInitExt,
};

use crate::{Error, keeps::Keeps, silent, stop::Stop};

/// How often updates are published. Shorter than console-subscriber's own second, because what it has collected it takes
/// out of its buffer only then, and only [`EVENTS_PER_PUBLISH`] at a time: whatever emits more is shown ever later.
pub(crate) const PUBLISH_INTERVAL: Duration = Duration::from_millis(50);

/// How many events (tasks spawned, resources made, lock operations and their polls) console-subscriber 0.5 takes out of
/// its buffer for each publish: one task's budget of 128 steps between two yields, less the one for the timer.
pub(crate) const EVENTS_PER_PUBLISH: u32 = 127;

/// What is below the log.
type Filtering = Layered<LevelFilter, Registry>;
pub(crate) type Seeing = Layered<Filtered<ConsoleLayer, Targets, Filtering>, Filtering>;

/// Installs the subscriber for the process: the console, and a log if there is to be one.
pub(crate) fn install<L>(log: L, keeps: Keeps) -> Result<Server, Error>
where
    L: Layer<Seeing> + Send + Sync,
{
    let (layer, server) = ConsoleLayer::builder().publish_interval(PUBLISH_INTERVAL).retention(keeps.retention).build();
    let instrumentation =
        Targets::new().with_target("tokio", LevelFilter::TRACE).with_target("runtime", LevelFilter::TRACE);
    let registry = tracing_subscriber::registry().with(keeps.level());
    registry.with(layer.with_filter(instrumentation)).with(log).try_init()?;
    Ok(server)
}

/// Serves the console on a listener that is bound already, until the process ends. A failure is sent to `stop`.
pub(crate) fn serve(server: Server, listener: TcpListener, stop: mpsc::Sender<Stop>) -> Result<(), Error> {
    listener.set_nonblocking(true).map_err(Error::io("prepare the console's listener"))?;
    let runtime = silent::runtime("build the console's runtime")?;
    thread::Builder::new()
        .name("console".to_owned())
        .spawn(move || {
            // The console's own tasks are none of the service's, and watching itself would never come to rest.
            let _silent = silent::here();
            let Err(reason) = runtime.block_on(answer(server, listener)) else {
                return;
            };
            // The receiver is gone only when the process is already stopping.
            let _ = stop.blocking_send(Stop::ConsoleFailed(reason));
        })
        .map_err(Error::io("start the console's thread"))?;
    Ok(())
}

async fn answer(server: Server, listener: TcpListener) -> Result<(), String> {
    let listener = tokio::net::TcpListener::from_std(listener).map_err(|error| error.to_string())?;
    let ServerParts { instrument_server, aggregator, .. } = server.into_parts();
    tokio::spawn(aggregator.run());
    tonic::transport::Server::builder()
        .add_service(instrument_server)
        .serve_with_incoming(TcpListenerStream::new(listener))
        .await
        .map_err(|error| error.to_string())
}
