//! Which lock of another source a thing of memory is, where both speak of one process. No number is common to the two: it follows
//! from the tasks that wait. A task that stands in the queue of a thing, and waits meanwhile in an operation on one lock and on no
//! other, says that the two are the same. That is taken where every such task says the same, no other thing is said to be that
//! lock, and two looks say so; and it is over as soon as one look says otherwise.
//!
//! It must not know what is told of a lock, or what is made of it.

use super::Memory;
use crate::{
    model::{LockKind, Model, chain::Of},
    update::{
        Consistency, ResourceId, Stamp, TaskId,
        look::{State, Thing, ThingId, WaitOn, Waiter, Who},
    },
};
use rustc_hash::{FxHashMap, FxHashSet};
use std::{collections::VecDeque, sync::Arc, time::Duration};

/// So many of those who wait for a thing are asked.
const WITNESSES: usize = 32;

/// So many looks must say the same.
const LOOKS: u16 = 2;

/// So many looks must say that the other source does not tell of a thing, before it is a row of its own.
const UNHEARD: u16 = 4;

/// A lock of which there is doubt is doubted for so many looks.
const DOUBTED: usize = 3;

/// The latest looks, at which something was so in memory.
const KEPT: usize = 16;

/// By so much two clocks of one machine may differ.
const SLACK: Duration = Duration::from_millis(20);

/// What those who wait for a thing say of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
enum Said {
    /// It is this lock.
    Is(ResourceId),
    /// The other source does not tell of it.
    Unheard,
    /// One says this, another says that.
    Contradicted,
}

impl Said {
    fn lock(self) -> Option<ResourceId> {
        if let Self::Is(lock) = self { Some(lock) } else { None }
    }
}

/// What was said of a thing, and in how many looks in a row.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
struct Standing {
    said: Said,
    looks: u16,
}

/// Somebody who stood in a queue: a task that slept, and waited for permits of this alone.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
struct Witness {
    task: TaskId,
    thing: ThingId,
    kind: LockKind,
}

/// Who stood in which queue at one look.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
struct Look {
    at: Stamp,
    queued: Arc<[Witness]>,
    /// Whether the other source had told all up to then, so that it was compared with that.
    heard: Heard,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
enum Heard {
    NotYet,
    Once,
}

/// What is known of which thing is which lock.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Joins {
    /// The latest looks, the newest last.
    looks: VecDeque<Look>,
    /// Who stands in which queue, and since which look.
    queued: FxHashMap<TaskId, (ThingId, Stamp)>,
    standings: FxHashMap<ThingId, Standing>,
    joined: FxHashMap<ResourceId, ThingId>,
    /// Locks of which two have said what cannot both be so, and at which look.
    doubted: FxHashMap<ResourceId, Stamp>,
}

impl Joins {
    /// Which thing each of these locks is, and no more.
    pub(super) fn only(&self, locks: &FxHashSet<ResourceId>) -> Self {
        let joined = self.joined.iter().filter(|(lock, _)| locks.contains(lock)).map(|(lock, thing)| (*lock, *thing));
        Self { joined: joined.collect(), ..Self::default() }
    }

    /// The lock that a thing is.
    pub(super) fn lock_of(&self, thing: ThingId) -> Option<ResourceId> {
        let standing = self.standings.get(&thing)?;
        let Said::Is(lock) = standing.said else { return None };
        (self.joined.get(&lock) == Some(&thing)).then_some(lock)
    }

    /// The thing that a lock is.
    pub(super) fn thing_of(&self, lock: ResourceId) -> Option<ThingId> {
        self.joined.get(&lock).copied()
    }

    /// Whether the other source does not tell of a thing: not of what somebody waits in who stands in its queue.
    pub(super) fn is_unheard(&self, thing: ThingId) -> bool {
        self.standings.get(&thing).is_some_and(|it| it.said == Said::Unheard && it.looks >= UNHEARD)
    }

    /// Whether those who wait for a lock have contradicted each other of late.
    pub(super) fn is_doubted(&self, lock: ResourceId) -> bool {
        self.doubted.get(&lock).is_some_and(|&at| at >= self.of_late())
    }

    /// There is doubt about a lock as of this look.
    pub(super) fn doubt(&mut self, lock: ResourceId, now: Stamp) {
        self.doubted.insert(lock, now);
    }

    fn of_late(&self) -> Stamp {
        self.looks.len().checked_sub(DOUBTED).and_then(|at| self.looks.get(at)).map_or(Stamp::MIN, |look| look.at)
    }

    /// Every lock that is a thing.
    pub(super) fn locks(&self) -> impl Iterator<Item = (ResourceId, ThingId)> {
        self.joined.iter().map(|(&lock, &thing)| (lock, thing))
    }

