//! The command line: every flag, once. Parsing only; what it comes to is [`Config`](super::Config)'s business.

#![allow(
    clippy::doc_markdown,
    rustdoc::bare_urls,
    rustdoc::broken_intra_doc_links,
    reason = "the comments on arguments are the help, which is shown as it is written"
)]

mod export;
mod recordings;

#[cfg(feature = "mcp")]
pub(super) use export::McpArgs;
pub(super) use export::{ExportArgs, MAX_MEMORY};
pub(super) use recordings::{DiffArgs, InfoArgs, RecordArgs, ReplayArgs, ShareArgs, WatchArgs};

use super::choice::{
    FailOn, Format, HistoryFor, MemoryBound, PaletteChoice, RecordedAt, RetainFor, Size, ThresholdSetting, lint_names,
    wait,
};
use crate::source::Target;
use clap::{Parser, Subcommand, ValueHint};
use clap_complete::Shell;
use std::path::PathBuf;

/// Shows what is holding up a Tokio service: tasks, locks, and findings with evidence and advice.
#[derive(Debug, Parser)]
#[command(name = "holdup", version, max_term_width = 100, disable_help_subcommand = true, subcommand_precedence_over_arg = true, after_help = AFTER_HELP)]
pub struct Args {
    /// What to watch, all of it at once where it is more than one: a service by http://host:port, https://host:port, host:port, a DNS name or unix:///path; a process by its id or name:NAME; a core file by core:FILE [default: http://127.0.0.1:6669]
    #[arg(value_name = "TARGET", value_hint = ValueHint::Url, long_help = TARGET_HELP)]
    pub targets: Vec<Target>,

    /// Watch the targets of this file as well: one in each line, `#` before a comment, or Prometheus' file_sd as JSON, whose labels are shown
    #[arg(long = "targets", id = "list", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub list: Option<PathBuf>,

    /// What may stand before a subcommand as well.
    #[command(flatten)]
    pub options: Options,

    /// Something other than the live view.
    #[command(subcommand)]
    pub command: Option<Command>,
}

const TARGET_HELP: &str = "The service to watch: http://host:port, host:port, a DNS name, https://host:port for TLS, unix:///path or file:///path \
    [default: http://127.0.0.1:6669]\n\nAny service that serves the console's wire format can be watched, console-subscriber \
    unmodified included. Where a host has the name of a subcommand, write it with its scheme, as in http://check:6669.\n\nA process \
    of this machine is looked at by its id (4242, pid:4242) or by its name (name:orders), with nothing built into it: its memory \
    is read, and nothing in it is stopped or changed. core:FILE is a core file or a grab.\n\nOf several targets all are watched at once: \
    a list of them, the worst first, and one of the findings of all, out of which each is opened.";

const AFTER_HELP: &str = "Exit status: 0 when all is well, 1 when `check` found something or something is worse by `diff`, 2 when it could not be run as \
    asked, 3 when the target could not be reached or fell silent.\n\n`holdup explain` lists what is looked for, and \
    `holdup gen-config` every setting of the configuration file.";

/// The options of the live view, and of what prints a configuration.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Options {
    /// Which lints run.
    #[command(flatten)]
    pub lints: LintArgs,
    /// The connection and what is kept.
    #[command(flatten)]
    pub link: LinkArgs,
    /// How memory is read.
    #[command(flatten)]
    pub memory: MemoryArgs,
    /// How much of the past is kept.
    #[command(flatten)]
    pub past: PastArgs,
    /// How it looks.
    #[command(flatten)]
    pub screen: ScreenArgs,
    /// The log and the configuration file.
    #[command(flatten)]
    pub files: FileArgs,
}

/// How much of the past of what is watched is kept.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Connection")]
pub struct PastArgs {
    /// For how long what was shown can be gone back to, as in 10m, or `none`; it takes an eighth of --max-memory at most, and 64MiB [default: 10m]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub history: Option<HistoryFor>,
}

