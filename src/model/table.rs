//! Rows by id, in slots that stay put: an id is looked up once, and a slot is then an index. Storage grows by chunks, so that a
//! million rows are never copied to make room for one more.

use rustc_hash::FxHashMap;
use std::hash::Hash;

/// Where a row lives, for as long as it lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(u32);

impl Slot {
    /// The place as a number: small, so that something can be kept for each slot in an array.
    pub fn index(self) -> usize {
        self.0 as usize
    }

    /// The reverse of [`Slot::index`].
    pub fn from_index(index: usize) -> Self {
        Self(index as u32)
    }
}

const CHUNK: usize = 1024;

/// Rows of one kind.
#[derive(Debug)]
pub struct Table<K, V> {
    slots: FxHashMap<K, Slot>,
    chunks: Vec<Vec<Option<V>>>,
    free: Vec<Slot>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { slots: FxHashMap::default(), chunks: Vec::new(), free: Vec::new() }
    }
}

impl<K: Hash + Eq + Copy, V> Table<K, V> {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The slot of an id.
    pub fn slot(&self, key: K) -> Option<Slot> {
        self.slots.get(&key).copied()
    }

    /// The row of an id.
    pub fn get(&self, key: K) -> Option<&V> {
        self.at(self.slot(key)?)
    }

    /// The row of an id, to change.
    pub fn get_mut(&mut self, key: K) -> Option<&mut V> {
        let slot = self.slot(key)?;
        self.at_mut(slot)
    }

    /// The row in a slot, if one is there.
    pub fn at(&self, slot: Slot) -> Option<&V> {
        let (chunk, row) = place(slot);
        self.chunks.get(chunk)?.get(row)?.as_ref()
    }

    /// The row in a slot, to change.
    pub fn at_mut(&mut self, slot: Slot) -> Option<&mut V> {
        let (chunk, row) = place(slot);
        self.chunks.get_mut(chunk)?.get_mut(row)?.as_mut()
    }

    /// The slot of an id, with `make` filling it where it is new.
    pub fn slot_or_insert(&mut self, key: K, make: impl FnOnce() -> V) -> Slot {
        if let Some(slot) = self.slot(key) {
            return slot;
        }
        let slot = self.free.pop().unwrap_or_else(|| self.grow());
        let (chunk, row) = place(slot);
        self.chunks[chunk][row] = Some(make());
        self.slots.insert(key, slot);
        slot
    }

    /// Takes a row out; its slot may be given to another.
    pub fn remove(&mut self, key: K) -> Option<V> {
        let slot = self.slots.remove(&key)?;
        self.free.push(slot);
        let (chunk, row) = place(slot);
        self.chunks[chunk][row].take()
    }

    /// All rows, in the order of their slots.
    pub fn iter(&self) -> impl Iterator<Item = (Slot, &V)> {
        let slots = (0..).map(Slot);
        slots.zip(self.chunks.iter().flatten()).filter_map(|(slot, row)| Some((slot, row.as_ref()?)))
    }

    fn grow(&mut self) -> Slot {
        let full = self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK);
        if full {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        let chunk = self.chunks.len() - 1;
        let row = self.chunks[chunk].len();
        self.chunks[chunk].push(None);
        Slot((chunk * CHUNK + row) as u32)
    }
}

fn place(slot: Slot) -> (usize, usize) {
    (slot.0 as usize / CHUNK, slot.0 as usize % CHUNK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_reused_only_after_its_row_is_gone() {
        let mut table: Table<u64, &str> = Table::default();
        let first = table.slot_or_insert(1, || "one");
        let second = table.slot_or_insert(2, || "two");
        assert_eq!(table.slot_or_insert(1, || "again"), first);
        assert_eq!(table.remove(1), Some("one"));
        assert_eq!((table.at(first), table.get(1)), (None, None));
        assert_eq!(table.slot_or_insert(3, || "three"), first);
        assert_eq!(table.iter().collect::<Vec<_>>(), [(first, &"three"), (second, &"two")]);
    }

    #[test]
    fn rows_stay_put_across_chunks() {
        let mut table: Table<usize, usize> = Table::default();
        for key in 0..CHUNK * 3 {
            table.slot_or_insert(key, || key * 2);
        }
        assert!((0..CHUNK * 3).all(|key| table.get(key) == Some(&(key * 2))));
        assert_eq!(table.len(), CHUNK * 3);
    }
}
