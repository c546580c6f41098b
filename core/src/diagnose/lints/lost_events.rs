//! `lost-events`: the target says that it dropped events.

use crate::{
    diagnose::{
        Confidence, Evidence, Lint, Related, Severity, Subject,
        contradiction::When,
        lint::{Check, Cx, Key, Report},
    },
    update::{FactSet, Stamp},
};
use std::time::Duration;

/// How long a loss is news.
const RECENT: Duration = Duration::from_secs(60);

pub(super) static LINT: Lint = Lint {
    name: "lost-events",
    summary: "The target dropped events: tasks, resources or operations are missing from everything shown here.",
    severities: &[Severity::Warning],
    advice: "Give console-subscriber a larger event_buffer_capacity and a shorter publish_interval, or record fewer events; give \
             an agent more room (its retention), or less detail.",
    explanation: include_str!("lost_events.md"),
    params: &[],
    needs: FactSet::NONE,
    when: When::SoFar,
    subsumes: &[],
    check: Check::Whole(judge),
};

/// What an agent says that it could not tell.
fn of_agent(cx: &Cx, since: Stamp) -> Option<Report> {
    let lost: Vec<(&str, u64)> = cx.model.agent().losses().gaps().collect();
    let total: u64 = lost.iter().fold(0, |sum, &(_, count)| sum.saturating_add(count));
    if total == 0 {
        return None;
    }
    let kinds: Vec<String> = lost.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    Some(Report {
        key: Key::Target,
        severity: Severity::Warning,
        confidence: Confidence::Exact,
        since,
        subject: Subject::Target,
        message: format!("the agent could not keep everything: {}", kinds.join(", ")),
        evidence: vec![Evidence::count("lost", total), Evidence::text("kinds", kinds.join(", "))],
        related: Related::default(),
    })
}

fn judge(cx: &Cx) -> Vec<Report> {
    let health = cx.model.health();
    let dropped = health.dropped;
    let recent = |at: &Stamp| cx.now.since(*at) <= RECENT;
    if let Some(at) = cx.model.agent().losses().grew_at.filter(recent) {
        return of_agent(cx, at).into_iter().collect();
    }
    let Some(at) = health.dropped_at.filter(recent) else { return Vec::new() };
    vec![Report {
        key: Key::Target,
        severity: Severity::Warning,
        confidence: Confidence::Exact,
        since: at,
        subject: Subject::Target,
        message: format!("{} events dropped by the target; other findings may be incomplete", dropped.total()),
        evidence: vec![
            Evidence::count("task events", dropped.tasks),
            Evidence::count("resource events", dropped.resources),
            Evidence::count("operation events", dropped.ops),
        ],
        related: Related::default(),
    }]
}
