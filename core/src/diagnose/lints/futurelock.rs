//! `futurelock`: a task waits for what a future of its own has, which it does not poll.

use super::stuck::{self, Shape};
use crate::{
    diagnose::{
        Lint, Param, Severity, Threshold,
        contradiction::When,
        graph::{Awaited, Escapes},
        label,
        lint::{Check, Cx, Report},
    },
    number::humanize,
    update::{Fact, FactSet},
};
use std::time::Duration;

const LASTS: Param = Param {
    name: "lasts",
    default: Threshold::Time(Duration::from_secs(1)),
    help: "the task has waited for this long",
};

pub(super) static LINT: Lint = Lint {
    name: "futurelock",
    summary: "A task waits for what a future of its own has, a lock or its turn, and does not poll that future: it will never go on.",
    severities: &[Severity::Critical],
    advice: "Do not await anything that a future may have which is kept beside: drop it first, poll it on (select! in a loop, or spawn \
             it as a task), or let branches of select! by reference do nothing but return.",
    explanation: include_str!("futurelock.md"),
    params: &[LASTS],
    needs: FactSet::of(&[Fact::Chains]),
    when: When::Now,
    subsumes: &["held-across-await", "lock-convoy", "permits-gone", "channel-stuck"],
    check: Check::Whole(judge),
};

fn judge(cx: &Cx) -> Vec<Report> {
    let least = stuck::least(cx, cx.values.time(&LASTS));
    let knots = cx.graphs.get(cx.model, Escapes::Count).knots(least).into_iter();
    let report = |knot| {
        if stuck::shape(cx, &knot) != Shape::ItsOwnFuture {
            return None;
        }
        let (Awaited::Permits(of) | Awaited::Message(of)) = knot.links.first()?.awaited else { return None };
        let what = label::resource(cx.model, of).in_words();
        let lasted = humanize(stuck::lasted(cx, &knot));
        let message = format!("waits for {what}, which a future of its own has that it does not poll, for {lasted}");
        stuck::report(cx, &knot, Severity::Critical, message)
    };
    knots.filter_map(report).collect()
}
