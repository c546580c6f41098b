//! `holdup tree`: every chain of a process as text or as JSON, equal ones together.

use super::{
    Environment, Error, Outcome,
    args::TreeArgs,
    config::Config,
    log, out, recorded,
    watch::{self, Plan},
};
use crate::{
    report::{TreeOf, tree},
    source::Target,
};
use std::time::Duration;

/// What two looks agree on is believed, so that a process is looked at for a little longer than the time from one to the next.
const WINDOW: Duration = Duration::from_millis(700);

/// How long the first look may take: gigabytes of debug information are gone through in some seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the subcommand.
pub(super) fn run(args: &TreeArgs, config: &Config, environment: &Environment) -> Result<Outcome, Error> {
    log::start(&config.log, |text| log::on_stderr(&text))?;
    if matches!(config.target, Target::Tcp { .. } | Target::Tls { .. } | Target::Unix(_)) {
        return Err(Error::NoMemory(config.target.clone()));
    }
    let is_over = matches!(config.target, Target::Core(_));
    let plan = Plan::new(&config.target, config, if is_over { Duration::ZERO } else { WINDOW }, PATIENCE);
    let (runtime, observed) = recorded::watch(&plan, args.at)?;
    if observed.session.model().outlined().is_some() {
        return Err(Error::Recording(
            "of that instant no more is kept than findings, what they name, and sums: `holdup check` tells what was found".into(),
        ));
    }
    let told = TreeOf::new(&plan.target, &observed).ok_or_else(|| Error::NoMemory(plan.target.clone()))?;
    let text = if args.json { told.to_json() } else { tree::render(&told, environment.charset(&config.screen)) };
    let printed = out::print(&text);
    if let Some(runtime) = runtime {
        watch::keep(runtime);
    }
    printed?;
    Ok(Outcome::Done)
}
