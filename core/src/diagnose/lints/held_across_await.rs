//! `held-across-await`: a task that sleeps while it holds a lock.

use crate::{
    diagnose::{
        Confidence, Evidence, Lint, Param, RELATED_MOST, Related, Severity, Subject, Threshold,
        contradiction::When,
        follow, label,
        lint::{Asked, Check, Cx, Judgement, Key, Report, Verdict},
    },
    model::{AcrossAwait, Basis, Lock, Resource},
    number::{humanize, plural},
    update::{Fact, FactSet, ResourceId, Stamp},
};
use std::time::Duration;

const WAIT: Param = Param {
    name: "critical",
    default: Threshold::Time(Duration::from_secs(1)),
    help: "a task that has waited this long for the lock makes it critical",
};

/// So many holds must have been seen of which it is only likely whose they are, unless one lasts.
const SIGHTINGS: u64 = 3;

/// How long after it was last seen the habit counts as one that goes on.
const RECENT: Duration = Duration::from_secs(5);

pub(super) static LINT: Lint = Lint {
    name: "held-across-await",
    summary: "A task's poll ended while it held a Mutex or RwLock guard: it sleeps, and others queue on the lock.",
    severities: &[Severity::Note, Severity::Warning, Severity::Critical],
    advice: "Drop the guard before the .await, or give the state to one task and send it messages. For a short critical \
             section without an await, std::sync::Mutex is enough.",
    explanation: include_str!("held_across_await.md"),
    params: &[WAIT],
    needs: FactSet::of(&[Fact::Locks]),
    when: When::Now,
    subsumes: &[],
    check: Check::Lock { asked: Asked::AsTimePasses, judge, describe },
};

fn judge(cx: &Cx, resource: &Resource, lock: &Lock) -> Judgement {
    let across = &lock.across;
    let Some(seen) = across.last_seen.filter(|&seen| cx.now.since(seen) <= RECENT) else { return Judgement::Clear };
    let (severity, since) = match &across.latest {
        // Bytes that may be stale say it, and say it only if they go on to, or say it again.
        Some(latest)
            if is_likely(across)
                && across.count < SIGHTINGS
                && !cx.model.is_lock_borne_out(resource.id, latest.acquire.at, seen) =>
        {
            return Judgement::AskAgain;
        }
        Some(latest) => (severity(cx, resource.id, across), latest.acquire.at),
        None => (Severity::Note, across.first_seen.unwrap_or(seen)),
    };
    Verdict::weighing(severity, since, Duration::ZERO)
}

fn severity(cx: &Cx, id: ResourceId, across: &AcrossAwait) -> Severity {
    // Of the wait so far, as it was seen last.
    let seen = across.last_seen.unwrap_or(cx.now);
    // Of looks only those say how long that show the same holder: in between others may have had it.
    let held = across.latest.as_ref().filter(|_| cx.model.is_lock_told_by_looks(id)).map(|latest| latest.acquire.at);
    let since = held.map_or(seen.minus(across.wait), |held| held.max(seen.minus(across.wait)));
    let is_sure = || !is_likely(across) && cx.model.is_lock_borne_out(id, since, seen);
    match (across.waiters, cx.lasted(since, seen)) {
        (0, _) => Severity::Note,
        (_, wait) if wait >= cx.values.time(&WAIT) && is_sure() => Severity::Critical,
        _ => Severity::Warning,
    }
}

/// Whether it is only likely who holds it.
fn is_likely(across: &AcrossAwait) -> bool {
    across.latest.as_ref().is_some_and(|latest| latest.basis == Basis::Likely)
}

fn describe(cx: &Cx, resource: &Resource, lock: &Lock) -> Option<Report> {
    let (id, across) = (resource.id, &lock.across);
    let (severity, seen) = (severity(cx, id, across), across.last_seen?);
    let waiters = cx.model.waiters(id);
    // An agent counts holds that were over before anybody looked.
    let Some(latest) = &across.latest else {
        return Some(unseen(cx, id, across, seen));
    };
    let held = latest.seen.since(latest.acquire.at);
    // It may have been taken at the very moment at which it was seen.
    let so_far = if held.is_zero() { "just taken".to_owned() } else { format!("held for {}", humanize(held)) };
    let taken = latest.acquired_at.as_ref().and_then(|stack| stack.top()).map(|frame| frame.place.to_string());
    let mut message = match (latest.outlived, taken.filter(|place| !place.is_empty())) {
        (false, _) => format!("{so_far} by a task that sleeps"),
        (true, Some(place)) => format!("{so_far} by a guard taken at {place}, by a task that has ended"),
        (true, None) => format!("{so_far} by a guard of a task that has ended"),
    };
    if across.waiters > 0 {
        message = format!("{message}; {}", waiting(across.waiters));
    }
    // One look knows that they wait, and not for how long.
    if across.waiters > 0 && !across.wait.is_zero() {
        message = format!("{message} for up to {}", humanize(across.wait));
    }
    let mut evidence = evidence(across, held, latest.acquire.at, cx.now);
    if let Some(doubt) = cx.model.doubt(id).filter(|_| latest.basis == Basis::Likely) {
        evidence.push(Evidence::text("not proven", doubt));
    }
    if let Some(op) = cx.model.ops().get(latest.acquire.op) {
        evidence.push(Evidence::text("acquired by", cx.model.text(op.source)));
    }
    let (told, stacks) = label::holds(cx.model, &lock.holds);
    evidence.extend(told);
    let others = lock.holds.iter().filter(|hold| hold.acquire != latest.acquire).take(RELATED_MOST);
    Some(Report {
        key: Key::Lock(id),
        severity,
        confidence: label::confidence(latest.basis),
        since: latest.acquire.at,
        subject: Subject::Lock(label::lock(cx.model, id)),
        message,
        evidence,
        related: Related {
            holder: Some(label::holder(cx.model, latest)),
            co_holders: others.map(|hold| label::holder(cx.model, hold)).collect(),
            keepers: follow::lock(cx.model, cx.now, id),
            stacks,
            waiters: label::waiters(cx.model, &waiters, cx.now),
            waiters_total: cx.model.waiters_count(id),
            ..Related::default()
        },
    })
}

/// Holds that an agent counted, and of which none was in progress when it told of the lock.
fn unseen(cx: &Cx, id: ResourceId, across: &AcrossAwait, seen: Stamp) -> Report {
    Report {
        key: Key::Lock(id),
        severity: Severity::Note,
        confidence: Confidence::Exact,
        since: across.first_seen.unwrap_or(seen),
        subject: Subject::Lock(label::lock(cx.model, id)),
        message: format!("held across an await {} times, for up to {}", across.count, humanize(across.longest)),
        evidence: vec![Evidence::count("times seen", across.count), Evidence::time("longest seen", across.longest)],
        related: Related::default(),
    }
}

fn waiting(count: usize) -> String {
    format!("{} {}", plural(count as u64, "task"), if count == 1 { "waits" } else { "wait" })
}

fn evidence(across: &AcrossAwait, held: Duration, acquired: Stamp, now: Stamp) -> Vec<Evidence> {
    vec![
        Evidence::time("held", held),
        Evidence::time("acquired ago", now.since(acquired)),
        Evidence::count("times seen", across.count),
        Evidence::time("longest seen", across.longest),
        Evidence::count("waiting", across.waiters as u64),
        Evidence::time("longest wait now", across.wait),
        Evidence::count("most waiting", across.most_waiters as u64),
        Evidence::time("longest wait", across.longest_wait),
    ]
}
