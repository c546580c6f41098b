//! `lagging-target`: the target announces things long after they happened.

use crate::{
    diagnose::tests::before::{
        Confidence, Evidence, Lint, Param, Related, Severity, Subject, Threshold,
        check::{Check, Context, Key, Report, WholeCheck},
        number::humanize,
    },
    model::Health,
};
use std::time::Duration;

const LAG: Param = Param {
    name: "lag",
    default: Threshold::Time(Duration::from_millis(500)),
    help: "announcements come this much later than what they announce",
};

/// How long it counts as going on after it was last seen.
const RECENT: Duration = Duration::from_secs(5);

pub(super) static LINT: Lint = Lint {
    name: "lagging-target",
    summary: "The target's instrumentation is behind: what it announces happened a while ago, and it does not say so.",
    severities: &[Severity::Warning],
    advice: "Stock console-subscriber handles at most 127 events each time it wakes: set a shorter publish_interval in the \
             service (50 ms handles about 2,500 a second). holdup asks it to catch up, unless --no-catch-up forbids that.",
    explanation: "",
    params: &[LAG],
    subsumes: &[],
    build: |settings| Check::Whole(Box::new(LaggingTarget { lag: settings.time(&LAG), worst: Duration::ZERO })),
};

struct LaggingTarget {
    lag: Duration,
    /// The worst lag since it began.
    worst: Duration,
}

fn is_over(cx: &Context, health: &Health) -> bool {
    health.lagged_at.is_none_or(|at| cx.now.since(at) > RECENT)
}

impl WholeCheck for LaggingTarget {
    fn judge(&mut self, cx: &Context) -> Vec<Report> {
        let health = cx.model.health();
        if is_over(cx, health) {
            self.worst = Duration::ZERO;
            return Vec::new();
        }
        self.worst = self.worst.max(health.lag);
        if self.worst < self.lag {
            return Vec::new();
        }
        let since = health.told_until.unwrap_or(cx.now);
        vec![Report {
            key: Key::Target,
            severity: Severity::Warning,
            confidence: Confidence::Exact,
            since,
            subject: Subject::Target,
            message: format!("the target shows new tasks and locks up to {} late", humanize(self.worst)),
            evidence: vec![
                Evidence::time("lag", health.lag),
                Evidence::time("worst lag", self.worst),
                Evidence::count("operations of tasks not announced yet", health.unannounced_in_ops),
            ],
            related: Related::default(),
        }]
    }
}
