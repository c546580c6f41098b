//! Rows by id, in slots that stay put: an id is looked up once, and a slot is then an index. Storage grows by chunks, so that a
//! million rows are never copied to make room for one more, and a clone costs a pointer for each of them. A row has its id in it; the index from ids to rows holds slots alone.

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;
use std::{
    hash::{BuildHasher, Hash},
    ops::Range,
    sync::Arc,
};

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

/// What a table can hold: a row that says which one it is.
pub trait Row {
    /// What tells it from the others. It never changes while the row is in a table.
    type Key: Copy + Eq + Hash;
    /// The row's own.
    fn key(&self) -> Self::Key;
}

/// Rows of one kind. A clone shares the chunks, and each is copied when one of the two first changes a row in it.
#[derive(Debug, Clone)]
pub struct Table<V> {
    index: HashTable<Slot>,
    chunks: Vec<Chunk<V>>,
    /// How many slots were ever used.
    slots: usize,
    free: Vec<Slot>,
    /// Bytes of chunks that were copied because a clone had them too.
    copied: usize,
}

/// So many slots.
type Chunk<V> = Arc<[Option<V>]>;

impl<V> Default for Table<V> {
    fn default() -> Self {
        Self { index: HashTable::new(), chunks: Vec::new(), slots: 0, free: Vec::new(), copied: 0 }
    }
}

impl<V: Row + Clone> Table<V> {
    /// What a row costs on average beyond what it points to: its place in a chunk, and its share of the index.
    pub const ROW_BYTES: usize = size_of::<Option<V>>() + 2 * (size_of::<Slot>() + 1);

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// The slot of an id.
    pub fn slot(&self, key: V::Key) -> Option<Slot> {
        self.index.find(hash(key), |&slot| key_at(&self.chunks, slot) == Some(key)).copied()
    }

    /// The row of an id.
    pub fn get(&self, key: V::Key) -> Option<&V> {
        self.at(self.slot(key)?)
    }

    /// The row of an id, to change.
    pub fn get_mut(&mut self, key: V::Key) -> Option<&mut V> {
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
        self.chunk_mut(chunk)?.get_mut(row)?.as_mut()
    }

    /// The slot of an id, with `make` filling it where it is new. What it makes must have that id.
    pub fn slot_or_insert(&mut self, key: V::Key, make: impl FnOnce() -> V) -> Slot {
        if let Some(slot) = self.slot(key) {
            return slot;
        }
        let slot = self.free.pop().unwrap_or_else(|| self.grow());
        let (chunk, row) = place(slot);
        let new = make();
        if let Some(place) = self.chunk_mut(chunk).and_then(|chunk| chunk.get_mut(row)) {
            *place = Some(new);
        }
        let chunks = &self.chunks;
        self.index.insert_unique(hash(key), slot, |&slot| key_at(chunks, slot).map_or(0, hash));
        slot
    }

    /// Takes a row out; its slot may be given to another.
    pub fn remove(&mut self, key: V::Key) -> Option<V> {
        let found = self.index.find_entry(hash(key), |&slot| key_at(&self.chunks, slot) == Some(key)).ok()?;
        let (slot, _) = found.remove();
        self.free.push(slot);
        let (chunk, row) = place(slot);
        self.chunk_mut(chunk)?.get_mut(row)?.take()
    }

    /// How many slots there are, those without a row included. Every slot's index is below that.
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// All rows, in the order of their slots.
    pub fn iter(&self) -> impl Iterator<Item = (Slot, &V)> {
        self.within(0..self.slots())
    }

    /// The rows whose slots have an index within these, in their order.
    pub fn within(&self, slots: Range<usize>) -> impl Iterator<Item = (Slot, &V)> {
        let chunks = self.chunks.iter().enumerate().skip(slots.start / CHUNK);
        chunks
            .map_while(move |(at, chunk)| {
                let first = at * CHUNK;
                let end = slots.end.checked_sub(first).filter(|&end| end > 0)?.min(chunk.len());
                let from = slots.start.saturating_sub(first).min(end);
                let numbers = (first + from..).map(Slot::from_index);
                Some(numbers.zip(&chunk[from..end]).filter_map(|(slot, row)| Some((slot, row.as_ref()?))))
            })
            .flatten()
    }

