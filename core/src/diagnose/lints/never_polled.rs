//! `never-polled`: a task that was spawned and never polled.

use crate::{
    diagnose::{
        Evidence, Lint, Param, Severity, Threshold,
        contradiction::When,
        lint::{Asked, Check, Cx, Description, Grouping, Judgement, Verdict},
    },
    model::Task,
    number::humanize,
    update::{Fact, FactSet, look::State},
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
    needs: FactSet::of(&[Fact::FirstPolls]),
    when: When::Now,
    subsumes: &[],
    check: Check::Task { by: Grouping::Place, asked: Asked::AsTimePasses, judge, describe },
};

fn judge(cx: &Cx, task: &Task) -> Judgement {
    if !cx.model.knows().has(Fact::Polls) {
        return judge_look(cx, task);
    }
    let Some(created) = task.created() else { return Judgement::Clear };
    // A blocking task that waits has no free thread, which is another matter.
    let polled = task.polls() > 0 || task.has_ended();
    let waited = cx.lasted(created, cx.settled);
    if polled || task.kind().may_block() || waited < cx.values.time(&AFTER) {
        return Judgement::Clear;
    }
    Verdict::weighing(Severity::Warning, created, waited)
}

/// By memory, which counts no polls: a function that has not begun, woken since a look that is long past. Each look bears it out.
fn judge_look(cx: &Cx, task: &Task) -> Judgement {
    let is_woken = task.look().is_some_and(|look| look.state == State::Woken && look.unread.is_empty());
    let Some(since) = task.scheduled_since().filter(|_| is_woken) else { return Judgement::Clear };
    if !cx.model.chain_of(task).is_some_and(|chain| chain.has_not_started()) {
        return Judgement::Clear;
    }
    let waited = cx.lasted(since, cx.now);
    if waited < cx.values.time(&AFTER) {
        return Judgement::AskAgain;
    }
    Verdict::weighing(Severity::Warning, since, waited)
}

fn describe(cx: &Cx, task: &Task) -> Description {
    if let (Some(look), false) = (task.look(), cx.model.knows().has(Fact::Polls)) {
        let waited = task.scheduled_since().map_or(Duration::ZERO, |since| cx.now.since(since));
        let mut evidence = vec![Evidence::time("woken for at least", waited)];
        let queued = look.queued.in_words();
        if !queued.is_empty() {
            evidence.push(Evidence::text("queued", queued));
        }
        return Description {
            message: format!("not polled for at least {}, and never before", humanize(waited)),
            evidence,
        };
    }
    let age = task.total(cx.now);
    Description {
        message: format!("spawned {} ago and never polled", humanize(age)),
        evidence: vec![Evidence::time("age", age), Evidence::count("polls", task.polls())],
    }
}
