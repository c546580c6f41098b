//! A map that knows how much room it takes, so that what an agent tells counts against the bound on memory.

use crate::update::{Span, TaskFacts, TaskWakers, Waking};
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::hash::Hash;

/// An entry beyond what is in it: tables are between half and almost full.
const SPARE: usize = 2;

/// What something takes beyond its own size, in bytes.
pub(super) trait Price {
    /// The bytes that it refers to.
    fn inside(&self) -> usize;
}

impl Price for TaskFacts {
    fn inside(&self) -> usize {
        0
    }
}

impl Price for TaskWakers {
    fn inside(&self) -> usize {
        self.wakers.len() * size_of::<Waking>()
    }
}

impl Price for Vec<Span> {
    fn inside(&self) -> usize {
        let field = |(name, value): &(String, String)| size_of::<(String, String)>() + name.len() + value.len();
        self.iter().map(|span| size_of::<Span>() + span.name.len() + span.fields.iter().map(field).sum::<usize>()).sum()
    }
}

/// Values by id, and how much room they take together.
#[derive(Debug, Clone)]
pub(super) struct SizedMap<K, V> {
    values: FxHashMap<K, V>,
    bytes: usize,
}

impl<K: Serialize, V: Serialize> Serialize for SizedMap<K, V> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.values.serialize(to)
    }
}

impl<'de, K: Deserialize<'de> + Hash + Eq, V: Deserialize<'de> + Price> Deserialize<'de> for SizedMap<K, V> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let values = FxHashMap::<K, V>::deserialize(from)?;
        let bytes = values.values().map(|value| price::<K, V>(value)).sum();
        Ok(Self { values, bytes })
    }
}

impl<K, V> Default for SizedMap<K, V> {
    fn default() -> Self {
        Self { values: FxHashMap::default(), bytes: 0 }
    }
}

impl<K: Hash + Eq + Copy, V: Price> SizedMap<K, V> {
    /// How many bytes it takes, as an estimate.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn get(&self, key: K) -> Option<&V> {
        self.values.get(&key)
    }

    pub(super) fn contains(&self, key: K) -> bool {
        self.values.contains_key(&key)
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        self.bytes += price::<K, V>(&value);
        if let Some(before) = self.values.insert(key, value) {
            self.bytes -= price::<K, V>(&before);
        }
    }

    /// The values of these alone.
    pub(super) fn only(&self, keys: &FxHashSet<K>) -> Self
    where
        V: Clone,
    {
        let mut only = Self::default();
        for (key, value) in keys.iter().filter_map(|key| Some((*key, self.values.get(key)?))) {
            only.insert(key, value.clone());
        }
        only
    }

    pub(super) fn remove(&mut self, key: K) {
        if let Some(before) = self.values.remove(&key) {
            self.bytes -= price::<K, V>(&before);
        }
    }
}

fn price<K, V: Price>(value: &V) -> usize {
    SPARE * size_of::<(K, V)>() + value.inside()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_is_paid_back() {
        let mut map: SizedMap<u64, Vec<Span>> = SizedMap::default();
        let spans = |name: &str| vec![Span { name: name.into(), fields: vec![("id".into(), "7".into())] }];
        for key in 0..10 {
            map.insert(key, spans("request"));
        }
        let ten = map.bytes();
        map.insert(3, spans("a longer name than before"));
        assert_eq!(map.bytes(), ten + 18);
        map.remove(3);
        map.remove(99);
        assert_eq!(map.bytes(), ten / 10 * 9);
        (1..10).for_each(|key| map.remove(key));
        assert_eq!(map.bytes(), ten / 10);
        map.remove(0);
        assert_eq!((map.bytes(), map.contains(0), map.get(0)), (0, false, None));
    }
}
