//! What a lock's page shows: the lock itself, who holds it and who waits for it, and who waits for whom.

use super::{
    list::LockRow,
    wait_tree::{TreeLine, wait_tree},
};
use crate::{
    app::{
        findings::lines::{FindingLine, findings_of_lock},
        frame::RowId,
        histogram::Distribution,
        labels::{holder_label, span_label},
        list::column::{Align, ColumnSpec, Direction, Width},
        list::rows::ListRow,
    },
    model::{AcrossAwait, Hold, Model, Task},
    session::Session,
    update::{Access, Across, Fact, OpId, ResourceId, Stack, Stamp, TaskId},
};
use std::{cmp::Ordering, sync::Arc, time::Duration};

/// One lock, with everything that its page says above the list of its users.
#[derive(Debug, Clone)]
pub struct LockDetail {
    /// As in the list.
    pub row: LockRow,
    /// Where it was made.
    pub place: String,
    /// Its type, and by what name a frame refers to it, where memory tells that beside what its source tells.
    pub called: Option<(String, String)>,
    /// Why it is not proven who has it, where memory tells that.
    pub doubt: Option<String>,
    /// Its age, or its whole life; `None` where it is not told.
    pub age: Option<Duration>,
    /// Who holds it, in words.
    pub holder: Option<String>,
    /// Whether that task has ended, and its guard has not.
    pub outlived: bool,
    /// Whether it is told how often it was taken.
    pub counts: Counts,
    /// The longest wait of an acquire that got it.
    pub longest_wait: Duration,
    /// Tasks that slept with it.
    pub across: AcrossAwait,
    /// The latest of them, in words.
    pub across_by: Option<String>,
    /// How long it was held, as far as hand-overs tell.
    pub hold_times: Distribution,
    /// Who waits for whom.
    pub tree: Vec<TreeLine>,
    /// Where those who hold it acquired it and where they sleep, as far as an agent captured that.
    pub places: Vec<HoldPlaces>,
    /// What was found.
    pub findings: Vec<FindingLine>,
}

/// Whether it is told how often a lock was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    /// It is.
    Told,
    /// The source does not know.
    NotTold,
}

/// Where one who holds a lock acquired it, and where they sleep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldPlaces {
    /// Who, in words.
    pub holder: String,
    /// The line of the acquire.
    pub acquired: Option<String>,
    /// The line of the await.
    pub asleep: Option<String>,
    /// The service's own spans that the holder is in, in one line.
    pub span: Option<String>,
}

/// A page tells this of so many holders.
const PLACES_MOST: usize = 3;

fn hold_places(model: &Model, holds: &[Hold]) -> Vec<HoldPlaces> {
    let of_hold = |hold: &Hold| {
        let top = |stack: &Option<Arc<Stack>>| Some(stack.as_ref()?.top()?.in_words());
        Some(HoldPlaces {
            holder: holder_label(model, hold),
            acquired: top(&hold.acquired_at),
            asleep: top(&hold.suspended_at),
            span: span_label(model, hold.acquire.task),
        })
        .filter(|places| places.acquired.is_some() || places.asleep.is_some() || places.span.is_some())
    };
    holds.iter().filter_map(of_hold).take(PLACES_MOST).collect()
}

/// What memory calls a lock that another source tells of.
fn called(model: &Model, id: ResourceId) -> Option<(String, String)> {
    let thing = model.thing_of_row(id).filter(|thing| thing.id.0 != id.0)?;
    Some((thing.label().to_owned(), thing.names.first().map(ToString::to_string).unwrap_or_default()))
}

impl LockDetail {
    /// A lock as it is; `None` where there is none of that id, or no longer.
    pub fn of(session: &Session, id: ResourceId, now: Stamp) -> Option<Self> {
        let model = session.model();
        let (resource, lock) = model.lock(id)?;
        let row = LockRow::of(model, id, now)?;
        let first = lock.first_hold();
        Some(Self {
            row,
            place: model.place(resource.place).to_string(),
            called: called(model, id),
            doubt: model.doubt(id).map(ToOwned::to_owned),
            age: resource.created.map(|created| resource.dropped.unwrap_or(now).since(created)),
            holder: first.map(|hold| holder_label(model, hold)),
            outlived: first.is_some_and(|hold| hold.outlived),
            places: hold_places(model, &lock.holds),
            counts: if model.knows().has(Fact::LockCounts) { Counts::Told } else { Counts::NotTold },
            longest_wait: lock.longest_wait,
            across_by: lock.across.latest.as_ref().map(|hold| holder_label(model, hold)),
            across: lock.across.clone(),
            hold_times: Distribution::of_hold_times(&lock.hold_times),
            tree: wait_tree(model, id),
            findings: findings_of_lock(session.engine(), id, model.attached()),
        })
    }
}

