//! Which tasks the list shows, and in which order. Kept up to date from what changed: an update of a hundred tasks among a
//! million moves a hundred entries. Live tasks come first, then those that have ended.

use super::{
    Flags,
    filter::{Filter, Memo},
    sorted::{Entry, Sorted},
    task_columns::{Ages, Compares, TaskColumn},
};
use crate::model::{Model, PlaceId, Slot, Stamp, Sym, Task, TaskId, TaskState};
use std::cmp::Ordering;

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

/// Where a slot stands in the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Standing {
    /// Nowhere: there is no task in it, or the filter keeps it out.
    #[default]
    Out,
    Live,
    Ended,
}

/// How many rows are looked at again after each update where their keys or the filter's answer age on their own. A
/// million rows are then gone through in a few dozen updates, and an update costs a few milliseconds.
const SWEEP: usize = 20_000;

/// What an order is made from.
pub struct Source<'a> {
    /// The target.
    pub model: &'a Model,
    /// What stands against its tasks.
    pub flags: &'a Flags,
    /// Which tasks to show.
    pub filter: &'a Filter,
}

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
            memo: Memo::default(),
            swept: 0,
            stale: true,
            updated: false,
        }
    }
}

impl Order {
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
        self.live.as_slice().len() + self.ended.as_slice().len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many of the shown tasks are alive.
    pub fn live(&self) -> usize {
        self.live.as_slice().len()
    }

    /// The row at a place of the list.
    pub fn at(&self, index: usize) -> Option<Slot> {
        let (part, index) = match index.checked_sub(self.live()) {
            None => (self.live.as_slice(), index),
            Some(index) => (self.ended.as_slice(), index),
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
        let compare = compare(self.column, model);
        let (part, before) = match self.standings[slot.index()] {
            Standing::Out => return None,
            Standing::Live => (&self.live, 0),
            Standing::Ended => (&self.ended, self.live()),
        };
        let index = part.position(Entry { key, slot }, &compare)?;
        let index = match self.direction {
            Direction::Ascending => index,
            Direction::Descending => part.as_slice().len() - 1 - index,
        };
        Some(before + index)
    }

    /// Takes note of what the model's latest update changed.
    pub fn note(&mut self, model: &Model) {
        // What is made anew needs no notes.
        if self.stale {
            return;
        }
        let changes = model.changes();
        self.dirty.extend(&changes.tasks);
        self.dirty.extend(changes.removed.iter().map(|&(slot, _)| slot));
        self.updated = true;
    }

    /// Takes note of tasks that stand differently than before.
    pub fn touch(&mut self, model: &Model, tasks: impl IntoIterator<Item = TaskId>) {
        self.dirty.extend(tasks.into_iter().filter_map(|task| model.tasks().slot(task)));
    }

    /// Brings the order up to date with everything that was noted.
    pub fn settle(&mut self, source: &Source) {
        let Some(now) = source.model.now() else {
            if self.stale {
                self.clear();
            }
            return;
        };
        if self.stale || self.dirty.len() > self.keys.len() / 4 {
            self.rebuild(source, now);
            return;
        }
        if std::mem::take(&mut self.updated) {
            self.age(source);
        }
        let compare = compare(self.column, source.model);
        let (mut gone, mut come) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
        for slot in std::mem::take(&mut self.dirty) {
            let (standing, key) = place(self.column, source, &mut self.memo, slot, now);
            self.reserve(slot);
            let before = std::mem::replace(&mut self.standings[slot.index()], standing);
            let old = std::mem::replace(&mut self.keys[slot.index()], key);
            if (before, old) == (standing, key) {
                continue;
            }
            if let Some(part) = part(before) {
                gone[part].push(Entry { key: old, slot });
            }
            if let Some(part) = part(standing) {
                come[part].push(Entry { key, slot });
            }
        }
        let ([gone_live, gone_ended], [come_live, come_ended]) = (gone, come);
        self.live.merge(gone_live, come_live, &compare);
        self.ended.merge(gone_ended, come_ended, &compare);
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
        let (mut live, mut ended) = (Vec::new(), Vec::new());
        for (slot, task) in source.model.tasks().iter() {
            let (standing, key) = stand(self.column, source, &mut self.memo, task, now);
            self.reserve(slot);
            self.keys[slot.index()] = key;
            self.standings[slot.index()] = standing;
            match standing {
                Standing::Out => {}
                Standing::Live => live.push(Entry { key, slot }),
                Standing::Ended => ended.push(Entry { key, slot }),
            }
        }
        sort(self.column, source.model, &mut live);
        sort(self.column, source.model, &mut ended);
        self.live = Sorted::new(live);
        self.ended = Sorted::new(ended);
    }

    fn clear(&mut self) {
        *self = Self { column: self.column, direction: self.direction, stale: false, ..Self::default() };
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

fn place(column: TaskColumn, source: &Source, memo: &mut Memo, slot: Slot, now: Stamp) -> (Standing, u64) {
    source.model.tasks().at(slot).map_or((Standing::Out, 0), |task| stand(column, source, memo, task, now))
}

fn stand(column: TaskColumn, source: &Source, memo: &mut Memo, task: &Task, now: Stamp) -> (Standing, u64) {
    if !source.filter.matches(source.model, source.flags, memo, task, now) {
        return (Standing::Out, 0);
    }
    let standing = if task.state() == TaskState::Ended { Standing::Ended } else { Standing::Live };
    (standing, column.key(source.model, source.flags, task, now))
}

/// The order of a column. Keys of text stand for the text, and equal ones are equal without a look at it.
fn compare(column: TaskColumn, model: &Model) -> impl Fn(&Entry, &Entry) -> Ordering {
    let compares = column.compares();
    move |a: &Entry, b: &Entry| {
        let texts = if a.key == b.key { Ordering::Equal } else { texts(compares, model, a.key, b.key) };
        texts.then_with(|| a.cmp(b))
    }
}

fn texts(compares: Compares, model: &Model, a: u64, b: u64) -> Ordering {
    match compares {
        Compares::Numbers | Compares::Nothing => Ordering::Equal,
        Compares::Names => {
            let text = |key: u64| model.text(Sym::from_index(key as usize));
            text(a).cmp(text(b))
        }
        Compares::Places => {
            let place = |key: u64| model.place(PlaceId::from_index(key as usize));
            let (a, b) = (place(a), place(b));
            (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column))
        }
    }
}

/// Sorts from nothing. Each text is compared once, and then its rank.
fn sort(column: TaskColumn, model: &Model, entries: &mut [Entry]) {
    let compares = column.compares();
    if matches!(compares, Compares::Numbers | Compares::Nothing) {
        entries.sort_unstable();
        return;
    }
    let mut distinct: Vec<u64> = entries.iter().map(|entry| entry.key).collect();
    distinct.sort_unstable();
    distinct.dedup();
    distinct.sort_by(|&a, &b| texts(compares, model, a, b).then(a.cmp(&b)));
    let mut ranks = vec![0_u32; distinct.iter().max().map_or(0, |&most| most as usize + 1)];
    for (rank, &key) in distinct.iter().enumerate() {
        ranks[key as usize] = rank as u32;
    }
    entries.sort_unstable_by_key(|entry| (ranks[entry.key as usize], entry.slot));
}

#[cfg(test)]
mod tests;
