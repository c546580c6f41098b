//! `holdup export`: metrics of many targets for Prometheus and for collectors of OpenTelemetry, until somebody asks it to stop.

use super::{
    Error, Outcome,
    args::{ExportArgs, MAX_MEMORY},
    config::{Config, ConfigError},
    log, watch,
};
#[cfg(feature = "otlp")]
use crate::export::{EndpointError, OtlpPlan};
use crate::{
    export::{self, Listen, Plan, Reach, Watching},
    model::Retention,
    source::{self, Beside, MemoryOptions},
};

/// OpenTelemetry's own variable. No argument: whoever lists processes would read it.
#[cfg(feature = "otlp")]
const HEADERS: &str = "OTEL_EXPORTER_OTLP_HEADERS";

/// Tasks that have ended, and resources that were dropped, of which more are not kept for their time.
const MOST_OVER: usize = 10_000;

/// Runs the subcommand: where it listens, and what of a list cannot be used, is said on stderr.
pub(super) fn run(args: &ExportArgs, mut config: Config) -> Result<Outcome, Error> {
    config.apply_lints(&args.lints)?;
    config.apply_credentials(args.credentials.clone());
    config.apply_files(&args.files);
    config.credentials.check().map_err(ConfigError::from)?;
    log::start(&config.log, |text| log::on_stderr(&text))?;
    // Each target is told by one who tells, so that what is told of it does not depend on where it runs.
    let memory = MemoryOptions { beside: Beside::Forbidden, ..config.memory.clone() };
    let reach = if args.insecure { Reach::Anyone } else { Reach::Loopback };
    let plan = Plan {
        targets: args.targets.clone(),
        list: args.list.clone(),
        prometheus: args.prometheus.map(|address| Listen { address, reach }),
        #[cfg(feature = "otlp")]
        otlp: otlp(args).map_err(|error| Error::Export(error.into()))?,
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

/// The collector that is told, if one is, with what is shown to it.
#[cfg(feature = "otlp")]
fn otlp(args: &ExportArgs) -> Result<Option<OtlpPlan>, EndpointError> {
    let Some(endpoint) = args.otlp.clone() else { return Ok(None) };
    let endpoint = match args.otlp_ca.clone() {
        Some(ca) => endpoint.with_ca(ca)?,
        None => endpoint,
    };
    let headers = std::env::var(HEADERS).unwrap_or_default().parse()?;
    Ok(Some(OtlpPlan { endpoint, headers, every: args.otlp_interval }))
}
