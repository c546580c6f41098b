//! The task list grouped by spawn location: sums that are kept up from what changed.

use super::{
    columns::{Align, ColumnSpec, Width},
    order::{Direction, SWEEP},
    scan::Source,
};
use crate::{
    app::filter::Memo,
    diagnose::Engine,
    model::{Model, PlaceId, Slot, Stamp, TaskState},
};
use rustc_hash::FxHashMap;
use std::time::Duration;

/// A column of the grouped list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PlaceColumn {
    /// Tasks with findings.
    Flags,
    /// Tasks that are alive.
    Live,
    /// Tasks inside a poll.
    Running,
    /// Tasks that have ended and are still known.
    Ended,
    /// Polls of all.
    Polls,
    /// Time inside polls of all.
    Busy,
    /// The place.
    Location,
}

const fn spec(
    column: PlaceColumn,
    title: &'static str,
    align: Align,
    width: Width,
    drop: u8,
) -> ColumnSpec<PlaceColumn> {
    ColumnSpec { column, title, align, width, drop }
}

/// The columns from left to right.
pub const PLACE_COLUMNS: &[ColumnSpec<PlaceColumn>] = &[
    spec(PlaceColumn::Flags, "Flagged", Align::Right, Width::Fixed(7), 0),
    spec(PlaceColumn::Live, "Live", Align::Right, Width::Fixed(7), 0),
    spec(PlaceColumn::Running, "Running", Align::Right, Width::Fixed(7), 1),
    spec(PlaceColumn::Ended, "Ended", Align::Right, Width::Fixed(7), 2),
    spec(PlaceColumn::Polls, "Polls", Align::Right, Width::Fixed(7), 0),
    spec(PlaceColumn::Busy, "Busy", Align::Right, Width::Fixed(7), 0),
    spec(PlaceColumn::Location, "Spawned at", Align::Left, Width::Fill(12, 40), 0),
];

/// The tasks of one spawn location, together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    /// With findings.
    pub flagged: u64,
    /// Alive.
    pub live: u64,
    /// Inside a poll.
    pub running: u64,
    /// Ended, and still known.
    pub ended: u64,
    /// Polls.
    pub polls: u64,
    /// Nanoseconds inside polls.
    busy: u64,
}

impl Sums {
    /// Time inside polls, those included that went on at the latest update.
    pub fn busy(&self) -> Duration {
        Duration::from_nanos(self.busy)
    }

    fn is_empty(&self) -> bool {
        self.live == 0 && self.ended == 0
    }
}

/// What one task adds to its place's sums.
#[derive(Debug, Clone, Copy)]
struct Share {
    place: PlaceId,
    state: TaskState,
    polls: u64,
    busy: u64,
}

/// The spawn locations of the tasks that the filter lets through.
#[derive(Debug)]
pub struct Places {
    /// The column that decides.
    pub column: PlaceColumn,
    /// Which end comes first.
    pub direction: Direction,
    sums: FxHashMap<PlaceId, Sums>,
    shares: Vec<Option<Share>>,
    order: Vec<PlaceId>,
    dirty: Vec<Slot>,
    memo: Memo,
    swept: usize,
    stale: bool,
    updated: bool,
}

impl Default for Places {
    /// The most crowded first.
    fn default() -> Self {
        Self {
            column: PlaceColumn::Live,
            direction: Direction::Descending,
            sums: FxHashMap::default(),
            shares: Vec::new(),
            order: Vec::new(),
            dirty: Vec::new(),
            memo: Memo::default(),
            swept: 0,
            stale: true,
            updated: false,
        }
    }
}

impl Places {
    /// The places, in order.
    pub fn order(&self) -> &[PlaceId] {
        &self.order
    }

    /// One place's sums.
    pub fn sums(&self, place: PlaceId) -> Sums {
        self.sums.get(&place).copied().unwrap_or_default()
    }

    /// Forgets everything.
    pub fn restart(&mut self) {
        *self = Self { column: self.column, direction: self.direction, ..Self::default() };
    }

