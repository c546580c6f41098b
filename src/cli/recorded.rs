//! A recording, looked at as a target is: what its session was at one instant.

use super::{Error, choice::RecordedAt, watch::Watch};
use crate::{
    diagnose::Settings,
    model::Retention,
    number::humanize,
    record::{Begins, Player, Recording},
    report::Observation,
};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// What is to be looked at.
pub(super) struct Plan<'a> {
    pub(super) path: &'a Path,
    /// The instant; the end where there is none.
    pub(super) at: Option<RecordedAt>,
    pub(super) settings: &'a Settings,
    pub(super) retention: Retention,
}

/// Opens a recording at its beginning.
pub(super) fn open(path: &Path) -> Result<Player, Error> {
    let say = |error| Error::Recording(format!("{}: {error}", path.display()));
    Recording::open(path).and_then(Player::new).map_err(say)
}

/// Opens the pieces of one at its beginning.
pub(super) fn open_all(paths: &[PathBuf]) -> Result<Player, Error> {
    Recording::open_all(paths).and_then(Player::new).map_err(|error| Error::Recording(error.to_string()))
}

/// What came of the session up to the instant. Where the recording has it from its beginning, it is judged by the thresholds of today.
pub(super) fn observe(plan: &Plan) -> Result<Observation, Error> {
    let mut player = open(plan.path)?;
    let until = instant(&mut player, plan.at)?;
    let is_whole = player.recording().segments().next().is_some_and(|(head, _)| head.begins == Begins::Anew);
    let mut watch = Watch::new(plan.settings, plan.retention);
    if !is_whole {
        watch.go_on_from(player.session().clone());
    }
    let began = player.moment().at;
    while player.next_at()?.is_some_and(|next| next <= until)
        && let Some(event) = player.step()?
    {
        watch.take(event);
    }
    watch
        .recorded(until.saturating_sub(began))
        .ok_or_else(|| Error::Recording(format!("{}: there is no complete update until then", plan.path.display())))
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