/// Which lints run, and from where on they fire.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Lints")]
pub struct LintArgs {
    /// Switch lints on, separated by commas; `all` is every one
    #[arg(
        short = 'W',
        long,
        value_name = "LINT",
        value_delimiter = ',',
        value_parser = lint_names(),
        hide_possible_values = true
    )]
    pub warn: Vec<String>,

    /// Switch lints off, separated by commas; with `all`, only those that --warn names are left
    #[arg(
        short = 'A',
        long,
        value_name = "LINT",
        value_delimiter = ',',
        value_parser = lint_names(),
        hide_possible_values = true
    )]
    pub allow: Vec<String>,

    /// Change a threshold, as in never-yields.warning=250ms; `holdup explain LINT` names them
    #[arg(long, value_name = "LINT.THRESHOLD=VALUE")]
    pub set: Vec<ThresholdSetting>,
}

/// The connection, and what is kept of what comes over it.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Connection")]
pub struct LinkArgs {
    /// How long ended tasks and dropped resources stay, as in 30s or 2m; `none` keeps them [default: 6s]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub retain_for: Option<RetainFor>,

    /// How much memory what is known of the target may take, as in 512MiB; what is over goes first [default: 512MiB]
    #[arg(long, value_name = "SIZE")]
    pub max_memory: Option<MemoryBound>,

    /// The largest single message that is accepted, as in 64MiB [default: 512MiB]
    #[arg(long, value_name = "SIZE")]
    pub max_message: Option<Size>,

    /// Do not ask a target that lags to catch up, which costs it a scan of its tasks each time
    #[arg(long)]
    pub no_catch_up: bool,

    /// Who the client is, and whom it believes.
    #[command(flatten)]
    pub credentials: CredentialArgs,
}

/// Who the client is to a target, and whom it believes.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Connection")]
pub struct CredentialArgs {
    /// A file whose first word is the token that the target asks for; nobody but its owner may read it [env: HOLDUP_TOKEN_FILE, or HOLDUP_TOKEN with the token itself]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub token_file: Option<PathBuf>,

    /// The authorities that are believed instead of the system's where the target is https://…, as PEM
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub ca: Option<PathBuf>,

    /// The certificate that shows who this client is, as PEM
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "key")]
    pub cert: Option<PathBuf>,

    /// The key of that certificate, as PEM
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "cert")]
    pub key: Option<PathBuf>,

    /// The name that the target's certificate must have, where it is not the host's
    #[arg(long, value_name = "NAME")]
    pub server_name: Option<String>,
}

/// How the memory of a process is read.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Memory")]
pub struct MemoryArgs {
    /// Where what is needed of the executable is.
    #[command(flatten)]
    pub symbols: SymbolArgs,

    /// What is read where it is asked for alone.
    #[command(flatten)]
    pub asked: AskedArgs,
}

/// Where what is needed of the executable is, and whether memory is read beside what a service tells.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Memory")]
pub struct SymbolArgs {
    /// A file with debug information of the executable, looked at first: of this build, or of another of the same source
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub debug: Option<PathBuf>,

    /// A layout that `holdup layout` made of the executable
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub layout: Option<PathBuf>,

    /// Do not read the memory of a service of this machine beside what it tells
    #[arg(long)]
    pub no_memory: bool,
}

/// What is read of memory where it is asked for alone.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Memory")]
pub struct AskedArgs {
    /// Tell what the frames of tasks hold, variables by name; memory holds secrets, and nothing of this is read otherwise
    #[arg(long)]
    pub values: bool,

    /// Read the stacks of running threads as well: each is stopped for that, for less than a millisecond
    #[arg(long)]
    pub stop: bool,
}

/// How it looks.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Screen")]
pub struct ScreenArgs {
    /// The colours to draw with [default: auto, from NO_COLOR, COLORTERM and TERM]
    #[arg(long, value_enum, value_name = "PALETTE", conflicts_with = "no_colors")]
    pub palette: Option<PaletteChoice>,

    /// Draw without colours, as --palette off does
    #[arg(long)]
    pub no_colors: bool,

    /// Take this for the value of COLORTERM; truecolor and 24bit stand for every colour
    #[arg(long, value_name = "VALUE")]
    pub colorterm: Option<String>,

    /// Take this for the terminal's language; one that ends in UTF-8 allows more than ASCII [default: LC_ALL, LC_CTYPE or LANG]
    #[arg(long, value_name = "LOCALE")]
    pub lang: Option<String>,

    /// Draw with ASCII characters alone
    #[arg(long)]
    pub ascii_only: bool,
}

/// The log, and the configuration file.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Files")]
pub struct FileArgs {
    /// Write holdup's own log, as in debug or holdup::source=trace [env: RUST_LOG] [default: off]
    #[arg(long, value_name = "FILTER")]
    pub log: Option<String>,

