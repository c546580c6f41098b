//! `deadlock`: tasks that wait for each other's locks, for ever.

use crate::{
    diagnose::{
        Confidence, CycleStep, Evidence, Lint, Param, Related, Severity, Subject, Threshold,
        contradiction::When,
        label,
        lint::{Asked, Check, Cx, Judgement, Key, Report, Verdict},
    },
    model::{Basis, Hold, Lock, Op, Resource, TaskState},
    number::humanize,
    update::{Fact, FactSet, ResourceId, Stack, Stamp, TaskId},
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
    explanation: include_str!("deadlock.md"),
    params: &[LASTS],
    needs: FactSet::of(&[Fact::Locks]),
    when: When::Now,
    subsumes: &["held-across-await", "lock-convoy"],
    check: Check::Lock { asked: Asked::WhenReported, judge, describe },
};

/// A task that waits for a lock, and somebody who holds that lock.
struct Edge<'a> {
    wait: Wait<'a>,
    task: TaskId,
    lock: ResourceId,
    /// The cycle was complete at this instant at the earliest, and known to stand until `seen`.
    since: Stamp,
    seen: Stamp,
    /// How the lock is held by the one who does.
    hold: &'a Hold,
}

/// What a task waits in, and nothing else.
#[derive(Clone, Copy)]
struct Wait<'a> {
    lock: ResourceId,
    /// When it asked, or was first seen to wait.
    asked: Stamp,
    /// The method.
    method: &'a str,
}

/// The lock that a task waits for and nothing else, and who holds it. A holder that is only likely holds nobody up.
fn edges<'a>(cx: &Cx<'a>, task: TaskId) -> Vec<(Edge<'a>, TaskId)> {
    let Some(wait) = only_wait(cx, task) else { return Vec::new() };
    let Some((_, state)) = cx.model.lock(wait.lock).filter(|_| !cx.model.sources_differ_on_lock(wait.lock)) else {
        return Vec::new();
    };
    let of_hold = |hold: &'a Hold| {
        let since = wait.asked.max(hold.acquire.at);
        (Edge { wait, task, lock: wait.lock, since, seen: hold.seen, hold }, hold.acquire.task)
    };
    state.holds.iter().filter(|hold| hold.basis != Basis::Likely).map(of_hold).collect()
}

/// Those that are known to have stood for long enough to be a part of a deadlock. A cycle that closed just now must not hide one that
/// has stood for long.
fn lasting<'a>(cx: &Cx<'a>, task: TaskId) -> Vec<(Edge<'a>, TaskId)> {
    let mut edges = edges(cx, task);
    edges.retain(|(edge, _)| edge.seen.since(edge.since) >= least(cx));
    edges
}

/// A cycle in which this lock is the first of all, so that each cycle is told of once: from one who holds it, over locks that
/// come after it, to somebody who waits for it.
fn cycle<'a>(cx: &Cx<'a>, first: ResourceId, lock: &Lock) -> Option<Vec<Edge<'a>>> {
    lock.holds.iter().find_map(|hold| path(cx, first, hold.acquire.task))
}

fn path<'a>(cx: &Cx<'a>, first: ResourceId, start: TaskId) -> Option<Vec<Edge<'a>>> {
    let mut path: Vec<Edge> = Vec::new();
    let mut visited = FxHashSet::from_iter([start]);
    let mut open = vec![(0, lasting(cx, start))];
    while let Some((depth, edges_left)) = open.last_mut() {
        let depth = *depth;
        path.truncate(depth);
        let Some((edge, holder)) = edges_left.pop() else {
            open.pop();
            continue;
        };
        let lock = edge.lock;
        path.push(edge);
        if lock == first && holder == start {
            return Some(path);
        }
        if lock > first && depth < LONGEST_CYCLE && visited.insert(holder) {
            open.push((depth + 1, lasting(cx, holder)));
        }
    }
    None
}

