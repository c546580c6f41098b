//! `auto-boxed-future`: a future that the runtime boxed for its size.

use crate::{
    diagnose::tests::before::{
        Evidence, Lint, Severity,
        check::{Check, Context, Description, Grouping, Judgement, TaskCheck, Verdict},
        humanize_bytes,
    },
    model::Task,
    update::TaskKind,
};

pub(super) static LINT: Lint = Lint {
    name: "auto-boxed-future",
    summary: "The runtime boxed a task's future because of its size: each spawn first moves it over the stack.",
    severities: &[Severity::Note],
    advice: "Keep large values out of the future: box them, or Box::pin the inner future that is large; a buffer held across an \
             await is part of the future.",
    explanation: "",
    params: &[],
    subsumes: &[],
    build: |_| Check::Task(Grouping::Place, Box::new(AutoBoxedFuture)),
};

struct AutoBoxedFuture;

impl TaskCheck for AutoBoxedFuture {
    fn judge(&self, _: &Context, task: &Task) -> Judgement {
        let fires =
            task.kind() != TaskKind::Blocking && task.original_size() > task.size() && task.stats().dropped.is_none();
        match task.stats().created.filter(|_| fires) {
            Some(since) => {
                Judgement::Fires(Verdict { severity: Severity::Note, since, weight: u64::from(task.original_size()) })
            }
            None => Judgement::Clear,
        }
    }

    fn describe(&self, _: &Context, task: &Task) -> Description {
        Description {
            message: format!("a future of {} was boxed", humanize_bytes(u64::from(task.original_size()))),
            evidence: vec![
                Evidence::bytes("future", u64::from(task.original_size())),
                Evidence::bytes("stored in the task", u64::from(task.size())),
            ],
        }
    }
}
