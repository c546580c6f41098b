//! The arguments of what tells others of targets.

#![allow(
    clippy::doc_markdown,
    rustdoc::bare_urls,
    rustdoc::broken_intra_doc_links,
    reason = "the comments on arguments are the help, which is shown as it is written"
)]

use super::{CredentialArgs, FileArgs, LintArgs};
use crate::{
    cli::choice::{MemoryBound, Size},
    source::Target,
};
use clap::ValueHint;
use std::{net::SocketAddr, path::PathBuf};

/// What is kept of one target, where nobody says.
pub(in crate::cli) const MAX_MEMORY: MemoryBound = MemoryBound(Size(16 << 20));

/// `holdup export`.
#[derive(Debug, clap::Args)]
pub struct ExportArgs {
    /// Services and processes, as for the live view
    #[arg(value_name = "TARGET", value_hint = ValueHint::Url, required_unless_present = "list")]
    pub targets: Vec<Target>,

    /// A file with a target in each line, or Prometheus' file_sd as JSON, whose labels are kept; it is read again when it changes
    #[arg(long = "targets", id = "list", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub list: Option<PathBuf>,

    /// Where Prometheus asks, as in 127.0.0.1:9670: there are /metrics, /-/healthy and /-/ready
    #[arg(long, value_name = "ADDR")]
    pub prometheus: SocketAddr,

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
