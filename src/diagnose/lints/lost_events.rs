//! `lost-events`: the target says that it dropped events.

use crate::{
    diagnose::{
        Confidence, Evidence, Lint, Related, Severity, Subject,
        check::{Check, Context, Key, Report, WholeCheck},
    },
    model::Stamp,
};
use std::time::Duration;

/// How long a loss is news.
const RECENT: Duration = Duration::from_secs(60);

pub(super) static LINT: Lint = Lint {
    name: "lost-events",
    summary: "The target dropped events: tasks, resources or operations are missing from everything shown here.",
    severities: &[Severity::Warning],
    advice: "Give console-subscriber a larger event_buffer_capacity and a shorter publish_interval, or record fewer events.",
    explanation: include_str!("lost_events.md"),
    params: &[],
    subsumes: &[],
    build: |_| Check::Whole(Box::new(LostEvents)),
};

struct LostEvents;

impl WholeCheck for LostEvents {
    fn judge(&mut self, cx: &Context) -> Vec<Report> {
        let health = cx.model.health();
        let dropped = health.dropped;
        let recent = |at: &Stamp| cx.now.since(*at) <= RECENT;
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
}
