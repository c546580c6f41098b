//! What the lints on those who can never go on have in common: which of them speaks of a set, and how it is told.

use crate::{
    diagnose::{
        AwaitedRef, Confidence, CycleStep, Evidence, KeepsBy, RELATED_MOST, Related, Severity, Subject,
        graph::{Actor, Awaited, Keeps, Knot, Link},
        label,
        lint::{Cx, Key, Report},
    },
    model::{Basis, Hold, LockKind},
    update::{
        Access, Fact, Place, ResourceId, Stamp, TaskId,
        look::{Chain, ClaimKind, Frame, Kept, Reach, Sleeps, TaskLook, ThingId, Thread, WaitOn},
    },
};
use std::{sync::Arc, time::Duration};

/// What is sure where bytes alone say who has a lock.
const ONE_OF_SEVERAL: &str = "Who has what a thread sleeps for is read in bytes that could be left over. Whoever else could have it sleeps \
                              itself, and waits for that thread: none of them goes on either way.";

/// A finding keeps at most this many stacks.
const STACKS_MOST: usize = 8;

/// Of so many of a set each step is told.
const STEPS_MOST: usize = 64;

/// Of those who wait for the end of one of a set so many are named.
const JOINERS_MOST: usize = 4;

/// What a set is, which decides who speaks of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Several that wait for one another.
    Several,
    /// One that waits for a lock that it holds.
    ItsOwnLock,
    /// One that waits for what a future of its own has, which it does not poll.
    ItsOwnFuture,
    /// One that waits for something else that only it could do.
    Itself,
    /// One or several that wait for notifications, barriers and ends alone: they are in nobody's way.
    Abandoned,
}

pub(super) fn shape(cx: &Cx, knot: &Knot) -> Shape {
    let unpolled = |link: &Link| matches!(link.kept, Keeps::HasUnpolled | Keeps::BeforeUnpolled);
    match &*knot.links {
        _ if is_abandoned(cx, knot) => Shape::Abandoned,
        [_] if !knot.others.is_empty() => Shape::Several,
        [link] if unpolled(link) => Shape::ItsOwnFuture,
        [link] if lock_of(cx, link.awaited).is_some() => Shape::ItsOwnLock,
        links
            if knot.others.is_empty() && links.iter().all(|link| Some(link.who) == links.first().map(|it| it.who)) =>
        {
            if links.iter().any(unpolled) {
                Shape::ItsOwnFuture
            } else {
                Shape::Itself
            }
        }
        _ => Shape::Several,
    }
}

/// Whether all that is waited for are notifications, barriers and ends.
fn is_abandoned(cx: &Cx, knot: &Knot) -> bool {
    let is_handed_around = |id: ResourceId| {
        let thing = cx.model.thing_of_row(id).or_else(|| cx.model.memory().thing(ThingId(id.0)));
        thing.is_some_and(|thing| thing.kind.is_handed_around())
    };
    let is_one = |awaited: &Awaited| match *awaited {
        Awaited::Message(id) => is_handed_around(id),
        Awaited::End(_) => true,
        Awaited::Permits(_) | Awaited::Poll(..) => false,
    };
    knot.awaits.iter().all(is_one) && knot.awaits.iter().any(|awaited| matches!(awaited, Awaited::Message(_)))
}

/// Whether one of a set waits for what somebody has: a lock, room. Who waits for messages alone may have nothing to do.
pub(super) fn has_wait_for_permits(knot: &Knot) -> bool {
    knot.links.iter().any(|link| matches!(link.awaited, Awaited::Permits(_)))
}

/// How long it must have stood. What was kept of a process that has ended does not move, and cannot be looked at twice.
pub(super) fn least(cx: &Cx, lasts: Duration) -> Duration {
    if cx.model.memory().is_over() { Duration::ZERO } else { lasts }
}

/// How long it has stood.
pub(super) fn lasted(cx: &Cx, knot: &Knot) -> Duration {
    cx.now.since(knot.since)
}

/// The lock that is waited for, if it is one.
pub(super) fn lock_of(cx: &Cx, awaited: Awaited) -> Option<ResourceId> {
    let Awaited::Permits(id) = awaited else { return None };
    let of_memory = || LockKind::from_type(label::resource(cx.model, id).kind).is_some();
    (cx.model.lock(id).is_some() || of_memory()).then_some(id)
}

pub(super) fn a_lock(cx: &Cx, id: ResourceId) -> String {
    let lock = label::resource(cx.model, id);
    // What memory calls a lock begins with what is inside of it.
    if lock.place.starts_with("of ") {
        format!("the {} {}", lock.kind, lock.place)
    } else {
        format!("the {} of {}", lock.kind, lock.place)
    }
}

