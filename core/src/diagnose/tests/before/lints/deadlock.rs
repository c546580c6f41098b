//! `deadlock`: tasks that wait for each other's locks, for ever.

use crate::{
    diagnose::tests::before::{
        Confidence, CycleStep, Evidence, Lint, LintSettings, Param, Related, Severity, Subject, Threshold,
        check::{Check, Context, Key, Report, WholeCheck},
        number::humanize,
        refs,
    },
    model::{Basis, Hold, Op, TaskState},
    update::{Fact, ResourceId, Stack, Stamp, TaskId},
};
use rustc_hash::FxHashSet;
use std::{sync::Arc, time::Duration};

const LASTS: Param = Param {
    name: "lasts",
    default: Threshold::Time(Duration::from_secs(1)),
    help: "the cycle has stood for this long",
};

/// A finding keeps at most this many stacks.
const STACKS_MOST: usize = 8;

/// Longer cycles are not looked for.
const LONGEST_CYCLE: usize = 64;

pub(super) static LINT: Lint = Lint {
    name: "deadlock",
    summary: "Tasks wait for locks that they hold among themselves: none of them will ever go on.",
    severities: &[Severity::Critical],
    advice: "Take locks in one order everywhere, never ask for a lock while holding it, and drop each guard before asking for \
             the next lock; or give the state to one task and send it messages.",
    explanation: "",
    params: &[LASTS],
    subsumes: &["held-across-await", "lock-convoy"],
    build: |settings| Check::Whole(Box::new(Deadlock::new(settings))),
};

struct Deadlock {
    lasts: Duration,
}

/// A task that waits for a lock, and somebody who holds that lock.
struct Edge<'a> {
    wait: &'a Op,
    task: TaskId,
    lock: ResourceId,
    /// The cycle was complete at this instant at the earliest, and known to stand until `seen`.
    since: Stamp,
    seen: Stamp,
    /// How the lock is held by the one who does.
    hold: &'a Hold,
}

impl Deadlock {
    fn new(settings: &LintSettings) -> Self {
        Self { lasts: settings.time(&LASTS) }
    }

    /// The lock that a task waits for and nothing else, and who holds it.
    fn edges<'a>(cx: &Context<'a>, task: TaskId) -> Vec<(Edge<'a>, TaskId)> {
        let Some(wait) = only_wait(cx, task) else { return Vec::new() };
        let Some(lock) = wait.resource else { return Vec::new() };
        let (Some((_, state)), Some(asked)) = (cx.model.lock(lock), wait.created) else { return Vec::new() };
        let of_hold = |hold: &'a Hold| {
            let since = asked.max(hold.acquire.at);
            (Edge { wait, task, lock, since, seen: hold.seen, hold }, hold.acquire.task)
        };
        state.holds.iter().map(of_hold).collect()
    }

    /// A cycle through `start`, if there is one.
    fn cycle<'a>(cx: &Context<'a>, start: TaskId) -> Option<Vec<Edge<'a>>> {
        let mut path: Vec<Edge> = Vec::new();
        let mut visited = FxHashSet::default();
        let mut open = vec![(0, Self::edges(cx, start))];
        while let Some((depth, edges)) = open.last_mut() {
            let depth = *depth;
            path.truncate(depth);
            let Some((edge, holder)) = edges.pop() else {
                open.pop();
                continue;
            };
            path.push(edge);
            if holder == start {
                return Some(path);
            }
            if depth < LONGEST_CYCLE && visited.insert(holder) {
                open.push((depth + 1, Self::edges(cx, holder)));
            }
        }
        None
    }

    fn report(&self, cx: &Context, cycle: &[Edge]) -> Option<Report> {
        let since = cycle.iter().map(|edge| edge.since).max()?;
        let seen = cycle.iter().map(|edge| edge.seen).min()?;
        if seen.since(since) < self.lasts {
            return None;
        }
        let lasted = cx.now.since(since);
        let first = cycle.first()?;
        let steps = steps(cx, cycle);
        let message = if steps.len() == 1 {
            format!("waits for {} that it holds itself, for {}", a_lock(&steps[0]), humanize(lasted))
        } else {
            format!("{} tasks wait for each other's locks, for {}", steps.len(), humanize(lasted))
        };
        let mut evidence = vec![Evidence::time("stuck", lasted), Evidence::count("tasks", steps.len() as u64)];
        let wakers = cx.model.knows().has(Fact::Wakers);
        let exact = wakers && cycle.iter().all(|edge| edge.hold.basis == Basis::Exact);
        if !wakers {
            let caveat =
                "The agent tells of no wakers in this detail: a timeout around one of the waits may still end it.";
            evidence.push(Evidence::text("caveat", caveat));
        }
        let mut stacks = Vec::new();
        for edge in cycle {
            if let Some(span) = refs::span(cx.model, edge.task) {
                let whose = refs::in_words(&refs::task_by_id(cx.model, edge.task));
                evidence.push(Evidence::text("span", format!("{whose}: {span}")));
            }
            let (_, of_hold) = refs::holds(cx.model, std::slice::from_ref(edge.hold));
            stacks.extend(of_hold);
        }
        stacks.truncate(STACKS_MOST);
        Some(Report {
            key: Key::Lock(cycle.iter().map(|edge| edge.lock).min()?),
            severity: Severity::Critical,
            confidence: if exact { Confidence::Exact } else { Confidence::Inferred },
            since,
            subject: Subject::Task(refs::task_by_id(cx.model, first.task)),
            message,
            evidence,
            related: Related {
                lock: Some(refs::lock(cx.model, first.lock)),
                cycle: steps,
                stacks,
                ..Related::default()
            },
        })
    }
}

