//! Rows by id, in slots that stay put. Storage grows by chunks, and a clone costs a pointer for each of them.

use super::slots::{CHUNK, Slot, Slots};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{hash::Hash, sync::Arc};

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
    slots: Slots,
    chunks: Vec<Chunk<V>>,
    /// Bytes of chunks that were copied because a clone had them too.
    copied: usize,
}

/// So many slots.
type Chunk<V> = Arc<[Option<V>]>;

impl<V> Default for Table<V> {
    fn default() -> Self {
        Self { slots: Slots::default(), chunks: Vec::new(), copied: 0 }
    }
}

impl<V: Row + Clone> Table<V> {
    /// What a row costs on average beyond what it points to: its place in a chunk, and its share of the index.
    pub const ROW_BYTES: usize = size_of::<Option<V>>() + Slots::BYTES_A_ROW;

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The slot of an id.
    pub fn slot(&self, key: V::Key) -> Option<Slot> {
        self.slots.find(key, |slot| key_at(&self.chunks, slot))
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
        at(&self.chunks, slot)
    }

    /// The row in a slot, to change.
    pub fn at_mut(&mut self, slot: Slot) -> Option<&mut V> {
        self.place_mut(slot)?.as_mut()
    }

    /// The slot of an id, with `make` filling it where it is new. What it makes must have that id.
    pub fn slot_or_insert(&mut self, key: V::Key, make: impl FnOnce() -> V) -> Slot {
        if let Some(slot) = self.slot(key) {
            return slot;
        }
        let slot = self.slots.take();
        if slot.index() == self.chunks.len() * CHUNK {
            self.chunks.push(std::iter::repeat_with(|| None).take(CHUNK).collect());
        }
        let new = make();
        if let Some(place) = self.place_mut(slot) {
            *place = Some(new);
        }
        let chunks = &self.chunks;
        self.slots.enter(key, slot, |slot| key_at(chunks, slot));
        slot
    }

    /// Takes a row out; its slot may be given to another.
    pub fn remove(&mut self, key: V::Key) -> Option<V> {
        let chunks = &self.chunks;
        let slot = self.slots.release(key, |slot| key_at(chunks, slot))?;
        self.place_mut(slot)?.take()
    }

    /// All rows, in the order of their slots.
    pub fn iter(&self) -> impl Iterator<Item = (Slot, &V)> {
        let rows = self.chunks.iter().flat_map(|chunk| chunk.iter()).enumerate();
        rows.filter_map(|(index, row)| Some((Slot::from_index(index), row.as_ref()?)))
    }

    /// Bytes that were copied, since it was made, because a clone had them too.
    pub fn copied(&self) -> usize {
        self.copied
    }

    /// Where a row is or will be, in a chunk of its own.
    fn place_mut(&mut self, slot: Slot) -> Option<&mut Option<V>> {
        let (chunk, row) = slot.place();
        let chunk = self.chunks.get_mut(chunk)?;
        if Arc::strong_count(chunk) > 1 {
            self.copied += CHUNK * size_of::<Option<V>>();
        }
        Arc::make_mut(chunk).get_mut(row)
    }
}

/// As it is written down: the rows with their slots, how many slots there are, and which of them are free.
#[derive(Serialize)]
struct Written<'a, V>(Vec<(Slot, &'a V)>, usize, &'a [Slot]);

impl<V: Row + Clone + Serialize> Serialize for Table<V> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        Written(self.iter().collect(), self.slots.used(), self.slots.free()).serialize(to)
    }
}

impl<'de, V: Row + Clone + Deserialize<'de>> Deserialize<'de> for Table<V> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (rows, used, free): (Vec<(Slot, V)>, usize, Vec<Slot>) = Deserialize::deserialize(from)?;
        let slots = Slots::written(used, free).ok_or_else(|| D::Error::custom("too many slots"))?;
        let mut table = Self { slots, ..Self::default() };
        if rows.len() + table.slots.free().len() != used {
            return Err(D::Error::custom("rows without slots"));
        }
        let chunk = || std::iter::repeat_with(|| None).take(CHUNK).collect();
        table.chunks = std::iter::repeat_with(chunk).take(used.div_ceil(CHUNK)).collect();
        for (slot, row) in rows {
            let key = row.key();
            let is_free = table.at(slot).is_none() && table.slot(key).is_none();
            match table.place_mut(slot).filter(|_| is_free && slot.index() < used) {
                Some(place) => *place = Some(row),
                None => return Err(D::Error::custom("two rows in one slot, or of one id")),
            }
            let chunks = &table.chunks;
            table.slots.enter(key, slot, |slot| key_at(chunks, slot));
        }
        Ok(table)
    }
}

fn at<V>(chunks: &[Chunk<V>], slot: Slot) -> Option<&V> {
    let (chunk, row) = slot.place();
    chunks.get(chunk)?.get(row)?.as_ref()
}

fn key_at<V: Row>(chunks: &[Chunk<V>], slot: Slot) -> Option<V::Key> {
    at(chunks, slot).map(V::key)
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
        assert!(table.iter().map(|(slot, _)| slot.index()).eq(0..CHUNK * 3));
    }
}