/// What is told of a set. `None` where it is not known to have lasted, or two sources differ on one of it.
pub(super) fn report(cx: &Cx, knot: &Knot, severity: Severity, message: String) -> Option<Report> {
    let by_looks = |actor: Actor| match actor {
        Actor::Task(task) => {
            // What runs on a thread that sleeps waits for nothing beside.
            let sleeps = |link: &Link| link.who == actor && asleep_for(cx, link).is_some();
            let is_still = cx.model.tasks().get(task).is_some_and(|task| task.still_since().is_some());
            is_still || knot.links.iter().any(sleeps)
        }
        Actor::Root(_) => true,
    };
    let locks = knot.links.iter().all(|link| lock_of(cx, link.awaited).is_some());
    if !locks && knot.members().all(by_looks) && !cx.model.is_borne_out_by_looks(knot.since, knot.seen) {
        return None;
    }
    let first = knot.links.first()?;
    // A thing may be known by another number as soon as two sources tell of it.
    let tasks = knot.members().filter_map(|actor| if let Actor::Task(task) = actor { Some(task) } else { None });
    let key = match (tasks.min(), first.awaited) {
        (Some(task), _) => Key::Task(task),
        (None, Awaited::Permits(id) | Awaited::Message(id)) => Key::Lock(id),
        (None, Awaited::End(_) | Awaited::Poll(..)) => return None,
    };
    let steps: Vec<CycleStep> = steps(cx, knot);
    let count = knot.members().count() as u64;
    let mut evidence = vec![Evidence::time("stuck", lasted(cx, knot)), Evidence::count("tasks", count)];
    let joiners = cx.graphs.joiners(cx.model, knot);
    let held_up = knot.behind.len() + joiners.len();
    if held_up > 0 {
        evidence.push(Evidence::count("held up by them", held_up as u64));
    }
    let awaits =
        |&task: &TaskId| Evidence::text("awaits their end", label::in_words(&label::task_by_id(cx.model, task)));
    evidence.extend(joiners.iter().take(JOINERS_MOST).map(awaits));
    // Who waits for nothing else is known by counting its wakers, or by all that it awaits.
    let counted = cx.model.knows().has(Fact::Wakers);
    let wakers = counted || knot.members().all(by_looks);
    if !wakers {
        let caveat = "The agent tells of no wakers in this detail: a timeout around one of the waits may still end it.";
        evidence.push(Evidence::text("caveat", caveat));
    }
    let mut stacks = Vec::new();
    let mut is_exact = wakers;
    if knot.links.iter().any(|link| is_one_of_several(cx, link.awaited)) {
        is_exact = false;
        evidence.push(Evidence::text("caveat", ONE_OF_SEVERAL));
    }
    for (at, link) in knot.links.iter().enumerate() {
        if let Actor::Task(task) = link.who
            && let Some(span) = label::span(cx.model, task)
        {
            let whose = label::in_words(&label::task_by_id(cx.model, task));
            evidence.push(Evidence::text("span", format!("{whose}: {span}")));
        }
        let next = knot.links.get((at + 1) % knot.links.len())?;
        // Where each acquired and sleeps is told step by step.
        if let Some(hold) = hold(cx, link.awaited, next.who) {
            is_exact &= hold.basis == Basis::Exact;
            stacks.extend(label::holds(cx.model, std::slice::from_ref(hold)).1);
        }
    }
    stacks.truncate(STACKS_MOST);
    let others = knot.others.iter().take(RELATED_MOST).map(|&actor| label::actor(cx.model, actor));
    let tasks: Vec<_> = others.collect();
    Some(Report {
        key,
        severity,
        confidence: if is_exact { Confidence::Exact } else { Confidence::Inferred },
        since: knot.since,
        subject: Subject::Task(label::actor(cx.model, first.who)),
        message,
        evidence,
        related: Related {
            lock: steps.iter().find_map(|step| step.waits_for.resource().cloned()),
            tasks_total: if tasks.is_empty() { 0 } else { knot.others.len() + 1 },
            tasks,
            waiters_total: 0,
            cycle: steps,
            stacks,
            ..Related::default()
        },
    })
}

/// How the model knows that somebody holds a lock.
fn hold<'a>(cx: &Cx<'a>, awaited: Awaited, who: Actor) -> Option<&'a Hold> {
    let (Awaited::Permits(id), Actor::Task(task)) = (awaited, who) else { return None };
    cx.model.lock(id)?.1.holds.iter().find(|hold| hold.acquire.task == task)
}

