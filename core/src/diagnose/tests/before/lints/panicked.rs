//! `panicked`: tasks that ended in a panic.

use crate::{
    diagnose::tests::before::{
        Confidence, Evidence, Lint, RELATED_MOST, Related, Severity, Subject, TaskRef,
        check::{Check, Context, Key, Report, WholeCheck},
        refs,
    },
    model::{PlaceId, Task},
    update::{Panic, Place, Stamp, TaskId},
};
use std::time::Duration;

/// How long a panic is news: since it happened, or since we attached.
const RECENT: Duration = Duration::from_secs(60);

pub(super) static LINT: Lint = Lint {
    name: "panicked",
    summary: "A task ended in a panic: whoever awaits it gets a JoinError, and if nobody does, nobody notices.",
    severities: &[Severity::Warning],
    advice: "Look at the place that it names. Await the JoinHandle, or keep tasks in a JoinSet, so that a panic is not lost; let \
             errors that can happen be Results.",
    explanation: "",
    params: &[],
    subsumes: &[],
    build: |_| Check::Whole(Box::new(Panicked { seen: Vec::new() })),
};

struct Panicked {
    /// Who panicked, by name: the task itself is soon let go of.
    seen: Vec<Seen>,
}

struct Seen {
    task: TaskId,
    at: Stamp,
    place: PlaceId,
    named: TaskRef,
}

impl Panicked {
    fn remember(&mut self, cx: &Context) {
        let panics = || cx.model.panics().map(|panicked| &panicked.panic);
        self.seen.retain(|seen| panics().any(|panic| (panic.task, panic.at) == (seen.task, seen.at)));
        for panic in panics() {
            let known = self.seen.iter().position(|seen| (seen.task, seen.at) == (panic.task, panic.at));
            let row = cx.model.tasks().get(panic.task);
            let seen = || Seen {
                task: panic.task,
                at: panic.at,
                place: row.map_or(PlaceId::UNKNOWN, Task::place),
                named: refs::task_by_id(cx.model, panic.task),
            };
            match known {
                None => self.seen.push(seen()),
                // A report may come before the update that announces the task.
                Some(at) if self.seen[at].place == PlaceId::UNKNOWN && row.is_some() => self.seen[at] = seen(),
                Some(_) => {}
            }
        }
    }

    fn panic<'a>(&self, cx: &Context<'a>, at: usize) -> Option<&'a Panic> {
        let seen = self.seen.get(at)?;
        cx.model.panics().map(|panicked| &panicked.panic).find(|panic| (panic.task, panic.at) == (seen.task, seen.at))
    }

    /// The panics of one key, the latest last.
    fn report(&self, cx: &Context, key: Key, of_key: &[usize]) -> Option<Report> {
        let latest = *of_key.last()?;
        let (seen, panic) = (&self.seen[latest], self.panic(cx, latest)?);
        let place = Place::from(panic.place.clone());
        let times = if of_key.len() > 1 { format!("{} times, the last ", of_key.len()) } else { String::new() };
        let mut evidence = vec![
            Evidence::text("said", panic.message.as_str()),
            Evidence::text("at", place.to_string()),
            Evidence::count("times", of_key.len() as u64),
        ];
        let mut elsewhere: Vec<String> = of_key
            .iter()
            .filter_map(|&at| Some(Place::from(self.panic(cx, at)?.place.clone()).to_string()))
            .filter(|other| *other != place.to_string())
            .collect();
        elsewhere.sort_unstable();
        elsewhere.dedup();
        elsewhere.truncate(RELATED_MOST);
        evidence.extend(elsewhere.into_iter().map(|other| Evidence::text("also at", other)));
        if let Some(span) = refs::span(cx.model, seen.task) {
            evidence.push(Evidence::text("span", span));
        }
        let others = of_key.iter().rev().skip(1).take(RELATED_MOST);
        Some(Report {
            key,
            severity: Severity::Warning,
            confidence: Confidence::Exact,
            since: self.seen[*of_key.first()?].at,
            subject: Subject::Task(seen.named.clone()),
            message: format!("panicked {times}at {place}: {}", first_line(&panic.message)),
            evidence,
            related: Related {
                tasks: others.map(|&at| self.seen[at].named.clone()).collect(),
                tasks_total: of_key.len(),
                ..Related::default()
            },
        })
    }
}

fn first_line(message: &str) -> &str {
    message.lines().next().unwrap_or("no message")
}

impl WholeCheck for Panicked {
    fn judge(&mut self, cx: &Context) -> Vec<Report> {
        self.remember(cx);
        let attached = cx.model.attached().unwrap_or(cx.now);
        let mut keys: Vec<(Key, Vec<usize>)> = Vec::new();
        for (at, seen) in self.seen.iter().enumerate() {
            if cx.now.since(seen.at.max(attached)) > RECENT {
                continue;
            }
            let key = if seen.place.is_known() { Key::Place(seen.place) } else { Key::Task(seen.task) };
            match keys.iter_mut().find(|(known, _)| *known == key) {
                Some((_, of_key)) => of_key.push(at),
                None => keys.push((key, vec![at])),
            }
        }
        keys.iter().filter_map(|(key, of_key)| self.report(cx, *key, of_key)).collect()
    }
}
