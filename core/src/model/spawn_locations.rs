//! Spawn locations: how many tasks of each are alive, and whether they ever become fewer.

use super::PlaceId;
use crate::update::Stamp;

/// The live tasks of one spawn location.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
pub struct Spawns {
    /// Alive now.
    pub live: u64,
    /// Alive when the current growth began.
    pub base: u64,
    /// When the current growth began: the last time that there were fewer than before, or when the place was first seen.
    pub grows_since: Stamp,
    settled: u64,
    /// Whether the update under way has touched it.
    touched: bool,
}

/// All spawn locations, by place.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct SpawnTable {
    places: Vec<Option<Spawns>>,
    touched: Vec<usize>,
}

impl SpawnTable {
    /// The live tasks of a place, if any was ever seen.
    #[cfg(test)]
    pub(super) fn get(&self, place: PlaceId) -> Option<&Spawns> {
        self.places.get(place.index())?.as_ref()
    }

    /// Every place that a task was seen to be spawned at.
    pub fn iter(&self) -> impl Iterator<Item = (PlaceId, &Spawns)> {
        self.places
            .iter()
            .enumerate()
            .filter_map(|(index, spawns)| Some((PlaceId::from_index(index), spawns.as_ref()?)))
    }

    pub(super) fn born(&mut self, place: PlaceId, now: Stamp) {
        self.entry(place, now).live += 1;
    }

    pub(super) fn died(&mut self, place: PlaceId, now: Stamp) {
        let spawns = self.entry(place, now);
        spawns.live = spawns.live.saturating_sub(1);
    }

    /// Judges what the update that is now complete did to each place that it touched.
    pub(super) fn settle(&mut self, now: Stamp) {
        for index in self.touched.drain(..) {
            let Some(Some(spawns)) = self.places.get_mut(index) else { continue };
            spawns.touched = false;
            if spawns.live < spawns.settled || spawns.settled == 0 {
                spawns.base = spawns.live;
                spawns.grows_since = now;
            }
            spawns.settled = spawns.live;
        }
    }

    /// How many places the update under way has touched.
    #[cfg(test)]
    pub(super) fn touched(&self) -> usize {
        self.touched.len()
    }

    fn entry(&mut self, place: PlaceId, now: Stamp) -> &mut Spawns {
        let index = place.index();
        if index >= self.places.len() {
            self.places.resize(index + 1, None);
        }
        let fresh = Spawns { live: 0, base: 0, grows_since: now, settled: 0, touched: false };
        let spawns = self.places[index].get_or_insert(fresh);
        // Once, however long the update goes on.
        if !std::mem::replace(&mut spawns.touched, true) {
            self.touched.push(index);
        }
        spawns
    }
}
