//! Which findings stand against which task, for the flags of the list.

use crate::{
    diagnose::{Engine, LINTS, Lint, Severity},
    model::TaskId,
};
use rustc_hash::FxHashMap;

/// What stands against one task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flag {
    /// The worst.
    pub worst: Severity,
    lints: u64,
}

impl Flag {
    /// How many lints fire for it.
    pub fn count(self) -> u32 {
        self.lints.count_ones()
    }

    /// Whether one of these lints does, by `lint_mask`.
    pub fn has(self, mask: u64) -> bool {
        self.lints & mask != 0
    }
}

/// The lints that a test is true for, as a set that [`Flag::has`] takes.
pub fn lint_mask(is: impl Fn(&Lint) -> bool) -> u64 {
    LINTS.iter().enumerate().filter(|(_, lint)| is(lint)).fold(0, |mask, (at, _)| mask | bit(at))
}

/// Lints beyond the 64th share a bit. There are not that many.
fn bit(at: usize) -> u64 {
    1 << at.min(63)
}

/// What stands against each task.
#[derive(Debug, Default)]
pub struct Flags(FxHashMap<TaskId, Flag>);

impl Flags {
    /// What stands against a task, if anything does.
    pub fn of(&self, task: TaskId) -> Option<Flag> {
        self.0.get(&task).copied()
    }

    /// What a task is sorted by, below 512: the worst first, then the most.
    pub fn rank(&self, task: TaskId) -> u64 {
        self.of(task).map_or(0, |flag| (flag.worst as u64 + 1) * 100 + u64::from(flag.count()))
    }

    /// The tasks that anything stands against.
    pub fn tasks(&self) -> impl Iterator<Item = TaskId> {
        self.0.keys().copied()
    }

    /// Asks the engine again, and tells which tasks stand differently than before.
    pub fn refresh(&mut self, engine: &Engine) -> Vec<TaskId> {
        let mut fresh: FxHashMap<TaskId, Flag> = FxHashMap::default();
        for (task, lint, severity) in engine.flagged() {
            let at = LINTS.iter().position(|&other| std::ptr::eq(other, lint)).unwrap_or(LINTS.len());
            let flag = fresh.entry(task).or_insert(Flag { worst: severity, lints: 0 });
            flag.worst = flag.worst.max(severity);
            flag.lints |= bit(at);
        }
        let before = std::mem::replace(&mut self.0, fresh);
        let gone = before.keys().filter(|task| !self.0.contains_key(task));
        let changed = self.0.iter().filter(|&(task, flag)| before.get(task) != Some(flag)).map(|(task, _)| task);
        gone.chain(changed).copied().collect()
    }
}
