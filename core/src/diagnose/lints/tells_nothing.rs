//! `tells-nothing`: a target that is there, and tells of no task.

use crate::{
    diagnose::{
        Confidence, Evidence, Lint, Param, Related, Severity, Subject, Threshold,
        contradiction::When,
        lint::{Check, Cx, Key, Report},
    },
    number::{humanize, plural},
    update::{Fact, FactSet},
};
use std::time::Duration;

const AFTER: Param = Param {
    name: "after",
    default: Threshold::Time(Duration::from_secs(3)),
    help: "updates have come for this long, and no task with any of them",
};

/// Whoever sends fewer may not have got to its tasks yet.
const UPDATES: u64 = 3;

pub(super) static LINT: Lint = Lint {
    name: "tells-nothing",
    summary: "The target answers and tells of no task: its instrumentation sees none, so that nothing can be found either.",
    severities: &[Severity::Warning],
    advice: "Let nothing filter what the console's layer sees: give each other layer a filter of its own, and that one \
             tokio=trace,runtime=trace. See that no feature max_level_* or release_max_level_* of tracing is on, and that tokio is \
             built with --cfg tokio_unstable and its feature tracing.",
    explanation: include_str!("tells_nothing.md"),
    params: &[AFTER],
    needs: FactSet::NONE,
    when: When::SoFar,
    subsumes: &[],
    check: Check::Whole(judge),
};

fn judge(cx: &Cx) -> Vec<Report> {
    let model = cx.model;
    let Some(attached) = model.attached() else { return Vec::new() };
    // Where nothing counts polls there is no instrumentation that could be filtered: tasks may be over sooner than memory is read.
    if !model.knows().has(Fact::Polls) {
        return Vec::new();
    }
    let silent = cx.now.since(attached);
    // A spawn location stays known when its tasks are gone. And what lets resources through hides no tasks: there may be none but the
    // future of main, which began before its subscriber.
    let told = !model.tasks().is_empty()
        || !model.resources().is_empty()
        || model.spawns().iter().next().is_some()
        || model.evicted().is_short();
    // That a runtime has tasks an agent knows from the runtime itself.
    let knows_runtimes = model.knows().has(Fact::Runtimes);
    let alive = model.agent().runtimes().iter().fold(0_u64, |all, of| all.saturating_add(of.stats.alive_tasks));
    // Where the target says that it dropped events, that explains it.
    let explained = model.health().dropped.tasks > 0 || (knows_runtimes && alive == 0);
    if told || explained || silent < cx.values.time(&AFTER) || model.health().updates < UPDATES {
        return Vec::new();
    }
    let mut evidence = vec![Evidence::time("watched", silent), Evidence::count("updates", model.health().updates)];
    let mut message = format!("no task in {}", humanize(silent));
    if knows_runtimes {
        evidence.push(Evidence::count("tasks alive in its runtimes", alive));
        message = format!("{message}, and its runtimes have {}", plural(alive, "task"));
    }
    vec![Report {
        key: Key::Target,
        severity: Severity::Warning,
        confidence: Confidence::Exact,
        since: attached,
        subject: Subject::Target,
        message: format!("{message}: look at its filters (tokio=trace,runtime=trace) and at features max_level_*"),
        evidence,
        related: Related::default(),
    }]
}