    /// A lock is gone.
    pub(super) fn forget(&mut self, lock: ResourceId) {
        if let Some(thing) = self.joined.remove(&lock) {
            self.standings.remove(&thing);
        }
        self.doubted.remove(&lock);
    }

    /// Takes in who stands in which queue now. Who moved since the look before has asked anew.
    fn look(&mut self, queued: Vec<Witness>, moved: &FxHashSet<TaskId>, now: Stamp) {
        let before = std::mem::take(&mut self.queued);
        let since = |witness: &Witness| {
            let stood = before.get(&witness.task);
            let stood = stood.filter(|(of, _)| *of == witness.thing && !moved.contains(&witness.task));
            stood.map_or(now, |(_, since)| *since)
        };
        self.queued = queued.iter().map(|witness| (witness.task, (witness.thing, since(witness)))).collect();
        self.looks.push_back(Look { at: now, queued: queued.into(), heard: Heard::NotYet });
        if self.looks.len() > KEPT {
            self.looks.pop_front();
        }
    }

    /// The looks up to this instant that were not compared yet, the oldest first.
    fn due(&mut self, until: Stamp) -> Vec<(Stamp, Arc<[Witness]>)> {
        let due = self.looks.iter_mut().filter(|look| look.heard == Heard::NotYet && look.at <= until);
        let take = |look: &mut Look| {
            look.heard = Heard::Once;
            (look.at, Arc::clone(&look.queued))
        };
        due.map(take).collect()
    }

    /// Takes in what a look says of each thing. The locks that are no longer known to be one.
    fn hear(&mut self, said: Vec<(ThingId, Vec<Said>)>, now: Stamp) -> Vec<ResourceId> {
        let from = self.of_late();
        self.doubted.retain(|_, at| *at >= from);
        let of_thing = |(thing, said): (ThingId, Vec<Said>)| {
            let first = *said.first()?;
            let is_one = said.iter().all(|other| *other == first);
            if !is_one {
                self.doubted.extend(said.into_iter().filter_map(Said::lock).map(|lock| (lock, now)));
            }
            Some((thing, if is_one { first } else { Said::Contradicted }))
        };
        let said: Vec<(ThingId, Said)> = said.into_iter().filter_map(of_thing).collect();
        let mut claims: FxHashMap<ResourceId, u32> = FxHashMap::default();
        for (_, said) in &said {
            if let Said::Is(lock) = said {
                *claims.entry(*lock).or_default() += 1;
            }
        }
        let mut parted = Vec::new();
        for (thing, said) in said {
            let said = match said {
                Said::Is(lock) if claims.get(&lock).is_some_and(|&things| things > 1) => Said::Contradicted,
                said => said,
            };
            let standing = self.standings.entry(thing).or_insert(Standing { said, looks: 0 });
            if standing.said == said {
                standing.looks = standing.looks.saturating_add(1);
            } else {
                let before = std::mem::replace(standing, Standing { said, looks: 1 }).said;
                if let Said::Is(lock) = before
                    && self.joined.get(&lock) == Some(&thing)
                {
                    self.joined.remove(&lock);
                    self.doubted.insert(lock, now);
                    parted.push(lock);
                }
            }
            if let Said::Is(lock) = said
                && standing.looks >= LOOKS
            {
                // A lock that was moved has another address now.
                let before = self.joined.insert(lock, thing).filter(|before| *before != thing);
                if let Some(before) = before {
                    self.standings.remove(&before);
                }
            }
        }
        parted
    }
}

impl Model {
    /// The row of a thing, if it has one.
    pub fn row_of_thing(&self, thing: ThingId) -> Option<ResourceId> {
        self.memory.joins.lock_of(thing).or_else(|| {
            let own = ResourceId(thing.0);
            self.memory.rows.contains_key(&own).then_some(own)
        })
    }

    /// What memory tells of a lock, if it is known to be the same.
    pub fn thing_of_row(&self, row: ResourceId) -> Option<&Thing> {
        let own = self.memory.rows.contains_key(&row).then_some(ThingId(row.0));
        self.memory.thing(self.memory.joins.thing_of(row).or(own)?)
    }

    /// Why memory does not prove who has a lock.
    pub fn doubt(&self, lock: ResourceId) -> Option<&str> {
        self.thing_of_row(lock).map(|thing| &*thing.doubt).filter(|doubt| !doubt.is_empty())
    }

