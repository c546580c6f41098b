//! Whether a graph is worth making: whoever is stuck waits for what one has who is stuck as well, so that among those who surely have
//! something somebody must wait for others, or stand in a queue with a future that nobody polls. Mostly nobody does, however many wait.

use super::build::{is_sure, is_worth_it, only_op};
use crate::{
    model::{Model, TaskState},
    update::{
        TaskId,
        look::{Certainty, Reach, State, TaskLook, Wait, WaitOn, Who},
    },
};
use rustc_hash::FxHashMap;

pub(super) fn are_there(model: &Model) -> bool {
    Suspects { model, keeps: FxHashMap::default() }.are_there()
}

struct Suspects<'m> {
    model: &'m Model,
    /// Of a chain, whether it has a frame that is not polled, or may not be.
    keeps: FxHashMap<u32, bool>,
}

impl Suspects<'_> {
    fn are_there(mut self) -> bool {
        let model = self.model;
        // Who could be polled by threads alone that sleep goes on as little as these.
        if model.memory().whole().is_some_and(|whole| !whole.kept.is_empty()) {
            return true;
        }
        let in_use = model.locks_in_use().filter_map(|id| model.lock(id));
        let mut holders = in_use.flat_map(|(_, lock)| lock.holds.iter().filter(|hold| is_sure(hold)));
        // Who holds something outside of any task may wait for anything.
        if holders.any(|hold| hold.acquire.task == TaskId::NONE || self.task_waits(hold.acquire.task)) {
            return true;
        }
        // What memory tells of a lock is gone through below.
        let told = model.locks_in_use().filter(|id| model.thing_of_row(*id).is_none());
        let mut queues = told.flat_map(|id| model.waiters(id)).filter_map(|waiter| waiter.task);
        if queues.any(|task| self.keeps_a_place(task)) {
            return true;
        }
        model.memory().things().iter().filter(|thing| is_worth_it(thing)).any(|thing| {
            // Whoever receives makes room.
            let channel = thing.of.and_then(|channel| model.memory().thing(channel));
            let holders = thing.holders.iter().chain(channel.into_iter().flat_map(|channel| &channel.holders));
            let mut sure = holders.filter(|holder| holder.certainty == Certainty::Proven);
            // Who could have it sleeps for a lock.
            let asleep = !thing.perhaps.is_empty();
            asleep
                || sure.any(|holder| self.waits(holder.who))
                || thing.queue.iter().any(|waiter| self.stands(waiter.who))
        })
    }

    fn task_of(&self, who: Who) -> Option<TaskId> {
        match who {
            Who::Task(number) => Some(self.model.task_of_number(number)),
            Who::Root(_) | Who::Unknown => None,
        }
    }

    /// Whether somebody may wait for others.
    fn waits(&self, who: Who) -> bool {
        self.task_of(who).is_none_or(|task| self.task_waits(task))
    }

    fn task_waits(&self, id: TaskId) -> bool {
        let Some(task) = self.model.tasks().get(id) else { return false };
        let waits_for_others = |wait: &Wait| !matches!(wait.on, WaitOn::Timer(_) | WaitOn::Io { .. });
        match task.look() {
            // One that runs may be in a `block_on` of its own.
            Some(look) => {
                let runs =
                    task.kind().may_block() || task.state() == TaskState::Running || look.state == State::Running;
                runs || look.waits.iter().any(waits_for_others)
                    || look.chain.is_none() && only_op(self.model, id).is_some()
            }
            None => task.kind().may_block() || task.state() == TaskState::Running || only_op(self.model, id).is_some(),
        }
    }

    /// Whether somebody stands in a queue with a future that nobody polls.
    fn stands(&mut self, who: Who) -> bool {
        self.task_of(who).is_none_or(|task| self.keeps_a_place(task))
    }

    fn keeps_a_place(&mut self, task: TaskId) -> bool {
        let Some(task) = self.model.tasks().get(task) else { return false };
        task.look().is_some_and(|look| self.has_unpolled(look))
    }

    fn has_unpolled(&mut self, look: &TaskLook) -> bool {
        let Some(chain) = look.chain else { return false };
        let model = self.model;
        *self.keeps.entry(chain).or_insert_with(|| {
            let chain = model.memory().chain(chain);
            chain.is_some_and(|chain| chain.frames.iter().any(|frame| frame.reach != Reach::Polled))
        })
    }
}
