//! `lock-convoy`: many tasks that wait for one lock.

use crate::{
    diagnose::tests::before::{
        Confidence, Evidence, Lint, LintSettings, Param, RELATED_MOST, Related, Severity, Subject, Threshold,
        check::{Check, Context, Key, Report, WholeCheck},
        number::humanize,
        refs,
    },
    update::{ResourceId, Waiting},
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
    explanation: "",
    params: &[TASKS, WAIT],
    subsumes: &[],
    build: |settings| Check::Whole(Box::new(LockConvoy::new(settings))),
};

struct LockConvoy {
    tasks: usize,
    wait: Duration,
}

impl LockConvoy {
    fn new(settings: &LintSettings) -> Self {
        Self { tasks: settings.count(&TASKS) as usize, wait: settings.time(&WAIT) }
    }

    fn report(&self, cx: &Context, id: ResourceId) -> Option<Report> {
        let (_, lock) = cx.model.lock(id)?;
        let until = lock.certain.unwrap_or(cx.settled);
        let waited = |waiter: &Waiting| waiter.since.map_or(Duration::ZERO, |since| until.since(since));
        let mut waiters = cx.model.waiters(id);
        waiters.retain(|waiter| waited(waiter) > self.wait);
        if waiters.len() < self.tasks.max(1) {
            return None;
        }
        let first = *waiters.first()?;
        let longest = waited(&first);
        let (told, stacks) = refs::holds(cx.model, &lock.holds);
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
            subject: Subject::Lock(refs::lock(cx.model, id)),
            message: format!(
                "{} tasks have waited over {}, the first for {}",
                waiters.len(),
                humanize(self.wait),
                humanize(longest)
            ),
            evidence,
            related: Related {
                holder: lock.holds.first().map(|hold| refs::holder(cx.model, hold)),
                co_holders: lock
                    .holds
                    .iter()
                    .skip(1)
                    .take(RELATED_MOST)
                    .map(|hold| refs::holder(cx.model, hold))
                    .collect(),
                stacks,
                waiters: refs::waiters(cx.model, &waiters, cx.now),
                waiters_total: waiters.len(),
                ..Related::default()
            },
        })
    }
}

impl WholeCheck for LockConvoy {
    fn judge(&mut self, cx: &Context) -> Vec<Report> {
        cx.model.changes().locks.iter().filter_map(|&id| self.report(cx, id)).collect()
    }
}
