//! The columns of the task list: what they are called, how wide they are, which go first where room is scarce, and what
//! sorting by one compares. What a cell shows is `view/tasks/cells.rs`'s business.

use crate::{
    app::{
        filter::Cx,
        list::column::{Align, ColumnSpec, Width},
    },
    diagnose::Flag,
    model::{Batch, SPARK_SECONDS, Task, TaskState},
    update::{Fact, Knows, Stamp},
};

/// A column of the task list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TaskColumn {
    /// What is wrong with it.
    Flags,
    /// Tokio's number for it.
    Id,
    /// What it is doing.
    State,
    /// Its name.
    Name,
    /// Its age, or its whole life.
    Total,
    /// Time inside polls.
    Busy,
    /// Time in a run queue.
    Scheduled,
    /// Time neither busy nor scheduled.
    Idle,
    /// Polls.
    Polls,
    /// Polls per second.
    Rate,
    /// The share of the last seconds that it was busy.
    Load,
    /// How often it was woken.
    Wakes,
    /// What it awaits, where its memory is read.
    Awaits,
    /// What it was spawned as.
    Kind,
    /// Where it was spawned.
    Location,
    /// Its other fields.
    Fields,
}

/// The columns from left to right.
pub const TASK_COLUMNS: &[ColumnSpec<TaskColumn>] = &[
    ColumnSpec::new(TaskColumn::Flags, "Flags", Align::Left, Width::Fixed(6), 0),
    ColumnSpec::new(TaskColumn::Id, "ID", Align::Right, Width::Whole(3, 10), 0),
    ColumnSpec::new(TaskColumn::State, "State", Align::Left, Width::Fixed(9), 3),
    ColumnSpec::new(TaskColumn::Name, "Name", Align::Left, Width::Fit(12, 28), 0),
    ColumnSpec::new(TaskColumn::Total, "Total", Align::Right, Width::Fixed(7), 5),
    ColumnSpec::new(TaskColumn::Busy, "Busy", Align::Right, Width::Fixed(7), 0),
    ColumnSpec::new(TaskColumn::Scheduled, "Sched", Align::Right, Width::Fixed(7), 2),
    ColumnSpec::new(TaskColumn::Idle, "Idle", Align::Right, Width::Fixed(7), 4),
    ColumnSpec::new(TaskColumn::Polls, "Polls", Align::Right, Width::Fixed(6), 1),
    ColumnSpec::new(TaskColumn::Rate, "Polls/s", Align::Right, Width::Fixed(7), 7),
    ColumnSpec::new(TaskColumn::Load, "Busy 10s", Align::Left, Width::Fixed(SPARK_SECONDS as u16), 6),
    ColumnSpec::new(TaskColumn::Wakes, "Wakes", Align::Right, Width::Fixed(6), 8),
    ColumnSpec::new(TaskColumn::Awaits, "Awaits", Align::Left, Width::Fit(30, 70), 0),
    ColumnSpec::new(TaskColumn::Kind, "Kind", Align::Left, Width::Fit(8, 8), 9),
    ColumnSpec::new(TaskColumn::Location, "Location", Align::Left, Width::Fit(18, 40), 0),
    ColumnSpec::new(TaskColumn::Fields, "Fields", Align::Left, Width::Fill(6, 20), 10),
];

/// What a column's order compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compares {
    /// Numbers.
    Numbers,
    /// The names that the keys stand for.
    Names,
    /// The places that the keys stand for.
    Places,
    /// Nothing: there is no order.
    Nothing,
}

/// How a column's order lives: when a key that nobody reported anew is no longer true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ages {
    /// Never.
    Never,
    /// While the task runs or waits to.
    WhileHot,
    /// Always, slowly.
    Slowly,
}

impl TaskColumn {
    /// What a source must tell for there to be anything in it: of all that any source tells there is something, as far as nothing
    /// is named here.
    pub fn needs(self) -> Option<Fact> {
        match self {
            Self::Total => Some(Fact::Ages),
            Self::Busy | Self::Polls | Self::Rate | Self::Load => Some(Fact::Polls),
            Self::Awaits => Some(Fact::Chains),
            _ => None,
        }
    }

    /// Whether it is shown: a column that no row has anything in takes the room of others. One that some rows may have something
    /// in is.
    pub fn is_shown(self, knows: &Knows) -> bool {
        let without_polls = matches!(self, Self::Scheduled | Self::Idle | Self::Wakes) && !knows.has(Fact::Polls);
        !without_polls && self.needs().is_none_or(|fact| knows.has(fact))
    }

