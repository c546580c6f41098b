//! Which resources are locks, in the order in which they were announced.

use crate::update::ResourceId;
use rustc_hash::FxHashSet;

/// The ids of the locks. One that is gone is skipped until so many are that it pays to go through all of them: a service that drops
/// a hundred thousand at once is not gone through a hundred thousand times.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
#[serde(from = "Written")]
pub(in crate::model) struct LockIds {
    order: Vec<ResourceId>,
    gone: FxHashSet<ResourceId>,
}

/// As it is written down.
#[derive(serde::Deserialize)]
struct Written {
    order: Vec<ResourceId>,
    gone: FxHashSet<ResourceId>,
}

impl From<Written> for LockIds {
    fn from(Written { mut order, mut gone }: Written) -> Self {
        let mut seen = FxHashSet::default();
        order.retain(|id| seen.insert(*id));
        gone.retain(|id| seen.contains(id));
        Self { order, gone }
    }
}

impl LockIds {
    /// Another lock.
    pub(in crate::model) fn push(&mut self, id: ResourceId) {
        // An id that comes again is a lock of its own, and stands at the end.
        if self.gone.remove(&id) {
            self.order.retain(|&other| other != id);
        }
        self.order.push(id);
    }

    /// The lock is gone.
    pub(in crate::model) fn remove(&mut self, id: ResourceId) {
        self.gone.insert(id);
        if self.gone.len() * 2 > self.order.len() {
            self.order.retain(|id| !self.gone.contains(id));
            self.gone.clear();
        }
    }

    /// How many there are.
    pub(in crate::model) fn len(&self) -> usize {
        self.order.len() - self.gone.len()
    }

    /// Those that are not gone.
    pub(in crate::model) fn iter(&self) -> impl Iterator<Item = ResourceId> {
        self.order.iter().copied().filter(|id| self.gone.is_empty() || !self.gone.contains(id))
    }
}

#[cfg(test)]
mod tests {
    use crate::model::*;

    #[test]
    fn those_that_are_gone_are_skipped_and_one_that_comes_again_is_last() {
        let mut ids = LockIds::default();
        let listed = |ids: &LockIds| ids.iter().map(|id| id.0).collect::<Vec<_>>();
        (0..10).for_each(|id| ids.push(ResourceId(id)));
        ids.remove(ResourceId(3));
        ids.remove(ResourceId(0));
        assert_eq!(listed(&ids), [1, 2, 4, 5, 6, 7, 8, 9]);
        ids.push(ResourceId(3));
        assert_eq!(listed(&ids), [1, 2, 4, 5, 6, 7, 8, 9, 3]);
        (1..10).for_each(|id| ids.remove(ResourceId(id)));
        assert_eq!((listed(&ids), ids.order.len(), ids.gone.len()), (vec![], 0, 0));
    }

    #[test]
    fn many_that_go_are_not_gone_through_once_for_each() {
        let mut ids = LockIds::default();
        (0..200_000).for_each(|id| ids.push(ResourceId(id)));
        // What is left is gone through each time that half of it is gone: less than twice as many steps as there were locks.
        let (mut steps, mut before) = (0, ids.order.len());
        for id in 0..200_000 {
            ids.remove(ResourceId(id));
            if ids.order.len() != before {
                steps += before;
                before = ids.order.len();
            }
        }
        assert!(steps <= 2 * 200_000 + 64, "{steps} steps");
    }
}