    /// Finds which things are locks that the other source tells of, by one more look. The locks of which that is over.
    pub(super) fn join_things(&mut self, things: &[Thing], now: Stamp) -> Vec<ResourceId> {
        let queued = things.iter().flat_map(|thing| self.witnesses(thing)).collect();
        let Memory { joins, moved, .. } = &mut self.memory;
        joins.look(queued, moved, now);
        let Some(until) = self.told_until() else { return Vec::new() };
        let due = self.memory.joins.due(until);
        if due.iter().all(|(_, queued)| queued.is_empty()) {
            return Vec::new();
        }
        let over = self.acquires_that_are_over(&due);
        let mut parted = Vec::new();
        for (at, queued) in due {
            let mut said: Vec<(ThingId, Vec<Said>)> = Vec::new();
            for witness in queued.iter() {
                let says = self.says(witness, at, &over);
                match said.last_mut().filter(|(thing, _)| *thing == witness.thing) {
                    Some((_, said)) => said.extend(says),
                    None => said.push((witness.thing, says.into_iter().collect())),
                }
            }
            parted.extend(self.memory.joins.hear(said, at));
        }
        parted
    }

    /// Those who stand in a thing's queue, as far as they are asked.
    fn witnesses(&self, thing: &Thing) -> Vec<Witness> {
        let Some(kind) = LockKind::from_type(thing.kind.name()) else { return Vec::new() };
        let of_waiter = |waiter: &Waiter| {
            let Who::Task(number) = waiter.who else { return None };
            let id = self.task_of_number(number);
            let seen = self.tasks.get(id).filter(|task| !task.has_ended())?.look().cloned()?;
            let mut permits = seen.waits.iter().filter(|wait| matches!(wait.on, WaitOn::Permits { .. }));
            let is_only = permits.next()?.on.thing() == Some(thing.id) && permits.next().is_none();
            let stands = seen.state == State::Idle && is_only;
            stands.then_some(Witness { task: id, thing: thing.id, kind })
        };
        let waiting = thing.queue.iter().filter(|waiter| waiter.missing > 0).take(WITNESSES);
        waiting.filter_map(of_waiter).collect()
    }

    /// Up to when the other source has told all that there was.
    fn told_until(&self) -> Option<Stamp> {
        let told = match self.told.consistency() {
            Consistency::OneInstant => self.now,
            Consistency::Smeared => self.health.told_until,
        };
        told.map(|told| told.minus(SLACK))
    }

    /// The operations on locks that are over by now, of those who stood in a queue.
    fn acquires_that_are_over(&self, looks: &[(Stamp, Arc<[Witness]>)]) -> FxHashMap<TaskId, Vec<Acquiring>> {
        let asked: FxHashSet<TaskId> =
            looks.iter().flat_map(|(_, queued)| queued.iter()).map(|witness| witness.task).collect();
        let mut over: FxHashMap<TaskId, Vec<Acquiring>> = FxHashMap::default();
        for (dropped, id) in &self.dropped_ops {
            let Some(op) = self.ops.get(*id).filter(|op| self.access(op).is_some()) else { continue };
            let (Some(task), Some(lock), Some(from)) = (op.task, op.resource, op.created) else { continue };
            if asked.contains(&task) {
                // It was still waited in until the poll that got it, or until it was given up.
                let until = op.polls.last_started.map_or(*dropped, |last| last.min(*dropped));
                over.entry(task).or_default().push(Acquiring { lock, from, until });
            }
        }
        over
    }

    /// What one who stood in a queue at a look says: in what they waited then, as the other source tells.
    fn says(&self, witness: &Witness, at: Stamp, over: &FxHashMap<TaskId, Vec<Acquiring>>) -> Option<Said> {
        let id = witness.task;
        let chain = self.waiting.get(&id).copied().unwrap_or_default();
        let pending = chain.iter(Of::Task, &self.ops).filter(|op| self.access(op).is_some()).filter_map(|op| {
            // Its future may have been made long before it was polled.
            Some(Acquiring { lock: op.resource?, from: op.polls.last_ended?, until: at.plus(SLACK * 2) })
        });
        let all = pending.chain(over.get(&id).into_iter().flatten().copied());
        let near = all.filter(|it| it.from <= at.plus(SLACK) && at <= it.until.plus(SLACK));
        let mut near = near.peekable();
        let Some(first) = near.peek().copied() else {
            let stood = self.memory.joins.queued.get(&id);
            let stands = stood.is_some_and(|(thing, since)| *thing == witness.thing && *since <= at);
            return (stands && self.health.is_whole() && !self.has_acquires(id)).then_some(Said::Unheard);
        };
        let was_in_it =
            |it: Acquiring| it.lock == first.lock && it.from.plus(SLACK) <= at && at <= it.until.minus(SLACK);
        let mut surely = false;
        for it in near {
            if it.lock != first.lock {
                return None;
            }
            surely |= was_in_it(it);
        }
        let (_, lock) = self.lock(first.lock).filter(|(resource, _)| surely && resource.dropped.is_none())?;
        Some(if lock.kind == witness.kind { Said::Is(first.lock) } else { Said::Contradicted })
    }
}

/// The time within which a task waited for a lock, as the other source tells.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
struct Acquiring {
    lock: ResourceId,
    from: Stamp,
    until: Stamp,
}

#[cfg(test)]
pub(in crate::model::memory) mod tests;
