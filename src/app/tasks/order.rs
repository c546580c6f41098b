//! Which tasks the list shows, and in which order. Kept up to date from what changed: an update of a hundred tasks among a
//! million moves a hundred entries. Live tasks come first, then those that have ended.

use super::{
    columns::{Ages, TaskColumn},
    scan::{Source, Standing, Surveyed, stand, survey},
    sort_key::Ranking,
};
use crate::{
    app::{
        filter::Memo,
        list::sorted::{Entry, Sorted},
    },
    diagnose::Engine,
    model::{Model, Slot, Stamp, TaskId},
};
use std::ops::Range;

/// Which end of an order comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The smallest.
    Ascending,
    /// The largest.
    Descending,
}

impl Direction {
    /// The other one.
    pub fn inverted(self) -> Self {
        match self {
            Self::Ascending => Self::Descending,
            Self::Descending => Self::Ascending,
        }
    }
}

/// How many rows are looked at again after each update where their keys or the filter's answer age on their own. A
/// million rows are then gone through in a few dozen updates, and an update costs a few milliseconds.
pub(super) const SWEEP: usize = 20_000;

/// How many entries of a rough list are brought nearer to their places before each frame: a few milliseconds' work.
const EFFORT: usize = 150_000;

/// The tasks to show, in order.
#[derive(Debug)]
pub struct Order {
    column: TaskColumn,
    direction: Direction,
    live: Sorted,
    ended: Sorted,
    keys: Vec<u64>,
    standings: Vec<Standing>,
    dirty: Vec<Slot>,
    /// What the keys are.
    ranking: Ranking,
    memo: Memo,
    swept: usize,
    stale: bool,
    updated: bool,
}

impl Default for Order {
    /// Those with findings first, the worst before all, and then the busiest.
    fn default() -> Self {
        Self {
            column: TaskColumn::Flags,
            direction: Direction::Descending,
            live: Sorted::default(),
            ended: Sorted::default(),
            keys: Vec::new(),
            standings: Vec::new(),
            dirty: Vec::new(),
            ranking: Ranking::default(),
            memo: Memo::default(),
            swept: 0,
            stale: true,
            updated: false,
        }
    }
}

impl Order {
    /// What is kept of each task.
    pub(crate) const BYTES_A_TASK: usize = size_of::<u64>() + size_of::<Standing>() + size_of::<Entry>();

    /// The column that decides.
    pub fn column(&self) -> TaskColumn {
        self.column
    }

    /// Which end comes first.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// Sorts by a column from now on.
    pub fn sort(&mut self, column: TaskColumn, direction: Direction) {
        self.stale |= column != self.column;
        self.column = column;
        self.direction = direction;
    }

    /// Forgets everything: another session, or another filter.
    pub fn restart(&mut self) {
        self.stale = true;
    }

