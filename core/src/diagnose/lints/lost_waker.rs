//! `lost-waker`: a task that nothing can wake any more.

use crate::update::Fact;
use crate::{
    diagnose::{
        Evidence, Lint, Param, Severity, Threshold,
        lint::{Asked, Check, Cx, Description, Grouping, Judgement, Verdict},
    },
    model::{Task, TaskKind, TaskState},
    number::humanize,
};
use std::time::Duration;

const QUIET: Param = Param {
    name: "quiet",
    default: Threshold::Time(Duration::from_secs(1)),
    help: "a task is judged when it has been neither polled nor woken for this long",
};

pub(super) static LINT: Lint = Lint {
    name: "lost-waker",
    summary: "A task is alive, neither running nor woken, and no waker for it is left: it will never be polled again.",
    severities: &[Severity::Critical],
    advice: "In the future that it awaits, store a clone of cx.waker() before returning Poll::Pending, and wake it when there \
             is something to do.",
    explanation: include_str!("lost_waker.md"),
    params: &[QUIET],
    subsumes: &[],
    check: Check::Task { by: Grouping::Place, asked: Asked::AsTimePasses, judge, describe },
};

fn judge(cx: &Cx, task: &Task) -> Judgement {
    // An agent in lean detail knows nothing of wakers: there are not none, there are none told.
    if !cx.model.knows().has(Fact::Wakers) {
        return Judgement::Clear;
    }
    // Roots of block_on and blocking tasks are not woken through wakers that the runtime counts.
    let counted = matches!(task.kind(), TaskKind::Task | TaskKind::Local);
    let Some(slept) = task.stats().polls.last_ended.filter(|_| counted && task.state() == TaskState::Idle) else {
        return Judgement::Clear;
    };
    if task.wakers() > 0 {
        return Judgement::Clear;
    }
    // Clones and drops are counted apart and read apart: only counts that stood still for a while add up.
    if task.confirmed() > cx.settled || cx.settled.since(slept) < cx.values.time(&QUIET) {
        return Judgement::AskAgain;
    }
    Verdict::weighing(Severity::Critical, slept, cx.settled.since(slept))
}

fn describe(cx: &Cx, task: &Task) -> Description {
    let asleep = task.stats().polls.last_ended.map_or(Duration::ZERO, |slept| cx.now.since(slept));
    Description {
        message: format!("asleep for {} with no waker left", humanize(asleep)),
        evidence: vec![
            Evidence::time("asleep", asleep),
            Evidence::count("wakers", task.wakers()),
            Evidence::count("waker clones", task.stats().waker_clones),
            Evidence::count("waker drops", task.stats().waker_drops),
            Evidence::count("polls", task.polls()),
        ],
    }
}
