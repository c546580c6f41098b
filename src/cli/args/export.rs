//! The arguments of what tells others of targets.

#![allow(
    clippy::doc_markdown,
    rustdoc::bare_urls,
    rustdoc::broken_intra_doc_links,
    reason = "the comments on arguments are the help, which is shown as it is written"
)]

use super::{CredentialArgs, FileArgs, LintArgs};
#[cfg(feature = "otlp")]
use crate::{
    cli::choice::{CompressionChoice, wait},
    export::Endpoint,
};
use crate::{
    cli::choice::{MemoryBound, Size},
    source::Target,
};
#[cfg(feature = "otlp")]
use clap::ArgGroup;
use clap::ValueHint;
#[cfg(feature = "otlp")]
use std::time::Duration;
use std::{net::SocketAddr, path::PathBuf};

/// How often metrics may be told.
#[cfg(feature = "otlp")]
fn every(typed: &str) -> Result<Duration, String> {
    let every = wait(typed)?;
    let may_be = Duration::from_secs(1)..=Duration::from_secs(3_600);
    if may_be.contains(&every) { Ok(every) } else { Err("it is to be from 1s to 1h".to_owned()) }
}

/// What is kept of one target, where nobody says.
pub(in crate::cli) const MAX_MEMORY: MemoryBound = MemoryBound(Size(16 << 20));

/// `holdup export`.
#[derive(Debug, clap::Args)]
#[cfg_attr(feature = "otlp", command(group(ArgGroup::new("to").args(["prometheus", "otlp"]).required(true).multiple(true))))]
pub struct ExportArgs {
    /// Services and processes, as for the live view
    #[arg(value_name = "TARGET", value_hint = ValueHint::Url, required_unless_present = "list")]
    pub targets: Vec<Target>,

    /// A file with a target in each line, or Prometheus' file_sd as JSON, whose labels are kept; it is read again when it changes
    #[arg(long = "targets", id = "list", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub list: Option<PathBuf>,

    /// Where Prometheus asks, as in 127.0.0.1:9670: there are /metrics, /-/healthy and /-/ready
    #[arg(long, value_name = "ADDR")]
    #[cfg_attr(not(feature = "otlp"), arg(required = true))]
    pub prometheus: Option<SocketAddr>,

    /// Tell a collector of OpenTelemetry by gRPC, as in http://127.0.0.1:4317; headers are taken from OTEL_EXPORTER_OTLP_HEADERS
    #[cfg(feature = "otlp")]
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub otlp: Option<Endpoint>,

    /// How often metrics are told by OTLP; findings are as they begin and end
    #[cfg(feature = "otlp")]
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = every, requires = "otlp")]
    pub otlp_interval: Duration,

    /// The authority that signed the collector's certificate, as a PEM file [default: that of OTEL_EXPORTER_OTLP_CERTIFICATE, or those of the system]
    #[cfg(feature = "otlp")]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "otlp")]
    pub otlp_ca: Option<PathBuf>,

    /// Whether what is told by OTLP is compressed [default: as OTEL_EXPORTER_OTLP_COMPRESSION says, or none]
    #[cfg(feature = "otlp")]
    #[arg(long, value_name = "HOW", value_enum, requires = "otlp")]
    pub otlp_compression: Option<CompressionChoice>,

    /// Let the address be one that other machines reach, of whom nobody is asked who they are
    #[arg(long)]
    pub insecure: bool,

    /// How much memory what is known of each target may take; what is over goes first [default: 16MiB]
    #[arg(long, value_name = "SIZE")]
    pub max_memory: Option<MemoryBound>,

    /// Which lints run.
    #[command(flatten)]
    pub lints: LintArgs,
    /// Who the client is, and whom it believes.
    #[command(flatten)]
    pub credentials: CredentialArgs,
    /// The log and the configuration file.
    #[command(flatten)]
    pub files: FileArgs,
}

/// `holdup mcp`.
#[cfg(feature = "mcp")]
#[derive(Debug, clap::Args)]
pub struct McpArgs {
    /// What the assistant may look at, and nothing else: services, processes, core files and recordings
    #[arg(value_name = "TARGET", value_hint = ValueHint::Url, required_unless_present = "list")]
    pub targets: Vec<Target>,

    /// A file with more of them: one in each line, or Prometheus' file_sd as JSON
    #[arg(long = "targets", id = "list", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub list: Option<PathBuf>,

    /// Who the client is, and whom it believes.
    #[command(flatten)]
    pub credentials: CredentialArgs,
    /// The log and the configuration file.
    #[command(flatten)]
    pub files: FileArgs,
}
