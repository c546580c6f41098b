//! Operations: what is announced of one, what is reported, and who waits on it.

use crate::{
    model::{Model, Op, Outcome, Slot, budget, chain::Of, descriptions::attributes},
    update::{NewOp, OpId, OpStats, Stamp, TaskId},
};

impl Model {
    pub(super) fn announce_op(&mut self, new: NewOp, now: Stamp) {
        if self.ops.get(new.id).is_some_and(|op| op.dropped.is_some()) {
            self.returned.ops.insert(new.id, new);
            return;
        }
        if self.ops.slot(new.id).is_none() && !self.takes_other(now) {
            self.health.event();
            return;
        }
        let source = self.names.intern(&new.source);
        let was_ready = self.was_ready_early(new.id);
        let slot = self.ops.slot_or_insert(new.id, || Op::new(new.id));
        let Some(op) = self.ops.at_mut(slot) else { return };
        if was_ready {
            op.outcome = Outcome::Complete;
        }
        let before = std::mem::replace(&mut op.resource, new.resource);
        op.parent = new.parent;
        op.source = source;
        if before == new.resource {
            return;
        }
        if let Some(before) = before.and_then(|before| self.resources.get_mut(before)) {
            before.ops.remove(Of::Resource, &mut self.ops, slot);
        }
        if let Some(resource) = new.resource {
            let of = self.resource_slot(resource);
            if let Some(resource) = self.resources.at_mut(of) {
                resource.ops.push(Of::Resource, &mut self.ops, slot);
            }
            self.health.event();
        }
    }

    pub(super) fn report_op(&mut self, id: OpId, stats: OpStats, now: Stamp) {
        if let Some(over) = self.ops.get(id).filter(|op| op.dropped.is_some()) {
            let again = self.returned.ops.remove(&id);
            if over.created == stats.created {
                return;
            }
            self.remove_op(id);
            if let Some(new) = again {
                self.announce_op(new, now);
            }
        }
        if self.ops.slot(id).is_none() && (self.evicted.new_others > 0 || !self.takes_other(now)) {
            return;
        }
        let attributes = attributes(stats.attributes, &self.descriptions, &mut self.names);
        let slot = self.ops.slot_or_insert(id, || Op::new(id));
        let Some(op) = self.ops.at_mut(slot) else { return };
        let (task_before, dropped_before) = (op.task, op.dropped);
        if op.created.is_none() {
            self.health.announced(stats.created);
        }
        op.created = stats.created;
        op.dropped = stats.dropped;
        op.task = stats.task;
        op.polls = stats.polls;
        self.loose_bytes += budget::attributes(&attributes);
        self.loose_bytes -= budget::attributes(&op.attributes);
        op.attributes = attributes;
        if let (None, Some(dropped)) = (dropped_before, op.dropped) {
            self.dropped_ops.push_back((dropped, id));
            self.finished.push(id);
        }
        let (task, resource, parent, dropped) = (op.task, op.resource, op.parent, op.dropped.is_some());
        if let Some(task) = task_before.filter(|_| task_before != task || dropped) {
            self.stop_waiting(task, slot);
        }
        if let Some(task) = task.filter(|_| !dropped && task_before != task) {
            self.waiting.entry(task).or_default().push(Of::Task, &mut self.ops, slot);
            if self.tasks.slot(task).is_none() && self.evicted.new_tasks == 0 {
                self.health.unannounced_in_ops += 1;
            }
        }
        self.note_permits(id, parent);
        let of_lock = resource.filter(|&resource| self.resources.get(resource).is_some_and(|r| r.lock.is_some()));
        self.unsettled.extend(of_lock);
    }

    pub(in crate::model) fn stop_waiting(&mut self, task: TaskId, op: Slot) {
        if let Some(chain) = self.waiting.get_mut(&task) {
            chain.remove(Of::Task, &mut self.ops, op);
            if chain.is_empty() {
                self.waiting.remove(&task);
            }
        }
    }
}
