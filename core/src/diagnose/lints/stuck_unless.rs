//! `stuck-unless`: tasks that would wait for each other for ever, but for a timeout or a token.

use super::stuck;
use crate::{
    diagnose::{
        Confidence, Evidence, Lint, Param, Severity, Threshold,
        contradiction::When,
        graph::{Actor, Escapes, Knot},
        lint::{Check, Cx, Report},
    },
    number::{humanize, plural},
    update::{Fact, FactSet},
};
use std::time::Duration;

const LASTS: Param = Param {
    name: "lasts",
    default: Threshold::Time(Duration::from_secs(1)),
    help: "the tasks have waited for this long",
};

/// Of so many what would get one on is told.
const WAYS_OUT_MOST: usize = 4;

pub(super) static LINT: Lint = Lint {
    name: "stuck-unless",
    summary: "Tasks wait for each other, and nothing ends that but a timeout, a cancellation or a shutdown.",
    severities: &[Severity::Warning],
    advice: "It is a deadlock with a way out: mend it as one. Take locks in one order, drop guards before you await, give the ends of a \
             channel to different tasks. A timeout makes it rarer to see and slower to end, not right.",
    explanation: include_str!("stuck_unless.md"),
    params: &[LASTS],
    needs: FactSet::of(&[Fact::Chains]),
    when: When::Now,
    subsumes: &["held-across-await", "lock-convoy", "permits-gone", "channel-stuck"],
    check: Check::Whole(judge),
};

fn judge(cx: &Cx) -> Vec<Report> {
    let least = stuck::least(cx, cx.values.time(&LASTS));
    // Who can never go on anyhow is told as that.
    let told: Vec<Actor> =
        cx.graphs.get(cx.model, Escapes::Count).knots(least).iter().flat_map(Knot::members).collect();
    let is_mine = |knot: &Knot| {
        !knot.escapes.is_empty()
            && stuck::has_wait_for_permits(knot)
            && knot.members().all(|actor| !told.contains(&actor))
    };
    let knots = cx.graphs.get(cx.model, Escapes::LeftOut).knots(least).into_iter();
    knots.filter(is_mine).filter_map(|knot| report(cx, &knot)).collect()
}

fn report(cx: &Cx, knot: &Knot) -> Option<Report> {
    let mut ways: Vec<String> = knot.escapes.iter().filter_map(|&way| stuck::escape(cx, way, cx.now)).collect();
    ways.sort();
    ways.dedup();
    let first = ways.first()?;
    let count = knot.members().count() as u64;
    let (lasted, who) = (humanize(stuck::lasted(cx, knot)), plural(count, "task"));
    let message = match count {
        1 => format!("waits for what only it could end, for {lasted}, unless {first}"),
        _ => format!("{who} wait for each other, for {lasted}, unless {first}"),
    };
    let mut report = stuck::report(cx, knot, Severity::Warning, message)?;
    // Another branch may be what the program waits for.
    report.confidence = Confidence::Inferred;
    report.evidence.extend(ways.into_iter().take(WAYS_OUT_MOST).map(|way| Evidence::text("unless", way)));
    Some(report)
}
