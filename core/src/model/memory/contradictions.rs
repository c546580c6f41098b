//! Where memory and the source that it is read beside contradict each other. The two look at different instants: a contradiction says
//! nothing of the process but that it went on in between, and that what is said of it is not so any more, or not yet.

use crate::{
    model::{Model, Task, TaskState},
    update::{
        BeginMode, ResourceId, TaskId,
        look::{State, TaskLook, WaitOn},
    },
};

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
        self.sources_differ_on(&task) || (says && !seen.waits.iter().all(|wait| is_lock(wait.on)))
    }

    /// Whether those who wait for a lock have just said that it is one thing, and then that it is another.
    pub fn sources_differ_on_lock(&self, lock: ResourceId) -> bool {
        self.memory.joins.is_doubted(lock)
    }

    /// What memory says of a task that another source tells of.
    fn look_beside<'a>(&self, task: &Task<'a>) -> Option<&'a TaskLook> {
        let is_beside = self.memory.mode == BeginMode::Joins;
        task.look().filter(|_| is_beside).map(|look| &**look)
    }
}

#[cfg(test)]
mod tests;
