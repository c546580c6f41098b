//! `holdup check`: watches targets for a while without a terminal, and says what is wrong with them. Only that it is done is here;
//! how a target is watched is `watch`'s business, and how a report is printed `report`'s.

use super::{
    Error, Outcome,
    args::CheckArgs,
    choice::Format,
    config::Config,
    log, out, recorded, targets,
    watch::{self, Plan},
};
use crate::{
    diagnose::LINTS,
    report::{self, Checked, End, Observation, Report, Seen, github, junit, sarif, text},
    source::Target,
};

/// What describes the JSON that would be printed.
pub(super) fn schema(args: &CheckArgs) -> &'static str {
    if args.targets.len() > 1 || args.list.is_some() { report::CHECKED_SCHEMA } else { report::SCHEMA }
}

/// Runs the subcommand: what it found goes to stdout, why it could not go on to the caller.
pub(super) fn run(args: &CheckArgs, config: &Config) -> Result<Outcome, Error> {
    let targets = match (&args.targets[..], &args.list) {
        ([], None) => vec![config.target.clone()],
        (typed, list) => targets::all(typed, list.as_deref())?.into_iter().map(|listed| listed.target).collect(),
    };
    config.check_credentials_for(&targets)?;
    log::start(&config.log, |text| log::on_stderr(&text))?;
    let plan = |target| {
        let plan = Plan::new(target, config, args.window, args.connect_timeout);
        Plan { retention: plan.retention.among(targets.len()), ..plan }
    };
    let plans: Vec<Plan> = targets.iter().map(plan).collect();
    let (runtime, mut observed) = recorded::watch_all(&plans, args.at)?;
    let has_a_form = |format| matches!(format, Format::Sarif | Format::Junit);
    if let (1, Some(Err(_)), false) = (observed.len(), observed.first(), has_a_form(args.format)) {
        return Err(observed.remove(0).err().unwrap_or(Error::SomeNotSeen(Vec::new())));
    }
    let printed = out::print(&in_words(args, &plans, &observed));
    if let Some(runtime) = runtime {
        watch::keep(runtime);
    }
    printed?;
    let is_failure = |observation: &Observation| {
        observation.session.engine().findings().any(|finding| args.fail_on.fails(finding.severity))
    };
    let failed = observed.iter().flatten().any(is_failure);
    let ended = plans.iter().zip(observed).map(|(plan, observed)| observed.and_then(|it| to_its_end(&plan.target, it)));
    let mut errors: Vec<Error> = ended.filter_map(Result::err).collect();
    match errors.len() {
        0 => Ok(if failed { Outcome::Found } else { Outcome::Done }),
        1 => Err(errors.remove(0)),
        _ => Err(Error::SomeNotSeen(errors.iter().map(ToString::to_string).collect())),
    }
}

/// What is printed of it.
fn in_words(args: &CheckArgs, plans: &[Plan], observed: &[Result<Observation, Error>]) -> String {
    let checked: Vec<Checked> = plans.iter().zip(observed).map(|(plan, observed)| checked(plan, observed)).collect();
    match (args.format, &checked[..]) {
        (Format::Text, [Checked { seen: Seen::Report(report), .. }]) => text::render(report),
        (Format::Json, [Checked { seen: Seen::Report(report), .. }]) => report.to_json(),
        (Format::Github, [Checked { seen: Seen::Report(report), .. }]) => github::render(report),
        (Format::Text, several) => report::in_text(several),
        (Format::Json, several) => report::in_json(several),
        (Format::Github, several) => report::for_github(several),
        (Format::Sarif, several) => sarif::render(several),
        (Format::Junit, several) => junit::render(several, |row| args.fail_on.fails(row.rank)),
    }
}

fn checked(plan: &Plan, observed: &Result<Observation, Error>) -> Checked {
    Checked {
        target: plan.target.to_string(),
        lints: LINTS.iter().filter(|lint| plan.settings.is_enabled(lint)).map(|lint| lint.name).collect(),
        seen: match observed {
            Ok(observation) => Seen::Report(Box::new(Report::new(&plan.target, observation))),
            Err(error) => Seen::Nothing(error.to_string()),
        },
    }
}

/// Whether it was watched to the end of the window.
fn to_its_end(target: &Target, observed: Observation) -> Result<(), Error> {
    match observed.end {
        End::Lost { reason } => Err(Error::TargetLost { target: target.clone(), reason }),
        End::Silent { silent } => Err(Error::TargetSilent { target: target.clone(), silent }),
        End::Elapsed | End::Interrupted => Ok(()),
    }
}
