//! How many places of a service are told apart. A model keeps each for as long as its process lives, and of the places no more than a few hundred have series: what
//! comes after thousands of others is told as one, before the model hears of it.

use crate::update::{SourcePlace, Update};
use holdup_metrics::OTHER;
use rustc_hash::{FxBuildHasher, FxHashSet};
use std::hash::BuildHasher as _;

/// Places of one kind that are told apart.
const MOST: usize = 2_048;

/// Others that are counted.
const OTHERS: usize = 4_096;

/// The places of one kind of thing.
#[derive(Debug, Default)]
struct Kind {
    known: FxHashSet<u64>,
    others: FxHashSet<u64>,
}

impl Kind {
    fn bound(&mut self, place: &mut SourcePlace) {
        let hash = FxBuildHasher.hash_one((&place.file, place.line, place.column));
        if self.known.contains(&hash) || self.known.len() < MOST && self.known.insert(hash) {
            return;
        }
        if self.others.len() < OTHERS {
            self.others.insert(hash);
        }
        *place = SourcePlace { file: OTHER.to_owned(), line: 0, column: 0 };
    }
}

/// The places of one process.
#[derive(Debug, Default)]
pub(super) struct Places {
    spawns: Kind,
    resources: Kind,
}

impl Places {
    /// Has the places of an update be no more than are told apart.
    pub(super) fn bound(&mut self, update: &mut Update) {
        update.new_tasks.iter_mut().filter_map(|task| task.place.as_mut()).for_each(|place| self.spawns.bound(place));
        // No lint reads these, and no metric; each would be a place more.
        update.spawn_times.clear();
        let of_resources = update.new_resources.iter_mut().filter_map(|resource| resource.place.as_mut());
        of_resources.for_each(|place| self.resources.bound(place));
    }

    /// How many spawn locations are among the others, at the least.
    pub(super) fn other_spawns(&self) -> u64 {
        self.spawns.others.len() as u64
    }

    /// How many places of locks and other resources are.
    pub(super) fn other_resources(&self) -> u64 {
        self.resources.others.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::update::{NewTask, TaskId};

    fn update(lines: std::ops::Range<u32>) -> Update {
        let place = |line| SourcePlace { file: "src/a.rs".into(), line, column: 1 };
        let task = |line| NewTask { place: Some(place(line)), ..NewTask::new(TaskId(line.into())) };
        Update { new_tasks: lines.map(task).collect(), ..Update::default() }
    }

    #[test]
    fn who_is_known_stays_known_and_all_others_are_one() {
        let mut places = Places::default();
        let most = MOST as u32;
        places.bound(&mut update(0..most));
        let mut more = update(most - 1..most + 3);
        places.bound(&mut more);
        places.bound(&mut update(most..most + 3));
        let lines: Vec<u32> = more.new_tasks.iter().filter_map(|task| Some(task.place.as_ref()?.line)).collect();
        assert_eq!((lines, places.other_spawns(), places.other_resources()), (vec![most - 1, 0, 0, 0], 3, 0));
        assert_eq!(more.new_tasks[1].place.as_ref().map(|place| place.file.as_str()), Some(OTHER));
    }
}
