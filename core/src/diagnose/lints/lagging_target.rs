//! `lagging-target`: the target announces things long after they happened.

use crate::{
    diagnose::{
        Confidence, Evidence, Lint, Param, Related, Severity, Subject, Threshold,
        contradiction::When,
        lint::{Check, Cx, Key, Report},
    },
    number::humanize,
    update::FactSet,
};
use std::time::Duration;

const LAG: Param = Param {
    name: "lag",
    default: Threshold::Time(Duration::from_millis(500)),
    help: "announcements come this much later than what they announce",
};

pub(super) static LINT: Lint = Lint {
    name: "lagging-target",
    summary: "The target's instrumentation is behind: what it announces happened a while ago, and it does not say so.",
    severities: &[Severity::Warning],
    advice: "Stock console-subscriber handles at most 127 events each time it wakes: set a shorter publish_interval in the \
             service (50 ms handles about 2,500 a second). holdup asks it to catch up, unless --no-catch-up forbids that.",
    explanation: include_str!("lagging_target.md"),
    params: &[LAG],
    needs: FactSet::NONE,
    when: When::SoFar,
    subsumes: &[],
    check: Check::Whole(judge),
};

fn judge(cx: &Cx) -> Vec<Report> {
    let health = cx.model.health();
    // The model counts the worst as nothing once it has kept up for a while.
    if health.worst_lag.is_zero() || health.worst_lag < cx.values.time(&LAG) {
        return Vec::new();
    }
    let since = health.told_until.unwrap_or(cx.now);
    vec![Report {
        key: Key::Target,
        severity: Severity::Warning,
        confidence: Confidence::Exact,
        since,
        subject: Subject::Target,
        message: format!("the target shows new tasks and locks up to {} late", humanize(health.worst_lag)),
        evidence: vec![
            Evidence::time("lag", health.lag),
            Evidence::time("worst lag", health.worst_lag),
            Evidence::count("operations of tasks not announced yet", health.unannounced_in_ops),
        ],
        related: Related::default(),
    }]
}
