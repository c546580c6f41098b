//! Which lock of another source a thing of memory is, where both speak of one process. No number is common to the two: it follows
//! from the tasks that wait. A task that stands in the queue of a thing, and waits meanwhile in an operation on one lock and on no
//! other, says that the two are the same. That is taken where every such task says the same, no other thing is said to be that
//! lock, and two looks say so; and it is over as soon as one look says otherwise.
//!
//! It must not know what is told of a lock, or what is made of it.

use super::Memory;
use crate::{
    model::{LockKind, Model},
    update::{
        Consistency, ResourceId, Stamp, TaskId,
        look::{State, Thing, ThingId, WaitOn, Waiter, Who},
    },
};
use rustc_hash::{FxHashMap, FxHashSet};
use std::{collections::VecDeque, time::Duration};

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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
#[derive(Debug, Clone, Copy)]
struct Standing {
    said: Said,
    looks: u16,
}

/// What is known of which thing is which lock.
#[derive(Debug, Clone, Default)]
pub(super) struct Joins {
    /// When the latest looks were, the newest last.
    looks: VecDeque<Stamp>,
    /// Who stands in which queue, and since which look.
    queued: FxHashMap<TaskId, (ThingId, Stamp)>,
    standings: FxHashMap<ThingId, Standing>,
    joined: FxHashMap<ResourceId, ThingId>,
    /// Locks of which one who waits has said this, and another that, and at which look.
    doubted: FxHashMap<ResourceId, Stamp>,
}

impl Joins {
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

    fn of_late(&self) -> Stamp {
        self.looks.len().checked_sub(DOUBTED).and_then(|at| self.looks.get(at)).copied().unwrap_or(Stamp::MIN)
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
    }

    /// Takes in who stands in which queue now. Who moved since the look before has asked anew.
    fn look(&mut self, queued: impl Iterator<Item = (TaskId, ThingId)>, moved: &FxHashSet<TaskId>, now: Stamp) {
        let before = std::mem::take(&mut self.queued);
        let since = |task: TaskId, thing: ThingId| {
            let stood = before.get(&task).filter(|(of, _)| *of == thing && !moved.contains(&task));
            stood.map_or(now, |(_, since)| *since)
        };
        self.queued = queued.map(|(task, thing)| (task, (thing, since(task, thing)))).collect();
        self.looks.push_back(now);
        if self.looks.len() > KEPT {
            self.looks.pop_front();
        }
    }

    /// Whether a look was made within this time.
    fn looked_within(&self, from: Stamp, until: Stamp) -> bool {
        self.looks.iter().any(|&look| from <= look && look <= until)
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

impl Memory {
    /// Those who stand in a thing's queue, as far as they are asked.
    fn witnesses(thing: &Thing) -> impl Iterator<Item = &Waiter> {
        thing.queue.iter().filter(|waiter| waiter.missing > 0).take(WITNESSES)
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

    /// Finds which things are locks that the other source tells of, by one more look. The locks of which that is over.
    pub(super) fn join_things(&mut self, things: &[Thing], now: Stamp) -> Vec<ResourceId> {
        let locks = || things.iter().filter(|thing| LockKind::from_type(thing.kind.name()).is_some());
        let queued: Vec<(TaskId, ThingId)> = locks()
            .flat_map(|thing| Memory::witnesses(thing).filter_map(|it| Some((self.row_of_who(it.who)?, thing.id))))
            .collect();
        let Memory { joins, moved, .. } = &mut self.memory;
        joins.look(queued.into_iter(), moved, now);
        let Some(until) = self.told_until() else { return Vec::new() };
        let said = |thing: &Thing| {
            Memory::witnesses(thing).filter_map(|waiter| self.says(thing, waiter, until)).collect::<Vec<Said>>()
        };
        let said: Vec<_> = locks().map(|thing| (thing.id, said(thing))).collect();
        self.memory.joins.hear(said, now)
    }

    /// Up to when the other source has told all that there was.
    fn told_until(&self) -> Option<Stamp> {
        let told = match self.told.consistency() {
            Consistency::OneInstant => self.now,
            Consistency::Smeared => self.health.told_until,
        };
        told.map(|told| told.minus(SLACK))
    }

    fn row_of_who(&self, who: Who) -> Option<TaskId> {
        if let Who::Task(number) = who { Some(self.task_of_number(number)) } else { None }
    }

    /// What one who waits says: in what they wait by the other source, at an instant at which a look found them in the queue.
    fn says(&self, thing: &Thing, waiter: &Waiter, until: Stamp) -> Option<Said> {
        let id = self.row_of_who(waiter.who)?;
        let seen = self.tasks.get(id).filter(|task| !task.has_ended())?.look().cloned()?;
        let mut permits = seen.waits.iter().filter(|wait| matches!(wait.on, WaitOn::Permits { .. }));
        let is_only = permits.next()?.on.thing() == Some(thing.id) && permits.next().is_none();
        if seen.state != State::Idle || !is_only {
            return None;
        }
        let joins = &self.memory.joins;
        let since = joins.queued.get(&id).filter(|(of, _)| *of == thing.id)?.1;
        let mut acquires = self.waits_of(id).filter(|op| self.access(op).is_some());
        let Some(acquire) = acquires.next() else {
            let is_whole = self.health.is_whole() && !self.has_acquires(id) && joins.looked_within(since, until);
            return is_whole.then_some(Said::Unheard);
        };
        let lock = acquire.resource?;
        // Its future may have been made long before it was polled.
        let asked = acquire.polls.last_ended?;
        if acquires.any(|other| other.resource != Some(lock)) {
            return None;
        }
        if !joins.looked_within(since.max(asked.plus(SLACK)), until) {
            return None;
        }
        let (resource, _) = self.lock(lock).filter(|(resource, _)| resource.dropped.is_none())?;
        let is_kind = self.names.text(resource.concrete_type) == thing.kind.name();
        Some(if is_kind { Said::Is(lock) } else { Said::Contradicted })
    }
}

#[cfg(test)]
pub(in crate::model::memory) mod tests;
