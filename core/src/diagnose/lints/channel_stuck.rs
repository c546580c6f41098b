//! `channel-stuck`: tasks wait for room in a channel, and nobody makes any.

use super::{
    accounts::{self, Of},
    queues::{self, Doing, GoesOn},
};
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
    needs: FactSet::of(&[Fact::Permits]),
    when: When::Now,
    subsumes: &[],
    check: Check::Whole(judge),
};

fn judge(cx: &Cx) -> Vec<Report> {
    let is_room = |thing: &&Thing| thing.kind == ThingKind::Room && thing.steady && thing.free == Some(0);
    let by_memory = cx.model.memory().things().iter().filter(is_room).filter_map(|room| by_memory(cx, room));
    let told = accounts::standing(cx, Of::Room, cx.values.time(&LASTS));
    by_memory.chain(told.into_iter().filter_map(|queue| as_told(cx, &queue))).collect()
}

/// As an agent tells it: whoever gives room back without having taken any receives.
fn as_told(cx: &Cx, queue: &accounts::Queue) -> Option<Report> {
    let receivers = queue.receivers(cx);
    let takers = if receivers.is_empty() { queue.takers(cx) } else { Vec::new() };
    // Of one who was never seen to receive, nothing says that they do not, later.
    let is_slow = receivers.is_empty() || receivers.iter().any(|doing| doing.goes_on != GoesOn::ByOthers);
    if is_slow && queue.lasted < cx.values.time(&SLOW) {
        return None;
    }
    let because = match (&*receivers, &*takers) {
        ([], []) => "it is not known who receives".to_owned(),
        ([], [first, ..]) => {
            let who = plural(takers.len() as u64, "task");
            let named = label::in_words(&first.who);
            // Who sends into it as well may have received.
            let said = if queue.permits.returned.is_some() {
                "it is not known who receives"
            } else {
                "nobody has received from it so far"
            };
            format!("{said}; {who} sent into it, or reserved its room: {named} {}", first.words)
        }
        ([last, others @ ..], _) => {
            let named = label::in_words(&last.who);
            let who = if others.is_empty() { named } else { format!("the last of {}, {named},", receivers.len()) };
            // Who waits for messages does so rightly where the room is reserved and nothing is sent.
            let or = if is_slow { "; or its room is reserved, and nothing is sent" } else { "" };
            format!("{who} received before, and {}{or}", last.words)
        }
    };
    let mut evidence =
        vec![Evidence::time("no room for", queue.lasted), Evidence::count("waiting", queue.total as u64)];
    evidence.extend(accounts::evidence(&receivers, "received before"));
    evidence.extend(accounts::evidence(&takers, "took room"));
    let mut who = receivers.into_iter().chain(takers).map(|doing| doing.who);
    let (waiting, verb) = (plural(queue.total as u64, "task"), if queue.total == 1 { "waits" } else { "wait" });
    Some(Report {
        key: Key::Lock(queue.subject),
        severity: Severity::Warning,
        confidence: Confidence::Likely,
        since: queue.since,
        subject: Subject::Lock(label::resource(cx.model, queue.subject)),
        message: format!("{waiting} {verb} for room, for {}: {because}", humanize(queue.lasted)),
        evidence,
        related: Related {
            holder: who.next(),
            co_holders: who.take(RELATED_MOST).collect(),
            waiters: queue.waiters.clone(),
            waiters_total: queue.total,
            ..Related::default()
        },
    })
}

fn by_memory(cx: &Cx, room: &Thing) -> Option<Report> {
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
    let id = queues::subject(cx, room);
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
