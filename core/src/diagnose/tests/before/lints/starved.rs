//! `starved`: tasks that are woken and not polled.

use crate::{
    diagnose::tests::before::{
        Evidence, Lint, LintSettings, Param, Severity, Threshold,
        check::{Check, Context, Description, Grouping, Judgement, TaskCheck, Verdict},
        number::humanize,
    },
    model::Task,
    update::TaskKind,
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
    explanation: "",
    params: &[WAIT],
    subsumes: &[],
    build: |settings| Check::Task(Grouping::Place, Box::new(Starved::new(settings))),
};

struct Starved {
    wait: Duration,
}

impl Starved {
    fn new(settings: &LintSettings) -> Self {
        Self { wait: settings.time(&WAIT) }
    }
}

impl TaskCheck for Starved {
    fn judge(&self, cx: &Context, task: &Task) -> Judgement {
        let queued = matches!(task.kind(), TaskKind::Task | TaskKind::Local);
        // A task that was never polled has a lint of its own.
        if !queued || task.stats().dropped.is_some() || task.stats().polls.count == 0 {
            return Judgement::Clear;
        }
        if let Some(since) = task.scheduled_since()
            && cx.settled.since(since) > self.wait
        {
            return Verdict::weighing(Severity::Warning, since, cx.settled.since(since));
        }
        match task.recent_scheduling(cx.now) {
            Some(recent) if recent.polls >= 3 && recent.mean > self.wait => {
                Verdict::weighing(Severity::Warning, recent.since, recent.mean)
            }
            _ => Judgement::Clear,
        }
    }

    fn describe(&self, cx: &Context, task: &Task) -> Description {
        let mut evidence = vec![Evidence::time("scheduled in all", task.scheduled(cx.now))];
        let recent = task.recent_scheduling(cx.now);
        if let Some(recent) = recent {
            evidence.push(Evidence::time("mean wait, last 10 s", recent.mean));
            evidence.push(Evidence::count("polls, last 10 s", recent.polls));
        }
        let now = task.scheduled_since().filter(|&since| cx.settled.since(since) > self.wait);
        let message = match (now, recent) {
            (Some(since), _) => {
                evidence.insert(0, Evidence::time("scheduled now", cx.now.since(since)));
                format!("woken, and not polled for {}", humanize(cx.now.since(since)))
            }
            (None, Some(recent)) => format!("waits {} for each poll", humanize(recent.mean)),
            (None, None) => "was woken and not polled".to_owned(),
        };
        Description { message, evidence }
    }
}
