//! What came of a run, and the exit code that says so.

use super::{config::ConfigError, log::LogError, watch::NotSeen};
use crate::{
    diagnose::humanize,
    source::{ListError, Target},
    terminal,
};
use std::{io, path::PathBuf, process::ExitCode, time::Duration};

/// What came of a run that did what it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All is well: 0.
    Done,
    /// Something was found that is bad enough: 1.
    Found,
}

/// Why a run did not do what it was asked for. None of them exits with 0.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A configuration file, or a setting.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// holdup's own log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// There is nothing to report.
    #[error(transparent)]
    NotSeen(#[from] NotSeen),
    /// The target was lost before the window was over.
    #[error("{target} was lost and did not come back: {reason}")]
    TargetLost {
        /// The target.
        target: Target,
        /// Why there is no connection.
        reason: String,
    },
    /// What was to be recorded ended before the recording did.
    #[error("{target} was heard of for {}; then it was lost, and did not come back: {reason}", humanize(*.heard))]
    RecordedLost {
        /// The target.
        target: Target,
        /// For how long it was heard of.
        heard: Duration,
        /// Why it was lost.
        reason: String,
    },
    /// The target stayed connected, and sent no update for most of the window.
    #[error("{target} fell silent: it sent no update for the last {}; is it paused or stopped?", humanize(*.silent))]
    TargetSilent {
        /// The target.
        target: Target,
        /// For how long.
        silent: Duration,
    },
    /// Some of several targets were not watched to the end of the window.
    #[error("{}", .0.join("\nholdup: "))]
    SomeNotSeen(Vec<String>),
    /// There is no terminal to draw on.
    #[error("the live view needs a terminal, and this is none; `holdup check {0}` needs none")]
    NoTerminal(Target),
    /// There is no terminal to draw many targets on.
    #[error("the live view needs a terminal, and this is none; `holdup check TARGET…` needs none")]
    NoTerminalForMany,
    /// A recording is of the past, and stands alone.
    #[error("{0} is a recording, which is looked at alone: `holdup replay` shows it")]
    NotAmongMany(Target),
    /// This program's own file is not to be found, of which commands are started.
    #[cfg(feature = "mcp")]
    #[error("cannot tell where this program is: {0}; start it by its path")]
    Program(#[source] io::Error),
    /// An assistant cannot be served.
    #[cfg(feature = "mcp")]
    #[error(
        "cannot go on with the assistant: {0}; `holdup mcp` is started by one, and speaks the Model Context Protocol on stdin and stdout"
    )]
    Mcp(String),
    /// A list of targets cannot be used.
    #[error("{}: {error}", .path.display())]
    List {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: ListError,
    },
    /// A list has no targets.
    #[error("{} has no target: it takes one in each line, or Prometheus' file_sd as JSON", .0.display())]
    EmptyList(PathBuf),
    /// Which of them a subcommand is for is not said.
    #[error(
        "several targets, or --targets, stand before a subcommand; type them after it, as in `holdup check a:6669 b:6669`"
    )]
    ManyBefore,
    /// Chains stand in the memory of a process.
    #[error(
        "{0} is a service, and what its tasks await stands in its process's memory; type its process id, as in `holdup tree 4242`"
    )]
    NoMemory(Target),
    /// A grab is one of a process.
    #[error("{0} is no process of this machine; type its process id, as in `holdup grab 4242`")]
    NoProcess(Target),
    /// Processes cannot be listed.
    #[error("{0}")]
    Processes(String),
    /// A grab was not written.
    #[error("{0}")]
    Grab(String),
    /// A recording cannot be read or made.
    #[error("{0}")]
    Recording(String),
    /// A side of a comparison cannot be read.
    #[error("{0}")]
    Unreadable(String),
    /// Nothing is compared.
    #[error("holdup diff compares two: a recording of how it was, and a recording or a target of how it is")]
    NoRecordings,
    /// How it was is not there to be seen any more.
    #[error("{0} is no recording, and how it was is known by one; `holdup record` makes them")]
    NoRecordingBefore(Target),
    /// What lives has no past here.
    #[error("{0} is no recording, and --at is an instant of one; `holdup record` makes them")]
    NoRecordingToLookAt(Target),
    /// Nothing more of one is kept.
    #[error(transparent)]
    Keep(#[from] super::record::KeepError),
    /// No past was kept of a target.
    #[error("no past of {target}: {reason}")]
    NoPast {
        /// The target.
        target: Target,
        /// Why not, and what to try.
        reason: String,
    },
    /// Nothing is exported.
    #[error(transparent)]
    Export(crate::export::ExportError),
    /// A layout was not made.
    #[error("{0}")]
    Layout(String),
    /// A program was not started.
    #[error(transparent)]
    Run(#[from] super::run::RunError),
    /// There is no terminal to watch a program on.
    #[error(
        "the live view needs a terminal, and this is none; start the program and type `holdup tree` with its process id"
    )]
    NoTerminalToRun,
    /// There is no terminal to draw the demo on.
    #[error(
        "the live view needs a terminal, and this is none; start the server with `cargo run -p holdup-demo` and \
         watch it with `holdup check`, which needs none"
    )]
    NoTerminalForDemo,
    /// The live view ended by itself.
    #[error(transparent)]
    Terminal(terminal::Error),
    /// Nothing could be started.
    #[error("cannot start a runtime: {0}")]
    Runtime(io::Error),
    /// stdout took no more.
    #[error("cannot write what was found: {0}")]
    Output(io::Error),
    /// The demo server did not start.
    #[error(transparent)]
    Demo(#[from] super::demo::DemoError),
    /// The demo server failed.
    #[cfg(feature = "demo")]
    #[error(transparent)]
    DemoServer(demo_server::Error),
}

impl Outcome {
    /// What the process ends with.
    pub fn exit_code(self) -> ExitCode {
        match self {
            Self::Done => ExitCode::SUCCESS,
            Self::Found => ExitCode::from(1),
        }
    }
}

impl Error {
    /// What the process ends with: 3 where the target could not be reached or fell silent, or a side of a comparison cannot be read; 2 for everything
    /// else.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::NotSeen(_)
            | Self::SomeNotSeen(_)
            | Self::TargetLost { .. }
            | Self::RecordedLost { .. }
            | Self::TargetSilent { .. }
            | Self::Unreadable(_) => ExitCode::from(3),
            _ => ExitCode::from(2),
        }
    }
}