    /// Where the log files go; nothing is ever logged to the terminal [default: holdup/ in the state directory]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub log_dir: Option<PathBuf>,

    /// Read this configuration file alone, instead of holdup/holdup.toml in the configuration directory and ./holdup.toml
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
#[allow(
    clippy::large_enum_variant,
    reason = "there is one of it for each run; without the demo one variant stands out"
)]
pub enum Command {
    /// Start the bundled echo server with its troubles switched on, and watch it
    Demo(DemoArgs),
    /// Watch a target for a while without a terminal, and print what is wrong with it
    Check(Box<CheckArgs>),
    /// List the Tokio processes of this machine, with what can be read of each
    Ps(PsArgs),
    /// Print what every task of a process awaits, equal chains together: what one pastes into a ticket
    Tree(Box<TreeArgs>),
    /// Write a session to a file, without a terminal: all of it, the latest of it, or what surrounds a finding
    Record(Box<RecordArgs>),
    /// Show a recording on the screens of the live view, at any instant of it
    Replay(Box<ReplayArgs>),
    /// Compare two recordings, or one and a live target: what is worse, better, new or gone, by spawn location, lock and finding
    Diff(Box<DiffArgs>),
    /// Tell Prometheus, or a collector of OpenTelemetry, of many targets, stock consoles and processes among them, until ctrl-c
    Export(Box<ExportArgs>),
    /// Let an assistant look at these targets, by the Model Context Protocol on stdin and stdout
    #[cfg(feature = "mcp")]
    Mcp(Box<McpArgs>),
    /// Say what a recording is of, how long it is, and what of it is damaged
    Info(InfoArgs),
    /// Write a recording anew for a bug report: names, fields, addresses, paths, messages and values are replaced by marks
    Share(ShareArgs),
    /// Write what an analysis needs of a process's memory to a file, before it is restarted
    Grab(GrabArgs),
    /// Make a small file of what holdup needs of an executable's debug information, to ship beside a stripped one
    Layout(LayoutArgs),
    /// Open a core file or a grab on the same screens as a live process
    Core(Box<CoreArgs>),
    /// Start a program and watch its memory; it ends with the live view
    Run(Box<RunArgs>),
    /// Say what a lint means, how to confirm it and how to fix it; without a name, list them all
    Explain {
        /// The lint
        #[arg(value_parser = super::choice::one_lint_name(), hide_possible_values = true)]
        lint: Option<String>,
    },
    /// Print the configuration that is in force as a configuration file
    GenConfig(Box<GenConfigArgs>),
    /// Print a shell's completions
    GenCompletion {
        /// The shell
        shell: Shell,
    },
    /// The demo server alone, as `demo` starts it.
    #[cfg(feature = "demo")]
    #[command(hide = true)]
    DemoServer(demo_server::Args),
}

/// `holdup demo`.
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// Troubles and controls to switch on, separated by commas; `all` is every trouble at once that leaves a processor to others
    #[arg(long, value_name = "NAME", value_delimiter = ',', default_value = "all", hide_possible_values = true)]
    #[cfg_attr(feature = "demo", arg(value_parser = super::choice::scenario_names()))]
    pub scenario: Vec<String>,

    /// What tells of the server: its agent, tokio-console's subscriber, or nothing, so that its memory is all there is
    #[cfg(feature = "demo")]
    #[arg(long, value_enum, default_value_t)]
    pub instrument: demo_server::Instrument,

    /// Echo requests per second from the server's built-in clients; 0 for none
    #[arg(long, value_name = "RATE", default_value_t = 50, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub load: u32,

    /// Worker threads of the server's runtime
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub workers: u16,

    /// Three troubles one after the other, each shown, explained, and mended by a key
    #[arg(long, conflicts_with = "scenario")]
    pub tour: bool,

    /// List the scenarios, what each does and which finding it must raise, and exit
    #[arg(long)]
    pub list: bool,

    /// The live view's own.
    #[command(flatten)]
    pub options: Options,
}

