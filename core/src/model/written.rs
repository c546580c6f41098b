//! A model that was written down and is read again. What follows from its rows is counted anew, so that whatever was read, what relies on it holds.

use super::{Model, Task, budget};

impl Model {
    /// Brings what follows from the rows in line with them.
    pub(crate) fn mend(&mut self) {
        self.tasks.mend_places(self.places.count());
        self.agent.spawn_times.mend(self.places.count());
        self.ended_rows = self.tasks.iter().filter(|task| task.has_ended()).count();
        self.loose_bytes = self.loose_bytes_counted();
        let tasks = &self.tasks;
        for set in [&mut self.hot, &mut self.running] {
            set.retain(|&slot| tasks.at(slot).is_some_and(|task| !task.has_ended()));
        }
        self.worker_jobs.retain(|&job| tasks.slot(job).is_some());
    }

    /// Bytes of fields and attributes, and of what is told of locks and permits.
    fn loose_bytes_counted(&self) -> usize {
        let of_tasks: usize = self.tasks.iter().map(Task::fields).map(budget::fields).sum();
        let of_ops: usize = self.ops.iter().map(|(_, op)| budget::attributes(&op.attributes)).sum();
        let of_resources = self.resources.iter().map(|(_, resource)| {
            budget::attributes(&resource.attributes)
                + resource.lock.as_ref().map_or(0, |lock| lock.told_bytes())
                + resource.permits.as_deref().map_or(0, budget::permits)
        });
        of_tasks + of_ops + of_resources.sum::<usize>()
    }
}
