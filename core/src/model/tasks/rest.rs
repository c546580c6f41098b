//! All tasks as they were at an instant, for whoever sums them up later: their chunks are shared until they are changed.

use super::{Task, Tasks, chunk::Chunk};
use crate::{
    model::{PlaceId, Slot, SpawnSums, slots::CHUNK},
    update::Stamp,
};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// The tasks of a model at an instant.
#[derive(Debug, Clone)]
pub struct Rest(Vec<Arc<Chunk>>);

impl Tasks {
    pub(in crate::model) fn rest(&self) -> Rest {
        Rest(self.chunks.clone())
    }
}

impl Rest {
    /// Their sums by spawn location.
    pub(in crate::model) fn sums(&self, now: Stamp) -> FxHashMap<PlaceId, SpawnSums> {
        let mut sums = FxHashMap::<PlaceId, SpawnSums>::default();
        for (number, chunk) in self.0.iter().enumerate() {
            for at in (0..CHUNK).filter(|&at| chunk.states[at].is_some()) {
                let task = Task { chunk, slot: Slot::from_index(number * CHUNK + at) };
                sums.entry(task.place()).or_default().count(&task, now);
            }
        }
        sums
    }
}
