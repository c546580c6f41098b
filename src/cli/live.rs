//! The live view: what is needed before the screen can be taken over.

use super::{Environment, Error, Outcome, config::Config, log};
use crate::{
    source::{Beside, ListedTarget, Target},
    terminal::{self, Many, Switchboard},
};
use std::io::{self, IsTerminal};

/// Whether there is a terminal to draw on and to read keys from.
pub(super) fn has_terminal() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Runs it until the user quits.
pub(super) fn run(config: &Config, environment: &Environment) -> Result<Outcome, Error> {
    run_with(config, environment, None)
}

/// The same; with a switchboard, on the demo's tour.
pub(super) fn run_with(
    config: &Config,
    environment: &Environment,
    switchboard: Option<Switchboard>,
) -> Result<Outcome, Error> {
    if !has_terminal() {
        return Err(Error::NoTerminal(config.target.clone()));
    }
    config.check_credentials()?;
    let (tell, told) = tokio::sync::oneshot::channel();
    log::start(&config.log, |text| drop(tell.send(text)))?;
    let runtime = super::runtime()?;
    let viewing = terminal::run(
        config.target.clone(),
        config.source(),
        config.app(environment),
        config.past(),
        told,
        switchboard,
    );
    let result = runtime.block_on(viewing);
    // The link's background task may be in a name's resolution, which nobody waits for any more.
    runtime.shutdown_background();
    result.map(|()| Outcome::Done).map_err(Error::Terminal)
}

/// The same of many targets at once.
pub(super) fn run_fleet(
    targets: Vec<ListedTarget>,
    config: &Config,
    environment: &Environment,
) -> Result<Outcome, Error> {
    if let Some(recording) = targets.iter().find(|listed| matches!(listed.target, Target::Recording(_))) {
        return Err(Error::NotAmongMany(recording.target.clone()));
    }
    if !has_terminal() {
        return Err(Error::NoTerminalForMany);
    }
    config.check_credentials_for(targets.iter().map(|listed| &listed.target))?;
    let (tell, told) = tokio::sync::oneshot::channel();
    log::start(&config.log, |text| drop(tell.send(text)))?;
    let mut source = config.source();
    if source.memory.beside == Beside::Allowed {
        // To read the memory of each of hundreds of processes beside what it tells takes more than all else.
        source.memory.beside = Beside::OnRequest;
    }
    let many = Many { targets, source, past: config.past(), options: config.app(environment) };
    let runtime = super::runtime()?;
    let result = runtime.block_on(terminal::run_fleet(many, told));
    runtime.shutdown_background();
    result.map(|()| Outcome::Done).map_err(Error::Terminal)
}
