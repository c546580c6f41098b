//! `starved`: tasks that are woken and not polled.

use crate::{
    diagnose::{
        Evidence, Lint, Param, Severity, Threshold,
        contradiction::{self, When},
        label::woken_by,
        lint::{Asked, Check, Cx, Description, Grouping, Judgement, Verdict},
    },
    model::{CpuWait, Scheduling, Task},
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
             tokio::task::spawn_blocking; measure before changing the worker count. Where the workers wait for a processor, give \
             the process more of them, or let it run fewer threads.",
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
        && !contradiction::may_be_of_others(cx, task)
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

/// What a task waits for that is ready.
#[derive(Clone, Copy)]
enum Lacks {
    /// A worker: all of them have other tasks.
    Worker,
    /// A processor, on which its worker would run.
    Processor,
    /// Both keep it waiting.
    Both,
}

/// Of its workers' time, so much of waiting for a processor makes that the cause; below the other one it is none.
const PROCESSOR: f64 = 0.5;
const WORKER: f64 = 0.25;

impl Lacks {
    fn by(wait: CpuWait) -> Self {
        if wait.least >= PROCESSOR {
            Self::Processor
        } else if wait.most < WORKER {
            Self::Worker
        } else {
            Self::Both
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::Worker => "a worker",
            Self::Processor => "a processor",
            Self::Both => "a worker and a processor",
        }
    }
}

/// Says for what it waits, where that is known, and in how much of its wait for a processor.
fn cause(cx: &Cx, task: &Task, recent: Option<Scheduling>, evidence: &mut Vec<Evidence>) -> String {
    let Some(wait) = cx.model.cpu_wait_of(task.id()) else { return String::new() };
    let lacks = Lacks::by(wait);
    evidence.push(Evidence::text("waits for", lacks.in_words()));
    evidence.push(Evidence::share("workers' CPU wait", wait.least));
    if let (Some(recent), Lacks::Processor | Lacks::Both) = (recent, lacks) {
        // Its worker's wait is spread over it evenly: nobody knows better.
        evidence.push(Evidence::time("of it for a CPU", mean(cx, recent).mul_f64(wait.least)));
    }
    let waited = format!("its workers waited {:.0}% of their time for", wait.least * 100.0);
    match lacks {
        Lacks::Worker => ", for a worker".into(),
        Lacks::Processor => format!(", for a processor: {waited} one"),
        Lacks::Both => format!(", for a worker; {waited} a processor"),
    }
}

fn describe(cx: &Cx, task: &Task) -> Description {
    let mut evidence = vec![Evidence::time("scheduled in all", task.scheduled(cx.now))];
    let recent = task.recent_scheduling(cx.now);
    if let Some(recent) = recent {
        evidence.push(Evidence::time("mean wait, last 10 s", mean(cx, recent)));
        evidence.push(Evidence::count("polls, last 10 s", recent.polls));
    }
    let cause = cause(cx, task, recent, &mut evidence);
    let now = task.scheduled_since().filter(|&since| cx.lasted(since, cx.settled) > cx.values.time(&WAIT));
    let message = match (now, recent) {
        (Some(since), _) => {
            evidence.insert(0, Evidence::time("scheduled now", cx.lasted(since, cx.now)));
            format!("woken, and not polled for {}{cause}", humanize(cx.lasted(since, cx.now)))
        }
        (None, Some(recent)) => format!("waits {} for each poll{cause}", humanize(mean(cx, recent))),
        (None, None) => format!("was woken and not polled{cause}"),
    };
    evidence.extend(woken_by(cx.model, task.id()).map(|by| Evidence::text("woken by", by)));
    Description { message, evidence }
}