    /// What its order compares.
    pub fn compares(self) -> Compares {
        match self {
            Self::Name => Compares::Names,
            Self::Location => Compares::Places,
            Self::Fields => Compares::Nothing,
            _ => Compares::Numbers,
        }
    }

    /// How its keys age.
    pub fn ages(self) -> Ages {
        match self {
            Self::Flags | Self::Busy | Self::Scheduled | Self::Idle => Ages::WhileHot,
            Self::Rate | Self::Load => Ages::Slowly,
            _ => Ages::Never,
        }
    }

    /// Whether the largest comes first until the user says otherwise.
    pub fn starts_with_the_largest(self) -> bool {
        !matches!(self, Self::Id | Self::Name | Self::Kind | Self::Location | Self::State | Self::Awaits)
    }

    /// Tells of each task of a batch what it is sorted by, at the instant of the latest update. A value that grows for every live
    /// task alike stands relative to what all of them share, so that it does not change while nobody reports anything; live
    /// and ended tasks are never compared with each other.
    #[inline]
    pub(crate) fn keys(self, cx: &Cx, batch: &Batch, mut tell: impl FnMut(&Task, u64)) {
        let now = cx.now;
        // Which column it is, is asked once, and not of every task.
        match self {
            Self::Flags => batch.each(|task| tell(task, flagged_key(cx, task))),
            Self::Id => batch.each(|task| tell(task, task.display_id())),
            Self::State => batch.each(|task| tell(task, state_key(task))),
            Self::Name => batch.each(|task| tell(task, task.name().index() as u64)),
            Self::Total => batch.each(|task| tell(task, total_key(task, now))),
            Self::Busy => batch.each(|task| tell(task, task.busy_nanos(now))),
            Self::Scheduled => batch.each(|task| tell(task, task.scheduled_nanos(now))),
            Self::Idle => batch.each(|task| tell(task, idle_key(task, now))),
            Self::Polls => batch.each(|task| tell(task, task.polls())),
            Self::Rate => batch.each_by_recent(|recent| milli(recent.poll_rate(now)), tell),
            Self::Load => batch.each_by_recent(
                |recent| milli(recent.load(now)),
                |task, load| match task.state() {
                    TaskState::Running => tell(task, milli(task.load(now))),
                    _ => tell(task, load),
                },
            ),
            Self::Wakes => batch.each(|task| tell(task, task.wakes())),
            Self::Awaits => batch.each(|task| tell(task, awaits_key(task))),
            Self::Kind => batch.each(|task| tell(task, task.kind() as u64)),
            Self::Location => batch.each(|task| tell(task, task.place().index() as u64)),
            Self::Fields => batch.each(|task| tell(task, 0)),
        }
    }
}

/// The worst first, and among equals the busiest.
#[inline]
fn flagged_key(cx: &Cx, task: &Task) -> u64 {
    const BUSY_BITS: u32 = 55;
    let busy = task.busy_nanos(cx.now).min((1 << BUSY_BITS) - 1);
    let rank = cx.engine.flag(cx.model, task.slot()).map_or(0, Flag::rank);
    (rank << BUSY_BITS) | busy
}

fn state_key(task: &Task) -> u64 {
    match task.state() {
        TaskState::Running => 0,
        TaskState::Scheduled => 1,
        TaskState::Idle => 2,
        TaskState::Ended => 3,
    }
}

/// Those that sleep in the same place stand together; of what is not known, behind all others.
fn awaits_key(task: &Task) -> u64 {
    task.look().and_then(|look| look.chain).map_or(u64::MAX, u64::from)
}

fn total_key(task: &Task, now: Stamp) -> u64 {
    match task.state() {
        TaskState::Ended => task.total_nanos(now),
        _ => since_created(task, 0),
    }
}

/// Idle time is age less the rest; age is what all that live share, so that the rest alone decides.
fn idle_key(task: &Task, now: Stamp) -> u64 {
    match task.state() {
        TaskState::Ended => task.idle_nanos(now),
        _ => since_created(task, task.busy_nanos(now).saturating_add(task.scheduled_nanos(now))),
    }
}

/// The later it was spawned, and the more is to be taken from its age, the smaller.
fn since_created(task: &Task, less: u64) -> u64 {
    task.created().map_or(0, |created| u64::MAX - created.nanos().saturating_add(less))
}

fn milli(value: f64) -> u64 {
    (value * 1_000.0) as u64
}
