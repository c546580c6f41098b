//! From claims to rows. Nothing here trusts the target: an id may be unknown, or reused; a time may go backwards.

use crate::update::Consistency;
use crate::{
    model::{
        Lock, LockKind, Model, Op, Origin, Outcome, Resource, Slot, Task, TaskState, budget, chain::Of,
        descriptions::attributes, tasks::Announced,
    },
    update::{
        NewOp, NewResource, NewTask, OpId, OpStats, Part, PollOp, Readiness, ResourceId, ResourceStats, Stamp, TaskId,
        TaskKind, TaskStats, Update,
    },
};
use rustc_hash::FxHashMap;

/// Announcements of what is over already. Each is either sent again, as everything is to those who have just attached, or of
/// something new that was given the same id; the statistics that come with it tell.
#[derive(Debug, Clone, Default)]
pub(in crate::model) struct Returned {
    tasks: FxHashMap<TaskId, NewTask>,
    resources: FxHashMap<ResourceId, NewResource>,
    ops: FxHashMap<OpId, NewOp>,
}

impl Returned {
    fn clear(&mut self) {
        self.tasks.clear();
        self.resources.clear();
        self.ops.clear();
    }
}

/// At most so many jobs are known to be tokio's workers.
const WORKER_JOBS_MOST: usize = 4_096;

impl Model {
    /// Takes in one update, or one page of one. [`Model::changes`] then says what it changed.
    pub fn apply(&mut self, mut update: Update) {
        self.changes.tasks.clear();
        self.changes.removed.clear();
        self.changes.left.clear();
        self.changes.locks.clear();
        self.changes.complete = update.part == Part::Last;
        self.changes.renamed = false;
        // A target's clock may step back, and a message may come without a time; the model's does not.
        let now = update.now.max(self.now).unwrap_or(Stamp::MIN);
        self.attached.get_or_insert(now);

        self.health.page(&update, now);
        self.standstills.tell(std::mem::take(&mut update.standstills));
        if self.infers_standstills() {
            self.standstills.begin(self.now, now);
        }
        if update.dropped.ops > 0 {
            self.forget_acquires();
        }
        let kept_out = self.evicted.new_others;
        for metadata in update.metadata.drain(..) {
            if self.descriptions.register(metadata) {
                self.health.event();
            }
        }
        for task in std::mem::take(&mut update.new_tasks) {
            self.announce_task(task, now);
        }
        for (id, stats) in std::mem::take(&mut update.task_stats) {
            self.report_task(id, stats, now);
        }
        for resource in std::mem::take(&mut update.new_resources) {
            self.announce_resource(resource, now);
        }
        for (id, stats) in std::mem::take(&mut update.resource_stats) {
            self.report_resource(id, stats, now);
        }
        for op in std::mem::take(&mut update.new_ops) {
            self.announce_op(op, now);
        }
        for poll in std::mem::take(&mut update.poll_ops) {
            self.note_poll_op(&poll);
        }
        for (id, stats) in std::mem::take(&mut update.op_stats) {
            self.report_op(id, stats, now);
        }
        for id in std::mem::take(&mut update.gone_tasks) {
            self.end_task(id, now);
        }
        for id in std::mem::take(&mut update.gone_ops) {
            self.remove_op(id);
        }
        for id in std::mem::take(&mut update.gone_resources) {
            self.remove_resource(id);
        }
        self.apply_agent(&mut update, now);
        // The latest acquire that we know of need not be the latest if there was no room for another.
        if self.evicted.new_others > kept_out {
            self.forget_acquires();
        }
        self.forget_recents(now);
        if update.part == Part::Last {
            self.complete(now);
        }
        if !self.changes.removed.is_empty() {
            let tasks = &self.tasks;
            self.changes.tasks.retain(|&changed| tasks.at(changed).is_some());
        }
    }

    fn complete(&mut self, now: Stamp) {
        self.previous = self.now;
        self.now = Some(now);
        self.health.complete(self.previous, now, self.knows.consistency());
        if self.infers_standstills() {
            self.standstills.judge(self.previous, now);
        }
        self.spawns.settle(now);
        self.infer_holders(now);
        self.name_panics();
        self.returned.clear();
        self.forget(now);
        if self.names.should_collect() {
            self.forget_names();
        }
    }

    /// An agent tells of them, as far as it looks for any.
    fn infers_standstills(&self) -> bool {
        self.knows.consistency() == Consistency::Smeared
    }

