//! How long polls and waits took, by spawn location, as an agent counts them. What it counts together since it has no room for more locations stands
//! where the location is not known.

use super::{Model, PlaceId};
use crate::update::{DOUBLINGS, Doublings, SpawnTimes};
use rustc_hash::FxHashMap;

/// Agents tell of two hundred locations; of more than this nobody is heard.
const MOST: usize = 512;

/// Of the tasks of one spawn location, as totals since the process began.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Lengths {
    /// Of polls that have ended.
    pub polls: Doublings,
    /// Of waits between wake and poll.
    pub waits: Doublings,
}

/// All that are told.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Told(FxHashMap<PlaceId, Lengths>);

impl Told {
    /// Lets go of places that there are not.
    pub(super) fn mend(&mut self, places: usize) {
        self.0.retain(|place, _| place.index() < places);
    }

    /// How many bytes they take.
    pub(super) fn bytes(&self) -> usize {
        self.0.len() * (size_of::<Lengths>() + 2 * DOUBLINGS * size_of::<u64>())
    }
}

impl Model {
    /// What is counted of the tasks of each spawn location, in no order; of [`PlaceId::UNKNOWN`] what is counted together.
    pub fn spawn_times(&self) -> impl Iterator<Item = (PlaceId, &Lengths)> {
        self.agent.spawn_times.0.iter().map(|(place, lengths)| (*place, lengths))
    }

    /// Of one spawn location.
    pub fn spawn_times_of(&self, place: PlaceId) -> Option<&Lengths> {
        self.agent.spawn_times.0.get(&place)
    }

    pub(super) fn tell_spawn_times(&mut self, told: SpawnTimes) {
        let place = told.place.map(|place| self.places.intern(place)).unwrap_or_default();
        let known = &mut self.agent.spawn_times.0;
        if known.len() >= MOST && !known.contains_key(&place) {
            return;
        }
        let cut = |mut counts: Doublings| {
            counts.truncate(DOUBLINGS);
            counts
        };
        known.insert(place, Lengths { polls: cut(told.polls), waits: cut(told.waits) });
    }
}
