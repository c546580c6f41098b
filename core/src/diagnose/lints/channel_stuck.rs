//! `channel-stuck`: tasks wait for room in a channel, and nobody makes any.

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
        look::{Certainty, ClaimKind, Holder, Thing, ThingKind},
    },
};
use std::time::Duration;

const LASTS: Param = Param {
    name: "lasts",
    default: Threshold::Time(Duration::from_secs(1)),
    help: "no room was made for this long, and whoever would make it waits for others",
};

const SLOW: Param = Param {
    name: "slow",
    default: Threshold::Time(Duration::from_secs(5)),
    help: "the same, where they run, or wait for a time or a peer, and may only be slow",
};

pub(super) static LINT: Lint = Lint {
    name: "channel-stuck",
    summary: "Tasks wait for room in a channel: its receiver does something else, or the room is reserved and not used.",
    severities: &[Severity::Warning],
    advice: "Let whoever receives do nothing but receive, and hand long work to other tasks; reserve room only once there is something to \
             send; end the senders when the receiver ends.",
    explanation: include_str!("channel_stuck.md"),
    params: &[LASTS, SLOW],
    needs: FactSet::of(&[Fact::Chains]),
    when: When::Now,
    subsumes: &[],
    check: Check::Whole(judge),
};

fn judge(cx: &Cx) -> Vec<Report> {
    let is_room = |thing: &&Thing| thing.kind == ThingKind::Room && thing.steady && thing.free == Some(0);
    cx.model.memory().things().iter().filter(is_room).filter_map(|room| report(cx, room)).collect()
}

fn report(cx: &Cx, room: &Thing) -> Option<Report> {
    let standing = queues::standing(cx, room, cx.values.time(&LASTS))?;
    let channel = cx.model.memory().thing(room.of?)?;
    let messages = room.channel?.messages?;
    // Who reserved room keeps it from others where there is no message to be received.
    let reserves = messages == 0;
    let keeps = |holder: &&Holder| match holder.what {
        ClaimKind::Permits(1..) => reserves,
        ClaimKind::Receiver => !reserves,
        _ => false,
    };
    let holders: Vec<&Holder> = room.holders.iter().chain(&channel.holders).filter(keeps).collect();
    let doing: Vec<Doing> = holders.iter().filter_map(|holder| queues::doing(cx, holder)).collect();
    let lasted = cx.lasted(standing.since, cx.model.memory().now()?);
    let is_slow = doing.iter().any(|doing| doing.goes_on != GoesOn::ByOthers);
    // Of one who is not known nothing says that they do not receive.
    if (is_slow || doing.is_empty()) && lasted < cx.values.time(&SLOW) {
        return None;
    }
    let id = crate::diagnose::graph::row(cx.model, room.id);
    let (waiting, verb) = (plural(standing.total as u64, "task"), if standing.total == 1 { "waits" } else { "wait" });
    let because = match (&*doing, reserves) {
        ([], true) => "all of it is reserved, and it is not known by whom".to_owned(),
        ([], false) => "it is not known who receives".to_owned(),
        ([first, ..], true) => {
            let who = plural(doing.len() as u64, "task");
            let have = if doing.len() == 1 { "has" } else { "have" };
            format!(
                "it is empty: {who} {have} reserved its room and sent nothing; {} {}",
                label::in_words(&first.who),
                first.words
            )
        }
        ([first, ..], false) => format!("its receiver, {}, {}", label::in_words(&first.who), first.words),
    };
    let evidence = vec![
        Evidence::time("no room for", lasted),
        Evidence::count("waiting", standing.total as u64),
        Evidence::count("messages inside", messages),
    ];
    let is_sure = !holders.is_empty() && holders.iter().all(|holder| holder.certainty == Certainty::Proven);
    let mut who = doing.into_iter().map(|doing| doing.who);
    Some(Report {
        key: Key::Lock(id),
        severity: Severity::Warning,
        confidence: if is_sure { Confidence::Exact } else { Confidence::Likely },
        since: standing.since,
        subject: Subject::Lock(label::resource(cx.model, id)),
        message: format!("{waiting} {verb} for room, for {}: {because}", humanize(lasted)),
        evidence,
        related: Related {
            holder: who.next(),
            co_holders: who.take(RELATED_MOST).collect(),
            keepers: follow::holders(cx.model, cx.now, room, holders.into_iter()),
            waiters: standing.waiters,
            waiters_total: standing.total,
            ..Related::default()
        },
    })
}
