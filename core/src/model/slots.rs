//! Slots: where a row stays for as long as it lives. An id is looked up once, and a slot is then an index. The index holds slots
//! alone, since a row has its id in it.

use hashbrown::HashTable;
use rustc_hash::{FxBuildHasher, FxHashSet};
use std::hash::{BuildHasher, Hash};

/// Where a row lives, for as long as it lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Slot(u32);

/// Slots come in chunks of so many: a million rows are never copied to make room for one more, and what is kept of each slot can
/// be shared chunk by chunk. A chunk of tasks is below what an allocator takes from the system by itself, at the start of a page: what is
/// at the same place of each would contend for the same lines of a processor's cache.
pub(super) const CHUNK: usize = 512;

/// More slots than this are not read: a chunk is much larger than what says that it is empty.
const MOST: usize = 1 << 22;

impl Slot {
    /// The place as a number: small, so that something can be kept for each slot in an array.
    pub fn index(self) -> usize {
        self.0 as usize
    }

    /// The reverse of [`Slot::index`].
    pub fn from_index(index: usize) -> Self {
        Self(index as u32)
    }

    /// Its chunk, and where it is there.
    #[inline]
    pub(super) fn place(self) -> (usize, usize) {
        (self.index() / CHUNK, self.index() % CHUNK)
    }
}

/// Which slots are in use, and for what. Whoever keeps the rows says which id the one in a slot has.
#[derive(Debug, Clone, Default)]
pub(super) struct Slots {
    index: HashTable<Slot>,
    /// How many slots were ever used.
    used: usize,
    free: Vec<Slot>,
}

impl Slots {
    /// Of so many slots, all but these are in use, by rows that have yet to enter. `None` where they are more than any model has.
    pub(super) fn written(used: usize, mut free: Vec<Slot>) -> Option<Self> {
        if used > MOST {
            return None;
        }
        let mut seen = FxHashSet::default();
        free.retain(|&slot| slot.index() < used && seen.insert(slot));
        Some(Self { index: HashTable::new(), used, free })
    }

    /// Those that are free, the one that is given next last.
    pub(super) fn free(&self) -> &[Slot] {
        &self.free
    }

    /// What the index takes for each row, on average.
    pub(super) const BYTES_A_ROW: usize = 2 * (size_of::<Slot>() + 1);

    /// How many are in use.
    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    /// How many there are, those included that are free. Every slot's index is below that.
    pub(super) fn used(&self) -> usize {
        self.used
    }

    /// The slot of an id.
    pub(super) fn find<K: Copy + Eq + Hash>(&self, key: K, key_at: impl Fn(Slot) -> Option<K>) -> Option<Slot> {
        self.index.find(hash(key), |&slot| key_at(slot) == Some(key)).copied()
    }

    /// A slot that is free: the one that was released last, or else a new one.
    pub(super) fn take(&mut self) -> Slot {
        self.free.pop().unwrap_or_else(|| {
            self.used += 1;
            Slot::from_index(self.used - 1)
        })
    }

    /// A slot that was taken has the row of this id now.
    pub(super) fn enter<K: Copy + Eq + Hash>(&mut self, key: K, slot: Slot, key_at: impl Fn(Slot) -> Option<K>) {
        self.index.insert_unique(hash(key), slot, |&slot| key_at(slot).map_or(0, hash));
    }

    /// The slot of an id, which may be given to another from now on.
    pub(super) fn release<K: Copy + Eq + Hash>(&mut self, key: K, key_at: impl Fn(Slot) -> Option<K>) -> Option<Slot> {
        let found = self.index.find_entry(hash(key), |&slot| key_at(slot) == Some(key)).ok()?;
        let (slot, _) = found.remove();
        self.free.push(slot);
        Some(slot)
    }
}

fn hash(key: impl Hash) -> u64 {
    FxBuildHasher.hash_one(key)
}
