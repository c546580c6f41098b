//! `lock-convoy`: many tasks that wait for one lock.

use crate::diagnose::refs;
use crate::{
    diagnose::{
        Confidence, Evidence, Lint, LintSettings, Param, Related, Severity, Subject, Threshold,
        check::{Check, Context, Key, Report, WholeCheck},
        words::humanize,
    },
    model::{Op, ResourceId},
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
        let waited = |op: &Op| op.created.map_or(Duration::ZERO, |created| cx.settled.since(created));
        let mut waiters = cx.model.waiters(id);
        waiters.retain(|op| waited(op) > self.wait);
        if waiters.len() < self.tasks.max(1) {
            return None;
        }
        let first = *waiters.first()?;
        let longest = waited(first);
        Some(Report {
            key: Key::Lock(id),
            severity: Severity::Warning,
            confidence: Confidence::Exact,
            since: first.created?,
            subject: Subject::Lock(refs::lock(cx.model, id)),
            message: format!(
                "{} tasks have waited over {}, the first for {}",
                waiters.len(),
                humanize(self.wait),
                humanize(longest)
            ),
            evidence: vec![
                Evidence::count("waiting", waiters.len() as u64),
                Evidence::time("longest wait", longest),
                Evidence::count("acquisitions", lock.acquisitions),
                Evidence::count("contended", lock.contended),
            ],
            related: Related {
                holder: lock.holds.first().map(|hold| refs::task_by_id(cx.model, hold.acquire.task)),
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
