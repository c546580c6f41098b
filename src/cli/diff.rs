//! `holdup diff`: two recordings, or one and a live target: what of the one is not as it was on the other. How a side is measured, and what a difference is,
//! is `compare`'s business, and how it is printed `report`'s.

#[cfg(test)]
mod tests;

use super::{
    Error, Outcome,
    args::DiffArgs,
    choice::{DiffFormat, FailOn},
    config::Config,
    log, out, recorded,
    watch::{self, Plan},
};
use crate::{
    compare::{Comparison, Heard, Side, Thresholds, WINDOWS, Watching},
    diagnose::Settings,
    model::Retention,
    record::{self, Begins, Player},
    report::{DiffReport, End, NamedSide},
    session::Session,
    source::Target,
};
use std::{path::Path, time::Instant};

/// Runs the subcommand: what differs goes to stdout, and whether anything is worse is the outcome.
pub(super) fn run(args: &DiffArgs, config: &Config) -> Result<Outcome, Error> {
    let (Some(before), Some(after)) = (&args.before, &args.after) else { return Err(Error::NoRecordings) };
    let Target::Recording(path) = before else { return Err(Error::NoRecordingBefore(before.clone())) };
    config.check_credentials()?;
    log::start(&config.log, |text| log::on_stderr(&text))?;
    let was = recording(path, config)?;
    let (runtime, is) = if let Target::Recording(path) = after {
        (None, recording(path, config)?)
    } else {
        let runtime = super::runtime()?;
        let side = live(&runtime, after, args, config)?;
        (Some(runtime), side)
    };
    let thresholds = Thresholds { share: args.change.0, time: args.time, part: args.part.0 };
    let comparison = Comparison::new(&was, &is, &thresholds);
    let sides = [(before.to_string(), &was), (after.to_string(), &is)];
    let sides = sides.each_ref().map(|(target, side)| NamedSide { target, side });
    let report = DiffReport::new(sides, &comparison, &thresholds, |severity| args.fail_on.fails(severity));
    let printed = out::print(&match args.format {
        DiffFormat::Text => report.text(),
        DiffFormat::Json => report.to_json(),
    });
    if let Some(runtime) = runtime {
        watch::keep(runtime);
    }
    printed?;
    Ok(outcome(&report, args.fail_on))
}

/// What is said of it by the exit code.
fn outcome(report: &DiffReport, fail_on: FailOn) -> Outcome {
    if report.is_worse() && fail_on != FailOn::Never { Outcome::Found } else { Outcome::Done }
}

/// A recording, played from its beginning to its end.
fn recording(path: &Path, config: &Config) -> Result<Side, Error> {
    let unreadable = |error: &dyn std::fmt::Display| Error::Unreadable(format!("{}: {error}", path.display()));
    let mut player = recorded::open(path).map_err(|error| Error::Unreadable(error.to_string()))?;
    let side = played(&mut player, &config.lints, config.retention()).map_err(|error| unreadable(&error))?;
    side.ok_or_else(|| unreadable(&"there is no complete update in it"))
}

/// What was on a side; `None` where nothing complete was heard. Where it is there from its beginning, it is judged by the thresholds of today.
fn played(player: &mut Player, settings: &Settings, retention: Retention) -> Result<Option<Side>, record::Error> {
    let (_, last) = player.span()?;
    let is_anew = player.recording().segments().next().is_some_and(|(head, _)| head.begins == Begins::Anew);
    // Its beginning may be damaged.
    let is_whole = is_anew && player.session().model().now().is_none();
    let mut own = is_whole.then(|| Session::new(settings, retention));
    let mut watching: Option<Watching> = None;
    let mut jumps = player.jumps();
    while let Some(at) = player.next_at()? {
        if std::mem::replace(&mut jumps, player.jumps()) != player.jumps() {
            // What is missing may have been anything: it goes on from the state after that, and begins anew.
            own = own.map(|_| player.session().clone());
            if let Some(watching) = &mut watching {
                watching.take(at, Heard::Anew, player.session());
            }
        }
        let Some(event) = player.step()? else { break };
        let heard = Heard::of(&event);
        if let Some(own) = &mut own {
            own.apply(event);
        }
        let session = own.as_ref().unwrap_or_else(|| player.session());
        let model = session.model();
        if watching.is_none() && heard == Heard::Update && model.changes().complete && model.now().is_some() {
            watching = Some(Watching::new(last.saturating_sub(at) / WINDOWS as u32));
        }
        if let Some(watching) = &mut watching {
            watching.take(at, heard, session);
        }
    }
    let session = own.as_ref().unwrap_or_else(|| player.session());
    Ok(watching.and_then(|watching| watching.finish(session)))
}

/// A live target, watched for a while.
fn live(runtime: &tokio::runtime::Runtime, target: &Target, args: &DiffArgs, config: &Config) -> Result<Side, Error> {
    let plan = Plan::new(target, config, args.window, args.connect_timeout);
    let mut watching = Watching::new(args.window / WINDOWS as u32);
    let began = Instant::now();
    let each = |heard: Heard, session: &Session| watching.take(began.elapsed(), heard, session);
    let observed = runtime.block_on(watch::watch_each(&plan, watch::asked_to_stop(), each))?;
    let target = target.clone();
    match observed.end {
        End::Lost { reason } => return Err(Error::TargetLost { target, reason }),
        End::Silent { silent } => return Err(Error::TargetSilent { target, silent }),
        End::Elapsed | End::Interrupted => {}
    }
    let waited = args.connect_timeout;
    watching.finish(&observed.session).ok_or_else(|| watch::NotSeen::timed_out(target, waited, None).into())
}
