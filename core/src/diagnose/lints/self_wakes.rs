//! `self-wakes`: a task that mostly wakes itself.

use crate::{
    diagnose::{
        Evidence, Lint, Param, Severity, Threshold,
        contradiction::When,
        label::woken_by,
        lint::{Asked, Check, Cx, Description, Grouping, Judgement, Verdict},
    },
    model::Task,
    update::{Fact, FactSet},
};

const SHARE: Param = Param {
    name: "share",
    default: Threshold::Share(0.5),
    help: "more than this share of the wakes are the task's own",
};
const WAKES: Param =
    Param { name: "wakes", default: Threshold::Count(100), help: "and at least this many wakes are its own" };

pub(super) static LINT: Lint = Lint {
    name: "self-wakes",
    summary: "A task mostly wakes itself: it asks again and again instead of waiting to be told.",
    severities: &[Severity::Note],
    advice: "Wait for an event instead of polling for it: a channel, tokio::sync::Notify, or an interval. A loop that yields \
             on purpose is fine.",
    explanation: include_str!("self_wakes.md"),
    params: &[SHARE, WAKES],
    needs: FactSet::of(&[Fact::Wakes]),
    when: When::SoFar,
    subsumes: &[],
    check: Check::Task { by: Grouping::Place, asked: Asked::WhenReported, judge, describe },
};

fn judge(cx: &Cx, task: &Task) -> Judgement {
    let fires = !task.kind().may_block()
        && !task.has_ended()
        && task.stats().self_wakes >= cx.values.count(&WAKES)
        && task.self_wake_share() > cx.values.share(&SHARE);
    match task.created().filter(|_| fires) {
        Some(since) => Judgement::Fires(Verdict { severity: Severity::Note, since, weight: task.stats().self_wakes }),
        None => Judgement::Clear,
    }
}

fn describe(cx: &Cx, task: &Task) -> Description {
    let share = task.self_wake_share();
    let mut evidence = vec![
        Evidence::share("own wakes", share),
        Evidence::count("wakes", task.wakes()),
        Evidence::count("self wakes", task.stats().self_wakes),
    ];
    evidence.extend(woken_by(cx.model, task.id()).map(|by| Evidence::text("woken by", by)));
    Description { message: format!("{:.0}% of {} wakes are its own", share * 100.0, task.wakes()), evidence }
}
