//! `auto-boxed-future`: a future that the runtime boxed for its size.

use crate::{
    diagnose::{
        Evidence, Lint, Severity,
        contradiction::When,
        lint::{Asked, Check, Cx, Description, Grouping, Judgement, Verdict},
    },
    model::Task,
    number::humanize_bytes,
    update::{Fact, FactSet},
};

pub(super) static LINT: Lint = Lint {
    name: "auto-boxed-future",
    summary: "The runtime boxed a task's future because of its size: each spawn first moves it over the stack.",
    severities: &[Severity::Note],
    advice: "Keep large values out of the future: box them, or Box::pin the inner future that is large; a buffer held across an \
             await is part of the future.",
    explanation: include_str!("auto_boxed_future.md"),
    params: &[],
    needs: FactSet::of(&[Fact::Sizes]),
    when: When::SoFar,
    subsumes: &[],
    check: Check::Task { by: Grouping::Place, asked: Asked::WhenReported, judge, describe },
};

fn judge(_: &Cx, task: &Task) -> Judgement {
    let fires = !task.kind().may_block() && task.original_size() > task.size() && !task.has_ended();
    match task.created().filter(|_| fires) {
        Some(since) => {
            Judgement::Fires(Verdict { severity: Severity::Note, since, weight: u64::from(task.original_size()) })
        }
        None => Judgement::Clear,
    }
}

fn describe(_: &Cx, task: &Task) -> Description {
    Description {
        message: format!("a future of {} was boxed", humanize_bytes(u64::from(task.original_size()))),
        evidence: vec![
            Evidence::bytes("future", u64::from(task.original_size())),
            Evidence::bytes("stored in the task", u64::from(task.size())),
        ],
    }
}
