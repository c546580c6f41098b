//! The arguments of what writes and reads recordings.

#![allow(
    clippy::doc_markdown,
    rustdoc::bare_urls,
    rustdoc::broken_intra_doc_links,
    reason = "the comments on arguments are the help, which is shown as it is written"
)]

use super::{FileArgs, LinkArgs, LintArgs, ScreenArgs, SymbolArgs};
use crate::{
    cli::choice::{AlarmOn, DiffFormat, FailOn, Percent, RecordedAt, Size, wait},
    source::Target,
};
use clap::ValueHint;
use std::path::PathBuf;

/// How a target is watched, of which nothing is shown meanwhile.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct WatchArgs {
    /// Which lints run.
    #[command(flatten)]
    pub lints: LintArgs,
    /// The connection and what is kept.
    #[command(flatten)]
    pub link: LinkArgs,
    /// What is needed of the executable.
    #[command(flatten)]
    pub symbols: SymbolArgs,
    /// The log and the configuration file.
    #[command(flatten)]
    pub files: FileArgs,
}

/// `holdup record`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit status: 0 when it was recorded as asked, 2 when it could not be, 3 when the target could not be reached, or was lost and \
    had not come back at the end; what was recorded until then is kept."
)]
pub struct RecordArgs {
    /// The service or process to record, as for the live view [default: http://127.0.0.1:6669]
    #[arg(value_hint = ValueHint::Url)]
    pub target: Option<Target>,

    /// The file to write; nobody but you may read it, and one that is there is not written over
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath, default_value = "recording.holdup")]
    pub output: PathBuf,

    /// How long to record, from the first update on [default: until ctrl-c]
    #[arg(long = "for", value_name = "DURATION", value_parser = wait, allow_hyphen_values = true)]
    pub window: Option<std::time::Duration>,

    /// How much to keep, as in 1GiB: in eight pieces, FILE.0001 and so on, of which the oldest goes; a piece has at least what is known when it begins
    #[arg(long = "max-size", value_name = "SIZE")]
    pub most: Option<Size>,

    /// Write what the service's agent has kept by itself until now (HOLDUP_HISTORY), and exit; of a file that an agent wrote, the same
    #[arg(long, conflicts_with_all = ["window", "most", "on_finding"])]
    pub past: bool,

    /// Keep only what surrounds a finding that begins: a lint, or `note`, `warning` or `critical` for all that are as bad; a file for each
    #[arg(long, value_name = "LINT|SEVERITY")]
    pub on_finding: Option<AlarmOn>,

    /// How much to keep of what was before that
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = wait, allow_hyphen_values = true, requires = "on_finding")]
    pub before: std::time::Duration,

    /// How much to keep of what comes after it
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = wait, allow_hyphen_values = true, requires = "on_finding")]
    pub after: std::time::Duration,

    /// How long the target may take until it sends its first update
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = wait, allow_hyphen_values = true)]
    pub connect_timeout: std::time::Duration,

    /// How the target is watched.
    #[command(flatten)]
    pub watch: WatchArgs,
}

/// `holdup replay`.
#[derive(Debug, clap::Args)]
pub struct ReplayArgs {
    /// The recording; or its pieces, or the folder that they are in
    #[arg(value_name = "FILE", value_hint = ValueHint::AnyPath, required = true)]
    pub recording: Vec<PathBuf>,

    /// The instant to begin with: 2026-11-28T03:12:05Z, -90s before the end, or +5m after the beginning [default: the beginning]
    #[arg(long, value_name = "INSTANT", allow_hyphen_values = true)]
    pub at: Option<RecordedAt>,

    /// How it looks.
    #[command(flatten)]
    pub screen: ScreenArgs,
    /// The log and the configuration file.
    #[command(flatten)]
    pub files: FileArgs,
}

/// `holdup diff`.
#[derive(Debug, clap::Args)]
pub struct DiffArgs {
    /// How it was: a recording, by its file
    #[arg(value_name = "BEFORE", value_hint = ValueHint::FilePath, required_unless_present = "print_schema")]
    pub before: Option<Target>,

    /// How it is: another recording, or a service or process, as for the live view
    #[arg(value_name = "AFTER", value_hint = ValueHint::FilePath, required_unless_present = "print_schema")]
    pub after: Option<Target>,

    /// How long to watch a live target, from the first update on
    #[arg(long = "for", value_name = "DURATION", default_value = "30s", value_parser = wait, allow_hyphen_values = true)]
    pub window: std::time::Duration,

    /// How to print what differs
    #[arg(long, value_enum, default_value_t)]
    pub format: DiffFormat,

    /// Tell of what has changed by this much of what it was
    #[arg(long, value_name = "PERCENT", default_value = "10%")]
    pub change: Percent,

    /// And, of times, by this much
    #[arg(long, value_name = "DURATION", default_value = "100us", value_parser = wait, allow_hyphen_values = true)]
    pub time: std::time::Duration,

    /// And, of shares, by this much: of one worker's time, and of a lock's acquisitions
    #[arg(long, value_name = "PERCENT", default_value = "1%")]
    pub part: Percent,

    /// Exit with 1 when a measure is worse, or a finding that is new or worse is at least this bad
    #[arg(long, value_enum, value_name = "SEVERITY", default_value_t)]
    pub fail_on: FailOn,

    /// How long a live target may take until it sends its first update
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = wait, allow_hyphen_values = true)]
    pub connect_timeout: std::time::Duration,

    /// Print the JSON Schema of `--format json`, and exit
    #[arg(long)]
    pub print_schema: bool,

    /// How the target is watched.
    #[command(flatten)]
    pub watch: WatchArgs,
}

/// `holdup info`.
#[derive(Debug, clap::Args)]
pub struct InfoArgs {
    /// The recording
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,

    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}

/// `holdup share`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Kept as they are: lints, Tokio's and the kernel's own names, functions and paths of published crates and of the \
    standard library, numbers of lines, counts, sizes and how long things take. The same text has the same mark, in this file alone."
)]
pub struct ShareArgs {
    /// The recording; or its pieces, or the folder that they are in
    #[arg(value_name = "FILE", value_hint = ValueHint::AnyPath, required = true)]
    pub recording: Vec<PathBuf>,

    /// The file to write; one that is there is not written over
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: PathBuf,

    /// Keep what the clocks said; otherwise the recording begins at zero
    #[arg(long)]
    pub keep_time: bool,
}
