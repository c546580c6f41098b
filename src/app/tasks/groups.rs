//! The task list grouped by spawn location, by chain or by what is awaited: sums that are kept up from what changed.

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
    model::{AwaitsKey, Model, PlaceId, Slot, SpawnSums, Task, TaskState},
    update::{Fact, Knows, nanos},
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

/// The columns from left to right.
pub const GROUP_COLUMNS: &[ColumnSpec<GroupColumn>] = &[
    ColumnSpec::new(GroupColumn::Flags, "Flagged", Align::Right, Width::Fixed(7), 0),
    ColumnSpec::new(GroupColumn::Live, "Live", Align::Right, Width::Fixed(7), 0),
    ColumnSpec::new(GroupColumn::Running, "Running", Align::Right, Width::Fixed(7), 1),
    ColumnSpec::new(GroupColumn::Ended, "Ended", Align::Right, Width::Fixed(7), 2),
    ColumnSpec::new(GroupColumn::Polls, "Polls", Align::Right, Width::Fixed(7), 0),
    ColumnSpec::new(GroupColumn::Busy, "Busy", Align::Right, Width::Fixed(7), 0),
    ColumnSpec::new(GroupColumn::Location, "Spawned at", Align::Left, Width::Fill(12, 40), 0),
];

/// What the tasks of one row have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GroupBy {
    /// Where they were spawned.
    #[default]
    Place,
    /// What they await, frame by frame.
    Chain,
    /// What they wait for.
    Awaits,
}

impl GroupBy {
    /// The next, where there are chains to group by; none after the last.
    pub fn next(self, knows: &Knows) -> Option<Self> {
        match self {
            _ if !knows.has(Fact::Chains) => None,
            Self::Place => Some(Self::Chain),
            Self::Chain => Some(Self::Awaits),
            Self::Awaits => None,
        }
    }

    /// What the last column is called. Memory knows where a future is written, and not where it was spawned.
    pub fn title(self, knows: &Knows) -> &'static str {
        match self {
            Self::Place if !knows.has(Fact::Polls) => "Written at",
            Self::Place => "Spawned at",
            Self::Chain => "Awaits in",
            Self::Awaits => "Waits for",
        }
    }
}

/// What a row stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GroupKey {
    /// A spawn location.
    Place(PlaceId),
    /// A chain; those whose chain is not known are together.
    Chain(Option<u32>),
    /// Something that is waited for.
    Awaits(AwaitsKey),
}

impl GroupKey {
    fn of(by: GroupBy, model: &Model, task: &Task) -> Self {
        match by {
            GroupBy::Place => Self::Place(task.place()),
            GroupBy::Chain => Self::Chain(task.look().and_then(|look| look.chain)),
            GroupBy::Awaits => Self::Awaits(model.awaits_key(task)),
        }
    }

    /// In words.
    pub fn in_words(self, model: &Model) -> String {
        match self {
            Self::Place(place) => model.place(place).to_string(),
            Self::Chain(Some(chain)) => model.chain_in_words(chain),
            Self::Chain(None) => "not known".into(),
            Self::Awaits(key) => model.awaits_key_in_words(key),
        }
    }
}

/// The tasks of one row, together.
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

impl From<&SpawnSums> for Sums {
    fn from(sums: &SpawnSums) -> Self {
        let SpawnSums { live, running, ended, polls, .. } = *sums;
        Self { flagged: 0, live, running, ended, polls, busy: nanos(sums.busy()) }
    }
}

/// What one task adds to its row's sums.
#[derive(Debug, Clone, Copy)]
struct Share {
    key: GroupKey,
    state: TaskState,
    polls: u64,
    busy: u64,
}

/// What the tasks that the filter lets through have in common.
#[derive(Debug)]
pub struct Groups {
    /// What that is.
    pub by: GroupBy,
    /// The column that decides.
    pub column: GroupColumn,
    /// Which end comes first.
    pub direction: Direction,
    sums: FxHashMap<GroupKey, Sums>,
    shares: Vec<Option<Share>>,
    order: Vec<GroupKey>,
    cache: Cache,
}

impl Default for Groups {
    /// The most crowded first.
    fn default() -> Self {
        Self {
            by: GroupBy::Place,
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
    /// The rows, in order.
    pub fn order(&self) -> &[GroupKey] {
        &self.order
    }

    /// One row's sums.
    pub fn sums(&self, key: GroupKey) -> Sums {
        self.sums.get(&key).copied().unwrap_or_default()
    }

    /// Brings the sums and their order up to date with everything that has changed.
    pub fn settle(&mut self, source: &Source, changed: &mut Changed) {
        if changed.is_everything() {
            *self = Self { by: self.by, column: self.column, direction: self.direction, ..Self::default() };
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
        // The rows of others are not there, and their sums are.
        if let (GroupBy::Place, Some(outline)) = (self.by, source.model.outlined())
            && source.filter.is_empty()
        {
            self.sums = outline.sums().map(|(place, sums)| (GroupKey::Place(place), sums.into())).collect();
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
            key: GroupKey::of(self.by, source.model, &task),
            state: task.state(),
            polls: task.polls(),
            busy: task.busy_nanos(cx.now),
        });
        if let Some(before) = std::mem::replace(&mut self.shares[slot.index()], share) {
            let sums = self.sums.entry(before.key).or_default();
            sums.live -= u64::from(before.state != TaskState::Ended);
            sums.running -= u64::from(before.state == TaskState::Running);
            sums.ended -= u64::from(before.state == TaskState::Ended);
            sums.polls = sums.polls.wrapping_sub(before.polls);
            sums.busy = sums.busy.wrapping_sub(before.busy);
        }
        if let Some(share) = share {
            let sums = self.sums.entry(share.key).or_default();
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
            if let Some(sums) = share.and_then(|share| self.sums.get_mut(&share.key)) {
                sums.flagged += 1;
            }
        }
    }

    fn sort(&mut self, model: &Model) {
        let mut order: Vec<GroupKey> = self.sums.keys().copied().collect();
        let number = |key: GroupKey| {
            let sums = self.sums(key);
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
        let place = |key: GroupKey| match key {
            GroupKey::Place(id) => {
                let place = model.place(id);
                (place.file.as_str(), place.line, place.column, key)
            }
            GroupKey::Chain(_) | GroupKey::Awaits(_) => ("", 0, 0, key),
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
