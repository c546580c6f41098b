//! Who keeps something from others, what they wait for themselves, and who keeps that in turn: as far as it is worth telling.

use super::{
    AwaitedRef, Confidence, Keeper, KeeperWait, KeepsBy,
    graph::{self, Actor},
    label,
};
use crate::{
    model::{Hold, Model, TaskState},
    update::{
        ResourceId, Stamp, TaskId,
        look::{Certainty, ClaimKind, Holder, State, Thing, ThingId, ThingKind, Wait, WaitOn, Who},
    },
};
use rustc_hash::FxHashSet;

/// What keepers wait for is followed over so many of them.
const DEEP_MOST: usize = 3;

/// Of those who keep one thing so many are told.
const KEEPERS_MOST: usize = 8;

/// Of what one waits for at once so much is told.
const WAITS_MOST: usize = 3;

/// Whom memory means.
pub(super) fn actor(model: &Model, who: Who) -> Option<Actor> {
    match who {
        Who::Task(number) => Some(Actor::Task(model.task_of_number(number))),
        Who::Root(thread) => Some(Actor::Root(thread)),
        Who::Unknown => None,
    }
}

/// Of all who are told so many.
const ALL_MOST: usize = 32;

/// Who holds a lock.
pub(super) fn lock(model: &Model, now: Stamp, id: ResourceId) -> Vec<Keeper> {
    Way::new(model, now).lock(id)
}

/// These, who have a part of this thing in memory.
pub(super) fn holders<'a>(
    model: &Model,
    now: Stamp,
    of: &Thing,
    holders: impl Iterator<Item = &'a Holder>,
) -> Vec<Keeper> {
    let mut way = Way::new(model, now);
    way.things.insert(graph::row(model, of.id));
    way.holders(holders)
}

/// The way from keeper to keeper. Who has a thing, and what somebody waits for, is told once: four who have permits and wait for more
/// would else be told four times over at every level.
struct Way<'a> {
    model: &'a Model,
    now: Stamp,
    /// How many were gone through to here.
    deep: usize,
    /// Whose waits are told.
    actors: FxHashSet<Actor>,
    /// Whose keepers are told.
    things: FxHashSet<ResourceId>,
    /// How many keepers are told.
    told: usize,
}

impl<'a> Way<'a> {
    fn new(model: &'a Model, now: Stamp) -> Self {
        Self { model, now, deep: 0, actors: FxHashSet::default(), things: FxHashSet::default(), told: 0 }
    }

    fn lock(&mut self, id: ResourceId) -> Vec<Keeper> {
        let Some((_, lock)) = self.model.lock(id).filter(|_| self.things.insert(id)) else { return Vec::new() };
        lock.holds.iter().take(KEEPERS_MOST).map(|hold| self.hold(hold)).collect()
    }

    fn hold(&mut self, hold: &Hold) -> Keeper {
        self.told += 1;
        let task = hold.acquire.task;
        let who = (task != TaskId::NONE && !hold.outlived).then_some(Actor::Task(task));
        Keeper {
            held: Some(self.now.since(hold.acquire.at)),
            at: hold.suspended_at.as_ref().and_then(|stack| Some(stack.top()?.in_words())),
            does: if hold.outlived { "has ended: its guard is elsewhere" } else { self.does(who) },
            waits: who.map(|who| self.waits(who)).unwrap_or_default(),
            ..Keeper::of_lock(label::holder(self.model, hold), label::confidence(hold.basis))
        }
    }

