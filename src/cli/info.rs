//! `holdup info`: what a recording is of, how long it is, and what of it is damaged. All of it is played for that.

use super::{Error, Outcome, args::InfoArgs, out, recorded};
use crate::{
    number::{humanize, humanize_bytes},
    record::{Damage, Header, Player},
    update::{BeginMode, Event, Part},
};
use serde::Serialize;
use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

/// What is said of a recording.
#[derive(Debug, Serialize)]
struct Info {
    target: String,
    /// Who answered: the name of the service, or the executable, of each process.
    processes: Vec<String>,
    holdup_version: String,
    format: u32,
    from: String,
    to: String,
    seconds: f64,
    bytes: u64,
    segments: usize,
    updates: u64,
    most_tasks: usize,
    /// How often something began to tell.
    attached: u64,
    /// How many findings there were, by lint.
    findings: BTreeMap<&'static str, usize>,
    /// Whether it was closed: otherwise it is still written, or whoever wrote it was ended.
    closed: bool,
    damaged_segments: u64,
    unusable_messages: u64,
    bytes_of_nothing: u64,
}

/// Runs the subcommand.
pub(super) fn run(args: &InfoArgs) -> Result<Outcome, Error> {
    let mut player = recorded::open(&args.file)?;
    let info = Info::of(&mut player)?;
    out::print(&if args.json { info.to_json() } else { info.text() })?;
    Ok(Outcome::Done)
}

impl Info {
    fn of(player: &mut Player) -> Result<Self, Error> {
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
        Ok(Self {
            target,
            processes,
            holdup_version: version,
            format,
            from: time(first),
            to: time(last),
            seconds: last.saturating_sub(first).as_secs_f64(),
            bytes: recording.size(),
            segments: recording.segments().len(),
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

    fn to_json(&self) -> String {
        let mut json = serde_json::to_string_pretty(self).unwrap_or_default();
        json.push('\n');
        json
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let mut row = |name: &str, value: &str| {
            let _ = writeln!(text, "{name:<10} {value}");
        };
        row("target", &self.target);
        self.processes.iter().for_each(|process| row("process", process));
        row("recorded", &format!("by holdup {}, format {}", self.holdup_version, self.format));
        row("from", &self.from);
        row("to", &format!("{}, {} later", self.to, humanize(Duration::from_secs_f64(self.seconds))));
        row("size", &format!("{} in {} segments", humanize_bytes(self.bytes), self.segments));
        row("updates", &format!("{}, with up to {} tasks", self.updates, self.most_tasks));
        if self.attached > 1 {
            row("attached", &format!("{} times: the target was lost, or began again", self.attached));
        }
        for (lint, count) in &self.findings {
            row("finding", &if *count == 1 { (*lint).to_owned() } else { format!("{lint}, {count} of it") });
        }
        if self.findings.is_empty() {
            row("finding", "none");
        }
        if !self.closed {
            row("end", "it was not closed: it is still written, or whoever wrote it was ended");
        }
        let damage = [
            (self.damaged_segments, "segments of which nothing can be believed"),
            (self.unusable_messages, "events that cannot be read"),
            (self.bytes_of_nothing, "bytes that belong to nothing"),
        ];
        for (count, what) in damage.into_iter().filter(|(count, _)| *count > 0) {
            row("damaged", &format!("{count} {what}"));
        }
        text
    }
}
