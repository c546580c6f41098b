//! `never-polled`: a task that was spawned and never polled.

use crate::{
    diagnose::tests::before::{
        Evidence, Lint, LintSettings, Param, Severity, Threshold,
        check::{Check, Context, Description, Grouping, Judgement, TaskCheck, Verdict},
        number::humanize,
    },
    model::Task,
    update::TaskKind,
};
use std::time::Duration;

const AFTER: Param = Param {
    name: "after",
    default: Threshold::Time(Duration::from_secs(1)),
    help: "spawned this long ago and never polled",
};

pub(super) static LINT: Lint = Lint {
    name: "never-polled",
    summary: "A task was spawned and has never been polled: futures do nothing until they are.",
    severities: &[Severity::Warning],
    advice: "See that its runtime or LocalSet is being driven (a LocalSet runs only while something awaits it), and that its \
             workers are not all blocked.",
    explanation: "",
    params: &[AFTER],
    subsumes: &[],
    build: |settings| Check::Task(Grouping::Place, Box::new(NeverPolled::new(settings))),
};

struct NeverPolled {
    after: Duration,
}

impl NeverPolled {
    fn new(settings: &LintSettings) -> Self {
        Self { after: settings.time(&AFTER) }
    }
}

impl TaskCheck for NeverPolled {
    fn judge(&self, cx: &Context, task: &Task) -> Judgement {
        let Some(created) = task.stats().created else { return Judgement::Clear };
        // A blocking task that waits has no free thread, which is another matter.
        let polled = task.stats().polls.count > 0 || task.stats().dropped.is_some();
        let waited = cx.settled.since(created);
        if polled || task.kind() == TaskKind::Blocking || waited < self.after {
            return Judgement::Clear;
        }
        Verdict::weighing(Severity::Warning, created, waited)
    }

    fn describe(&self, cx: &Context, task: &Task) -> Description {
        let age = task.total(cx.now);
        Description {
            message: format!("spawned {} ago and never polled", humanize(age)),
            evidence: vec![Evidence::time("age", age), Evidence::count("polls", task.stats().polls.count)],
        }
    }
}
