//! `lost-waker`: a task that nothing can wake any more.

use crate::{
    diagnose::tests::before::{
        Evidence, Lint, LintSettings, Param, Severity, Threshold,
        check::{Check, Context, Description, Grouping, Judgement, TaskCheck, Verdict},
        number::humanize,
    },
    model::{Task, TaskState},
    update::{Fact, TaskKind},
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
    explanation: "",
    params: &[QUIET],
    subsumes: &[],
    build: |settings| Check::Task(Grouping::Place, Box::new(LostWaker::new(settings))),
};

struct LostWaker {
    quiet: Duration,
}

impl LostWaker {
    fn new(settings: &LintSettings) -> Self {
        Self { quiet: settings.time(&QUIET) }
    }
}

impl TaskCheck for LostWaker {
    fn judge(&self, cx: &Context, task: &Task) -> Judgement {
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
        if task.confirmed() > cx.settled || cx.settled.since(slept) < self.quiet {
            return Judgement::AskAgain;
        }
        Verdict::weighing(Severity::Critical, slept, cx.settled.since(slept))
    }

    fn describe(&self, cx: &Context, task: &Task) -> Description {
        let asleep = task.stats().polls.last_ended.map_or(Duration::ZERO, |slept| cx.now.since(slept));
        Description {
            message: format!("asleep for {} with no waker left", humanize(asleep)),
            evidence: vec![
                Evidence::time("asleep", asleep),
                Evidence::count("wakers", task.wakers()),
                Evidence::count("waker clones", task.stats().waker_clones),
                Evidence::count("waker drops", task.stats().waker_drops),
                Evidence::count("polls", task.stats().polls.count),
            ],
        }
    }
}