/// What somebody does with a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Holds it, and was seen asleep with it.
    HoldsAsleep,
    /// Has ended, and its guard holds it.
    Outlived,
    /// Holds it.
    Holds,
    /// Waits for it, as the one with this number in the queue, from 1.
    Waits(usize),
}

/// Somebody who holds a lock, or waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockUserRow {
    /// The operation that they got it by, or wait in.
    pub op: OpId,
    /// Who.
    pub task: TaskId,
    /// What they do with it.
    pub role: Role,
    /// How they have it, or want it.
    pub access: Access,
    /// For how long; `None` where it is not told.
    pub time: Option<Duration>,
}

/// A column of the list of its users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LockUserColumn {
    /// Holders first, then the queue.
    Role,
    /// For how long.
    Time,
    /// To read or to write.
    Access,
    /// Who.
    Task,
    /// What the task is doing.
    State,
    /// Where it was spawned.
    Location,
}

impl ListRow for LockUserRow {
    type Id = OpId;
    type Column = LockUserColumn;

    const COLUMNS: &'static [ColumnSpec<LockUserColumn>] = &[
        ColumnSpec::new(LockUserColumn::Role, "Queue", Align::Left, Width::Fixed(13), 0),
        ColumnSpec::new(LockUserColumn::Time, "For", Align::Right, Width::Fixed(7), 0),
        ColumnSpec::new(LockUserColumn::Access, "Access", Align::Left, Width::Fixed(9), 2),
        ColumnSpec::new(LockUserColumn::Task, "Task", Align::Left, Width::Fit(14, 40), 0),
        ColumnSpec::new(LockUserColumn::State, "State", Align::Left, Width::Fixed(11), 1),
        ColumnSpec::new(LockUserColumn::Location, "Location", Align::Left, Width::Fill(12, 60), 0),
    ];
    const ORDER: (LockUserColumn, Direction) = (LockUserColumn::Role, Direction::Ascending);

    fn id(&self) -> OpId {
        self.op
    }
    fn row(id: OpId) -> RowId {
        RowId::Op(id)
    }
    fn of_row(row: RowId) -> Option<OpId> {
        if let RowId::Op(id) = row { Some(id) } else { None }
    }

    fn compare(&self, other: &Self, column: LockUserColumn, model: &Model) -> Ordering {
        let task = |row: &Self| model.tasks().get(row.task);
        match column {
            LockUserColumn::Role => (self.role, self.time).cmp(&(other.role, other.time)),
            LockUserColumn::Time => self.time.cmp(&other.time),
            LockUserColumn::Access => (self.access as u8).cmp(&(other.access as u8)),
            LockUserColumn::Task => {
                let name = |row: &Self| task(row).map(|task| model.task_name(&task));
                (name(self), self.task).cmp(&(name(other), other.task))
            }
            LockUserColumn::State => task(self).map(Task::state).cmp(&task(other).map(Task::state)),
            LockUserColumn::Location => {
                let place =
                    |row: &Self| task(row).map(|task| model.place(task.place())).map(|place| (&place.file, place.line));
                place(self).cmp(&place(other))
            }
        }
    }
}

/// Who holds a lock, and who waits for it.
pub fn lock_users(model: &Model, id: ResourceId, now: Stamp) -> Vec<LockUserRow> {
    let Some((_, lock)) = model.lock(id) else { return Vec::new() };
    let holders = lock.holds.iter().map(|hold| LockUserRow {
        op: hold.acquire.op,
        task: hold.acquire.task,
        role: match hold.across {
            _ if hold.outlived => Role::Outlived,
            Across::Await => Role::HoldsAsleep,
            Across::SamePoll => Role::Holds,
        },
        access: hold.acquire.access,
        time: Some(model.held_for(id, hold, now)),
    });
    let waiters = model.waiters(id);
    let waiters = waiters.iter().enumerate().map(|(at, waiter)| LockUserRow {
        op: waiter.op,
        task: waiter.task.unwrap_or(TaskId::NONE),
        role: Role::Waits(at + 1),
        access: waiter.access,
        time: waiter.since.map(|since| now.since(since)),
    });
    holders.chain(waiters).collect()
}
