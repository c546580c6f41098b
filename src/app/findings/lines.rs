//! The findings about one task or one lock, as its page lists them.

use crate::{
    diagnose::{Confidence, Engine, Finding, FindingId, Severity, Status, Subject},
    update::{ResourceId, Stamp, TaskId, WorkerId},
};

/// A page lists at most this many findings.
const MOST: usize = 24;

/// A finding in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingLine {
    /// Its number.
    pub id: FindingId,
    /// How bad it is.
    pub severity: Severity,
    /// The lint's name.
    pub lint: &'static str,
    /// Whether it still holds.
    pub status: Status,
    /// How sure we are.
    pub confidence: Confidence,
    /// What it says, its subject left out.
    pub message: String,
    /// When it was last seen.
    pub last_seen: Stamp,
}

impl FindingLine {
    fn of(finding: &Finding) -> Self {
        Self {
            id: finding.id,
            severity: finding.severity,
            lint: finding.lint.name,
            status: finding.status,
            confidence: finding.confidence,
            message: finding.message.clone(),
            last_seen: finding.last_seen,
        }
    }
}

/// What was found about a task since the session began at `attached`: before that, its id was another's.
pub(crate) fn findings_of_task(engine: &Engine, task: TaskId, attached: Option<Stamp>) -> Vec<FindingLine> {
    findings(engine, attached, |finding| finding.concerns(task))
}

/// What was found about a lock since the session began.
pub(crate) fn findings_of_lock(engine: &Engine, lock: ResourceId, attached: Option<Stamp>) -> Vec<FindingLine> {
    findings(engine, attached, |finding| {
        let related = &finding.related;
        matches!(&finding.subject, Subject::Lock(subject) if subject.id == lock)
            || related.lock.as_ref().is_some_and(|other| other.id == lock)
            || related.cycle.iter().any(|step| step.waits_for.resource().is_some_and(|resource| resource.id == lock))
    })
}

/// What was found about a worker since the session began.
pub(crate) fn findings_of_worker(engine: &Engine, worker: WorkerId, attached: Option<Stamp>) -> Vec<FindingLine> {
    findings(engine, attached, |finding| finding.related.worker.as_ref().is_some_and(|other| other.id == worker))
}

fn findings(engine: &Engine, attached: Option<Stamp>, is_about: impl Fn(&Finding) -> bool) -> Vec<FindingLine> {
    let of_session = |finding: &&Finding| attached.is_none_or(|attached| finding.first_seen >= attached);
    let about = engine.findings().filter(of_session).filter(|finding| is_about(finding));
    about.take(MOST).map(FindingLine::of).collect()
}
