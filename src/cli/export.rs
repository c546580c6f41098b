//! `holdup export`: metrics of many targets for Prometheus, until somebody asks it to stop.

use super::{
    Error, Outcome,
    args::{ExportArgs, MAX_MEMORY},
    config::{Config, ConfigError},
    log, watch,
};
use crate::{
    export::{self, Plan, Reach, Watching},
    model::Retention,
    source::{self, Beside, MemoryOptions},
};

/// Tasks that have ended, and resources that were dropped, of which more are not kept for their time.
const MOST_OVER: usize = 10_000;

/// Runs the subcommand: where it listens, and what of a list cannot be used, is said on stderr.
pub(super) fn run(args: &ExportArgs, config: &Config) -> Result<Outcome, Error> {
    config.credentials.check().map_err(ConfigError::from)?;
    log::start(&config.log, |text| log::on_stderr(&text))?;
    // Each target is told by one who tells, so that what is told of it does not depend on where it runs.
    let memory = MemoryOptions { beside: Beside::Forbidden, ..config.memory.clone() };
    let plan = Plan {
        targets: args.targets.clone(),
        list: args.list.clone(),
        address: args.prometheus,
        reach: if args.insecure { Reach::Anyone } else { Reach::Loopback },
        watching: Watching {
            source: source::Options { memory, ..config.source() },
            settings: config.lints.clone(),
            retention: Retention {
                max_bytes: args.max_memory.unwrap_or(MAX_MEMORY).0.0,
                most: MOST_OVER,
                ..config.retention()
            },
        },
    };
    let runtime = super::runtime()?;
    let result = runtime.block_on(export::run(plan, watch::asked_to_stop(), log::on_stderr));
    // A link's background task may be in a name's resolution, which nobody waits for any more.
    runtime.shutdown_background();
    result.map(|()| Outcome::Done).map_err(Error::Export)
}
