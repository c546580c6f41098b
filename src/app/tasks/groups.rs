//! The task list grouped by spawn location: sums that are kept up from what changed.

use super::{
    changed::{Aging, Changed},
    scan::Source,
};
use crate::{
    app::{
        filter::{Cache, Cx},
        list::column::{Align, ColumnSpec, Direction, Width},
    },
    diagnose::Engine,
    model::{Model, PlaceId, Slot, Task, TaskState},
};
use rustc_hash::FxHashMap;
use std::time::Duration;

/// A column of the grouped list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GroupColumn {
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
    column: GroupColumn,
    title: &'static str,
    align: Align,
    width: Width,
    drop: u8,
) -> ColumnSpec<GroupColumn> {
    ColumnSpec { column, title, align, width, drop }
}

/// The columns from left to right.
pub const GROUP_COLUMNS: &[ColumnSpec<GroupColumn>] = &[
    spec(GroupColumn::Flags, "Flagged", Align::Right, Width::Fixed(7), 0),
    spec(GroupColumn::Live, "Live", Align::Right, Width::Fixed(7), 0),
    spec(GroupColumn::Running, "Running", Align::Right, Width::Fixed(7), 1),
    spec(GroupColumn::Ended, "Ended", Align::Right, Width::Fixed(7), 2),
    spec(GroupColumn::Polls, "Polls", Align::Right, Width::Fixed(7), 0),
    spec(GroupColumn::Busy, "Busy", Align::Right, Width::Fixed(7), 0),
    spec(GroupColumn::Location, "Spawned at", Align::Left, Width::Fill(12, 40), 0),
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
pub struct Groups {
    /// The column that decides.
    pub column: GroupColumn,
    /// Which end comes first.
    pub direction: Direction,
    sums: FxHashMap<PlaceId, Sums>,
    shares: Vec<Option<Share>>,
    order: Vec<PlaceId>,
    cache: Cache,
}

impl Default for Groups {
    /// The most crowded first.
    fn default() -> Self {
        Self {
            column: GroupColumn::Live,
            direction: Direction::Descending,
            sums: FxHashMap::default(),
            shares: Vec::new(),
            order: Vec::new(),
            cache: Cache::default(),
        }
    }
}

impl Groups {
    /// The places, in order.
    pub fn order(&self) -> &[PlaceId] {
        &self.order
    }

    /// One place's sums.
    pub fn sums(&self, place: PlaceId) -> Sums {
        self.sums.get(&place).copied().unwrap_or_default()
    }

    /// Brings the sums and their order up to date with everything that has changed.
    pub fn settle(&mut self, source: &Source, changed: &mut Changed) {
        if changed.is_everything() {
            *self = Self { column: self.column, direction: self.direction, ..Self::default() };
        }
        let Some(now) = source.model.now() else { return };
        let slots = if changed.is_everything() {
            changed.forget();
            source.model.tasks().iter().map(Task::slot).collect()
        } else {
            // The time in polls that go on, and what the filter says of times.
            changed.take(source, if source.filter.ages() { Aging::All } else { Aging::Hot })
        };
        let cx = source.cx(now);
        for slot in slots {
            self.account(source, &cx, slot);
        }
        self.sums.retain(|_, sums| !sums.is_empty());
        self.count_flagged(source.model, source.engine);
        self.sort(source.model);
    }

    fn account(&mut self, source: &Source, cx: &Cx, slot: Slot) {
        if slot.index() >= self.shares.len() {
            self.shares.resize(slot.index() + 1, None);
        }
        let task = source.model.tasks().at(slot);
        let task = task.filter(|task| source.filter.matches(cx, &mut self.cache, task));
        let share = task.map(|task| Share {
            place: task.place(),
            state: task.state(),
            polls: task.polls(),
            busy: task.busy_nanos(cx.now),
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
                GroupColumn::Flags => sums.flagged,
                GroupColumn::Live => sums.live,
                GroupColumn::Running => sums.running,
                GroupColumn::Ended => sums.ended,
                GroupColumn::Polls => sums.polls,
                GroupColumn::Busy => sums.busy,
                GroupColumn::Location => 0,
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
                (GroupColumn::Location, Direction::Ascending) => texts,
                (GroupColumn::Location, Direction::Descending) => texts.reverse(),
                (_, Direction::Ascending) => numbers.then(texts),
                (_, Direction::Descending) => numbers.reverse().then(texts),
            }
        });
        self.order = order;
    }
}
