//! `permits-gone`: tasks wait for permits of a semaphore, and none has come back.

use super::{
    accounts::{self, Of},
    queues::{self, Doing, GoesOn, Standing},
};
use crate::{
    diagnose::{
        Confidence, Evidence, Keeper, Lint, Param, RELATED_MOST, Related, Severity, Subject, Threshold, WaitRef,
        contradiction::When,
        follow, label,
        lint::{Check, Cx, Key, Report},
    },
    number::{humanize, plural},
    update::{
        Fact, FactSet, ResourceId, Stamp,
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
    needs: FactSet::of(&[Fact::Permits]),
    when: When::Now,
    subsumes: &[],
    check: Check::Whole(judge),
};

fn judge(cx: &Cx) -> Vec<Report> {
    let is_semaphore = |thing: &&Thing| thing.kind == ThingKind::Semaphore && thing.steady && thing.free == Some(0);
    let by_memory = cx.model.memory().things().iter().filter(is_semaphore).filter_map(|thing| by_memory(cx, thing));
    let told = accounts::standing(cx, Of::Semaphore, cx.values.time(&LASTS));
    by_memory.chain(told.into_iter().filter_map(|queue| as_told(cx, queue))).collect()
}

fn by_memory(cx: &Cx, thing: &Thing) -> Option<Report> {
    let standing = queues::standing(cx, thing, cx.values.time(&LASTS))?;
    // One that nobody was ever seen to hold a permit of is a signal.
    let holds = |holder: &&Holder| matches!(holder.what, ClaimKind::Permits(1..));
    let doing: Vec<Doing> = thing.holders.iter().filter(holds).filter_map(|holder| queues::doing(cx, holder)).collect();
    let lasted = cx.lasted(standing.since, cx.model.memory().now()?);
    let id = queues::subject(cx, thing);
    let Standing { since, waiters, total } = standing;
    let keepers = follow::holders(cx.model, cx.now, thing, thing.holders.iter().filter(holds));
    report(cx, Gone { id, since, lasted, waiters, total, doing, told: Vec::new(), keepers, have: "have" })
}

/// As an agent tells it.
fn as_told(cx: &Cx, queue: accounts::Queue) -> Option<Report> {
    let doing = queue.takers(cx);
    let accounts::Queue { subject: id, since, lasted, waiters, total, .. } = queue;
    let told = accounts::evidence(&doing, "took one");
    report(cx, Gone { id, since, lasted, waiters, total, doing, told, keepers: Vec::new(), have: "took" })
}

/// A queue of which no permit came back, and what those do who have them.
struct Gone {
    id: ResourceId,
    since: Stamp,
    lasted: Duration,
    waiters: Vec<WaitRef>,
    total: usize,
    doing: Vec<Doing>,
    /// What is told of them as evidence, where it is no part of the story.
    told: Vec<Evidence>,
    keepers: Vec<Keeper>,
    /// What several of them did.
    have: &'static str,
}

fn report(cx: &Cx, gone: Gone) -> Option<Report> {
    let Gone { id, since, lasted, waiters, total, doing, told, keepers, have } = gone;
    let is_slow = doing.iter().any(|doing| doing.goes_on != GoesOn::ByOthers);
    if doing.is_empty() || (is_slow && lasted < cx.values.time(&SLOW)) {
        return None;
    }
    let (waiting, who) = (plural(total as u64, "task"), plural(doing.len() as u64, "task"));
    let verb = if total == 1 { "waits" } else { "wait" };
    let have = if doing.len() == 1 && have == "have" { "has" } else { have };
    let mut evidence = vec![
        Evidence::time("nothing came back for", lasted),
        Evidence::count("waiting", total as u64),
        Evidence::count("who likely have permits", doing.len() as u64),
    ];
    evidence.extend(told);
    let mut holders = doing.into_iter().map(|doing| doing.who);
    Some(Report {
        key: Key::Lock(id),
        severity: Severity::Warning,
        // A semaphore keeps no count of the permits that are out, and one that was taken may have been handed on.
        confidence: Confidence::Likely,
        since,
        subject: Subject::Lock(label::resource(cx.model, id)),
        message: format!("{waiting} {verb}, and no permit has come back for {}; {who} {have} them", humanize(lasted)),
        evidence,
        related: Related {
            holder: holders.next(),
            co_holders: holders.take(RELATED_MOST).collect(),
            keepers,
            waiters,
            waiters_total: total,
            ..Related::default()
        },
    })
}
