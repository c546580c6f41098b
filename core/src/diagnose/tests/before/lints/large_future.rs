//! `large-future`: a future that is large, and stored as it is.

use crate::{
    diagnose::tests::before::{
        Evidence, Lint, LintSettings, Param, Severity, Threshold,
        check::{Check, Context, Description, Grouping, Judgement, TaskCheck, Verdict},
        humanize_bytes,
    },
    model::Task,
    update::TaskKind,
};

const SIZE: Param =
    Param { name: "size", default: Threshold::Bytes(1_024), help: "a future over this many bytes is large" };

pub(super) static LINT: Lint = Lint {
    name: "large-future",
    summary: "A task's future is large: spawning copies it, and it takes that memory for as long as the task lives.",
    severities: &[Severity::Note],
    advice: "Keep large values out of the future: box them, or Box::pin the inner future that is large; a buffer held across an \
             await is part of the future.",
    explanation: "",
    params: &[SIZE],
    subsumes: &[],
    build: |settings| Check::Task(Grouping::Place, Box::new(LargeFuture::new(settings))),
};

struct LargeFuture {
    size: u64,
}

impl LargeFuture {
    fn new(settings: &LintSettings) -> Self {
        Self { size: settings.count(&SIZE) }
    }
}

impl TaskCheck for LargeFuture {
    fn judge(&self, _: &Context, task: &Task) -> Judgement {
        let fires =
            task.kind() != TaskKind::Blocking && u64::from(task.size()) > self.size && task.stats().dropped.is_none();
        match task.stats().created.filter(|_| fires) {
            Some(since) => {
                Judgement::Fires(Verdict { severity: Severity::Note, since, weight: u64::from(task.size()) })
            }
            None => Judgement::Clear,
        }
    }

    fn describe(&self, _: &Context, task: &Task) -> Description {
        Description {
            message: format!("its future takes {}", humanize_bytes(u64::from(task.size()))),
            evidence: vec![Evidence::bytes("future", u64::from(task.size()))],
        }
    }
}