    fn holders<'b>(&mut self, holders: impl Iterator<Item = &'b Holder>) -> Vec<Keeper> {
        holders.filter_map(|holder| self.holder(holder)).take(KEEPERS_MOST).collect()
    }

    fn holder(&mut self, holder: &Holder) -> Option<Keeper> {
        let who = actor(self.model, holder.who)?;
        self.told += 1;
        let by = match holder.what {
            ClaimKind::Permits(_) => KeepsBy::Guard,
            ClaimKind::Sender => KeepsBy::Sender,
            ClaimKind::Receiver => KeepsBy::Receiver,
        };
        Some(Keeper {
            by,
            does: self.does(Some(who)),
            at: (!holder.place.file.is_empty()).then(|| holder.place.to_string()),
            waits: self.waits(who),
            ..Keeper::of_lock(label::actor(self.model, who), known(holder.certainty))
        })
    }

    /// What somebody does who does not wait.
    fn does(&self, who: Option<Actor>) -> &'static str {
        let Some(Actor::Task(task)) = who else { return "" };
        let Some(task) = self.model.tasks().get(task) else { return "" };
        match (task.look().map(|look| look.state), task.state()) {
            (Some(State::Running), _) | (_, TaskState::Running) => "is being polled",
            (Some(State::Woken), _) => "is woken and not polled yet",
            _ => "",
        }
    }

    fn waits(&mut self, who: Actor) -> Vec<KeeperWait> {
        let is_enough = self.deep >= DEEP_MOST || self.told > ALL_MOST;
        if is_enough || !self.does(Some(who)).is_empty() || !self.actors.insert(who) {
            return Vec::new();
        }
        self.deep += 1;
        let waits = match (who, self.looked_at(who)) {
            (_, Some(waits)) => waits.iter().take(WAITS_MOST).map(|wait| self.wait(wait)).collect(),
            (Actor::Task(task), None) => {
                let locks = self.model.locks_awaited(task);
                locks.into_iter().take(WAITS_MOST).map(|id| self.wait_for_lock(id)).collect()
            }
            (Actor::Root(_), None) => Vec::new(),
        };
        self.deep -= 1;
        waits
    }

    /// What memory says that somebody waits for.
    fn looked_at(&self, who: Actor) -> Option<Vec<Wait>> {
        match who {
            Actor::Task(task) => Some(self.model.tasks().get(task)?.look()?.waits.to_vec()),
            Actor::Root(thread) => {
                let roots = &self.model.memory().whole()?.roots;
                Some(roots.iter().find(|root| root.thread == thread)?.waits.to_vec())
            }
        }
    }

    fn wait_for_lock(&mut self, id: ResourceId) -> KeeperWait {
        let lock = label::lock(self.model, id);
        KeeperWait { words: lock.in_words(), on: Some(AwaitedRef::Resource(lock)), kept: self.lock(id) }
    }

    fn wait(&mut self, wait: &Wait) -> KeeperWait {
        let words = self.model.wait_in_words(wait.on, self.now);
        let (on, kept) = match wait.on {
            WaitOn::Permits { of, missing: 1.., .. } => (Some(self.thing(of)), self.has_permits(of)),
            WaitOn::Thing(of) => (Some(self.thing(of)), self.sends(of)),
            WaitOn::Join(Some(number)) => {
                let who = Actor::Task(self.model.task_of_number(number));
                let task = label::actor(self.model, who);
                let (does, waits) = (self.does(Some(who)), self.waits(who));
                let keeper =
                    Keeper { by: KeepsBy::End, does, waits, ..Keeper::of_lock(task.clone(), known(wait.certainty)) };
                (Some(AwaitedRef::End(task)), vec![keeper])
            }
            _ => (None, Vec::new()),
        };
        KeeperWait { words, on, kept }
    }

    fn thing(&self, id: ThingId) -> AwaitedRef {
        AwaitedRef::Resource(label::resource(self.model, graph::row(self.model, id)))
    }

    /// Who has permits of a lock or a semaphore, or would make room in a channel.
    fn has_permits(&mut self, id: ThingId) -> Vec<Keeper> {
        let row = graph::row(self.model, id);
        if self.model.lock(row).is_some() {
            return self.lock(row);
        }
        if !self.things.insert(row) {
            return Vec::new();
        }
        let Some(thing) = self.model.memory().thing(id).cloned() else { return Vec::new() };
        let has_messages = thing.channel.and_then(|channel| channel.messages) != Some(0);
        match self.channel(&thing).filter(|_| thing.kind == ThingKind::Room && has_messages) {
            Some(channel) => self.holders(channel.holders.iter().filter(|it| it.what == ClaimKind::Receiver)),
            None => self.holders(thing.holders.iter().filter(|it| matches!(it.what, ClaimKind::Permits(1..)))),
        }
    }

    fn channel(&self, room: &Thing) -> Option<Thing> {
        self.model.memory().thing(room.of?).cloned()
    }

    /// Who could send what is waited for, where they are few enough to say anything.
    fn sends(&mut self, id: ThingId) -> Vec<Keeper> {
        if !self.things.insert(graph::row(self.model, id)) {
            return Vec::new();
        }
        let Some(thing) = self.model.memory().thing(id).cloned() else { return Vec::new() };
        let senders: Vec<&Holder> = thing.holders.iter().filter(|it| it.what == ClaimKind::Sender).collect();
        if senders.len() > WAITS_MOST { Vec::new() } else { self.holders(senders.into_iter()) }
    }
}

fn known(certainty: Certainty) -> Confidence {
    if certainty == Certainty::Proven { Confidence::Exact } else { Confidence::Likely }
}
