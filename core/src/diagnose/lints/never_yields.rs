//! `never-yields`: a poll in progress that has gone on for too long, whichever poll of its task it is.

use crate::{
    diagnose::{
        Evidence, Lint, Param, Severity, Threshold,
        contradiction::{self, When},
        lint::{Asked, Check, Cx, Description, Grouping, Judgement, Verdict},
    },
    model::Task,
    number::{humanize, ordinal},
    update::{Fact, FactSet, TaskKind},
};
use std::time::Duration;

const WARNING: Param = Param {
    name: "warning",
    default: Threshold::Time(Duration::from_millis(100)),
    help: "a poll in progress this long is a warning",
};
const CRITICAL: Param = Param {
    name: "critical",
    default: Threshold::Time(Duration::from_secs(1)),
    help: "a poll in progress this long is critical",
};

pub(super) static LINT: Lint = Lint {
    name: "never-yields",
    summary: "A task has been inside one poll for too long: it blocks the worker that polls it.",
    severities: &[Severity::Warning, Severity::Critical],
    advice: "Move blocking calls and long computation to tokio::task::spawn_blocking; in a long loop, await \
             tokio::task::yield_now() or use tokio::task::coop.",
    explanation: include_str!("never_yields.md"),
    params: &[WARNING, CRITICAL],
    needs: FactSet::of(&[Fact::Polls]),
    when: When::Now,
    // A poll that was caught while it lasted has also been a long one when it is over.
    subsumes: &["long-polls"],
    check: Check::Task { by: Grouping::Task, asked: Asked::AsTimePasses, judge, describe },
};

/// What cannot be told apart without an agent.
pub(super) const BLOCK_IN_PLACE: &str =
    "A long block_in_place looks the same from here; it hands its worker over first.";

fn judge(cx: &Cx, task: &Task) -> Judgement {
    let Some(since) = task.running_since().filter(|_| !task.kind().may_block()) else {
        return Judgement::Clear;
    };
    // An agent knows who is on a worker: block_in_place has handed its own over, and block_on has a thread of its own.
    let agent = cx.model.agent();
    if !agent.workers().is_empty() && agent.worker_of(task.id()).is_none() {
        return Judgement::Clear;
    }
    // Nor is it the poll that lasts while its thread has no processor.
    let stall = agent.stall_of_task(task.id()).filter(|stall| stall.ended.is_none());
    if stall.is_some_and(|stall| stall.lacks_a_processor(cx.values.time(&WARNING))) {
        return Judgement::Clear;
    }
    // The latest update does not contradict what was so at the one before: up to there the poll is certain to have lasted.
    let lasted = cx.lasted(since, cx.settled);
    if lasted < cx.values.time(&WARNING) || contradiction::may_be_of_others(cx, task) {
        return Judgement::Clear;
    }
    // The root of block_on has a thread of its own in a multi-threaded runtime, and holds up no worker there.
    let critical = lasted >= cx.values.time(&CRITICAL) && task.kind() != TaskKind::BlockOn;
    let severity = if critical { Severity::Critical } else { Severity::Warning };
    Verdict::weighing(severity, since, lasted)
}

fn describe(cx: &Cx, task: &Task) -> Description {
    let lasted = task.running_since().map_or(Duration::ZERO, |since| cx.lasted(since, cx.now));
    let polls = task.polls();
    let kind = if cx.model.agent().worker_of(task.id()).is_some() {
        "The agent sees the poll on a worker."
    } else if task.kind() == TaskKind::BlockOn {
        "The root future of block_on: in a multi-threaded runtime its thread is no worker; in a current-thread runtime it holds up everything."
    } else {
        BLOCK_IN_PLACE
    };
    Description {
        message: format!("{} in one poll, the {} of this task", humanize(lasted), ordinal(polls)),
        evidence: vec![
            Evidence::time("current poll", lasted),
            Evidence::count("poll number", polls),
            Evidence::time("busy before", task.stats().polls.busy),
            Evidence::text("caveat", kind),
        ],
    }
}
