//! Which tasks the list shows, and in which order. Kept up to date from what changed: an update of a hundred tasks among a
//! million moves a hundred entries. Live tasks come first, then those that have ended.

use super::{
    changed::{Aging, Changed},
    columns::{Ages, TaskColumn},
    scan::{Scanned, Section, Source, place, scan},
    sort_key::SortKeys,
};
use crate::{
    app::{
        filter::Cache,
        list::{
            column::Direction,
            sorted::{Entry, Sorted},
        },
    },
    model::{Model, Slot},
    update::{Stamp, TaskId},
};
use std::ops::Range;

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
    sections: Vec<Section>,
    /// What the keys are.
    sort_keys: SortKeys,
    cache: Cache,
    /// Whether they are to be made anew whatever has changed.
    stale: bool,
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
            sections: Vec::new(),
            sort_keys: SortKeys::default(),
            cache: Cache::default(),
            stale: true,
        }
    }
}

impl Order {
    /// What is kept of each task.
    pub(crate) const BYTES_A_TASK: usize = size_of::<u64>() + size_of::<Section>() + size_of::<Entry>();

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
        let compare = self.sort_keys.compare(model);
        let (part, before) = match self.sections[slot.index()] {
            Section::Hidden => return None,
            Section::Live => (&self.live, 0),
            Section::Ended => (&self.ended, self.live()),
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
        let compare = self.sort_keys.compare(model);
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
        let (Some(&key), Some(&section)) = (self.keys.get(slot.index()), self.sections.get(slot.index())) else {
            return;
        };
        let part = match section {
            Section::Hidden => return,
            Section::Live => &mut self.live,
            Section::Ended => &mut self.ended,
        };
        part.look_around(Entry::new(key, slot), &self.sort_keys.compare(model));
    }

    /// Whether rows that nobody has looked at yet are still to be sorted.
    pub fn is_rough(&self) -> bool {
        self.live.is_rough() || self.ended.is_rough()
    }

    /// Brings the order up to date with everything that has changed.
    pub fn settle(&mut self, source: &Source, changed: &mut Changed) {
        let Some(now) = source.model.now() else {
            if self.stale || changed.is_everything() {
                let (column, direction) = (self.column, self.direction);
                *self = Self { column, direction, ..Self::default() };
            }
            return;
        };
        if self.stale || changed.is_everything() || changed.are_most_of(self.keys.len()) {
            changed.forget();
            self.rebuild(source, now);
            return;
        }
        if self.is_rough() {
            let compare = self.sort_keys.compare(source.model);
            self.live.refine(EFFORT, &compare);
            self.ended.refine(EFFORT, &compare);
            // What has changed in the meantime waits, since a rough list cannot be merged.
            if self.is_rough() {
                return;
            }
        }
        let (mut gone, mut come) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
        let cx = source.cx(now);
        for slot in changed.take(source, self.aging(source)) {
            let task = source.model.tasks().at(slot);
            let (section, key) = task.map_or((Section::Hidden, 0), |task| {
                place(&self.sort_keys, source.filter, &cx, &mut self.cache, &task)
            });
            self.reserve(slot);
            let before = std::mem::replace(&mut self.sections[slot.index()], section);
            let old = std::mem::replace(&mut self.keys[slot.index()], key);
            if (before, old) == (section, key) {
                continue;
            }
            if let Some(part) = part(before) {
                gone[part].push(Entry::new(old, slot));
            }
            if let Some(part) = part(section) {
                come[part].push(Entry::new(key, slot));
            }
        }
        let ([gone_live, gone_ended], [come_live, come_ended]) = (gone, come);
        let compare = self.sort_keys.compare(source.model);
        let live = self.live.merge(gone_live, come_live, &compare);
        let ended = self.ended.merge(gone_ended, come_ended, &compare);
        drop(compare);
        if live.and(ended).is_err() {
            changed.forget();
            self.rebuild(source, now);
        }
    }

    /// What may have changed although nobody reported it.
    fn aging(&self, source: &Source) -> Aging {
        match self.column.ages() {
            _ if source.filter.ages() => Aging::All,
            Ages::Slowly => Aging::All,
            Ages::WhileHot => Aging::Hot,
            Ages::Never => Aging::Nothing,
        }
    }

    fn rebuild(&mut self, source: &Source, now: Stamp) {
        self.stale = false;
        self.sort_keys = SortKeys::new(self.column, source.model);
        let mut live = std::mem::take(&mut self.live).into_entries();
        let mut ended = std::mem::take(&mut self.ended).into_entries();
        let into = Scanned { keys: &mut self.keys, sections: &mut self.sections, live: &mut live, ended: &mut ended };
        self.cache = scan(&self.sort_keys, source, now, into);
        let compare = self.sort_keys.compare(source.model);
        self.live = Sorted::new(live, &compare);
        self.ended = Sorted::new(ended, &compare);
    }

    fn reserve(&mut self, slot: Slot) {
        if slot.index() >= self.keys.len() {
            self.keys.resize(slot.index() + 1, 0);
            self.sections.resize(slot.index() + 1, Section::Hidden);
        }
    }
}

fn part(section: Section) -> Option<usize> {
    match section {
        Section::Hidden => None,
        Section::Live => Some(0),
        Section::Ended => Some(1),
    }
}

#[cfg(test)]
mod tests;