    fn grow(&mut self) -> Slot {
        if self.slots == self.chunks.len() * CHUNK {
            self.chunks.push(std::iter::repeat_with(|| None).take(CHUNK).collect());
        }
        self.slots += 1;
        Slot((self.slots - 1) as u32)
    }

    /// A chunk to change: a copy of its own, where a clone has it too.
    fn chunk_mut(&mut self, chunk: usize) -> Option<&mut [Option<V>]> {
        let chunk = self.chunks.get_mut(chunk)?;
        if Arc::strong_count(chunk) > 1 {
            self.copied += CHUNK * size_of::<Option<V>>();
        }
        Some(Arc::make_mut(chunk))
    }

    /// Bytes that were copied, since it was made, because a clone had them too.
    pub fn copied(&self) -> usize {
        self.copied
    }
}

fn hash(key: impl Hash) -> u64 {
    FxBuildHasher.hash_one(key)
}

fn key_at<V: Row>(chunks: &[Chunk<V>], slot: Slot) -> Option<V::Key> {
    let (chunk, row) = place(slot);
    chunks.get(chunk)?.get(row)?.as_ref().map(V::key)
}

fn place(slot: Slot) -> (usize, usize) {
    (slot.0 as usize / CHUNK, slot.0 as usize % CHUNK)
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Row for (u64, &str) {
        type Key = u64;
        fn key(&self) -> u64 {
            self.0
        }
    }

    #[test]
    fn a_slot_is_reused_only_after_its_row_is_gone() {
        let mut table: Table<(u64, &str)> = Table::default();
        let first = table.slot_or_insert(1, || (1, "one"));
        let second = table.slot_or_insert(2, || (2, "two"));
        assert_eq!(table.slot_or_insert(1, || (1, "again")), first);
        assert_eq!(table.remove(1), Some((1, "one")));
        assert_eq!((table.at(first), table.get(1)), (None, None));
        assert_eq!(table.slot_or_insert(3, || (3, "three")), first);
        assert_eq!(table.iter().collect::<Vec<_>>(), [(first, &(3, "three")), (second, &(2, "two"))]);
    }

    #[test]
    fn a_clone_shares_what_neither_has_changed_and_stays_as_it_was() {
        let mut table: Table<(u64, &str)> = Table::default();
        for key in 0..CHUNK as u64 * 4 {
            table.slot_or_insert(key, || (key, "before"));
        }
        let clone = table.clone();
        assert_eq!(table.copied(), 0);
        for key in 0..10 {
            *table.get_mut(key).unwrap() = (key, "after");
        }
        table.remove(CHUNK as u64 + 1);
        assert_eq!((table.get(3), clone.get(3)), (Some(&(3, "after")), Some(&(3, "before"))));
        assert_eq!((table.len(), clone.len()), (CHUNK * 4 - 1, CHUNK * 4));
        let two_chunks = 2 * CHUNK * size_of::<Option<(u64, &str)>>();
        assert_eq!(table.copied(), two_chunks, "each chunk is copied once");
        drop(clone);
        *table.get_mut(CHUNK as u64 * 3).unwrap() = (CHUNK as u64 * 3, "after");
        assert_eq!(table.copied(), two_chunks, "nobody else has it any more");
    }

    #[test]
    fn rows_stay_put_across_chunks() {
        let keys = 0..CHUNK as u64 * 3;
        let mut table: Table<(u64, &str)> = Table::default();
        let slots: Vec<Slot> = keys.clone().map(|key| table.slot_or_insert(key, || (key, ""))).collect();
        assert!(keys.clone().all(|key| table.get(key) == Some(&(key, ""))));
        assert!(keys.zip(slots).all(|(key, slot)| table.slot(key) == Some(slot)));
        assert_eq!(table.len(), CHUNK * 3);
        assert_eq!(table.iter().count(), CHUNK * 3);
        let within = |slots: Range<usize>| table.within(slots).map(|(slot, _)| slot.index()).collect::<Vec<_>>();
        for range in [0..0, 5..5, 7..2_000, 1_024..2_048, 2_047..2_049, 3_000..3_072] {
            assert_eq!(within(range.clone()), range.collect::<Vec<_>>());
        }
        assert_eq!(within(3_070..9_999), [3_070, 3_071]);
    }
}