/// Since when a cycle stands, if it is known to have stood for long enough.
fn stands(cx: &Cx, cycle: &[Edge]) -> Option<Stamp> {
    let since = cycle.iter().map(|edge| edge.since).max()?;
    let seen = cycle.iter().map(|edge| edge.seen).min()?;
    (seen.since(since) >= least(cx)).then_some(since)
}

/// How long it must have stood. What was kept of a process that has ended does not move, and cannot be looked at twice.
fn least(cx: &Cx) -> Duration {
    if cx.model.memory().is_over() { Duration::ZERO } else { cx.values.time(&LASTS) }
}

/// Whether a lock before this one stands in a cycle of the same knot, and tells of it: several readers of one lock may close
/// several cycles.
fn is_told_elsewhere(cx: &Cx, first: ResourceId, start: TaskId) -> bool {
    let all = reached(cx, start);
    let knot: FxHashSet<TaskId> = all.into_iter().filter(|&task| reached(cx, task).contains(&start)).collect();
    let within = knot.iter().flat_map(|&task| edges(cx, task)).filter(|(_, holder)| knot.contains(holder));
    let mut before = within.map(|(edge, _)| edge.lock).filter(|&lock| lock < first);
    before.any(|id| {
        let cycle = cx.model.lock(id).and_then(|(_, lock)| cycle(cx, id, lock));
        cycle.is_some_and(|cycle| stands(cx, &cycle).is_some())
    })
}

/// The tasks that one waits for, those that these wait for, and so on.
fn reached(cx: &Cx, start: TaskId) -> FxHashSet<TaskId> {
    let mut reached = FxHashSet::default();
    let mut open = vec![start];
    while let Some(task) = open.pop() {
        let holders = edges(cx, task).into_iter().map(|(_, holder)| holder);
        open.extend(holders.filter(|&holder| reached.insert(holder)));
    }
    reached
}

fn judge(cx: &Cx, resource: &Resource, lock: &Lock) -> Judgement {
    let cycle = cycle(cx, resource.id, lock);
    let since = cycle.as_ref().and_then(|cycle| stands(cx, cycle));
    let since = since.filter(|_| {
        let start = cycle.as_ref().and_then(|cycle| cycle.first());
        !start.is_some_and(|edge| is_told_elsewhere(cx, resource.id, edge.task))
    });
    since.map_or(Judgement::Clear, |since| Verdict::weighing(Severity::Critical, since, Duration::ZERO))
}

fn describe(cx: &Cx, resource: &Resource, lock: &Lock) -> Option<Report> {
    let cycle = cycle(cx, resource.id, lock)?;
    let since = stands(cx, &cycle)?;
    let lasted = cx.now.since(since);
    let first = cycle.first()?;
    let steps = steps(cx, &cycle);
    let message = if steps.len() == 1 {
        format!("waits for {} that it holds itself, for {}", a_lock(&steps[0]), humanize(lasted))
    } else {
        format!("{} tasks wait for each other's locks, for {}", steps.len(), humanize(lasted))
    };
    let mut evidence = vec![Evidence::time("stuck", lasted), Evidence::count("tasks", steps.len() as u64)];
    // Who waits for nothing else is known by counting its wakers, or by all that it awaits.
    let counted = cx.model.knows().has(Fact::Wakers);
    let wakers = cycle.iter().all(|edge| counted || cx.model.proven_wait(edge.task).is_some());
    let exact = wakers && cycle.iter().all(|edge| edge.hold.basis == Basis::Exact);
    if !wakers {
        let caveat = "The agent tells of no wakers in this detail: a timeout around one of the waits may still end it.";
        evidence.push(Evidence::text("caveat", caveat));
    }
    let mut stacks = Vec::new();
    for edge in &cycle {
        // Where each acquired and sleeps is told step by step.
        if let Some(span) = label::span(cx.model, edge.task) {
            let whose = label::in_words(&label::task_by_id(cx.model, edge.task));
            evidence.push(Evidence::text("span", format!("{whose}: {span}")));
        }
        let (_, of_hold) = label::holds(cx.model, std::slice::from_ref(edge.hold));
        stacks.extend(of_hold);
    }
    stacks.truncate(STACKS_MOST);
    Some(Report {
        key: Key::Lock(resource.id),
        severity: Severity::Critical,
        confidence: if exact { Confidence::Exact } else { Confidence::Inferred },
        since,
        subject: Subject::Task(label::task_by_id(cx.model, first.task)),
        message,
        evidence,
        related: Related { lock: Some(label::lock(cx.model, first.lock)), cycle: steps, stacks, ..Related::default() },
    })
}