/// A set as a story, in the order in which they wait for one another.
fn steps(cx: &Cx, knot: &Knot) -> Vec<CycleStep> {
    let before = knot.links.iter().cycle().skip(knot.links.len().saturating_sub(1));
    knot.links.iter().zip(before).take(STEPS_MOST).map(|(link, before)| step(cx, link, before)).collect()
}

/// One who waits as `link` says, and keeps what `before` is about.
fn step(cx: &Cx, link: &Link, before: &Link) -> CycleStep {
    let hold = hold(cx, before.awaited, link.who);
    let top = |stack: Option<&Arc<crate::update::Stack>>| Some(stack?.top()?.in_words());
    let by = by(before.kept);
    let acquired_at = match by {
        KeepsBy::UnpolledGuard | KeepsBy::UnpolledPlace => kept_at(cx, link.who, before.awaited),
        _ => top(hold.and_then(|hold| hold.acquired_at.as_ref())),
    };
    let asleep = hold.filter(|_| cx.model.memory().whole().is_none()).and_then(|hold| hold.suspended_at.as_ref());
    CycleStep {
        task: label::actor(cx.model, link.who),
        holds: awaited_ref(cx, before.awaited),
        by,
        held: cx.now.since(before.kept_since),
        acquired_at,
        waits_for: awaited_ref(cx, link.awaited),
        waited: cx.now.since(link.since),
        waits_in: waits_in(cx, link),
        waits_at: on_thread(cx, link).or_else(|| top(asleep)).or_else(|| awaits_at(cx, link)),
        // Nobody keeps anybody in the graph by what is only likely.
        known: hold.map_or(Confidence::Exact, |hold| label::confidence(hold.basis)),
    }
}

fn by(keeps: Keeps) -> KeepsBy {
    match keeps {
        Keeps::Has => KeepsBy::Guard,
        Keeps::HasUnpolled => KeepsBy::UnpolledGuard,
        Keeps::Before => KeepsBy::Place,
        Keeps::BeforeUnpolled => KeepsBy::UnpolledPlace,
        Keeps::Sends => KeepsBy::Sender,
        Keeps::Receives => KeepsBy::Receiver,
        Keeps::Ends => KeepsBy::End,
        Keeps::Thread => KeepsBy::Thread,
    }
}

pub(super) fn awaited_ref(cx: &Cx, awaited: Awaited) -> AwaitedRef {
    match awaited {
        Awaited::Permits(id) | Awaited::Message(id) => AwaitedRef::Resource(label::resource(cx.model, id)),
        Awaited::End(actor) => AwaitedRef::End(label::actor(cx.model, actor)),
        Awaited::Poll(first, count) => AwaitedRef::Poll(pollers(cx, first, count)),
    }
}

/// So many threads of which this is the first, that alone could poll somebody.
fn pollers(cx: &Cx, first: u32, count: usize) -> Vec<u32> {
    let kept = cx.model.memory().whole().map_or(&[][..], |whole| &whole.kept);
    let is_it = |kept: &&Kept| kept.threads.len() == count && kept.threads.first() == Some(&first);
    kept.iter().find(is_it).map_or_else(|| vec![first], |kept| kept.threads.clone())
}

/// The thread that somebody is polled on and that sleeps for this, which no task can wait for.
fn asleep_for<'a>(cx: &Cx<'a>, link: &Link) -> Option<(&'a Thread, Sleeps)> {
    let Awaited::Permits(id) = link.awaited else { return None };
    let is_it = |sleeps: &Sleeps| sleeps.at.is_some_and(|of| crate::diagnose::graph::row(cx.model, of) == id);
    let runs = |thread: &&Thread| match link.who {
        Actor::Task(task) => thread.polls.map(|number| cx.model.task_of_number(number)) == Some(task),
        Actor::Root(root) => thread.id == root,
    };
    let mut threads = cx.model.memory().whole()?.threads.iter().filter(runs);
    threads.find_map(|thread| Some((thread, thread.sleeps.filter(is_it)?)))
}

/// Whether it is proven that one of a few has it, and likely that it is who is said to.
pub(super) fn is_one_of_several(cx: &Cx, awaited: Awaited) -> bool {
    let Awaited::Permits(id) = awaited else { return false };
    let thing = cx.model.thing_of_row(id).or_else(|| cx.model.memory().thing(ThingId(id.0)));
    thing.is_some_and(|thing| !thing.perhaps.is_empty())
}

/// In which function a thread of one of a set sleeps for a lock of the standard library.
pub(super) fn sleeps_in(cx: &Cx, knot: &Knot) -> Option<&'static str> {
    knot.links.iter().find_map(|link| Some(asleep_for(cx, link)?.1.lock.in_words()))
}

