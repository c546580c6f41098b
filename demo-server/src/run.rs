//! Starts everything in order, waits for a reason to stop, and stops within a bound.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use tokio::{
    runtime::{Builder, Handle, Runtime},
    sync::mpsc,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::info;

use crate::{
    Args, Ctx, Error, Filter, Kind, Listening, Processors, Scenario,
    args::ALL,
    echo,
    instrument::{self, Instrument, Seen},
    keeps::Keeps,
    list, load, scenario, scenarios, silent,
    stop::{self, Signals, Stop},
    switches::Switches,
    unstable::{hand_over_the_driver, spawn_named},
};

/// How long open connections may take to end.
const CONNECTIONS_GRACE: Duration = Duration::from_secs(1);

/// How long the workers may take to end after that. A trouble may never yield; then the process ends without them.
const WORKERS_GRACE: Duration = Duration::from_millis(500);

/// Runs the server until ctrl-c, SIGTERM or, with [`Args::exit_with_stdin`], the end of stdin.
///
/// Blocks the calling thread, which must not be inside a runtime. It installs a `tracing` subscriber for the whole
/// process, and may return with threads left over that a trouble keeps busy: it is meant for a process of its own, which
/// ends next.
pub fn run(args: Args) -> Result<(), Error> {
    let Args { echo_addr, console_addr, workers, scenario: names, instrumentation, load, log, list, exit_with_stdin } =
        args;
    if list {
        return list::print().map_err(Error::io("print the scenarios"));
    }
    if !cfg!(tokio_unstable) && instrumentation.instrument != Instrument::None {
        return Err(Error::NotInstrumented);
    }

    let echo_listener = bind("echo clients", echo_addr, "--echo-addr")?;
    let console_listener = bind("the console", console_addr, "--console-addr")?;
    let echo_addr = echo_listener.local_addr().map_err(Error::io("read the echo address"))?;
    let console_addr = console_listener.local_addr().map_err(Error::io("read the console's address"))?;

    let instrument = instrumentation.instrument;
    let chosen = chosen(&names);
    let (stop_sender, stop_receiver) = mpsc::channel(4);
    let keeps = Keeps { retention: retention(&chosen), filter: filter(&chosen) };
    let seen = instrument::start(instrumentation, log.as_deref(), keeps, console_listener, stop_sender.clone())?;
    let service = Service::new(usize::from(workers) + more_workers(&names, &chosen), &seen)?;
    seen.meet(&service.handle)?;
    let seen = Arc::new(seen);
    if exit_with_stdin {
        stop::with_stdin(stop_sender, Switches::new(service.handle.clone(), &seen))?;
    }
    let ctx = Ctx::new(service.handle.clone(), seen);
    let tracker = TaskTracker::new();
    start_echo(&service.handle, echo_listener, &ctx.shutdown, &tracker)?;
    for scenario in &chosen {
        info!(scenario.name, "switched on");
        (scenario.start)(&ctx).map_err(Error::io("start a scenario"))?;
    }
    load::start(load, echo_addr)?;

    // On a runtime that is none of the service's: it must neither be seen by a console nor have to wait for a worker. And
    // before anybody is told that the server is there, since a signal that comes next must not be its sudden end.
    let control = silent::runtime("build the control runtime")?;
    let signals = {
        let _in_runtime = control.enter();
        Signals::catch().map_err(Error::io("catch signals"))?
    };
    for line in listening(echo_addr, console_addr, instrument) {
        line.print().map_err(Error::io("print where the server listens"))?;
    }

    let stopped = wait_and_drain(&control, stop::wait(signals, stop_receiver), &ctx, &tracker);
    match stopped {
        Stop::Asked => Ok(()),
        Stop::ConsoleFailed(reason) => Err(Error::Console(reason)),
    }
}

/// What is said to listen: without instrumentation there is no console.
fn listening(echo: SocketAddr, console: SocketAddr, instrument: Instrument) -> Vec<Listening> {
    match instrument {
        Instrument::None => vec![Listening::Echo(echo)],
        Instrument::Agent | Instrument::ConsoleSubscriber => vec![Listening::Echo(echo), Listening::Console(console)],
    }
}