/// A cycle as a story: it begins with the task that took its lock first.
fn steps(cx: &Cx, cycle: &[Edge]) -> Vec<CycleStep> {
    // What a task holds is what the one before it waits for.
    let before = cycle.iter().cycle().skip(cycle.len().saturating_sub(1));
    let mut steps: Vec<CycleStep> = cycle.iter().zip(before).map(|(edge, before)| step(cx, edge, before)).collect();
    let holds = |at: usize| (at + cycle.len() - 1) % cycle.len();
    let first = (0..cycle.len()).min_by_key(|&at| (cycle[holds(at)].hold.acquire.at, cycle[holds(at)].lock));
    steps.rotate_left(first.unwrap_or(0));
    steps
}

/// A task of a cycle: it waits for the lock of `edge`, and holds the one that `before` is about.
fn step(cx: &Cx, edge: &Edge, before: &Edge) -> CycleStep {
    let top = |stack: Option<&Arc<Stack>>| Some(stack?.top()?.in_words());
    CycleStep {
        task: label::task_by_id(cx.model, edge.task),
        holds: label::lock(cx.model, before.lock),
        held: cx.now.since(before.hold.acquire.at),
        acquired_at: top(before.hold.acquired_at.as_ref()),
        waits_for: label::lock(cx.model, edge.lock),
        waited: cx.now.since(edge.wait.asked),
        waits_in: edge.wait.method.to_owned(),
        waits_at: top(before.hold.suspended_at.as_ref()),
    }
}

fn a_lock(step: &CycleStep) -> String {
    let (kind, place) = (step.waits_for.kind, &step.waits_for.place);
    // What memory calls a lock begins with what is inside of it.
    if place.starts_with("of ") { format!("the {kind} {place}") } else { format!("the {kind} of {place}") }
}

/// As [`only_wait_told`], or by what memory proves: all that the task awaits is permits of one lock, in whose queue it stands.
fn only_wait<'a>(cx: &Cx<'a>, id: TaskId) -> Option<Wait<'a>> {
    if let Some((lock, asked, method)) = cx.model.proven_wait(id) {
        return Some(Wait { lock, asked, method });
    }
    let op = only_wait_told(cx, id)?;
    if cx.model.sources_differ_on_wait(id, op.resource?) {
        return None;
    }
    Some(Wait { lock: op.resource?, asked: op.created?, method: cx.model.text(op.source) })
}

/// The acquire that a task waits on, if that is all that could ever wake it: it is asleep, every operation that it waits on is a
/// part of that acquire, and no more wakers are out than the acquire keeps. A branch of `select!` or `join!`, or a timeout,
/// shows as another operation or another waker.
fn only_wait_told<'a>(cx: &Cx<'a>, id: TaskId) -> Option<&'a Op> {
    let task = cx.model.tasks().get(id)?;
    if task.state() != TaskState::Idle || task.wakers() > 1 {
        return None;
    }
    let mut waits = cx.model.waits_of(id).filter(|op| cx.model.access(op).is_some());
    let wait = waits.next()?;
    let is_part = |op: &Op| op.id == wait.id || op.parent == Some(wait.id);
    (waits.next().is_none() && cx.model.waits_of(id).all(is_part)).then_some(wait)
}
