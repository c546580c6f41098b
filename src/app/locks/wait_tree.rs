//! Who waits for whom: from a lock to those who hold it, to the locks that they wait for in turn, and so on.

use crate::{
    app::labels::{holder_label, lock_label},
    diagnose::More,
    model::{Hold, Model},
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
    /// A holder waits for the lock that it held: it has given it back since, or that is not known to stand for long enough.
    Again {
        /// Which.
        id: ResourceId,
    },
    /// A holder waits for this lock, which stands further up, and somebody in between may have given theirs back since.
    Above {
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
    let mut tree = Tree { model, lines: Vec::new(), path: vec![Step { lock, by: None }], levels: Vec::new() };
    tree.push(Node::Lock { id: lock, label: lock_label(model, lock) });
    tree.holders(lock);
    tree.lines
}

struct Tree<'a> {
    model: &'a Model,
    lines: Vec<TreeLine>,
    /// The locks from the root to here.
    path: Vec<Step>,
    levels: Vec<More>,
}

/// A lock on the way.
#[derive(Debug, Clone, Copy)]
struct Step {
    lock: ResourceId,
    /// How sure it is that who holds the one before waits for it meanwhile; `None` at the root.
    by: Option<Meanwhile>,
}

/// Whether somebody holds one lock and waits for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meanwhile {
    /// They do.
    Surely,
    /// They may have given back the one before they asked for the other.
    Perhaps,
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
            if !self.child(more, node, |tree| tree.waits(hold)) {
                return;
            }
        }
    }

    /// Everything below one who holds a lock.
    fn waits(&mut self, hold: &Hold) {
        let locks = self.model.locks_awaited(hold.acquire.task);
        for (at, &lock) in locks.iter().enumerate() {
            let more = if at + 1 == locks.len() { More::Last } else { More::Follows };
            let is_sure = self.model.has_held_while_waiting(hold, lock);
            let by = if is_sure { Meanwhile::Surely } else { Meanwhile::Perhaps };
            let goes_on = match self.above(lock, by) {
                Some(node) => self.child(more, node, |_| ()),
                None => self.child(more, Node::Lock { id: lock, label: lock_label(self.model, lock) }, |tree| {
                    tree.path.push(Step { lock, by: Some(by) });
                    tree.holders(lock);
                    tree.path.pop();
                }),
            };
            if !goes_on {
                return;
            }
        }
    }

    /// What is said of a wait for a lock that stands above.
    fn above(&self, id: ResourceId, by: Meanwhile) -> Option<Node> {
        let at = self.path.iter().position(|step| step.lock == id)?;
        let mut between = self.path.iter().skip(at + 1).filter_map(|step| step.by).chain([by]);
        let label = || lock_label(self.model, id);
        Some(if between.all(|by| by == Meanwhile::Surely) {
            Node::Cycle { id, label: label() }
        } else if at + 1 == self.path.len() {
            Node::Again { id }
        } else {
            Node::Above { id, label: label() }
        })
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