    fn announce_task(&mut self, mut new: NewTask, now: Stamp) {
        if self.tasks.get(new.id).is_some_and(Task::has_ended) {
            self.returned.tasks.insert(new.id, new);
            return;
        }
        let is_new = self.tasks.slot(new.id).is_none();
        if is_new && !self.takes_task(now) {
            self.health.event();
            return;
        }
        self.descriptions.resolve(&mut new);
        let kind = new.kind.or_else(|| self.descriptions.task_kind(new.metadata?));
        let name = self.names.intern(&new.name);
        let place = new.place.map(|place| self.places.intern(place)).unwrap_or_default();
        let mut kind = kind.unwrap_or_default();
        // So many workers nobody has: what claims to be another is not taken for one.
        if self.worker_jobs.len() < WORKER_JOBS_MOST || self.worker_jobs.contains(&new.id) {
            kind = kind.spawned_in(&self.place(place).file);
        }
        if kind == TaskKind::Worker {
            self.worker_jobs.insert(new.id);
        } else {
            self.worker_jobs.remove(&new.id);
        }
        let slot = self.tasks.slot_or_begin(new.id, now);
        let Some(task) = self.tasks.at(slot) else { return };
        let (before, announced) = (task.place(), task.origin() == Origin::Announced);
        let counted_at = announced.then_some(before);
        let (number, size, original_size) = (new.number, new.size, new.original_size);
        self.tasks.announce(slot, &Announced { name, place, kind, number, size, original_size });
        if counted_at.is_none() {
            self.health.event();
        }
        if counted_at != Some(place) {
            self.spawns.born(place, now);
            if let Some(before) = counted_at {
                self.spawns.died(before, now);
            }
        }
        if before != place && !is_new {
            self.changes.left.push((slot, new.id, before));
        }
        if !new.fields.is_empty() {
            self.loose_bytes += budget::fields(&new.fields);
            self.loose_bytes -= self.tasks.at(slot).map_or(0, |task| budget::fields(task.fields()));
            self.tasks.set_fields(slot, new.fields);
            self.note_more(slot);
        }
        self.changes.tasks.push(slot);
    }

    fn report_task(&mut self, id: TaskId, stats: TaskStats, now: Stamp) {
        // The end of a task that we never knew, or have let go of.
        if stats.dropped.is_some() && self.tasks.slot(id).is_none() {
            return;
        }
        if let Some(over) = self.tasks.get(id).filter(|task| task.has_ended()) {
            let created = over.created();
            let again = self.returned.tasks.remove(&id);
            if created == stats.created {
                return;
            }
            self.remove_task(id);
            if let Some(new) = again {
                self.announce_task(new, now);
            }
        }
        // Of a task that there was no room for the target goes on to speak.
        if self.tasks.slot(id).is_none() && (self.evicted.new_tasks > 0 || !self.takes_task(now)) {
            return;
        }
        let slot = self.tasks.slot_or_begin(id, now);
        let Some(task) = self.tasks.at(slot) else { return };
        let (is_first, ended_before) = (task.created().is_none(), task.has_ended());
        let polls = stats.polls.count.saturating_sub(task.polls());
        let (had_recent, origin, place) = (task.has_recent(), task.origin(), task.place());
        if is_first {
            self.health.announced(stats.created);
            self.health.unannounced_tasks += u64::from(origin == Origin::StatisticsOnly);
        } else {
            self.standstills.polled(polls);
        }
        self.tasks.report(slot, &stats, now, &self.standstills);
        let Some(task) = self.tasks.at(slot) else { return };
        if !had_recent && task.has_recent() {
            self.recents.push_back((now, id));
        }
        match task.state() {
            TaskState::Running | TaskState::Scheduled => self.hot.insert(slot),
            TaskState::Idle | TaskState::Ended => self.hot.remove(&slot),
        };
        match task.state() {
            TaskState::Running => self.running.insert(slot),
            _ => self.running.remove(&slot),
        };
        if let (Some(dropped), false) = (stats.dropped, ended_before) {
            if origin == Origin::Announced {
                self.spawns.died(place, now);
            }
            self.ended.push_back((dropped, id));
            self.ended_rows += 1;
        }
        self.changes.tasks.push(slot);
    }

    /// Notes whether a task has fields or spans.
    pub(in crate::model) fn note_more(&mut self, slot: Slot) {
        let Some(task) = self.tasks.at(slot) else { return };
        let more = !task.fields().is_empty() || self.agent.has_spans(task.id());
        if more != task.has_more()
            && let Some(noted) = self.tasks.more_mut(slot)
        {
            *noted = more;
        }
    }

