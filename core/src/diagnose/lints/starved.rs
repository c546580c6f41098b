//! `starved`: tasks that are woken and not polled.

use crate::{
    diagnose::{
        Evidence, Lint, Param, Severity, Threshold,
        contradiction::When,
        lint::{Asked, Check, Cx, Description, Grouping, Judgement, Verdict},
    },
    model::{Scheduling, Task},
    number::humanize,
    update::{Fact, FactSet, TaskKind},
};
use std::time::Duration;

const WAIT: Param = Param {
    name: "wait",
    default: Threshold::Time(Duration::from_millis(100)),
    help: "woken and not polled for this long, now or on average over the last 10 s",
};

pub(super) static LINT: Lint = Lint {
    name: "starved",
    summary: "Tasks have been woken and wait in a run queue: no worker comes to poll them.",
    severities: &[Severity::Warning],
    advice: "Find what keeps the workers busy (never-yields and long-polls name it), and move it to \
             tokio::task::spawn_blocking; measure before changing the worker count.",
    explanation: include_str!("starved.md"),
    params: &[WAIT],
    needs: FactSet::of(&[Fact::Polls, Fact::ScheduledTime]),
    when: When::Now,
    subsumes: &[],
    check: Check::Task { by: Grouping::Place, asked: Asked::AsTimePasses, judge, describe },
};

fn judge(cx: &Cx, task: &Task) -> Judgement {
    let queued = matches!(task.kind(), TaskKind::Task | TaskKind::Local);
    // A task that was never polled has a lint of its own.
    if !queued || task.has_ended() || task.polls() == 0 {
        return Judgement::Clear;
    }
    if let Some(since) = task.scheduled_since()
        && cx.lasted(since, cx.settled) > cx.values.time(&WAIT)
    {
        return Verdict::weighing(Severity::Warning, since, cx.lasted(since, cx.settled));
    }
    match task.recent_scheduling(cx.now) {
        Some(recent) if recent.polls >= 3 && mean(cx, recent) > cx.values.time(&WAIT) => {
            Verdict::weighing(Severity::Warning, recent.since, mean(cx, recent))
        }
        _ => Judgement::Clear,
    }
}

/// How long it waited for each of its polls, as long as the process did not stand still.
fn mean(cx: &Cx, recent: Scheduling) -> Duration {
    let stood = cx.model.standstills().within(recent.since, cx.now);
    let polls = u32::try_from(recent.polls).unwrap_or(u32::MAX).max(1);
    recent.mean.saturating_sub(stood / polls)
}

fn describe(cx: &Cx, task: &Task) -> Description {
    let mut evidence = vec![Evidence::time("scheduled in all", task.scheduled(cx.now))];
    let recent = task.recent_scheduling(cx.now);
    if let Some(recent) = recent {
        evidence.push(Evidence::time("mean wait, last 10 s", mean(cx, recent)));
        evidence.push(Evidence::count("polls, last 10 s", recent.polls));
    }
    let now = task.scheduled_since().filter(|&since| cx.lasted(since, cx.settled) > cx.values.time(&WAIT));
    let message = match (now, recent) {
        (Some(since), _) => {
            evidence.insert(0, Evidence::time("scheduled now", cx.lasted(since, cx.now)));
            format!("woken, and not polled for {}", humanize(cx.lasted(since, cx.now)))
        }
        (None, Some(recent)) => format!("waits {} for each poll", humanize(mean(cx, recent))),
        (None, None) => "was woken and not polled".to_owned(),
    };
    Description { message, evidence }
}
