//! `holdup export`: metrics of many targets for Prometheus and for collectors of OpenTelemetry, until somebody asks it to stop.

#[cfg(feature = "otlp")]
use super::choice::{CompressionChoice, by_name};
use super::{
    Error, Outcome,
    args::{ExportArgs, MAX_MEMORY},
    config::{Config, ConfigError},
    log, watch,
};
#[cfg(feature = "otlp")]
use crate::export::{Compression, EndpointError, OtlpPlan};
use crate::{
    export::{self, Listen, Plan, Reach, Watching},
    model::Retention,
    source::{self, Beside, MemoryOptions},
};

/// OpenTelemetry's own variables. Headers are no argument: whoever lists processes would read them.
#[cfg(feature = "otlp")]
const HEADERS: &str = "OTEL_EXPORTER_OTLP_HEADERS";
#[cfg(feature = "otlp")]
const CERTIFICATE: &str = "OTEL_EXPORTER_OTLP_CERTIFICATE";
#[cfg(feature = "otlp")]
const COMPRESSION: &str = "OTEL_EXPORTER_OTLP_COMPRESSION";

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

/// The collector that is told, if one is, with what is shown to it. What is typed counts more than OpenTelemetry's own variables, which may be there for others.
#[cfg(feature = "otlp")]
fn otlp(args: &ExportArgs) -> Result<Option<OtlpPlan>, EndpointError> {
    let Some(endpoint) = args.otlp.clone() else { return Ok(None) };
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let endpoint = match (&args.otlp_ca, variable(CERTIFICATE)) {
        (Some(ca), _) => endpoint.with_ca(ca.clone())?,
        (None, Some(ca)) if endpoint.is_secure() => endpoint.with_ca(ca.into())?,
        _ => endpoint,
    };
    let compression = match (args.otlp_compression, variable(COMPRESSION)) {
        (Some(choice), _) => choice.compression(),
        (None, Some(name)) => {
            let choice = by_name::<CompressionChoice>(&name);
            choice.map_err(|wrong| EndpointError::Compression(format!("{COMPRESSION}: {wrong}")))?.compression()
        }
        (None, None) => Compression::None,
    };
    let headers = variable(HEADERS).unwrap_or_default().parse()?;
    Ok(Some(OtlpPlan { endpoint, headers, every: args.otlp_interval, compression }))
}