    /// How many tasks are shown.
    pub fn len(&self) -> usize {
        self.live.len() + self.ended.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many of the shown tasks are alive.
    pub fn live(&self) -> usize {
        self.live.len()
    }

    /// The row at a place of the list.
    pub fn at(&self, index: usize) -> Option<Slot> {
        let (part, index) = match index.checked_sub(self.live()) {
            None => (&self.live, index),
            Some(index) => (&self.ended, index),
        };
        let index = match self.direction {
            Direction::Ascending => index,
            Direction::Descending => part.len().checked_sub(index + 1)?,
        };
        part.get(index).map(|entry| entry.slot)
    }

    /// The place of a task in the list.
    pub fn position(&self, model: &Model, task: TaskId) -> Option<usize> {
        let slot = model.tasks().slot(task)?;
        let key = *self.keys.get(slot.index())?;
        let compare = self.ranking.compare(model);
        let (part, before) = match self.standings[slot.index()] {
            Standing::Out => return None,
            Standing::Live => (&self.live, 0),
            Standing::Ended => (&self.ended, self.live()),
        };
        let index = part.position(Entry::new(key, slot), &compare)?;
        let index = match self.direction {
            Direction::Ascending => index,
            Direction::Descending => part.len() - 1 - index,
        };
        Some(before + index)
    }

    /// Sees to it that these rows of the list are the right ones: a long list is sorted little by little, and what belongs where
    /// somebody looks is picked out before.
    pub fn look(&mut self, rows: Range<usize>, model: &Model) {
        if !self.is_rough() {
            return;
        }
        let compare = self.ranking.compare(model);
        let live = self.live.len();
        for (part, first) in [(&mut self.live, 0), (&mut self.ended, live)] {
            let length = part.len();
            let within = rows.start.saturating_sub(first).min(length)..rows.end.saturating_sub(first).min(length);
            let within = match self.direction {
                Direction::Ascending => within,
                Direction::Descending => length - within.end..length - within.start,
            };
            part.look(within, &compare);
        }
    }

    /// The same for a task and those around it.
    pub fn look_around(&mut self, task: TaskId, model: &Model) {
        if !self.is_rough() {
            return;
        }
        let Some(slot) = model.tasks().slot(task) else { return };
        let (Some(&key), Some(&standing)) = (self.keys.get(slot.index()), self.standings.get(slot.index())) else {
            return;
        };
        let part = match standing {
            Standing::Out => return,
            Standing::Live => &mut self.live,
            Standing::Ended => &mut self.ended,
        };
        part.look_around(Entry::new(key, slot), &self.ranking.compare(model));
    }

    /// Whether rows that nobody has looked at yet are still to be sorted.
    pub fn is_rough(&self) -> bool {
        self.live.is_rough() || self.ended.is_rough()
    }

    /// Takes note of what the model's latest update changed.
    pub fn note(&mut self, model: &Model, engine: &Engine) {
        self.stale |= model.changes().renamed;
        // What is made anew needs no notes.
        if self.stale {
            return;
        }
        let changes = model.changes();
        self.dirty.extend(&changes.tasks);
        self.dirty.extend(changes.removed.iter().map(|&(slot, _)| slot));
        self.dirty.extend(engine.reflagged());
        self.updated = true;
    }

    /// Brings the order up to date with everything that was noted.
    pub fn settle(&mut self, source: &Source) {
        let Some(now) = source.model.now() else {
            if self.stale {
                self.clear();
                self.keys.clear();
                self.standings.clear();
                self.live = Sorted::default();
                self.ended = Sorted::default();
            }
            return;
        };
        if self.stale || self.dirty.len() > self.keys.len() / 4 {
            self.rebuild(source, now);
            return;
        }
        if self.is_rough() {
            let compare = self.ranking.compare(source.model);
            self.live.refine(EFFORT, &compare);
            self.ended.refine(EFFORT, &compare);
            // What has changed in the meantime waits, since a rough list cannot be merged.
            if self.is_rough() {
                return;
            }
        }
        if std::mem::take(&mut self.updated) {
            self.age(source);
        }
        let (mut gone, mut come) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
        for slot in std::mem::take(&mut self.dirty) {
            let (standing, key) = place(&self.ranking, source, &mut self.memo, slot, now);
            self.reserve(slot);
            let before = std::mem::replace(&mut self.standings[slot.index()], standing);
            let old = std::mem::replace(&mut self.keys[slot.index()], key);
            if (before, old) == (standing, key) {
                continue;
            }
            if let Some(part) = part(before) {
                gone[part].push(Entry::new(old, slot));
            }
            if let Some(part) = part(standing) {
                come[part].push(Entry::new(key, slot));
            }
        }
        let ([gone_live, gone_ended], [come_live, come_ended]) = (gone, come);
        let compare = self.ranking.compare(source.model);
        let live = self.live.merge(gone_live, come_live, &compare);
        let ended = self.ended.merge(gone_ended, come_ended, &compare);
        drop(compare);
        if live.and(ended).is_err() {
            self.rebuild(source, now);
        }
    }

    /// Adds what may have changed although nobody reported it.
    fn age(&mut self, source: &Source) {
        let ages = self.column.ages();
        let filter_ages = source.filter.ages();
        if ages != Ages::Never || filter_ages {
            self.dirty.extend(source.model.hot().map(|(slot, _)| slot));
        }
        if ages == Ages::Slowly || filter_ages {
            let slots = self.keys.len();
            let count = SWEEP.min(slots);
            self.dirty.extend((self.swept..self.swept + count).map(|index| Slot::from_index(index % slots)));
            self.swept = if slots == 0 { 0 } else { (self.swept + count) % slots };
        }
    }

    fn rebuild(&mut self, source: &Source, now: Stamp) {
        self.clear();
        self.ranking = Ranking::new(self.column, source.model);
        let mut live = std::mem::take(&mut self.live).into_entries();
        let mut ended = std::mem::take(&mut self.ended).into_entries();
        let into =
            Surveyed { keys: &mut self.keys, standings: &mut self.standings, live: &mut live, ended: &mut ended };
        self.memo = survey(&self.ranking, source, now, into);
        let compare = self.ranking.compare(source.model);
        self.live = Sorted::new(live, &compare);
        self.ended = Sorted::new(ended, &compare);
    }

    /// Forgets everything but the room that it took.
    fn clear(&mut self) {
        self.dirty.clear();
        self.memo = Memo::default();
        self.swept = 0;
        self.stale = false;
        self.updated = false;
    }

    fn reserve(&mut self, slot: Slot) {
        if slot.index() >= self.keys.len() {
            self.keys.resize(slot.index() + 1, 0);
            self.standings.resize(slot.index() + 1, Standing::Out);
        }
    }

    /// Whether so much waits for [`Order::settle`] that it should be done even while nobody looks: a list that is opened
    /// must be there at once.
    pub fn is_behind(&self) -> bool {
        self.stale || self.dirty.len() > self.keys.len() / 8
    }
}

fn part(standing: Standing) -> Option<usize> {
    match standing {
        Standing::Out => None,
        Standing::Live => Some(0),
        Standing::Ended => Some(1),
    }
}

fn place(ranking: &Ranking, source: &Source, memo: &mut Memo, slot: Slot, now: Stamp) -> (Standing, u64) {
    source.briefs.at(slot, source.model).map_or((Standing::Out, 0), |task| stand(ranking, source, memo, &task, now))
}

#[cfg(test)]
mod tests;
