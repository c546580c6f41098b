//! `blind-target`: the target never sent its state.

use crate::diagnose::{
    Confidence, Evidence, Lint, Related, Severity, Subject,
    contradiction::When,
    lint::{Check, Cx, Key, Report},
};
use crate::update::{Consistency, FactSet};

pub(super) static LINT: Lint = Lint {
    name: "blind-target",
    summary: "The target sent no state when we attached: it speaks of tasks that it never announced.",
    severities: &[Severity::Warning],
    advice: "The service has more tasks than console-subscriber sends in one message of 4 MiB (about 19,000). Restart it with \
             holdup attached from the start, or lower the number of tasks that it retains (retention).",
    explanation: include_str!("blind_target.md"),
    params: &[],
    needs: FactSet::NONE,
    when: When::SoFar,
    subsumes: &[],
    check: Check::Whole(judge),
};

fn judge(cx: &Cx) -> Vec<Report> {
    let health = cx.model.health();
    // An agent sends its state in as many messages as it takes.
    if cx.model.knows().consistency() == Consistency::OneInstant {
        return Vec::new();
    }
    // Where the target says that it dropped events, that explains it.
    if health.unannounced_tasks == 0 || health.dropped.tasks > 0 {
        return Vec::new();
    }
    let shown = cx.model.tasks().len() as u64;
    vec![Report {
        key: Key::Target,
        severity: Severity::Warning,
        confidence: Confidence::Exact,
        since: cx.model.attached().unwrap_or(cx.now),
        subject: Subject::Target,
        message: format!(
            "{} tasks were never announced: they have numbers but no name and no place",
            health.unannounced_tasks
        ),
        evidence: vec![
            Evidence::count("tasks not announced", health.unannounced_tasks),
            Evidence::count("tasks shown", shown),
        ],
        related: Related::default(),
    }]
}