/// A cycle as a story: it begins with the task that took its lock first.
fn steps(cx: &Context, cycle: &[Edge]) -> Vec<CycleStep> {
    // What a task holds is what the one before it waits for.
    let before = cycle.iter().cycle().skip(cycle.len().saturating_sub(1));
    let mut steps: Vec<CycleStep> = cycle.iter().zip(before).map(|(edge, before)| step(cx, edge, before)).collect();
    let holds = |at: usize| (at + cycle.len() - 1) % cycle.len();
    let first = (0..cycle.len()).min_by_key(|&at| (cycle[holds(at)].hold.acquire.at, cycle[holds(at)].lock));
    steps.rotate_left(first.unwrap_or(0));
    steps
}

/// A task of a cycle: it waits for the lock of `edge`, and holds the one that `before` is about.
fn step(cx: &Context, edge: &Edge, before: &Edge) -> CycleStep {
    let top = |stack: Option<&Arc<Stack>>| Some(stack?.top()?.in_words());
    CycleStep {
        task: refs::task_by_id(cx.model, edge.task),
        holds: refs::lock(cx.model, before.lock),
        held: cx.now.since(before.hold.acquire.at),
        acquired_at: top(before.hold.acquired_at.as_ref()),
        waits_for: refs::lock(cx.model, edge.lock),
        waited: edge.wait.created.map_or(Duration::ZERO, |asked| cx.now.since(asked)),
        waits_in: cx.model.text(edge.wait.source).to_owned(),
        waits_at: top(before.hold.suspended_at.as_ref()),
    }
}

fn a_lock(step: &CycleStep) -> String {
    format!("the {} of {}", step.waits_for.kind, step.waits_for.place)
}

/// The acquire that a task waits on, if that is all that could ever wake it: it is asleep, every operation that it waits on is a
/// part of that acquire, and no more wakers are out than the acquire keeps. A branch of `select!` or `join!`, or a timeout,
/// shows as another operation or another waker.
fn only_wait<'a>(cx: &Context<'a>, id: TaskId) -> Option<&'a Op> {
    let task = cx.model.tasks().get(id)?;
    if task.state() != TaskState::Idle || task.wakers() > 1 {
        return None;
    }
    let mut waits = cx.model.waits_of(id).filter(|op| cx.model.access(op).is_some());
    let wait = waits.next()?;
    let is_part = |op: &Op| op.id == wait.id || op.parent == Some(wait.id);
    (waits.next().is_none() && cx.model.waits_of(id).all(is_part)).then_some(wait)
}

impl WholeCheck for Deadlock {
    fn judge(&mut self, cx: &Context) -> Vec<Report> {
        let mut told = FxHashSet::default();
        let mut reports = Vec::new();
        for &id in &cx.model.changes().locks {
            let Some((_, lock)) = cx.model.lock(id) else { continue };
            for hold in &lock.holds {
                let Some(cycle) = Self::cycle(cx, hold.acquire.task) else { continue };
                let key = cycle.iter().map(|edge| edge.lock).min();
                if told.insert(key) {
                    reports.extend(self.report(cx, &cycle));
                }
            }
        }
        reports
    }
}
