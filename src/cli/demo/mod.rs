//! `holdup demo`: the bundled echo server as a child process, and the live view on it.

#[cfg(feature = "demo")]
mod server;

use super::{Environment, Error, Outcome, args::DemoArgs, config::Config};
#[cfg(feature = "demo")]
use crate::terminal::Turn;
use std::io;

/// Why there is no demo.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// Built without it.
    #[error("this holdup was built without the demo; build it with `--features demo`, or watch a service of your own")]
    NotBuilt,
    /// The server's process could not be started.
    #[error("cannot start the demo server: {0}")]
    Start(io::Error),
    /// The server ended before it listened.
    #[error("the demo server did not start: {0}")]
    Ended(String),
    /// The server said nothing for too long.
    #[error("the demo server did not say where it listens within {0:?}")]
    Silent(std::time::Duration),
}

/// Runs the demo until the user quits; the server ends with it.
#[cfg(feature = "demo")]
pub(super) fn run(args: &DemoArgs, mut config: Config, environment: &Environment) -> Result<Outcome, Error> {
    if args.list {
        return demo_server::run(server::args(args)).map(|()| Outcome::Done).map_err(Error::DemoServer);
    }
    if !super::live::has_terminal() {
        return Err(Error::NoTerminalForDemo);
    }
    let mut server = server::Server::start(&server::args(args))?;
    config.target = server.target();
    if !args.tour {
        return super::live::run(&config, environment);
    }
    let mut switchboard = server.switchboard();
    switchboard(crate::app::STOPS[0].trouble, Turn::On);
    super::live::run_with(&config, environment, Some(switchboard))
    // Here, and wherever a panic unwinds to, the server is dropped, and with it its process.
}

/// Says that there is none.
#[cfg(not(feature = "demo"))]
pub(super) fn run(_: &DemoArgs, _: Config, _: &Environment) -> Result<Outcome, Error> {
    Err(DemoError::NotBuilt.into())
}
