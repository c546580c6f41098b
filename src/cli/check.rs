//! `holdup check`: watches a target for a while without a terminal, and says what is wrong with it. Only that it is done is here;
//! how a target is watched is `watch`'s business, and how a report is printed `report`'s.

use super::{
    Error, Outcome,
    args::CheckArgs,
    choice::Format,
    config::Config,
    log, out, recorded,
    watch::{self, Plan},
};
use crate::report::{End, Report, github, text};

/// Runs the subcommand: what it found goes to stdout, why it could not go on to the caller.
pub(super) fn run(args: &CheckArgs, config: &Config) -> Result<Outcome, Error> {
    config.check_credentials()?;
    log::start(&config.log, |text| log::on_stderr(&text))?;
    let plan = Plan::new(&config.target, config, args.window, args.connect_timeout);
    let (runtime, observed) = recorded::watch(&plan, args.at)?;
    let report = Report::new(&plan.target, &observed);
    let printed = out::print(&match args.format {
        Format::Text => text::render(&report),
        Format::Json => report.to_json(),
        Format::Github => github::render(&report),
    });
    if let Some(runtime) = runtime {
        watch::keep(runtime);
    }
    printed?;
    match observed.end {
        End::Lost { reason } => return Err(Error::TargetLost { target: plan.target, reason }),
        End::Silent { silent } => return Err(Error::TargetSilent { target: plan.target, silent }),
        End::Elapsed | End::Interrupted => {}
    }
    let failed = observed.session.engine().findings().any(|finding| args.fail_on.fails(finding.severity));
    Ok(if failed { Outcome::Found } else { Outcome::Done })
}
