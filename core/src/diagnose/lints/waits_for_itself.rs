//! `waits-for-itself`: a task waits for something that only it could do.

use super::stuck::{self, Shape};
use crate::{
    diagnose::{
        Lint, Param, Severity, Threshold,
        contradiction::When,
        graph::Escapes,
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
    name: "waits-for-itself",
    summary: "A task waits for something that only the task itself could do: room in a channel that it receives from, a cell that it sets.",
    severities: &[Severity::Warning, Severity::Critical],
    advice: "Give one of the two ends to a task of its own, or do not await the one while only the other could end that: try_send, a \
             branch of select! for each, a value that is made before the cell is asked for.",
    explanation: include_str!("waits_for_itself.md"),
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
        if stuck::shape(cx, &knot) != Shape::Itself {
            return None;
        }
        let first = knot.links.first()?;
        let lasted = humanize(stuck::lasted(cx, &knot));
        let what = stuck::awaited_ref(cx, first.awaited).in_words();
        // One whose messages only it could send has been left alone: it is in nobody's way.
        let severity = if stuck::has_wait_for_permits(&knot) { Severity::Critical } else { Severity::Warning };
        stuck::report(cx, &knot, severity, format!("waits for {what}, which only it could end, for {lasted}"))
    };
    knots.filter_map(report).collect()
}