    /// Takes note of what the model's latest update changed.
    pub fn note(&mut self, model: &Model, engine: &Engine) {
        if model.changes().renamed {
            self.restart();
        }
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

    /// Whether so much waits for [`Places::settle`] that it should be done even while nobody looks.
    pub fn is_behind(&self) -> bool {
        self.stale || self.dirty.len() > self.shares.len() / 8
    }

    /// Brings the sums and their order up to date.
    pub fn settle(&mut self, source: &Source) {
        let Some(now) = source.model.now() else { return };
        if std::mem::take(&mut self.stale) {
            self.dirty.clear();
            self.dirty.extend(source.model.tasks().iter().map(|(slot, _)| slot));
        } else if std::mem::take(&mut self.updated) {
            self.age(source);
        }
        for slot in std::mem::take(&mut self.dirty) {
            self.account(source, slot, now);
        }
        self.sums.retain(|_, sums| !sums.is_empty());
        self.count_flagged(source.model, source.engine);
        self.sort(source.model);
    }

    /// Adds what may have changed although nobody reported it: the time in polls that go on, and what the filter says of times.
    fn age(&mut self, source: &Source) {
        self.dirty.extend(source.model.hot().map(|(slot, _)| slot));
        if source.filter.ages() {
            let slots = self.shares.len();
            let count = SWEEP.min(slots);
            self.dirty.extend((self.swept..self.swept + count).map(|index| Slot::from_index(index % slots)));
            self.swept = if slots == 0 { 0 } else { (self.swept + count) % slots };
        }
    }

    fn account(&mut self, source: &Source, slot: Slot, now: Stamp) {
        if slot.index() >= self.shares.len() {
            self.shares.resize(slot.index() + 1, None);
        }
        let task = source.briefs.at(slot, source.model);
        let task = task.filter(|task| source.filter.matches(source.engine, &mut self.memo, task, now));
        let share = task.map(|task| Share {
            place: task.place(),
            state: task.state(),
            polls: task.polls(),
            busy: task.busy(now),
        });
        if let Some(before) = std::mem::replace(&mut self.shares[slot.index()], share) {
            let sums = self.sums.entry(before.place).or_default();
            sums.live -= u64::from(before.state != TaskState::Ended);
            sums.running -= u64::from(before.state == TaskState::Running);
            sums.ended -= u64::from(before.state == TaskState::Ended);
            sums.polls = sums.polls.wrapping_sub(before.polls);
            sums.busy = sums.busy.wrapping_sub(before.busy);
        }
        if let Some(share) = share {
            let sums = self.sums.entry(share.place).or_default();
            sums.live += u64::from(share.state != TaskState::Ended);
            sums.running += u64::from(share.state == TaskState::Running);
            sums.ended += u64::from(share.state == TaskState::Ended);
            sums.polls = sums.polls.wrapping_add(share.polls);
            sums.busy = sums.busy.wrapping_add(share.busy);
        }
    }

    fn count_flagged(&mut self, model: &Model, engine: &Engine) {
        for sums in self.sums.values_mut() {
            sums.flagged = 0;
        }
        for slot in engine.flagged().filter(|&slot| engine.flag(model, slot).is_some()) {
            // What the filter keeps out is in none of the sums.
            let share = self.shares.get(slot.index()).copied().flatten();
            if let Some(sums) = share.and_then(|share| self.sums.get_mut(&share.place)) {
                sums.flagged += 1;
            }
        }
    }

    fn sort(&mut self, model: &Model) {
        let mut order: Vec<PlaceId> = self.sums.keys().copied().collect();
        let number = |place: PlaceId| {
            let sums = self.sums(place);
            match self.column {
                PlaceColumn::Flags => sums.flagged,
                PlaceColumn::Live => sums.live,
                PlaceColumn::Running => sums.running,
                PlaceColumn::Ended => sums.ended,
                PlaceColumn::Polls => sums.polls,
                PlaceColumn::Busy => sums.busy,
                PlaceColumn::Location => 0,
            }
        };
        let place = |id: PlaceId| {
            let place = model.place(id);
            (&place.file, place.line, place.column)
        };
        order.sort_by(|&a, &b| {
            let numbers = number(a).cmp(&number(b));
            let texts = place(a).cmp(&place(b));
            match (self.column, self.direction) {
                (PlaceColumn::Location, Direction::Ascending) => texts,
                (PlaceColumn::Location, Direction::Descending) => texts.reverse(),
                (_, Direction::Ascending) => numbers.then(texts),
                (_, Direction::Descending) => numbers.reverse().then(texts),
            }
        });
        self.order = order;
    }
}
