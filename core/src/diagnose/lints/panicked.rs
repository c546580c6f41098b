//! `panicked`: tasks that ended in a panic.

use crate::{
    diagnose::{
        Confidence, Evidence, Lint, RELATED_MOST, Related, Severity, Subject,
        contradiction::When,
        label,
        lint::{Check, Cx, Grouping, Key, Report},
    },
    model::Panicked,
    update::{Fact, FactSet, Place},
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
    explanation: include_str!("panicked.md"),
    params: &[],
    needs: FactSet::of(&[Fact::Panics]),
    when: When::SoFar,
    subsumes: &[],
    check: Check::Whole(judge),
};

fn judge(cx: &Cx) -> Vec<Report> {
    let attached = cx.model.attached().unwrap_or(cx.now);
    let recent = cx.model.panics().filter(|panicked| cx.now.since(panicked.panic.at.max(attached)) <= RECENT);
    let mut keys: Vec<(Key, Vec<&Panicked>)> = Vec::new();
    for panicked in recent {
        let key = Grouping::Place.key(panicked.panic.task, panicked.location());
        match keys.iter_mut().find(|(known, _)| *known == key) {
            Some((_, of_key)) => of_key.push(panicked),
            None => keys.push((key, vec![panicked])),
        }
    }
    keys.iter().filter_map(|(key, of_key)| report(cx, *key, of_key)).collect()
}

/// The panics of one key, the latest last.
fn report(cx: &Cx, key: Key, of_key: &[&Panicked]) -> Option<Report> {
    let (first, latest) = (*of_key.first()?, *of_key.last()?);
    let panic = &latest.panic;
    let at = |panicked: &Panicked| Place::from(panicked.panic.place.clone()).to_string();
    let place = at(latest);
    // Of more than are kept, those before are counted, as long as the last of them is news.
    let older = if let Key::Place(location) = key { cx.model.older_panics(location) } else { None };
    let older = older.filter(|older| cx.now.since(older.last) <= RECENT);
    let total =
        of_key.len().saturating_add(older.map_or(0, |older| usize::try_from(older.count).unwrap_or(usize::MAX)));
    let times = if total > 1 { format!("{total} times, the last ") } else { String::new() };
    // Memory tells that it panicked; what it said, and where, it does not.
    let is_read = !panic.place.file.is_empty();
    let mut evidence = if is_read {
        vec![Evidence::text("said", panic.message.as_str()), Evidence::text("at", place.as_str())]
    } else {
        vec![Evidence::text("not known", panic.message.as_str())]
    };
    evidence.push(Evidence::count("times", total as u64));
    let mut elsewhere: Vec<String> =
        of_key.iter().map(|panicked| at(panicked)).filter(|other| *other != place).collect();
    elsewhere.sort_unstable();
    elsewhere.dedup();
    elsewhere.truncate(RELATED_MOST);
    evidence.extend(elsewhere.into_iter().map(|other| Evidence::text("also at", other)));
    if let Some(span) = label::span(cx.model, panic.task) {
        evidence.push(Evidence::text("span", span));
    }
    let others = of_key.iter().rev().skip(1).take(RELATED_MOST);
    Some(Report {
        key,
        severity: Severity::Warning,
        confidence: Confidence::Exact,
        since: older.map_or(first.panic.at, |older| older.first),
        subject: Subject::Task(label::panicked(cx.model, latest)),
        message: match (is_read, total) {
            (true, _) => format!("panicked {times}at {place}: {}", first_line(&panic.message)),
            (false, 1) => "panicked".into(),
            (false, times) => format!("panicked {times} times"),
        },
        evidence,
        related: Related {
            tasks: others.map(|panicked| label::panicked(cx.model, panicked)).collect(),
            tasks_total: total,
            ..Related::default()
        },
    })
}

fn first_line(message: &str) -> &str {
    message.lines().next().unwrap_or("no message")
}
