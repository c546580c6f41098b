//! What a page tells before a later page of the same update says what it is about: descriptions come after the rows that refer to
//! them in the console's messages, and polls of operations before the operations. Wherever its pages end, an update says the same.

use crate::{
    model::{Model, Outcome},
    update::{MetaId, NewResource, NewTask, OpId, PollOp, Readiness, ResourceId, Stamp, TaskId},
};
use rustc_hash::{FxHashMap, FxHashSet};

/// No more of a kind are kept for later: what an honest target sends like this is little.
const MOST: usize = 65_536;

/// What the pages so far told early.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(in crate::model) struct Early {
    /// Tasks whose descriptions may say more of them.
    tasks: FxHashMap<TaskId, NewTask>,
    /// Resources whose descriptions say where they come from.
    resources: FxHashMap<ResourceId, MetaId>,
    /// Operations that a poll completed.
    ready: FxHashSet<OpId>,
}

impl Early {
    fn clear(&mut self) {
        self.tasks.clear();
        self.resources.clear();
        self.ready.clear();
    }
}

impl Model {
    /// Keeps what is told of a task if its description, which is not here, may say more of it.
    pub(super) fn note_early_task(&mut self, new: &NewTask) {
        if self.descriptions.lacks(new) && self.early.tasks.len() < MOST {
            self.early.tasks.insert(new.id, new.clone());
        } else if !self.early.tasks.is_empty() {
            self.early.tasks.remove(&new.id);
        }
    }

    /// The same of a resource.
    pub(super) fn note_early_resource(&mut self, new: &NewResource) {
        let lacks = new.metadata.filter(|&meta| new.target.is_empty() && !self.descriptions.has(meta));
        match lacks.filter(|_| self.early.resources.len() < MOST) {
            Some(meta) => drop(self.early.resources.insert(new.id, meta)),
            None if self.early.resources.is_empty() => {}
            None => drop(self.early.resources.remove(&new.id)),
        }
    }

    pub(super) fn note_poll_op(&mut self, poll: &PollOp) {
        let Some(id) = poll.op.filter(|_| poll.readiness == Readiness::Ready) else { return };
        match self.ops.get_mut(id) {
            Some(op) => op.outcome = Outcome::Complete,
            None if self.early.ready.len() < MOST => drop(self.early.ready.insert(id)),
            None => {}
        }
    }

    /// Whether a poll has completed an operation that was not announced before.
    pub(super) fn was_ready_early(&mut self, op: OpId) -> bool {
        !self.early.ready.is_empty() && self.early.ready.remove(&op)
    }

    /// The update is complete: what was told early is known now, or never.
    pub(super) fn settle_early(&mut self, now: Stamp) {
        for (id, new) in std::mem::take(&mut self.early.tasks) {
            if self.tasks.slot(id).is_some() && !self.descriptions.lacks(&new) {
                self.announce_row(new, now);
            }
        }
        for (id, meta) in std::mem::take(&mut self.early.resources) {
            let target = self.names.intern(self.descriptions.target(meta));
            if let Some(resource) = self.resources.get_mut(id) {
                resource.target = target;
            }
        }
        self.early.clear();
    }
}
