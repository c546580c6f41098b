//! `lost-waker`: a task that nothing can wake any more.

use crate::{
    diagnose::{
        Evidence, Lint, Param, Severity, Threshold,
        contradiction::When,
        lint::{Asked, Check, Cx, Description, Grouping, Judgement, Verdict},
    },
    model::{Task, TaskState},
    number::humanize,
    update::{Consistency, Fact, FactSet, Stamp, TaskKind},
};
use std::time::Duration;

const QUIET: Param = Param {
    name: "quiet",
    default: Threshold::Time(Duration::from_secs(1)),
    help: "a task is judged when it has been neither polled nor woken for this long",
};

pub(super) static LINT: Lint = Lint {
    name: "lost-waker",
    summary: "A task is alive, neither running nor woken, and no waker for it is left: it will never be polled again.",
    severities: &[Severity::Critical],
    advice: "In the future that it awaits, store a clone of cx.waker() before returning Poll::Pending, and wake it when there \
             is something to do.",
    explanation: include_str!("lost_waker.md"),
    params: &[QUIET],
    needs: FactSet::of(&[Fact::WakersLeft]),
    when: When::Now,
    subsumes: &[],
    check: Check::Task { by: Grouping::Place, asked: Asked::AsTimePasses, judge, describe },
};

fn judge(cx: &Cx, task: &Task) -> Judgement {
    // Roots of block_on and blocking tasks are not woken through wakers that the runtime counts.
    let counted = matches!(task.kind(), TaskKind::Task | TaskKind::Local);
    let Some(slept) = task.stats().polls.last_ended.filter(|_| counted && task.state() == TaskState::Idle) else {
        return Judgement::Clear;
    };
    // References that a look counted are exact; where wakers are counted as well and say otherwise, nobody is accused.
    if let Some(look) = task.look() {
        return match look.is_lost() && task.wakers() == 0 {
            false => Judgement::Clear,
            true if cx.lasted(slept, cx.now) < cx.values.time(&QUIET) => Judgement::AskAgain,
            true => Verdict::weighing(Severity::Critical, slept, cx.now.since(slept)),
        };
    }
    if task.wakers() > 0 || !cx.model.knows().has(Fact::Wakers) {
        return Judgement::Clear;
    }
    // Clones and drops are counted apart and read apart: only counts that stood still for a while add up.
    if task.confirmed() > cx.settled || cx.lasted(slept, cx.settled) < cx.values.time(&QUIET) {
        return Judgement::AskAgain;
    }
    if may_have_ended(cx, task, slept) {
        return Judgement::AskAgain;
    }
    Verdict::weighing(Severity::Critical, slept, cx.settled.since(slept))
}

/// Whether it may be over. Its end is told when its span closes, and whatever was made inside of it keeps that open: a job of
/// `spawn_blocking`, or a future that was given the span. Two things tell. To drop a future enters its span, which looks like a
/// poll that no wake asked for. And a job that began while the task was polled, and goes on, may be its own.
fn may_have_ended(cx: &Cx, task: &Task, slept: Stamp) -> bool {
    let stats = task.stats();
    if stats.polls.count > stats.wakes.saturating_add(1) {
        return true;
    }
    let Some(created) = stats.created else { return false };
    let jobs = cx.graphs.jobs(cx.model);
    jobs.get(jobs.partition_point(|began| *began < created)).is_some_and(|began| *began <= slept)
}

fn describe(cx: &Cx, task: &Task) -> Description {
    let stats = task.stats();
    let asleep = stats.polls.last_ended.map_or(Duration::ZERO, |slept| cx.now.since(slept));
    let message = format!("asleep for {} with no waker left", humanize(asleep));
    if let (Some(look), false) = (task.look(), cx.model.knows().has(Fact::Wakers)) {
        let references = format!("{}, the runtime's own", look.references);
        let evidence = vec![Evidence::time("asleep", asleep), Evidence::text("references", references)];
        return Description { message, evidence };
    }
    let mut evidence = vec![
        Evidence::time("asleep", asleep),
        Evidence::count("wakers", task.wakers()),
        Evidence::count("waker clones", stats.waker_clones),
        Evidence::count("waker drops", stats.waker_drops),
        Evidence::count("polls", stats.polls.count),
    ];
    if cx.model.knows().consistency() == Consistency::Smeared {
        evidence.push(Evidence::text("caveat", CAVEAT));
    }
    Description { message, evidence }
}

const CAVEAT: &str =
    "A task that has ended, and whose span another task keeps (in_current_span), can look the same from here.";
