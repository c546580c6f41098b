//! `lock-convoy`: many tasks that wait for one lock.

use crate::{
    diagnose::{
        Confidence, Evidence, Lint, Param, RELATED_MOST, Related, Severity, Subject, Threshold,
        contradiction::When,
        follow, label,
        lint::{Asked, Check, Cx, Judgement, Key, Report, Verdict},
    },
    model::{Lock, Resource},
    number::humanize,
    update::{Fact, FactSet, ResourceId, Stamp, Waiting},
};
use std::time::Duration;

const TASKS: Param =
    Param { name: "tasks", default: Threshold::Count(5), help: "at least this many tasks wait for one lock" };
const WAIT: Param = Param {
    name: "wait",
    default: Threshold::Time(Duration::from_millis(100)),
    help: "and each of them has waited longer than this",
};

pub(super) static LINT: Lint = Lint {
    name: "lock-convoy",
    summary: "Many tasks queue on one lock: they move one at a time, whatever the number of workers.",
    severities: &[Severity::Warning],
    advice: "Shorten the critical section, split the state into several locks, or give it to one task and send it messages \
             over a bounded channel.",
    explanation: include_str!("lock_convoy.md"),
    params: &[TASKS, WAIT],
    needs: FactSet::of(&[Fact::Locks]),
    when: When::Now,
    subsumes: &[],
    check: Check::Lock { asked: Asked::WhenReported, judge, describe },
};

/// Those who have waited for too long, first come first, if there are enough of them.
fn queue(cx: &Cx, id: ResourceId, lock: &Lock) -> Option<Vec<Waiting>> {
    let mut waiters = cx.model.waiters(id);
    let lasts = |since: Stamp| cx.model.is_lock_borne_out(id, since, cx.now);
    waiters.retain(|waiter| waited(cx, lock, waiter) > cx.values.time(&WAIT) && waiter.since.is_some_and(lasts));
    (waiters.len() >= (cx.values.count(&TASKS) as usize).max(1)).then_some(waiters)
}

fn waited(cx: &Cx, lock: &Lock, waiter: &Waiting) -> Duration {
    let until = lock.certain.unwrap_or(cx.settled);
    waiter.since.map_or(Duration::ZERO, |since| cx.lasted(since, until))
}

fn judge(cx: &Cx, resource: &Resource, lock: &Lock) -> Judgement {
    let since = queue(cx, resource.id, lock).and_then(|waiters| waiters.first()?.since);
    since.map_or(Judgement::Clear, |since| Verdict::weighing(Severity::Warning, since, Duration::ZERO))
}

fn describe(cx: &Cx, resource: &Resource, lock: &Lock) -> Option<Report> {
    let id = resource.id;
    let waiters = queue(cx, id, lock)?;
    let first = *waiters.first()?;
    let longest = waited(cx, lock, &first);
    let (told, stacks) = label::holds(cx.model, &lock.holds);
    let mut evidence = vec![
        Evidence::count("waiting", waiters.len() as u64),
        Evidence::time("longest wait", longest),
        Evidence::count("acquisitions", lock.acquisitions),
        Evidence::count("contended", lock.contended),
    ];
    evidence.extend(told);
    Some(Report {
        key: Key::Lock(id),
        severity: Severity::Warning,
        confidence: Confidence::Exact,
        since: first.since?,
        subject: Subject::Lock(label::lock(cx.model, id)),
        message: format!(
            "{} tasks have waited over {}, the first for {}",
            waiters.len(),
            humanize(cx.values.time(&WAIT)),
            humanize(longest)
        ),
        evidence,
        related: Related {
            holder: lock.holds.first().map(|hold| label::holder(cx.model, hold)),
            co_holders: lock
                .holds
                .iter()
                .skip(1)
                .take(RELATED_MOST)
                .map(|hold| label::holder(cx.model, hold))
                .collect(),
            keepers: follow::lock(cx.model, cx.now, id),
            stacks,
            waiters: label::waiters(cx.model, &waiters, cx.now),
            waiters_total: waiters.len(),
            ..Related::default()
        },
    })
}
