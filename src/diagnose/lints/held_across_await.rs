//! `held-across-await`: a task that sleeps while it holds a lock.

use crate::diagnose::refs;
use crate::{
    diagnose::{
        Confidence, Evidence, Lint, LintSettings, Param, Related, Severity, Subject, Threshold,
        check::{Check, Context, Key, Report, WholeCheck},
        words::{humanize, plural},
    },
    model::{AcrossAwait, ResourceId, Stamp},
};
use rustc_hash::FxHashSet;
use std::time::Duration;

const WAIT: Param = Param {
    name: "critical",
    default: Threshold::Time(Duration::from_secs(1)),
    help: "a task that has waited this long for the lock makes it critical",
};

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
    subsumes: &[],
    build: |settings| Check::Whole(Box::new(HeldAcrossAwait::new(settings))),
};

struct HeldAcrossAwait {
    wait: Duration,
    /// Locks that were seen to be held so.
    seen: FxHashSet<ResourceId>,
}

impl HeldAcrossAwait {
    fn new(settings: &LintSettings) -> Self {
        Self { wait: settings.time(&WAIT), seen: FxHashSet::default() }
    }

    fn report(&self, cx: &Context, id: ResourceId) -> Option<Report> {
        let (_, lock) = cx.model.lock(id)?;
        let across = &lock.across;
        let latest = across.latest.filter(|hold| cx.now.since(hold.seen) <= RECENT)?;
        let severity = match (across.waiters, across.wait) {
            (0, _) => Severity::Note,
            (_, wait) if wait >= self.wait => Severity::Critical,
            _ => Severity::Warning,
        };
        let waiters = cx.model.waiters(id);
        let holder = refs::task_by_id(cx.model, latest.acquire.task);
        let held = latest.seen.since(latest.acquire.at);
        let mut message = format!("held for {} by a task that sleeps", humanize(held));
        if across.waiters > 0 {
            message = format!("{message}; {} for up to {}", waiting(across.waiters), humanize(across.wait));
        }
        let mut evidence = evidence(across, held, latest.acquire.at, cx.now);
        if let Some(op) = cx.model.ops().get(latest.acquire.op) {
            evidence.push(Evidence::text("acquired by", cx.model.text(op.source)));
        }
        Some(Report {
            key: Key::Lock(id),
            severity,
            confidence: Confidence::Inferred,
            since: latest.acquire.at,
            subject: Subject::Lock(refs::lock(cx.model, id)),
            message,
            evidence,
            related: Related {
                holder: Some(holder),
                waiters: refs::waiters(cx.model, &waiters, cx.now),
                waiters_total: waiters.len(),
                ..Related::default()
            },
        })
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

impl WholeCheck for HeldAcrossAwait {
    fn judge(&mut self, cx: &Context) -> Vec<Report> {
        self.seen.extend(&cx.model.changes().locks);
        let seen = std::mem::take(&mut self.seen);
        let mut reports = Vec::new();
        for id in seen {
            if let Some(report) = self.report(cx, id) {
                reports.push(report);
                self.seen.insert(id);
            }
        }
        reports
    }
}
