//! How long polls and waits took, by spawn location: what threads counted, summed up.

use crate::{
    collect::task::row,
    slots::doublings::Sums,
    view::{Doublings, SpawnTimes},
};

/// For one who asks again and again: who has asked before is told of what is new alone.
#[derive(Debug, Default)]
pub(crate) struct TimesBySpawn {
    sums: Sums,
    told: Vec<Doublings>,
}

impl TimesBySpawn {
    /// The rows of which something was counted since this was asked last, with their numbers.
    pub(crate) fn changed(&mut self) -> Vec<(usize, SpawnTimes)> {
        let rows = self.sums.read();
        self.told.resize(rows.len(), Doublings::default());
        let mut changed = Vec::new();
        for (at, (now, told)) in rows.into_iter().zip(&mut self.told).enumerate() {
            if now != *told {
                *told = now;
                changed.push((at, SpawnTimes { location: row::location(at + 1), counted: now }));
            }
        }
        changed
    }
}
