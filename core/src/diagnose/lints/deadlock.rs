//! `deadlock`: tasks that wait for each other, for ever.

use super::stuck::{self, Shape};
use crate::{
    diagnose::{
        Lint, Param, Severity, Threshold,
        contradiction::When,
        graph::{Awaited, Escapes},
        lint::{Check, Cx, Report},
    },
    number::{humanize, plural},
    update::{Fact, FactSet},
};
use std::time::Duration;

const LASTS: Param = Param {
    name: "lasts",
    default: Threshold::Time(Duration::from_secs(1)),
    help: "the cycle has stood for this long",
};

pub(super) static LINT: Lint = Lint {
    name: "deadlock",
    summary: "Tasks wait for what they keep among themselves (locks, room, messages, ends): none of them will ever go on.",
    severities: &[Severity::Critical],
    advice: "Take locks in one order everywhere, never ask for a lock while holding it, and drop each guard before asking for \
             the next lock; or give the state to one task and send it messages.",
    explanation: include_str!("deadlock.md"),
    params: &[LASTS],
    needs: FactSet::of(&[Fact::Locks]),
    when: When::Now,
    subsumes: &["stalled-worker", "held-across-await", "lock-convoy", "permits-gone", "channel-stuck"],
    check: Check::Whole(judge),
};

fn judge(cx: &Cx) -> Vec<Report> {
    let least = stuck::least(cx, cx.values.time(&LASTS));
    let graph = cx.graphs.get(cx.model, Escapes::Count);
    let is_mine = |shape| matches!(shape, Shape::Several | Shape::ItsOwnLock);
    let knots = graph.knots(least).into_iter().filter(|knot| is_mine(stuck::shape(cx, knot)));
    let report = |knot| {
        let lasted = stuck::lasted(cx, &knot);
        let count = knot.members().count();
        let locks = knot.links.iter().all(|link| stuck::lock_of(cx, link.awaited).is_some());
        let message = match (count, knot.links.first()?.awaited) {
            (1, Awaited::Permits(lock)) => {
                format!("waits for {} that it holds itself, for {}", stuck::a_lock(cx, lock), humanize(lasted))
            }
            (count, _) if locks => format!("{count} tasks wait for each other's locks, for {}", humanize(lasted)),
            (count, _) => {
                let by_thread = stuck::sleeps_in(cx, &knot);
                let how = by_thread.map_or_else(String::new, |function| format!(", one of them in {function}"));
                format!("{} wait for each other{how}, for {}", plural(count as u64, "task"), humanize(lasted))
            }
        };
        stuck::report(cx, &knot, Severity::Critical, message)
    };
    knots.filter_map(report).collect()
}
