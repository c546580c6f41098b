//! What the lints on queues for permits have in common: how long the first of a queue has stood there without a permit coming back, and
//! what those do meanwhile who have them.

use crate::{
    diagnose::{
        RELATED_MOST, TaskRef, WaitRef,
        follow::actor,
        graph::{self, Actor, Escapes, Knot},
        label,
        lint::Cx,
    },
    model::{Op, TaskState},
    update::{
        ResourceId, Stamp,
        look::{Holder, State, Thing, Wait, WaitOn, Who},
    },
};
use std::time::Duration;

/// One operation has no more parts than this: of a task that waits in more it is not asked which belong together.
const PARTS_MOST: usize = 16;

/// A queue that does not move.
pub(super) struct Standing {
    /// Since when the first has stood there, and nothing came back.
    pub(super) since: Stamp,
    /// Who waits, first served first.
    pub(super) waiters: Vec<WaitRef>,
    pub(super) total: usize,
}

/// The queue of a thing, if it has stood for so long. The first of a queue is given whatever comes back, a part of what they want included:
/// while they have not moved, nothing did.
pub(super) fn standing(cx: &Cx, thing: &Thing, least: Duration) -> Option<Standing> {
    let waiting = || thing.queue.iter().filter(|waiter| waiter.missing > 0);
    let first = waiting().next()?;
    let since = still_since(cx, first.who)?;
    let looked = cx.model.memory().now()?;
    let stands = cx.lasted(since, looked) >= least && cx.model.is_borne_out_by_looks(since, looked);
    if !stands || is_told(cx, first.who) {
        return None;
    }
    // Whatever comes back is all that it wants.
    let since = if first.wanted == 1 { asked_since(cx, first.who).map_or(since, |it| it.min(since)) } else { since };
    let waiter = |who: Who| {
        let since = [still_since(cx, who), asked_since(cx, who)].into_iter().flatten().min();
        let waited = since.map(|since| cx.now.since(since));
        Some(WaitRef { task: label::actor(cx.model, actor(cx.model, who)?), waited })
    };
    let waiters = waiting().filter_map(|waiting| waiter(waiting.who)).take(RELATED_MOST).collect();
    Some(Standing { since, waiters, total: waiting().count() })
}

/// What a thing is called: as another source tells it, which speaks beside memory, where all who wait for it agree on that.
pub(super) fn subject(cx: &Cx, thing: &Thing) -> ResourceId {
    let mut told = thing.queue.iter().filter(|waiter| waiter.missing > 0).map(|waiter| told_of(cx, waiter.who));
    let first = told.next().flatten().filter(|first| told.all(|other| other == Some(*first)));
    first.unwrap_or_else(|| graph::row(cx.model, thing.id))
}

/// For whose permits a task waits, as another source tells.
fn told_of(cx: &Cx, who: Who) -> Option<ResourceId> {
    let Actor::Task(task) = actor(cx.model, who)? else { return None };
    let lacking = cx.model.waits_of(task).filter(|op| cx.model.lacks_permits(op));
    let rows = lacking.filter_map(|op| cx.model.resources().get(op.resource?)).filter(|row| row.permits.is_some());
    let mut subjects = rows.map(|row| row.parent.unwrap_or(row.id));
    let first = subjects.next()?;
    subjects.all(|other| other == first).then_some(first)
}

/// Whether somebody is told of as one who can never go on, or as held up by such.
fn is_told(cx: &Cx, who: Who) -> bool {
    let Some(actor) = actor(cx.model, who) else { return false };
    let knots = |escapes| cx.graphs.get(cx.model, escapes).knots(Duration::ZERO);
    let has = |knot: &Knot| knot.members().any(|member| member == actor) || knot.behind.contains(&actor);
    knots(Escapes::Count).iter().any(has)
}

fn still_since(cx: &Cx, who: Who) -> Option<Stamp> {
    match actor(cx.model, who)? {
        Actor::Task(task) => cx.model.tasks().get(task)?.still_since(),
        Actor::Root(thread) => cx.model.memory().slept_since(thread),
    }
}

/// Since when a task waits, as another source tells that speaks beside memory, where that is in one operation.
fn asked_since(cx: &Cx, who: Who) -> Option<Stamp> {
    let Actor::Task(task) = actor(cx.model, who)? else { return None };
    let waits: Vec<&Op> = cx.model.waits_of(task).take(PARTS_MOST + 1).collect();
    let is_part = |op: &&&Op| op.parent.is_some_and(|parent| waits.iter().any(|other| other.id == parent));
    let mut whole = waits.iter().filter(|op| !is_part(op));
    let asked = whole.next()?.created;
    if whole.next().is_none() && waits.len() <= PARTS_MOST { asked } else { None }
}

/// What somebody does who has a part of something.
pub(super) struct Doing {
    pub(super) who: TaskRef,
    /// In a few words, as what follows on a name.
    pub(super) words: String,
    /// Whether they can be expected to go on by themselves: they run, or wait for a time or a peer.
    pub(super) goes_on: GoesOn,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GoesOn {
    /// They do now, or are about to.
    Now,
    /// In time, or when a peer says something.
    InTime,
    /// When somebody else of this process does something.
    ByOthers,
}

pub(super) fn doing(cx: &Cx, holder: &Holder) -> Option<Doing> {
    let who = label::actor(cx.model, actor(cx.model, holder.who)?);
    let waits: &[Wait] = match actor(cx.model, holder.who)? {
        Actor::Task(task) => {
            let task = cx.model.tasks().get(task)?;
            let look = task.look()?;
            if look.state != State::Idle || task.state() == TaskState::Running {
                let words = if look.state == State::Woken { "is woken and not polled yet" } else { "is being polled" };
                return Some(Doing { who, words: words.into(), goes_on: GoesOn::Now });
            }
            &look.waits
        }
        Actor::Root(thread) => &cx.model.memory().whole()?.roots.iter().find(|root| root.thread == thread)?.waits,
    };
    let in_time = |wait: &Wait| matches!(wait.on, WaitOn::Timer(_) | WaitOn::Io { .. });
    let goes_on = if waits.iter().any(in_time) { GoesOn::InTime } else { GoesOn::ByOthers };
    let on: Vec<String> = waits.iter().take(3).map(|wait| cx.model.wait_in_words(wait.on, cx.now)).collect();
    let at = if holder.place.file.is_empty() { String::new() } else { format!(", at {}", holder.place) };
    let words = if on.is_empty() { format!("sleeps{at}") } else { format!("waits for {}{at}", on.join(" or ")) };
    Some(Doing { who, words, goes_on })
}
