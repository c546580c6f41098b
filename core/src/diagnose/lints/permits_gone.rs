//! `permits-gone`: tasks wait for permits of a semaphore, and none has come back.

use super::queues::{self, Doing, GoesOn};
use crate::{
    diagnose::{
        Confidence, Evidence, Lint, Param, RELATED_MOST, Related, Severity, Subject, Threshold,
        contradiction::When,
        follow, label,
        lint::{Check, Cx, Key, Report},
    },
    number::{humanize, plural},
    update::{
        Fact, FactSet,
        look::{ClaimKind, Holder, Thing, ThingKind},
    },
};
use std::time::Duration;

const LASTS: Param = Param {
    name: "lasts",
    default: Threshold::Time(Duration::from_secs(1)),
    help: "no permit has come back for this long, and those who have them wait for others",
};

const SLOW: Param = Param {
    name: "slow",
    default: Threshold::Time(Duration::from_secs(5)),
    help: "the same, where one of them runs, or waits for a time or a peer, and may only be slow",
};

pub(super) static LINT: Lint = Lint {
    name: "permits-gone",
    summary: "Tasks wait for permits of a semaphore, or for connections of a pool, and none has come back for a while.",
    severities: &[Severity::Warning],
    advice: "Look at those who have the permits: let go of a permit before you wait for anything else, never ask for a second one while \
             holding the first, and put a timeout around what they wait for.",
    explanation: include_str!("permits_gone.md"),
    params: &[LASTS, SLOW],
    needs: FactSet::of(&[Fact::Chains]),
    when: When::Now,
    subsumes: &[],
    check: Check::Whole(judge),
};

fn judge(cx: &Cx) -> Vec<Report> {
    let is_semaphore = |thing: &&Thing| thing.kind == ThingKind::Semaphore && thing.steady && thing.free == Some(0);
    cx.model.memory().things().iter().filter(is_semaphore).filter_map(|thing| report(cx, thing)).collect()
}

fn report(cx: &Cx, thing: &Thing) -> Option<Report> {
    let standing = queues::standing(cx, thing, cx.values.time(&LASTS))?;
    // One that nobody was ever seen to hold a permit of is a signal.
    let holds = |holder: &&Holder| matches!(holder.what, ClaimKind::Permits(1..));
    let doing: Vec<Doing> = thing.holders.iter().filter(holds).filter_map(|holder| queues::doing(cx, holder)).collect();
    let lasted = cx.lasted(standing.since, cx.model.memory().now()?);
    let is_slow = doing.iter().any(|doing| doing.goes_on != GoesOn::ByOthers);
    if doing.is_empty() || (is_slow && lasted < cx.values.time(&SLOW)) {
        return None;
    }
    let id = crate::diagnose::graph::row(cx.model, thing.id);
    let (waiting, has) = (plural(standing.total as u64, "task"), plural(doing.len() as u64, "task"));
    let (verb, have) =
        (if standing.total == 1 { "waits" } else { "wait" }, if doing.len() == 1 { "has" } else { "have" });
    let evidence = vec![
        Evidence::time("nothing came back for", lasted),
        Evidence::count("waiting", standing.total as u64),
        Evidence::count("who likely have permits", doing.len() as u64),
    ];
    let mut holders = doing.into_iter().map(|doing| doing.who);
    Some(Report {
        key: Key::Lock(id),
        severity: Severity::Warning,
        // A semaphore keeps no count of the permits that are out.
        confidence: Confidence::Likely,
        since: standing.since,
        subject: Subject::Lock(label::resource(cx.model, id)),
        message: format!("{waiting} {verb}, and no permit has come back for {}; {has} {have} them", humanize(lasted)),
        evidence,
        related: Related {
            holder: holders.next(),
            co_holders: holders.take(RELATED_MOST).collect(),
            keepers: follow::holders(cx.model, cx.now, thing, thing.holders.iter().filter(holds)),
            waiters: standing.waiters,
            waiters_total: standing.total,
            ..Related::default()
        },
    })
}
