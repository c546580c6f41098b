//! `large-future`: a future that is large, and stored as it is.

use crate::{
    diagnose::{
        Evidence, Lint, Param, Severity, Threshold,
        contradiction::When,
        lint::{Asked, Check, Cx, Description, Grouping, Judgement, Verdict},
    },
    model::Task,
    number::humanize_bytes,
    update::{Fact, FactSet},
};

const SIZE: Param =
    Param { name: "size", default: Threshold::Bytes(1_024), help: "a future over this many bytes is large" };

pub(super) static LINT: Lint = Lint {
    name: "large-future",
    summary: "A task's future is large: spawning copies it, and it takes that memory for as long as the task lives.",
    severities: &[Severity::Note],
    advice: "Keep large values out of the future: box them, or Box::pin the inner future that is large; a buffer held across an \
             await is part of the future.",
    explanation: include_str!("large_future.md"),
    params: &[SIZE],
    needs: FactSet::of(&[Fact::Sizes]),
    when: When::SoFar,
    subsumes: &[],
    check: Check::Task { by: Grouping::Place, asked: Asked::WhenReported, judge, describe },
};

fn judge(cx: &Cx, task: &Task) -> Judgement {
    let fires = !task.kind().may_block() && u64::from(task.size()) > cx.values.count(&SIZE) && !task.has_ended();
    match task.created().filter(|_| fires) {
        Some(since) => Judgement::Fires(Verdict { severity: Severity::Note, since, weight: u64::from(task.size()) }),
        None => Judgement::Clear,
    }
}

fn describe(_: &Cx, task: &Task) -> Description {
    Description {
        message: format!("its future takes {}", humanize_bytes(u64::from(task.size()))),
        evidence: vec![Evidence::bytes("future", u64::from(task.size()))],
    }
}
