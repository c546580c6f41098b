//! Who waits for whom: from a lock to those who hold it, to the locks that they wait for in turn, and so on.

use crate::{
    app::labels::{holder_label, lock_label},
    diagnose::More,
    model::Model,
    update::{Across, ResourceId, TaskId},
};

/// One line of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeLine {
    /// For each level above, whether another line follows at that level; the last one is this line's own.
    pub levels: Vec<More>,
    /// What stands there.
    pub node: Node,
}

/// What a line of the tree says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A lock.
    Lock {
        /// Which.
        id: ResourceId,
        /// In words.
        label: String,
    },
    /// A task that holds the lock above.
    Holder {
        /// Who.
        id: TaskId,
        /// In words.
        label: String,
        /// Whether it was seen asleep with the lock.
        across: Across,
        /// Whether it has ended, and its guard has not.
        outlived: bool,
    },
    /// The lock above is held, and nobody can tell by whom.
    Unknown {
        /// Why.
        why: &'static str,
    },
    /// A holder waits for this lock, which stands further up. Whether nobody in between will ever go on is for the lint to say:
    /// a branch of `join!` or a timeout may get one of them going.
    Cycle {
        /// Which.
        id: ResourceId,
        /// In words.
        label: String,
    },
    /// There is more than is shown.
    More,
}

/// Deeper than this nobody reads.
const DEPTH: usize = 12;

/// More lines than this nobody reads.
const LINES: usize = 60;

/// The tree that grows from a lock. Only locks are followed: what else a task waits for is not held by anybody.
pub(crate) fn wait_tree(model: &Model, lock: ResourceId) -> Vec<TreeLine> {
    let mut tree = Tree { model, lines: Vec::new(), path: vec![lock], levels: Vec::new() };
    tree.push(Node::Lock { id: lock, label: lock_label(model, lock) });
    tree.holders(lock);
    tree.lines
}

struct Tree<'a> {
    model: &'a Model,
    lines: Vec<TreeLine>,
    /// The locks from the root to here.
    path: Vec<ResourceId>,
    levels: Vec<More>,
}

impl Tree<'_> {
    fn push(&mut self, node: Node) {
        self.lines.push(TreeLine { levels: self.levels.clone(), node });
    }

    /// Everything below a lock.
    fn holders(&mut self, lock: ResourceId) {
        let Some((_, state)) = self.model.lock(lock) else { return };
        let holds = state.holds.clone();
        if let Some(unknown) = self.model.unknown_holder(lock) {
            self.child(More::Last, Node::Unknown { why: unknown.name() }, |_| ());
        }
        for (at, hold) in holds.iter().enumerate() {
            let more = if at + 1 == holds.len() { More::Last } else { More::Follows };
            let id = hold.acquire.task;
            let label = holder_label(self.model, hold);
            let node = Node::Holder { id, label, across: hold.across, outlived: hold.outlived };
            if !self.child(more, node, |tree| tree.waits(id)) {
                return;
            }
        }
    }

    /// Everything below a task.
    fn waits(&mut self, task: TaskId) {
        let locks = self.model.locks_awaited(task);
        for (at, &lock) in locks.iter().enumerate() {
            let more = if at + 1 == locks.len() { More::Last } else { More::Follows };
            let label = lock_label(self.model, lock);
            let goes_on = if self.path.contains(&lock) {
                self.child(more, Node::Cycle { id: lock, label }, |_| ())
            } else {
                self.child(more, Node::Lock { id: lock, label }, |tree| {
                    tree.path.push(lock);
                    tree.holders(lock);
                    tree.path.pop();
                })
            };
            if !goes_on {
                return;
            }
        }
    }

    /// Adds a line and what is below it. Whether there is room for another one.
    fn child(&mut self, more: More, node: Node, below: impl FnOnce(&mut Self)) -> bool {
        let full = self.lines.len() >= LINES || self.levels.len() >= DEPTH * 2;
        self.levels.push(if full { More::Last } else { more });
        self.push(if full { Node::More } else { node });
        if !full {
            below(self);
        }
        self.levels.pop();
        !full && self.lines.len() <= LINES
    }
}
