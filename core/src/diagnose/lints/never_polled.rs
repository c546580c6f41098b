//! `never-polled`: a task that was spawned and never polled.

use crate::{
    diagnose::{
        Evidence, Lint, Param, Severity, Threshold,
        contradiction::When,
        lint::{Asked, Check, Cx, Description, Grouping, Judgement, Verdict},
    },
    model::Task,
    number::humanize,
    update::{Fact, FactSet},
};
use std::time::Duration;

const AFTER: Param = Param {
    name: "after",
    default: Threshold::Time(Duration::from_secs(1)),
    help: "spawned this long ago and never polled",
};

pub(super) static LINT: Lint = Lint {
    name: "never-polled",
    summary: "A task was spawned and has never been polled: futures do nothing until they are.",
    severities: &[Severity::Warning],
    advice: "See that its runtime or LocalSet is being driven (a LocalSet runs only while something awaits it), and that its \
             workers are not all blocked.",
    explanation: include_str!("never_polled.md"),
    params: &[AFTER],
    needs: FactSet::of(&[Fact::Polls]),
    when: When::Now,
    subsumes: &[],
    check: Check::Task { by: Grouping::Place, asked: Asked::AsTimePasses, judge, describe },
};

fn judge(cx: &Cx, task: &Task) -> Judgement {
    let Some(created) = task.created() else { return Judgement::Clear };
    // A blocking task that waits has no free thread, which is another matter.
    let polled = task.polls() > 0 || task.has_ended();
    let waited = cx.lasted(created, cx.settled);
    if polled || task.kind().may_block() || waited < cx.values.time(&AFTER) {
        return Judgement::Clear;
    }
    Verdict::weighing(Severity::Warning, created, waited)
}

fn describe(cx: &Cx, task: &Task) -> Description {
    let age = task.total(cx.now);
    Description {
        message: format!("spawned {} ago and never polled", humanize(age)),
        evidence: vec![Evidence::time("age", age), Evidence::count("polls", task.polls())],
    }
}
