//! `holdup check`: watches a target for a while without a terminal, and says what is wrong with it.
//!
//! ```text
//! watch    link → Watched, until the window is over          Seen: what came of it
//!   report   Seen → plain data, as the JSON has it           schema/check.schema.json
//!     rows   a finding among it
//!     json, text, github   three ways to print a report
//! ```

mod exact;
mod github;
mod location;
mod report;
mod rows;
mod text;
mod watch;

#[cfg(test)]
mod tests;

pub use report::Report;
pub use watch::{End, NotSeen, Plan, Seen};

use super::{Error, Outcome, args::CheckArgs, config::Config, log, out};
use crate::diagnose::Severity;
use clap::ValueEnum;

/// The JSON Schema of `--format json`.
pub const SCHEMA: &str = include_str!("../../../schema/check.schema.json");

/// How to print what was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// For programs; --print-schema describes it
    Json,
    /// For GitHub Actions: an annotation for each finding
    Github,
}

/// From which severity on a finding is a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum FailOn {
    /// Any finding
    Note,
    /// A warning or worse
    #[default]
    Warning,
    /// A critical finding
    Critical,
    /// Whatever was found, exit with 0
    Never,
}

impl FailOn {
    /// Whether a finding of that severity is a failure.
    pub fn fails(self, severity: Severity) -> bool {
        match self {
            Self::Note => true,
            Self::Warning => severity >= Severity::Warning,
            Self::Critical => severity >= Severity::Critical,
            Self::Never => false,
        }
    }
}

/// Runs the subcommand: what it found goes to stdout, why it could not go on to the caller.
pub fn run(args: &CheckArgs, config: &Config) -> Result<Outcome, Error> {
    log::start(&config.log)?;
    let plan = Plan {
        target: config.target.clone(),
        wire: config.wire(),
        settings: config.lints.clone(),
        retention: config.retention(),
        window: args.window,
        connect_timeout: args.connect_timeout,
    };
    let runtime = crate::cli::runtime()?;
    let seen = runtime.block_on(watch::watch(&plan, watch::asked_to_stop()))?;
    // The link's background task may be in a name's resolution, which nobody waits for any more.
    runtime.shutdown_background();

    let report = Report::new(&plan, &seen);
    out::print(&match args.format {
        Format::Text => text::render(&report),
        Format::Json => report.to_json(),
        Format::Github => github::render(&report),
    })?;
    match seen.end {
        End::Lost { reason } => return Err(Error::TargetLost { target: plan.target, reason }),
        End::Silent { silent } => return Err(Error::TargetSilent { target: plan.target, silent }),
        End::Elapsed | End::Interrupted => {}
    }
    let failed = seen.watched.engine.findings().iter().any(|finding| args.fail_on.fails(finding.severity));
    Ok(if failed { Outcome::Found } else { Outcome::Done })
}
