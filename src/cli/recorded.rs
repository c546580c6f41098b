//! A recording, looked at as a target is: what its session was at one instant.

use super::{
    Error,
    choice::RecordedAt,
    record::of_file,
    watch::{self, Plan, Watch},
};
use crate::{
    diagnose::Settings,
    model::Retention,
    number::humanize,
    record::{self, Begins, Player, Recording},
    report::Observation,
    session::Session,
    source::{Past, Target},
};
use futures::future::join_all;
use std::{
    fs::File,
    io::{Cursor, Read as _},
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::runtime::Runtime;

/// Watches a target for a while, or looks at a recording at an instant. What lives goes on in the runtime, which is to be kept until all is said.
pub(super) fn watch(plan: &Plan, at: Option<RecordedAt>) -> Result<(Option<Runtime>, Observation), Error> {
    match &plan.target {
        Target::Recording(path) => Ok((None, observe(path, at, plan)?)),
        target if at.is_some() => Err(Error::NoRecordingToLookAt(target.clone())),
        _ => {
            let runtime = super::runtime()?;
            let observed = runtime.block_on(watch::watch(plan, watch::asked_to_stop()))?;
            Ok((Some(runtime), observed))
        }
    }
}

/// What came of several targets, each by itself.
pub(super) type Watched = Vec<Result<Observation, Error>>;

/// The same of several, all of them at the same time. That one of them was not watched keeps nobody from the others.
pub(super) fn watch_all(plans: &[Plan], at: Option<RecordedAt>) -> Result<(Option<Runtime>, Watched), Error> {
    let is_recorded = |plan: &&Plan| matches!(plan.target, Target::Recording(_));
    if let (Some(live), true) = (plans.iter().find(|plan| !is_recorded(plan)), at.is_some()) {
        return Err(Error::NoRecordingToLookAt(live.target.clone()));
    }
    let live = plans.iter().filter(|plan| !is_recorded(plan));
    let (runtime, watched) = if live.clone().next().is_some() {
        let runtime = super::runtime()?;
        let watching = join_all(live.map(|plan| watch::watch(plan, watch::asked_to_stop())));
        let watched = runtime.block_on(watching);
        (Some(runtime), watched)
    } else {
        (None, Vec::new())
    };
    let mut watched = watched.into_iter();
    let observed = plans.iter().map(|plan| match &plan.target {
        Target::Recording(path) => observe(path, at, plan),
        target => match watched.next() {
            Some(watched) => watched.map_err(Error::NotSeen),
            None => Err(Error::NotSeen(watch::NotSeen::Interrupted { target: target.clone() })),
        },
    });
    let observed = observed.collect();
    Ok((runtime, observed))
}

/// Opens a recording at its beginning.
pub(super) fn open(path: &Path) -> Result<Player, Error> {
    Player::new(recording(path)?).map_err(|error| unreadable(path, &error))
}

/// Opens a recording. What an agent wrote is made one in memory.
pub(super) fn recording(path: &Path) -> Result<Recording, Error> {
    let opened = if is_past(path) {
        let made = of_file(path, Session::new(&Settings::default(), Retention::default()))?;
        Recording::read_from(Cursor::new(made))
    } else {
        Recording::open(path)
    };
    opened.map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &record::Error) -> Error {
    Error::Recording(format!("{}: {error}", path.display()))
}

/// Whether a file is one that an agent wrote of its own past.
fn is_past(path: &Path) -> bool {
    /// As much tells.
    const BEGINS: u64 = 64;
    let mut begins = Vec::new();
    // Where that cannot be known, opening it says why.
    path.is_file()
        && File::open(path).and_then(|file| file.take(BEGINS).read_to_end(&mut begins)).is_ok()
        && Past::is_one(&begins)
}

/// Opens the pieces of one at its beginning.
pub(super) fn open_all(paths: &[PathBuf]) -> Result<Player, Error> {
    Player::new(pieces(paths)?).map_err(|error| Error::Recording(format!("{}: {error}", names(paths))))
}

/// Opens the pieces of a recording.
pub(super) fn pieces(paths: &[PathBuf]) -> Result<Recording, Error> {
    match paths {
        [path] => recording(path),
        paths => Recording::open_all(paths).map_err(|error| Error::Recording(error.to_string())),
    }
}

/// The files, in words.
pub(super) fn names(paths: &[PathBuf]) -> String {
    let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    names.join(", ")
}

/// What came of the session up to the instant, or to its end. Where the recording has it from its beginning, it is judged by the thresholds of today.
fn observe(path: &Path, at: Option<RecordedAt>, plan: &Plan) -> Result<Observation, Error> {
    let mut player = open(path)?;
    let until = instant(&mut player, at)?;
    let is_anew = player.recording().segments().next().is_some_and(|(head, _)| head.begins == Begins::Anew);
    // Its beginning may be damaged.
    let is_whole = is_anew && player.session().model().now().is_none();
    let mut watch = Watch::new(&plan.settings, plan.retention);
    if !is_whole {
        watch.go_on_from(player.session().clone());
    }
    let began = player.moment().at;
    let mut jumps = player.jumps();
    while player.next_at()?.is_some_and(|next| next <= until) {
        if std::mem::replace(&mut jumps, player.jumps()) != player.jumps() {
            watch.go_on_from(player.session().clone());
        }
        let Some(event) = player.step()? else { break };
        watch.take(event);
    }
    watch
        .recorded(until.saturating_sub(began))
        .ok_or_else(|| Error::Recording(format!("{}: there is no complete update until then", path.display())))
}

/// An instant as time since the recorder began.
pub(super) fn instant(player: &mut Player, at: Option<RecordedAt>) -> Result<Duration, Error> {
    let (first, last) = player.span()?;
    let wanted = match at {
        None => return Ok(last),
        Some(RecordedAt::BeforeEnd(before)) => last.checked_sub(before),
        Some(RecordedAt::AfterBeginning(after)) => first.checked_add(after),
        Some(RecordedAt::Wall(wall)) => Some(player.at_wall(wall)),
    };
    wanted.filter(|wanted| (first..=last).contains(wanted)).ok_or_else(|| {
        let wall = |at| jiff::Timestamp::from_nanosecond(player.wall_at(at).into()).unwrap_or_default();
        Error::Recording(format!(
            "the recording is of {}, from {:.0} to {:.0}, and the instant is not in it",
            humanize(last.saturating_sub(first)),
            wall(first),
            wall(last)
        ))
    })
}
