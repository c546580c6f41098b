//! `held-across-await`: a task that sleeps while it holds a lock.

use crate::{
    diagnose::tests::before::{
        Confidence, Evidence, Lint, LintSettings, Param, RELATED_MOST, Related, Severity, Subject, Threshold,
        check::{Check, Context, Key, Report, WholeCheck},
        number::{humanize, plural},
        refs,
    },
    model::AcrossAwait,
    update::{ResourceId, Stamp},
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
    explanation: "",
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
        let seen = across.last_seen.filter(|&seen| cx.now.since(seen) <= RECENT)?;
        let severity = match (across.waiters, across.wait) {
            (0, _) => Severity::Note,
            (_, wait) if wait >= self.wait => Severity::Critical,
            _ => Severity::Warning,
        };
        let waiters = cx.model.waiters(id);
        // An agent counts holds that were over before anybody looked.
        let Some(latest) = &across.latest else {
            return Some(Self::unseen(cx, id, across, seen));
        };
        let held = latest.seen.since(latest.acquire.at);
        let mut message = format!("held for {} by a task that sleeps", humanize(held));
        if across.waiters > 0 {
            message = format!("{message}; {} for up to {}", waiting(across.waiters), humanize(across.wait));
        }
        let mut evidence = evidence(across, held, latest.acquire.at, cx.now);
        if let Some(op) = cx.model.ops().get(latest.acquire.op) {
            evidence.push(Evidence::text("acquired by", cx.model.text(op.source)));
        }
        let (told, stacks) = refs::holds(cx.model, &lock.holds);
        evidence.extend(told);
        let others = lock.holds.iter().filter(|hold| hold.acquire != latest.acquire).take(RELATED_MOST);
        Some(Report {
            key: Key::Lock(id),
            severity,
            confidence: refs::confidence(latest.basis),
            since: latest.acquire.at,
            subject: Subject::Lock(refs::lock(cx.model, id)),
            message,
            evidence,
            related: Related {
                holder: Some(refs::holder(cx.model, latest)),
                co_holders: others.map(|hold| refs::holder(cx.model, hold)).collect(),
                stacks,
                waiters: refs::waiters(cx.model, &waiters, cx.now),
                waiters_total: cx.model.waiters_count(id),
                ..Related::default()
            },
        })
    }

    /// Holds that an agent counted, and of which none was in progress when it told of the lock.
    fn unseen(cx: &Context, id: ResourceId, across: &AcrossAwait, seen: Stamp) -> Report {
        Report {
            key: Key::Lock(id),
            severity: Severity::Note,
            confidence: Confidence::Exact,
            since: across.first_seen.unwrap_or(seen),
            subject: Subject::Lock(refs::lock(cx.model, id)),
            message: format!("held across an await {} times, for up to {}", across.count, humanize(across.longest)),
            evidence: vec![Evidence::count("times seen", across.count), Evidence::time("longest seen", across.longest)],
            related: Related::default(),
        }
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
