//! Which tasks the rows that are shown must be looked at again for: one list of them, whatever a row stands for.

use super::scan::Source;
use crate::{
    diagnose::Engine,
    model::{Model, Slot, Task},
};

/// How many tasks are looked at again after each update where their keys or the filter's answer age on their own. A million are then
/// gone through in a few dozen updates, and an update costs a few milliseconds.
const SWEEP: usize = 20_000;

/// What ages although nobody reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aging {
    /// Nothing.
    Nothing,
    /// What is said of tasks that run or wait to run.
    Hot,
    /// What is said of all.
    All,
}

/// The tasks that were reported, flagged or removed since the rows were last brought up to date.
#[derive(Debug)]
pub struct Changed {
    slots: Vec<Slot>,
    /// How many slots there were.
    of: usize,
    /// Where the next sweep begins.
    swept: usize,
    /// Whether the rows are to be made from nothing.
    stale: bool,
    /// Whether there was an update at all.
    updated: bool,
}

impl Default for Changed {
    /// Nothing has been shown yet.
    fn default() -> Self {
        Self { slots: Vec::new(), of: 0, swept: 0, stale: true, updated: false }
    }
}

impl Changed {
    /// More has changed than can be noted: another session, another filter, another kind of row.
    pub fn everything(&mut self) {
        *self = Self { slots: std::mem::take(&mut self.slots), ..Self::default() };
        self.slots.clear();
    }

    /// Takes note of what the model's latest update changed.
    pub fn note(&mut self, model: &Model, engine: &Engine) {
        self.stale |= model.changes().renamed;
        // What is made anew needs no notes.
        if self.stale {
            return;
        }
        let changes = model.changes();
        self.slots.extend(&changes.tasks);
        self.slots.extend(changes.removed.iter().map(|&(slot, _)| slot));
        self.slots.extend(engine.reflagged());
        self.of = model.tasks().slots();
        self.updated = true;
    }

    /// Whether so much waits that it should be looked at even while nobody looks at the rows: a list that is opened must be there
    /// at once.
    pub fn is_behind(&self) -> bool {
        self.stale || self.slots.len() > self.of / 8
    }

    /// Whether the rows are to be made from nothing.
    pub(super) fn is_everything(&self) -> bool {
        self.stale
    }

    /// Whether nothing waits.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        !self.stale && self.slots.is_empty()
    }

    /// Whether making them from nothing costs less than looking at those that changed, of so many.
    pub(super) fn are_most_of(&self, rows: usize) -> bool {
        self.slots.len() > rows / 4
    }

    /// The rows are made from nothing, of whatever there is.
    pub(super) fn forget(&mut self) {
        self.slots.clear();
        (self.swept, self.stale, self.updated) = (0, false, false);
    }

    /// The tasks to look at again, those included of which something ages. Each may come more than once.
    pub(super) fn take(&mut self, source: &Source, aging: Aging) -> Vec<Slot> {
        if std::mem::take(&mut self.updated) {
            if aging != Aging::Nothing {
                self.slots.extend(source.model.hot().map(Task::slot));
            }
            let slots = source.model.tasks().slots();
            if aging == Aging::All && slots > 0 {
                let count = SWEEP.min(slots);
                self.slots.extend((self.swept..self.swept + count).map(|index| Slot::from_index(index % slots)));
                self.swept = (self.swept + count) % slots;
            }
        }
        std::mem::take(&mut self.slots)
    }
}
