//! The tasks that one lint fires for, by what one finding stands for.

use super::check::{Key, Verdict};
use crate::update::TaskId;
use rustc_hash::FxHashMap;

/// Tasks that a lint fires for.
#[derive(Debug, Default)]
pub(super) struct Group {
    members: FxHashMap<TaskId, Verdict>,
}

impl Group {
    pub(super) fn set(&mut self, task: TaskId, verdict: Verdict) {
        self.members.insert(task, verdict);
    }

    pub(super) fn clear(&mut self, task: TaskId) {
        self.members.remove(&task);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    /// The worst of those that count, the longest-lasting of equals.
    pub(super) fn worst(&self, counts: impl Fn(TaskId) -> bool) -> Option<(TaskId, Verdict)> {
        let worst = self.members.iter().filter(|(id, _)| counts(**id)).max_by_key(|(id, verdict)| {
            (verdict.severity, verdict.weight, std::cmp::Reverse(verdict.since), std::cmp::Reverse(**id))
        });
        worst.map(|(&id, &verdict)| (id, verdict))
    }

    pub(super) fn tasks(&self) -> impl Iterator<Item = TaskId> {
        self.members.keys().copied()
    }
}

/// Where each task stands in a lint's groups.
#[derive(Debug, Default)]
pub(super) struct Groups {
    by_key: FxHashMap<Key, Group>,
    of_task: FxHashMap<TaskId, Key>,
}

impl Groups {
    /// Puts a task into a group; a task is in one group at most.
    pub(super) fn set(&mut self, task: TaskId, key: Key, verdict: Verdict) {
        if self.of_task.get(&task).is_some_and(|&old| old != key) {
            self.clear(task);
        }
        self.of_task.insert(task, key);
        self.by_key.entry(key).or_default().set(task, verdict);
    }

    pub(super) fn clear(&mut self, task: TaskId) {
        let Some(key) = self.of_task.remove(&task) else { return };
        if let Some(group) = self.by_key.get_mut(&key) {
            group.clear(task);
            if group.is_empty() {
                self.by_key.remove(&key);
            }
        }
    }

    pub(super) fn key_of(&self, task: TaskId) -> Option<Key> {
        self.of_task.get(&task).copied()
    }

    pub(super) fn tasks(&self) -> Vec<TaskId> {
        self.of_task.keys().copied().collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Key, &Group)> {
        self.by_key.iter().map(|(&key, group)| (key, group))
    }
}
