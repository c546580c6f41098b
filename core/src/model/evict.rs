//! Letting go: of what is over and was shown for long enough, and of what nobody will ask for again.

use super::{Attr, Model, Sym, Task, budget, chain::Of, tasks::Recent};
use crate::update::{OpId, ResourceId, Stamp, TaskId};

/// How many tasks are looked at after each page of an update for a recent past that has become an old one: a page tells of
/// fewer.
const SWEEP: usize = 2_048;

impl Model {
    /// Lets go of what is over and was shown for long enough, oldest first.
    pub(super) fn forget(&mut self, now: Stamp) {
        let before = self.retention.keep.map(|keep| now.minus(keep));
        let most = self.retention.most;
        let due = |queue: usize, at: Stamp| queue > most || before.is_some_and(|before| at < before);
        while let Some(&(at, id)) = self.ended.front().filter(|(at, _)| due(self.ended.len(), *at)) {
            self.ended.pop_front();
            if self.tasks.get(id).is_some_and(|task| task.dropped() == Some(at)) {
                self.remove_task(id);
            }
        }
        self.has_room(now);
        let is_full = self.bytes() >= self.retention.max_bytes;
        // The first update's operations come once more with the second, and must then be known: an acquire is counted once.
        let first = self.previous.is_none();
        while let Some(&(at, id)) =
            self.dropped_ops.front().filter(|(at, _)| !first && (is_full || due(self.dropped_ops.len(), *at)))
        {
            self.dropped_ops.pop_front();
            if self.ops.get(id).is_some_and(|op| op.dropped == Some(at)) {
                self.remove_op(id);
                self.evicted.dropped += u64::from(is_full);
            }
        }
        while let Some(&(at, id)) =
            self.dropped_resources.front().filter(|(at, _)| is_full || due(self.dropped_resources.len(), *at))
        {
            self.dropped_resources.pop_front();
            if self.resources.get(id).is_some_and(|resource| resource.dropped == Some(at)) {
                self.remove_resource(id);
                self.evicted.dropped += u64::from(is_full);
            }
        }
    }

    /// Lets go of strings that nothing refers to any more: a service may name each of its tasks differently.
    pub(super) fn forget_names(&mut self) {
        let attributes = |attributes: &[Attr]| -> Vec<Sym> {
            attributes.iter().flat_map(|attribute| [attribute.name, attribute.unit]).collect()
        };
        let of_tasks = self.tasks.iter().map(Task::name);
        let of_resources = self.resources.iter().flat_map(|(_, resource)| {
            let own = [resource.kind, resource.concrete_type, resource.target];
            attributes(&resource.attributes).into_iter().chain(own)
        });
        let of_ops = self.ops.iter().flat_map(|(_, op)| attributes(&op.attributes).into_iter().chain([op.source]));
        self.names.collect(of_tasks.chain(of_resources).chain(of_ops));
        self.changes.renamed = true;
    }

    /// Lets go of the recent past of tasks that fell silent, some with each page: a million are not looked at all at once.
    pub(super) fn forget_recents(&mut self, now: Stamp) {
        for _ in 0..SWEEP {
            let due = self.recents.front().filter(|(told, _)| now.since(*told) > Recent::SPAN);
            let Some(&(_, id)) = due else { return };
            self.recents.pop_front();
            let Some(slot) = self.tasks.slot(id) else { continue };
            self.tasks.forget_recent(slot, now);
            if let Some(task) = self.tasks.at(slot).filter(|task| task.has_recent()) {
                self.recents.push_back((task.confirmed(), id));
            }
        }
    }

    pub(super) fn remove_task(&mut self, id: TaskId) {
        if let Some(task) = self.tasks.get(id) {
            let (slot, place, task_number) = (task.slot(), task.place(), task.number());
            self.ended_rows -= usize::from(task.has_ended());
            self.loose_bytes -= budget::fields(task.fields());
            if let Some(number) = task_number {
                self.memory.forget_number(number);
            }
            self.tasks.remove(id);
            self.hot.remove(&slot);
            self.running.remove(&slot);
            self.worker_jobs.remove(&id);
            self.changes.removed.push((slot, id));
            self.changes.left.push((slot, id, place));
        }
        self.agent.forget_task(id);
        if let Some(mut waiting) = self.waiting.remove(&id) {
            waiting.clear(Of::Task, &mut self.ops);
        }
    }

    pub(super) fn remove_op(&mut self, id: OpId) {
        let Some(slot) = self.ops.slot(id) else { return };
        let (task, resource) = self.ops.at(slot).map_or((None, None), |op| (op.task, op.resource));
        if let Some(task) = task {
            self.stop_waiting(task, slot);
        }
        if let Some(resource) = resource.and_then(|resource| self.resources.get_mut(resource)) {
            resource.ops.remove(Of::Resource, &mut self.ops, slot);
        }
        self.loose_bytes -= self.ops.remove(id).map_or(0, |op| budget::attributes(&op.attributes));
    }

    pub(super) fn remove_resource(&mut self, id: ResourceId) {
        let Some(mut resource) = self.resources.remove(id) else { return };
        resource.ops.clear(Of::Resource, &mut self.ops);
        self.loose_bytes -= budget::attributes(&resource.attributes);
        self.loose_bytes -= resource.lock.as_ref().map_or(0, |lock| lock.told_bytes());
        self.loose_bytes -= resource.permits.as_deref().map_or(0, budget::permits);
        self.counted.remove(&id);
        self.unsettled.remove(&id);
        if resource.lock.is_some() {
            self.locks.remove(id);
            self.memory.forget_lock(id);
        }
        if let Some(parent) = resource.parent.and_then(|parent| self.resources.get_mut(parent)) {
            parent.parts.retain(|&part| part != id);
        }
    }
}
