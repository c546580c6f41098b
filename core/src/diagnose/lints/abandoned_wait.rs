//! `abandoned-wait`: tasks wait for a notification, or for the others of a barrier, and nobody exists who could end that.

use super::stuck::{self, Shape};
use crate::{
    diagnose::{
        Lint, Param, Severity, Threshold,
        contradiction::When,
        graph::{Awaited, Escapes, Knot},
        lint::{Check, Cx, Report},
    },
    number::{humanize, plural},
    update::{
        Fact, FactSet,
        look::{Thing, ThingId, ThingKind},
    },
};
use std::time::Duration;

const LASTS: Param = Param {
    name: "lasts",
    default: Threshold::Time(Duration::from_secs(1)),
    help: "the tasks have waited for this long",
};

pub(super) static LINT: Lint = Lint {
    name: "abandoned-wait",
    summary: "Tasks wait for a notification or at a barrier, and whoever could end that waits for it as well.",
    severities: &[Severity::Note],
    advice: "Keep a handle where the notification is given, and give it also where that ends early; make a barrier for as many as \
             arrive. A channel whose sender is dropped ends such a wait by itself.",
    explanation: include_str!("abandoned_wait.md"),
    params: &[LASTS],
    needs: FactSet::of(&[Fact::Chains]),
    when: When::Now,
    subsumes: &[],
    check: Check::Whole(judge),
};

fn judge(cx: &Cx) -> Vec<Report> {
    let least = stuck::least(cx, cx.values.time(&LASTS));
    let knots = cx.graphs.get(cx.model, Escapes::Count).knots(least).into_iter();
    let mine = knots.filter(|knot| stuck::shape(cx, knot) == Shape::Abandoned);
    mine.filter_map(|knot| stuck::report(cx, &knot, Severity::Note, message(cx, &knot))).collect()
}

fn message(cx: &Cx, knot: &Knot) -> String {
    let lasted = humanize(stuck::lasted(cx, knot));
    let who = match knot.members().count() {
        1 => String::new(),
        count => format!("{} ", plural(count as u64, "task")),
    };
    let (waits, whose) = if who.is_empty() { ("waits", "it alone has") } else { ("wait", "only they have") };
    let of = |awaited: &Awaited| match awaited {
        Awaited::Message(id) => cx.model.thing_of_row(*id).or_else(|| cx.model.memory().thing(ThingId(id.0))),
        _ => None,
    };
    let things: Vec<&Thing> = knot.awaits.iter().filter_map(of).collect();
    let parties = things.first().and_then(|thing| thing.channel).and_then(|barrier| barrier.bound);
    match (&*things, parties) {
        ([_], Some(parties)) => {
            format!("{who}{waits} at a barrier for {parties}, to which {whose} a handle, for {lasted}")
        }
        ([Thing { kind: ThingKind::Notify, .. }], _) => {
            format!("{who}{waits} for a notification that nobody else could give, for {lasted}")
        }
        _ => format!("{who}{waits} for what nobody else could do, for {lasted}"),
    }
}
