//! Chains through the rows of operations: those of one task, and those of one resource, in the order in which they were added. A
//! row has its neighbours in it, so that one is added and taken out at once however many there are, nothing is kept beside the
//! rows but both ends, and a clone copies no lists.

use super::{Op, Slot, Table};

/// A slot, or none, in four bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Link(u32);

impl Link {
    /// The end of a chain.
    const NONE: Self = Self(u32::MAX);
    /// Not in a chain at all.
    const OUT: Self = Self(u32::MAX - 1);

    fn to(slot: Option<Slot>) -> Self {
        slot.map_or(Self::NONE, |slot| Self(slot.index() as u32))
    }

    fn slot(self) -> Option<Slot> {
        (self.0 < Self::OUT.0).then(|| Slot::from_index(self.0 as usize))
    }
}

/// The neighbours of a row in one chain.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
pub(super) struct Links {
    before: Link,
    after: Link,
}

impl Default for Links {
    fn default() -> Self {
        Self { before: Link::OUT, after: Link::OUT }
    }
}

/// Which of a row's chains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// Those that one task waits on.
    Task,
    /// Those on one resource.
    Resource,
}

/// Both ends of a chain.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
pub struct Chain {
    first: Link,
    last: Link,
}

impl Default for Chain {
    fn default() -> Self {
        Self { first: Link::NONE, last: Link::NONE }
    }
}

impl Chain {
    /// Whether nothing is in it.
    pub fn is_empty(self) -> bool {
        self.first == Link::NONE
    }

    /// The rows in it, in the order in which they were added.
    pub(super) fn iter(self, of: Of, ops: &Table<Op>) -> impl Iterator<Item = &Op> {
        let next = move |op: &&Op| ops.at(op.links(of).after.slot()?);
        // A chain has no more rows than the table: a fault here must not become an endless loop.
        std::iter::successors(self.first.slot().and_then(|slot| ops.at(slot)), next).take(ops.len())
    }

    /// Takes all rows out.
    pub(super) fn clear(&mut self, of: Of, ops: &mut Table<Op>) {
        let mut next = std::mem::take(self).first.slot();
        while let Some(op) = next.and_then(|slot| ops.at_mut(slot)) {
            next = std::mem::take(op.links_mut(of)).after.slot();
        }
    }

    /// Adds a row that is in no chain of this kind.
    pub(super) fn push(&mut self, of: Of, ops: &mut Table<Op>, slot: Slot) {
        let last = self.last.slot();
        let Some(op) = ops.at_mut(slot) else { return };
        *op.links_mut(of) = Links { before: Link::to(last), after: Link::NONE };
        self.last = Link::to(Some(slot));
        match last.and_then(|last| ops.at_mut(last)) {
            Some(last) => last.links_mut(of).after = Link::to(Some(slot)),
            None => self.first = Link::to(Some(slot)),
        }
    }

    /// Takes a row out that is in this chain, or in none of this kind.
    pub(super) fn remove(&mut self, of: Of, ops: &mut Table<Op>, slot: Slot) {
        let Some(op) = ops.at_mut(slot) else { return };
        let Links { before, after } = std::mem::take(op.links_mut(of));
        if before == Link::OUT {
            return;
        }
        match before.slot().and_then(|before| ops.at_mut(before)) {
            Some(before) => before.links_mut(of).after = after,
            None => self.first = after,
        }
        match after.slot().and_then(|after| ops.at_mut(after)) {
            Some(after) => after.links_mut(of).before = before,
            None => self.last = before,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::update::OpId;

    #[test]
    fn rows_come_in_their_order_and_go_from_wherever_they_are() {
        let mut ops = Table::default();
        let slots: Vec<Slot> = (0..5).map(|id| ops.slot_or_insert(OpId(id), || Op::new(OpId(id)))).collect();
        let (mut of_task, mut of_resource) = (Chain::default(), Chain::default());
        for &slot in &slots {
            of_task.push(Of::Task, &mut ops, slot);
            of_resource.push(Of::Resource, &mut ops, slot);
        }
        let ids = |chain: Chain, of, ops: &Table<Op>| chain.iter(of, ops).map(|op| op.id.0).collect::<Vec<_>>();
        for (gone, left) in [(2, vec![0, 1, 3, 4]), (0, vec![1, 3, 4]), (4, vec![1, 3])] {
            of_task.remove(Of::Task, &mut ops, slots[gone]);
            assert_eq!(ids(of_task, Of::Task, &ops), left);
        }
        of_task.push(Of::Task, &mut ops, slots[2]);
        assert_eq!(ids(of_task, Of::Task, &ops), [1, 3, 2]);
        for at in [1, 2, 3] {
            of_task.remove(Of::Task, &mut ops, slots[at]);
        }
        assert!(of_task.is_empty());
        of_task.remove(Of::Task, &mut ops, slots[1]);
        assert!(of_task.is_empty(), "what is in no chain is not taken out of one");
        assert_eq!(ids(of_resource, Of::Resource, &ops), [0, 1, 2, 3, 4], "the other chain is another one");
        of_resource.clear(Of::Resource, &mut ops);
        assert!(of_resource.is_empty());
        of_resource.push(Of::Resource, &mut ops, slots[3]);
        assert_eq!(ids(of_resource, Of::Resource, &ops), [3]);
    }
}
