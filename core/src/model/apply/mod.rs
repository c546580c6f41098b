//! From claims to rows. Nothing here trusts the target: an id may be unknown, or reused; a time may go backwards.
//!
//! Here is the order within a page: announcements before statistics, what is gone after both, then what an agent alone tells. Holders
//! of locks are inferred when the update is complete.

mod early;
mod op;
mod resource;
mod task;

pub(in crate::model) use early::Early;

use crate::{
    model::Model,
    update::{BeginMode, Consistency, NewOp, NewResource, NewTask, OpId, Part, ResourceId, Stamp, TaskId, Update},
};
use rustc_hash::FxHashMap;

/// Announcements of what is over already. Each is either sent again, as everything is to those who have just attached, or of
/// something new that was given the same id; the statistics that come with it tell.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
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
        if update.mode == BeginMode::Joins {
            return self.apply_beside(&mut update, now);
        }
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
        self.take_looks(&mut update, now);
        self.apply_agent(&mut update, now);
        // The latest acquire that we know of need not be the latest if there was no room for another.
        if self.evicted.new_others > kept_out {
            self.forget_acquires();
        }
        self.forget_recents(now);
        if update.part == Part::Last {
            self.complete(now);
        }
        // With each page: an update need not have an end.
        if self.names.should_collect() {
            self.forget_names();
        }
        if !self.changes.removed.is_empty() {
            let tasks = &self.tasks;
            self.changes.tasks.retain(|&changed| tasks.at(changed).is_some());
        }
    }

    fn complete(&mut self, now: Stamp) {
        self.settle_early(now);
        self.previous = self.now;
        self.now = Some(now);
        self.health.complete(self.previous, now, self.knows.consistency());
        if self.infers_standstills() {
            self.standstills.judge(self.previous, now);
        }
        self.activity.settle(now);
        self.spawns.settle(now);
        self.infer_holders(now);
        self.tell_stalls_of_looks(now);
        self.name_panics();
        self.returned.clear();
        self.forget(now);
    }

    /// An agent tells of them, as far as it looks for any.
    fn infers_standstills(&self) -> bool {
        self.knows.consistency() == Consistency::Smeared
    }
}
