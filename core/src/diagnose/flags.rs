//! Which lints fire for which task: a column by slot, a bit for each lint on tasks. Findings on locks and on the whole name
//! tasks themselves: those are few, and stand in a map beside it.

use super::{FindingId, LINTS, Lint, Severity, lint::Check};
use crate::{model::Slot, update::TaskId};
use rustc_hash::FxHashMap;
use std::sync::Arc;

const CHUNK: usize = 1024;

/// Stands for whatever the map of named tasks has.
pub(super) const NAMED: u32 = 1 << 31;

/// What stands against one task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flag {
    /// The worst.
    pub worst: Severity,
    lints: u64,
}

impl Flag {
    /// What these lints say together; `None` where none does.
    pub(super) fn of(said: impl Iterator<Item = (&'static Lint, Severity)>) -> Option<Self> {
        said.fold(None, |flag, (lint, severity)| {
            let flag = flag.unwrap_or(Self { worst: severity, lints: 0 });
            let at = LINTS.iter().position(|&other| std::ptr::eq(other, lint)).unwrap_or(LINTS.len());
            Some(Self { worst: flag.worst.max(severity), lints: flag.lints | bit(at) })
        })
    }

    /// How many lints fire for it.
    pub fn count(self) -> u32 {
        self.lints.count_ones()
    }

    /// Whether one of these lints does, by [`lint_mask`].
    pub fn has(self, mask: u64) -> bool {
        self.lints & mask != 0
    }

    /// What a task is sorted by, below 512: the worst first, then the most.
    pub fn rank(self) -> u64 {
        (self.worst as u64 + 1) * 100 + u64::from(self.count())
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

/// The bit of a lint on tasks in the column; none for the others.
pub(super) fn column_bit(lint: &Lint) -> u32 {
    let on_tasks = || LINTS.iter().filter(|lint| matches!(lint.check, Check::Task { .. }));
    let at = on_tasks().position(|&other| other == lint).filter(|&at| 1 << at < NAMED);
    at.map_or(0, |at| 1 << at)
}

/// The column.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Flags {
    /// None where no task is flagged.
    chunks: Vec<Option<Arc<Chunk>>>,
    named: FxHashMap<TaskId, Vec<FindingId>>,
    changed: Vec<Slot>,
}

#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
struct Chunk {
    #[serde(with = "crate::packed::fixed")]
    bits: [u32; CHUNK],
    /// What any of them has.
    all: u32,
}

impl Flags {
    /// What the latest update changed.
    pub(super) fn changed(&self) -> &[Slot] {
        &self.changed
    }

    /// Another update begins.
    pub(super) fn begin(&mut self) {
        self.changed.clear();
    }

    /// Notes that a task stands differently than before.
    pub(super) fn touch(&mut self, slot: Slot) {
        self.changed.push(slot);
    }

    #[inline]
    pub(super) fn bits(&self, slot: Slot) -> u32 {
        match self.chunks.get(slot.index() / CHUNK) {
            Some(Some(chunk)) => chunk.bits[slot.index() % CHUNK],
            _ => 0,
        }
    }

    /// Adds bits to a task's. Whether any of them is new.
    pub(super) fn set(&mut self, slot: Slot, bits: u32) -> bool {
        let before = self.bits(slot);
        self.write(slot, before, before | bits)
    }

    /// Takes bits from a task's. Whether it had any of them.
    pub(super) fn clear(&mut self, slot: Slot, bits: u32) -> bool {
        let before = self.bits(slot);
        self.write(slot, before, before & !bits)
    }

    fn write(&mut self, slot: Slot, before: u32, after: u32) -> bool {
        if before == after {
            return false;
        }
        let (chunk, at) = (slot.index() / CHUNK, slot.index() % CHUNK);
        if self.chunks.len() <= chunk {
            self.chunks.resize(chunk + 1, None);
        }
        let place = &mut self.chunks[chunk];
        let written = Arc::make_mut(place.get_or_insert_with(|| Arc::new(Chunk { bits: [0; CHUNK], all: 0 })));
        written.bits[at] = after;
        if after & before == before {
            written.all |= after;
        } else {
            written.all = written.bits.iter().fold(0, |all, bits| all | bits);
        }
        if written.all == 0 {
            *place = None;
        }
        self.touch(slot);
        true
    }

    /// The tasks that have one of these bits, with those that they have, in the order of their slots.
    pub(super) fn with(&self, mask: u32) -> impl Iterator<Item = (Slot, u32)> {
        let chunks = self.chunks.iter().enumerate().filter_map(|(at, chunk)| Some((at * CHUNK, chunk.as_ref()?)));
        let chunks = chunks.filter(move |(_, chunk)| chunk.all & mask != 0);
        chunks.flat_map(move |(first, chunk)| {
            let of_chunk = chunk.bits.iter().enumerate();
            of_chunk.filter_map(move |(at, bits)| {
                let bits = bits & mask;
                (bits != 0).then(|| (Slot::from_index(first + at), bits))
            })
        })
    }

    /// The findings that name a task.
    pub(super) fn named(&self, task: TaskId) -> &[FindingId] {
        self.named.get(&task).map_or(&[], Vec::as_slice)
    }

    /// Whether any finding names a task.
    pub(super) fn names_any(&self) -> bool {
        !self.named.is_empty()
    }

    /// A finding names a task, whether or not it has a row.
    pub(super) fn name(&mut self, task: TaskId, slot: Option<Slot>, by: FindingId) {
        self.named.entry(task).or_default().push(by);
        if let Some(slot) = slot
            && !self.set(slot, NAMED)
        {
            self.touch(slot);
        }
    }

    /// A finding names a task no longer.
    pub(super) fn unname(&mut self, task: TaskId, slot: Option<Slot>, by: FindingId) {
        let Some(named) = self.named.get_mut(&task) else { return };
        named.retain(|&other| other != by);
        let is_last = named.is_empty();
        if is_last {
            self.named.remove(&task);
        }
        let Some(slot) = slot else { return };
        if !is_last || !self.clear(slot, NAMED) {
            self.touch(slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_lint_on_tasks_has_a_bit_of_its_own() {
        let bits: Vec<u32> = LINTS.iter().map(|lint| column_bit(lint)).filter(|&bit| bit != 0).collect();
        assert_eq!(bits.iter().fold(0, |all, bit| all | bit).count_ones() as usize, bits.len());
        assert_eq!(bits.len(), LINTS.iter().filter(|lint| matches!(lint.check, Check::Task { .. })).count());
    }

    #[test]
    fn a_chunk_without_flags_takes_no_room() {
        let mut flags = Flags::default();
        let slot = Slot::from_index(5_000);
        assert!(flags.set(slot, 3) && !flags.set(slot, 2));
        assert_eq!(flags.with(2).collect::<Vec<_>>(), [(slot, 2)]);
        assert!(flags.clear(slot, 1) && flags.clear(slot, 2));
        assert!(flags.chunks.iter().all(Option::is_none));
    }
}