/// The method that somebody waits in, as instrumentation tells it, or as it follows from the lock.
fn waits_in(cx: &Cx, link: &Link) -> String {
    if let Some((_, sleeps)) = asleep_for(cx, link) {
        return sleeps.lock.in_words().to_owned();
    }
    let (Awaited::Permits(id), Actor::Task(task)) = (link.awaited, link.who) else { return String::new() };
    let op = cx.model.waits_of(task).find(|op| op.resource == Some(id) && cx.model.access(op).is_some());
    if let Some(op) = op {
        return cx.model.text(op.source).to_owned();
    }
    let waiter = cx.model.waiters(id).into_iter().find(|waiter| waiter.task == Some(task));
    let kind = cx.model.lock(id).map(|(_, lock)| lock.kind);
    let method = match (kind, waiter.map(|waiter| waiter.access)) {
        (Some(LockKind::Mutex), _) => "Mutex::lock",
        (Some(LockKind::RwLock), Some(Access::Shared)) => "RwLock::read",
        (Some(LockKind::RwLock), Some(Access::Exclusive)) => "RwLock::write",
        _ => "",
    };
    method.to_owned()
}

/// What is known of somebody by looks, and what they await.
fn seen<'a>(cx: &Cx<'a>, who: Actor) -> Option<(&'a Chain, Seen<'a>)> {
    match who {
        Actor::Task(task) => {
            let task = cx.model.tasks().get(task)?;
            Some((cx.model.chain_of(&task)?, Seen::Task(task.look()?)))
        }
        Actor::Root(thread) => {
            let root = cx.model.memory().whole()?.roots.iter().find(|root| root.thread == thread)?;
            Some((cx.model.memory().chain(root.chain?)?, Seen::Root(root)))
        }
    }
}

#[derive(Clone, Copy)]
enum Seen<'a> {
    Task(&'a TaskLook),
    Root(&'a crate::update::look::Root),
}

/// Where somebody sleeps whose thread does.
fn on_thread(cx: &Cx, link: &Link) -> Option<String> {
    Some(asleep_for(cx, link)?.0.stack.as_ref()?.top()?.in_words())
}

/// Where somebody sleeps who waits: in the service's own function.
fn awaits_at(cx: &Cx, link: &Link) -> Option<String> {
    let (chain, _) = seen(cx, link.who)?;
    Some(in_words(chain.service_frame(link.frame.into())?))
}

/// Where the future of somebody stands that they do not poll, and that has a part of this.
fn kept_at(cx: &Cx, who: Actor, awaited: Awaited) -> Option<String> {
    let (Awaited::Permits(id) | Awaited::Message(id)) = awaited else { return None };
    let (chain, seen) = seen(cx, who)?;
    let (waits, claims) = match seen {
        Seen::Task(look) => (&look.waits, &look.claims),
        Seen::Root(root) => (&root.waits, &root.claims),
    };
    let is_it = |of| crate::diagnose::graph::row(cx.model, of) == id;
    let waits = waits.iter().filter_map(|wait| match wait.on {
        WaitOn::Permits { of, .. } if is_it(of) => Some(wait.frame),
        _ => None,
    });
    let has = claims.iter().filter(|claim| matches!(claim.what, ClaimKind::Permits(_)) && is_it(claim.of));
    let unpolled = |frame: &u16| {
        let reach = chain.frames.get(usize::from(*frame)).map(|frame| frame.reach);
        matches!(reach, Some(Reach::Held | Reach::Disabled))
    };
    let frame = waits.chain(has.map(|claim| claim.frame)).find(unpolled)?;
    Some(in_words(chain.service_frame(frame.into())?))
}

fn in_words(frame: &Frame) -> String {
    let Place { file, .. } = &frame.place;
    if file.is_empty() { frame.short() } else { format!("{} {}", frame.short(), frame.place) }
}

/// What would get one of a set on, in words: when a timer fires, and where something else is waited for.
pub(super) fn escape(cx: &Cx, (who, wait): (Actor, u16), now: Stamp) -> Option<String> {
    let (chain, seen) = seen(cx, who)?;
    let waits = match seen {
        Seen::Task(look) => &look.waits,
        Seen::Root(root) => &root.waits,
    };
    let wait = waits.get(usize::from(wait))?;
    let at = chain.service_frame(wait.frame.into()).map(in_words).unwrap_or_default();
    Some(match wait.on {
        WaitOn::Timer(_) => format!("a {} at {at}", cx.model.wait_in_words(wait.on, now)),
        _ => format!("what is awaited at {at} comes ({})", cx.model.wait_in_words(wait.on, now)),
    })
}