    /// A resource's row; one that was not spoken of before gets the next number.
    fn resource_slot(&mut self, id: ResourceId) -> Slot {
        let number = self.resources_numbered.saturating_add(1);
        let slot = self.resources.slot_or_insert(id, || Resource::new(id, number));
        if self.resources.at(slot).is_some_and(|resource| resource.number == number) {
            self.resources_numbered = number;
        }
        slot
    }

    /// A task has ended, and how it was then is not known any more: it is shown as it last was.
    fn end_task(&mut self, id: TaskId, now: Stamp) {
        let alive = self.tasks.get(id).filter(|task| !task.has_ended()).map(Task::stats);
        if let Some(stats) = alive {
            self.report_task(id, TaskStats { dropped: Some(now), ..stats }, now);
        }
    }

    fn announce_resource(&mut self, new: NewResource, now: Stamp) {
        if self.resources.get(new.id).is_some_and(|resource| resource.dropped.is_some()) {
            self.returned.resources.insert(new.id, new);
            return;
        }
        if self.resources.slot(new.id).is_none() && !self.takes_other(now) {
            self.health.event();
            return;
        }
        let concrete_type = self.names.intern(&new.concrete_type);
        let kind = self.names.intern(&new.kind);
        let described = new.metadata.map_or("", |metadata| self.descriptions.target(metadata));
        let target = self.names.intern(if new.target.is_empty() { described } else { &new.target });
        let place = new.place.map(|place| self.places.intern(place)).unwrap_or_default();
        let slot = self.resource_slot(new.id);
        let Some(resource) = self.resources.at_mut(slot) else { return };
        if resource.concrete_type.is_empty() {
            self.health.event();
        }
        resource.parent = new.parent;
        resource.kind = kind;
        resource.concrete_type = concrete_type;
        resource.target = target;
        resource.place = place;
        resource.internal = new.internal;
        if let (None, Some(kind)) = (&resource.lock, LockKind::from_type(&new.concrete_type)) {
            resource.lock = Some(Box::new(Lock::new(kind, now)));
            self.locks.push(new.id);
        }
        if let Some(parent) = new.parent.filter(|&parent| parent != new.id) {
            let parent = self.resource_slot(parent);
            if let Some(parent) = self.resources.at_mut(parent)
                && !parent.parts.contains(&new.id)
            {
                parent.parts.push(new.id);
            }
        }
    }

    fn report_resource(&mut self, id: ResourceId, stats: ResourceStats, now: Stamp) {
        if let Some(over) = self.resources.get(id).filter(|resource| resource.dropped.is_some()) {
            let again = self.returned.resources.remove(&id);
            if over.created == stats.created {
                return;
            }
            self.remove_resource(id);
            if let Some(new) = again {
                self.announce_resource(new, now);
            }
        }
        if self.resources.slot(id).is_none() && (self.evicted.new_others > 0 || !self.takes_other(now)) {
            return;
        }
        let attributes = attributes(stats.attributes, &self.descriptions, &mut self.names);
        let slot = self.resource_slot(id);
        let Some(resource) = self.resources.at_mut(slot) else { return };
        let first = resource.created.is_none();
        if first {
            self.health.announced(stats.created);
        }
        resource.created = stats.created;
        // Sent again is not changed, since whoever attaches gets everything twice; and what is announced late did not change then.
        if resource.attributes != attributes {
            self.loose_bytes += budget::attributes(&attributes);
            self.loose_bytes -= budget::attributes(&resource.attributes);
            resource.attributes = attributes;
            resource.changed_after = self.now.filter(|_| !first);
        }
        if let (None, Some(dropped)) = (resource.dropped, stats.dropped) {
            self.dropped_resources.push_back((dropped, id));
        }
        resource.dropped = stats.dropped;
        let lock = if resource.lock.is_some() { Some(id) } else { resource.parent };
        self.unsettled.extend(lock);
    }

    fn announce_op(&mut self, new: NewOp, now: Stamp) {
        if self.ops.get(new.id).is_some_and(|op| op.dropped.is_some()) {
            self.returned.ops.insert(new.id, new);
            return;
        }
        if self.ops.slot(new.id).is_none() && !self.takes_other(now) {
            self.health.event();
            return;
        }
        let source = self.names.intern(&new.source);
        let slot = self.ops.slot_or_insert(new.id, || Op::new(new.id));
        let Some(op) = self.ops.at_mut(slot) else { return };
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

    fn note_poll_op(&mut self, poll: &PollOp) {
        let Some(op) = poll.op.and_then(|op| self.ops.get_mut(op)) else { return };
        if poll.readiness == Readiness::Ready {
            op.outcome = Outcome::Complete;
        }
    }

    fn report_op(&mut self, id: OpId, stats: OpStats, now: Stamp) {
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
