//! `never-idle`: a task that is ready all the time because it wakes itself, and does next to nothing in each poll.

use crate::{
    diagnose::{
        Evidence, Lint, Param, Severity, Threshold,
        contradiction::When,
        lint::{Asked, Check, Cx, Description, Grouping, Judgement, Verdict},
    },
    model::{Doings, Task},
    number::{grouped, humanize},
    update::{Fact, FactSet},
};
use std::time::Duration;

const LASTS: Param = Param {
    name: "lasts",
    default: Threshold::Time(Duration::from_secs(3)),
    help: "it has been ready all the time for this long",
};

const POLL: Param = Param {
    name: "poll",
    default: Threshold::Time(Duration::from_millis(1)),
    help: "and its polls took less than this on average: who does more in each may have that to do",
};

/// Who is ready for so much of the time is so all the time: what is told of polls and wakes is rounded here and there.
const READY: f64 = 0.95;

/// So many of its wakes are its own.
const OWN: f64 = 0.9;

pub(super) static LINT: Lint = Lint {
    name: "never-idle",
    summary: "A task is ready all the time, because it wakes itself, and does next to nothing in each poll: it waits by asking.",
    severities: &[Severity::Warning],
    advice: "Wait for what it asks for: a channel, tokio::sync::Notify, a watch; or ask from time to time, by tokio::time::interval. A \
             future that returns Pending must leave the waker with whoever makes it ready, and not wake it itself.",
    explanation: include_str!("never_idle.md"),
    params: &[LASTS, POLL],
    needs: FactSet::of(&[Fact::Polls, Fact::ScheduledTime, Fact::Wakes]),
    when: When::Now,
    subsumes: &["self-wakes"],
    check: Check::Task { by: Grouping::Place, asked: Asked::AsTimePasses, judge, describe },
};

fn judge(cx: &Cx, task: &Task) -> Judgement {
    let Some(did) = doings(cx, task) else { return Judgement::Clear };
    let span = cx.lasted(did.since, cx.now).min(did.span);
    let ready = (did.busy + did.scheduled).as_secs_f64() / span.as_secs_f64().max(1e-9);
    let own = did.self_wakes as f64 / did.wakes.max(1) as f64;
    let spins = span >= cx.values.time(&LASTS) && ready >= READY && own >= OWN;
    if !spins || mean(did) >= cx.values.time(&POLL) || !cx.model.standstills().within(did.since, cx.now).is_zero() {
        return Judgement::Clear;
    }
    Judgement::Fires(Verdict { severity: Severity::Warning, since: did.since, weight: did.polls })
}

fn doings(cx: &Cx, task: &Task) -> Option<Doings> {
    if task.kind().may_block() || task.has_ended() { None } else { task.doings(cx.now) }
}

fn mean(did: Doings) -> Duration {
    did.busy / u32::try_from(did.polls).unwrap_or(u32::MAX).max(1)
}

fn describe(cx: &Cx, task: &Task) -> Description {
    let Some(did) = doings(cx, task) else {
        return Description { message: "was ready all the time".into(), evidence: Vec::new() };
    };
    let seconds = did.span.as_secs_f64().max(1e-9);
    let rate = (did.polls as f64 / seconds) as u64;
    let (busy, own) = (did.busy.as_secs_f64() / seconds, did.self_wakes as f64 / did.wakes.max(1) as f64);
    Description {
        message: format!(
            "ready all the time for {}: {} polls a second of {}, for which it wakes itself, and {:.0}% of a thread",
            humanize(did.span),
            grouped(rate),
            humanize(mean(did)),
            busy * 100.0
        ),
        evidence: vec![
            Evidence::count("polls a second", rate),
            Evidence::time("each takes", mean(did)),
            Evidence::share("of a thread", busy.min(1.0)),
            Evidence::share("own wakes", own.min(1.0)),
        ],
    }
}