/// Blocks the calling thread until there is a reason to stop, then lets the open connections end.
fn wait_and_drain(control: &Runtime, stop: impl Future<Output = Stop>, ctx: &Ctx, tracker: &TaskTracker) -> Stop {
    let _silent = silent::here();
    control.block_on(async {
        let stopped = stop.await;
        ctx.shutdown.cancel();
        tracker.close();
        // Connections that are still open after that are cut off with their runtime.
        let _ = tokio::time::timeout(CONNECTIONS_GRACE, tracker.wait()).await;
        stopped
    })
}

fn bind(service: &'static str, addr: SocketAddr, flag: &'static str) -> Result<TcpListener, Error> {
    TcpListener::bind(addr).map_err(|source| Error::Bind { service, addr, flag, source })
}

/// The scenarios by their names, each once; the names were checked when the command line was parsed.
fn chosen(names: &[String]) -> Vec<&'static Scenario> {
    if names.iter().any(|name| name == ALL) {
        return scenarios().iter().filter(|scenario| is_of_all(scenario)).collect();
    }
    let mut chosen: Vec<&'static Scenario> = Vec::new();
    for found in names.iter().filter_map(|name| scenario(name)) {
        if !chosen.iter().any(|known| known.name == found.name) {
            chosen.push(found);
        }
    }
    chosen
}

/// Whether a scenario is one of `all`: a trouble, and none of which every other one would be full.
fn is_of_all(scenario: &Scenario) -> bool {
    scenario.kind == Kind::Trouble && scenario.processors == Processors::Left
}

/// Workers on top of those asked for: under `all` as many as the troubles keep to themselves, so that the echo is still
/// answered.
fn more_workers(names: &[String], chosen: &[&Scenario]) -> usize {
    if names.iter().any(|name| name == ALL) { chosen.iter().map(|scenario| scenario.keeps_workers).sum() } else { 0 }
}

fn retention(chosen: &[&Scenario]) -> Duration {
    chosen.iter().map(|scenario| scenario.retention).min().unwrap_or_default()
}

fn filter(chosen: &[&Scenario]) -> Filter {
    chosen.iter().map(|scenario| scenario.filter).min().unwrap_or(Filter::OfEachLayer)
}

/// The service's runtime. However `run` ends, dropping it waits no longer than [`WORKERS_GRACE`] for its workers.
struct Service {
    handle: Handle,
    runtime: Option<Runtime>,
}

impl Service {
    fn new(workers: usize, seen: &Seen) -> Result<Self, Error> {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(workers).thread_name("demo-worker").enable_io().enable_time();
        hand_over_the_driver(&mut builder);
        seen.prepare(&mut builder);
        let runtime = builder.build().map_err(Error::io("build the service's runtime"))?;
        Ok(Self { handle: runtime.handle().clone(), runtime: Some(runtime) })
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(WORKERS_GRACE);
        }
    }
}

fn start_echo(
    service: &Handle,
    listener: TcpListener,
    shutdown: &CancellationToken,
    tracker: &TaskTracker,
) -> Result<(), Error> {
    listener.set_nonblocking(true).map_err(Error::io("prepare the echo listener"))?;
    let listener = {
        let _in_runtime = service.enter();
        tokio::net::TcpListener::from_std(listener).map_err(Error::io("register the echo listener"))?
    };
    // In a box, as connections are: a future of over 1 KiB would be a finding of its own.
    let serving = Box::pin(echo::serve(listener, shutdown.clone(), tracker.clone()));
    spawn_named(service, "echo-acceptor", tracker.track_future(serving)).map_err(Error::io("spawn the echo acceptor"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(words: &[&str]) -> Vec<&'static str> {
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        chosen(&words).iter().map(|scenario| scenario.name).collect()
    }

    #[test]
    fn a_scenario_named_twice_starts_once() {
        assert_eq!(names(&["deadlock", "churn", "deadlock"]), ["deadlock", "churn"]);
    }

    #[test]
    fn all_is_every_trouble_that_leaves_a_processor_to_others_and_no_control() {
        let all = names(&["all"]);
        for scenario in scenarios().iter().filter(|scenario| scenario.name != "short-of-processors") {
            assert_eq!(all.contains(&scenario.name), scenario.kind == Kind::Trouble, "{}", scenario.name);
        }
        assert!(!all.contains(&"short-of-processors"));
    }

    #[test]
    fn where_nothing_is_instrumented_no_console_is_said_to_listen() {
        let [echo, console] = [1, 2].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        assert_eq!(listening(echo, console, Instrument::None), [Listening::Echo(echo)]);
        assert_eq!(listening(echo, console, Instrument::Agent).len(), 2);
    }
}