/// `holdup check`.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// What to watch, as for the live view, or recordings by their files; several are watched at the same time, and the exit status is the worst [default: http://127.0.0.1:6669]
    #[arg(value_name = "TARGET", value_hint = ValueHint::Url)]
    pub targets: Vec<Target>,

    /// Watch the targets of this file as well: one in each line, `#` before a comment, or Prometheus' file_sd as JSON
    #[arg(long = "targets", id = "list", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub list: Option<PathBuf>,

    /// The instant of a recording that is looked at, as in 2026-11-28T03:12:05Z, -90s before its end or +5m after its beginning [default: its end]
    #[arg(long, value_name = "INSTANT", allow_hyphen_values = true)]
    pub at: Option<RecordedAt>,

    /// How long to watch, from the first update on
    #[arg(long = "for", value_name = "DURATION", default_value = "10s", value_parser = wait, allow_hyphen_values = true)]
    pub window: std::time::Duration,

    /// How to print what was found
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,

    /// Exit with 1 when a finding is at least this bad
    #[arg(long, value_enum, value_name = "SEVERITY", default_value_t)]
    pub fail_on: FailOn,

    /// How long the target may take until it sends its first update
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = wait, allow_hyphen_values = true)]
    pub connect_timeout: std::time::Duration,

    /// Print the JSON Schema of `--format json`, and exit: of one target's, or, where several targets are named, of theirs
    #[arg(long)]
    pub print_schema: bool,

    /// The executable of a core file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub exe: Option<PathBuf>,

    /// Which lints run.
    #[command(flatten)]
    pub lints: LintArgs,
    /// The connection and what is kept.
    #[command(flatten)]
    pub link: LinkArgs,
    /// How memory is read.
    #[command(flatten)]
    pub memory: MemoryArgs,
    /// The log and the configuration file.
    #[command(flatten)]
    pub files: FileArgs,
}

/// `holdup ps`.
#[derive(Debug, clap::Args)]
pub struct PsArgs {
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}

/// `holdup grab`.
#[derive(Debug, clap::Args)]
pub struct GrabArgs {
    /// A process by its id or name:NAME
    #[arg(value_name = "TARGET")]
    pub target: Target,

    /// The file to write; it contains memory, nobody but you may read it, and one that is there is not written over [default: PID.grab]
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,

    /// How much memory to write at most, as in 1GiB [default: 4GiB]
    #[arg(long = "max-size", value_name = "SIZE")]
    pub most: Option<Size>,
}

/// `holdup layout`.
#[derive(Debug, clap::Args)]
pub struct LayoutArgs {
    /// The executable with its debug information, or the file that has that
    #[arg(value_hint = ValueHint::FilePath)]
    pub executable: PathBuf,

    /// The file to write; one that is there is not written over [default: the executable's name with .layout]
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
}

/// `holdup tree`.
#[derive(Debug, clap::Args)]
pub struct TreeArgs {
    /// A process by its id or name:NAME, core:FILE, or a recording by its file
    #[arg(value_name = "TARGET")]
    pub target: Target,

    /// The instant of a recording that is looked at, as in 2026-11-28T03:12:05Z, -90s before its end or +5m after its beginning [default: its end]
    #[arg(long, value_name = "INSTANT", allow_hyphen_values = true)]
    pub at: Option<RecordedAt>,

    /// Print it as JSON
    #[arg(long)]
    pub json: bool,

    /// The executable of a core file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub exe: Option<PathBuf>,

    /// Draw with ASCII characters alone
    #[arg(long)]
    pub ascii_only: bool,

    /// How memory is read.
    #[command(flatten)]
    pub memory: MemoryArgs,
    /// The log and the configuration file.
    #[command(flatten)]
    pub files: FileArgs,
}

/// `holdup core`.
#[derive(Debug, clap::Args)]
pub struct CoreArgs {
    /// A core file of the kernel or of gcore, or a grab
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,

    /// The executable that it is of, where it lies elsewhere than it did
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub exe: Option<PathBuf>,

    /// The live view's own.
    #[command(flatten)]
    pub options: Options,
}

/// `holdup run`.
#[derive(Debug, clap::Args)]
pub struct RunArgs {
    /// The program and its arguments; what it says goes to run.log in the directory of the logs
    #[arg(last = true, required = true, value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<String>,

    /// The live view's own.
    #[command(flatten)]
    pub options: Options,
}

/// `holdup gen-config`.
#[derive(Debug, clap::Args)]
pub struct GenConfigArgs {
    /// The target to write into it
    #[arg(value_hint = ValueHint::Url)]
    pub target: Option<Target>,

    /// What to write into it.
    #[command(flatten)]
    pub options: Options,
}
