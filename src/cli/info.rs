//! `holdup info`: what a recording is of, how long it is, and what of it is damaged. All of it is played for that.

use super::{Error, Outcome, args::InfoArgs, out, recorded};
use crate::{
    record::{Damage, Header, Keeps, Player},
    report::RecordingInfo,
    update::{BeginMode, Event, Part},
};
use std::{collections::BTreeMap, time::Duration};

/// Runs the subcommand.
pub(super) fn run(args: &InfoArgs) -> Result<Outcome, Error> {
    let mut player = recorded::open(&args.file)?;
    let info = read(&mut player)?;
    out::print(&if args.json { info.to_json() } else { info.text() })?;
    Ok(Outcome::Done)
}

fn read(player: &mut Player) -> Result<RecordingInfo, Error> {
    let (first, _) = player.span()?;
    let mut processes = Vec::new();
    let (mut updates, mut attached, mut most_tasks) = (0, 0, 0);
    while let Some(event) = player.step()? {
        match event {
            Event::Update(update) if update.part == Part::Last => {
                updates += 1;
                most_tasks = most_tasks.max(player.session().model().tasks().len());
            }
            Event::Begin(begin) if begin.mode == BeginMode::Alone => {
                attached += 1;
                let named = |process: crate::update::Process| {
                    let name = if process.name.is_empty() { process.executable } else { process.name };
                    format!("{name} (process {})", process.pid)
                };
                processes.extend(begin.process.map(named));
            }
            _ => {}
        }
    }
    processes.dedup();
    let mut findings = BTreeMap::new();
    for finding in player.session().engine().findings() {
        *findings.entry(finding.lint.name).or_default() += 1;
    }
    let last = player.moment().at;
    let time = |at: Duration| {
        let wall = jiff::Timestamp::from_nanosecond(player.wall_at(at).into()).unwrap_or_default();
        format!("{wall:.0}")
    };
    let recording = player.recording();
    let Header { format, version, target, .. } = recording.header().clone();
    let Damage { segments, messages, bytes } = recording.damage();
    Ok(RecordingInfo {
        target,
        processes,
        holdup_version: version,
        format,
        from: time(first),
        to: time(last),
        seconds: last.saturating_sub(first).as_secs_f64(),
        bytes: recording.size(),
        segments: recording.segments().len(),
        outlines: recording.segments().filter(|(head, _)| head.keeps == Keeps::Outline).count(),
        updates,
        most_tasks,
        attached,
        findings,
        closed: recording.is_closed(),
        damaged_segments: segments,
        unusable_messages: messages,
        bytes_of_nothing: bytes,
    })
}
