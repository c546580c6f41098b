//! Where memory and the source that it is read beside contradict each other. The two look at different instants: a contradiction says
//! nothing of the process but that it went on in between, and that what is said of it is not so any more, or not yet.

use crate::{
    model::{Hold, Model, Task, TaskState},
    update::{
        BeginMode, ResourceId, Stamp, TaskId,
        look::{Certainty, Holder, State, TaskLook, Thing, WaitOn, Who},
    },
};
use std::time::Duration;

/// By so much two clocks of one machine may differ.
const SLACK: Duration = Duration::from_millis(20);

/// Who had a lock at a look, all of them.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct Sighting {
    at: Stamp,
    tasks: Vec<TaskId>,
}

impl Model {
    /// Whether one says of a task that it runs, and the other that it sleeps, or that it waits to run.
    pub fn sources_differ_on(&self, task: &Task) -> bool {
        let Some(look) = self.look_beside(task) else { return false };
        let by_look = match look.state {
            State::Idle => TaskState::Idle,
            State::Woken => TaskState::Scheduled,
            State::Running => TaskState::Running,
            State::Complete => TaskState::Ended,
        };
        task.state() != by_look
    }

    /// Whether one says that a task waits for this lock and for nothing else, and the other that it does not sleep, or waits for
    /// something else as well.
    pub fn sources_differ_on_wait(&self, id: TaskId, lock: ResourceId) -> bool {
        let Some(task) = self.tasks.get(id) else { return false };
        let Some(seen) = self.look_beside(&task) else { return false };
        let is_lock = |on: WaitOn| match on {
            WaitOn::Permits { of, missing: 1.., .. } => self.row_of_thing(of).is_none_or(|row| row == lock),
            _ => false,
        };
        let says = seen.unread.is_empty() && seen.chain.is_some();
        // What memory is not sure of contradicts nobody.
        let mut sure = seen.waits.iter().filter(|wait| wait.certainty == Certainty::Proven);
        self.sources_differ_on(&task) || (says && !sure.all(|wait| is_lock(wait.on)))
    }

    /// Whether those who wait for a lock have just said that it is one thing, and then that it is another.
    pub fn sources_differ_on_lock(&self, lock: ResourceId) -> bool {
        self.memory.joins.is_doubted(lock)
    }

    /// Holds what the agent tells by now of who held a lock at the look before against what that look proved. Where the agent says that one had
    /// it all the time around that look who did not, one of the two is wrong, and there is doubt about the lock.
    pub(super) fn compare_holders(&mut self, lock: ResourceId, thing: &Thing, now: Stamp) {
        let sighting = self.all_holders(thing).map(|tasks| Sighting { at: now, tasks });
        let before = match sighting {
            Some(sighting) => self.memory.sightings.insert(lock, sighting),
            None => self.memory.sightings.remove(&lock),
        };
        let (Some(before), Some((_, told))) = (before, self.lock(lock)) else { return };
        let (from, to) = (before.at.minus(SLACK), before.at.plus(SLACK));
        let had_it = |hold: &&Hold| hold.acquire.at <= from && to <= hold.seen && hold.acquire.task != TaskId::NONE;
        if told.holds.iter().filter(had_it).any(|hold| !before.tasks.contains(&hold.acquire.task)) {
            self.memory.joins.doubt(lock, now);
        }
    }

    /// The tasks that have a thing, where two looks agree that these are all.
    fn all_holders(&self, thing: &Thing) -> Option<Vec<TaskId>> {
        let task = |holder: &Holder| match holder.who {
            Who::Task(number) if holder.certainty == Certainty::Proven => Some(self.task_of_number(number)),
            _ => None,
        };
        let is_whole = thing.steady && thing.unseen == 0 && thing.held.is_some();
        thing.holders.iter().map(task).collect::<Option<Vec<TaskId>>>().filter(|_| is_whole)
    }

    /// What memory says of a task that another source tells of.
    fn look_beside<'a>(&self, task: &Task<'a>) -> Option<&'a TaskLook> {
        let is_beside = self.memory.mode == BeginMode::Joins;
        task.look().filter(|_| is_beside).map(|look| &**look)
    }
}

#[cfg(test)]
mod tests;
