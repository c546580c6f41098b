//! The list of locks: one row each, and the columns that it can be sorted by.

use crate::{
    app::{
        frame::RowId,
        list::column::{Align, ColumnSpec, Direction, Width},
        list::rows::ListRow,
    },
    model::{Basis, LockKind, LockState, Model, PlaceId, Unknown},
    update::{Across, ResourceId, Stamp, TaskId},
};
use std::{cmp::Ordering, time::Duration};

/// One lock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LockRow {
    /// Its id.
    pub id: ResourceId,
    /// What it is known by.
    pub number: u32,
    /// Mutex or `RwLock`.
    pub kind: LockKind,
    /// Where it was made.
    pub place: PlaceId,
    /// As its own report says.
    pub state: LockState,
    /// Who holds it; of several, who has held it for longest.
    pub holder: Option<TaskId>,
    /// How many more hold it.
    pub others: usize,
    /// Why nobody can tell who holds it.
    pub unknown: Option<Unknown>,
    /// Whether a holder sleeps.
    pub across: Option<Across>,
    /// How long the holder has held it.
    pub held: Option<Duration>,
    /// How many wait.
    pub waiters: usize,
    /// How long the first of them has waited.
    pub wait: Option<Duration>,
    /// Acquires seen.
    pub acquisitions: u64,
    /// Acquires per second.
    pub rate: f64,
    /// The share of acquires that had to wait, from 0 to 1; `None` before the first.
    pub contended: Option<f64>,
    /// How it is known who holds it.
    pub basis: Basis,
    /// Whether the lock still exists.
    pub gone: bool,
}

/// A column of the list of locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LockColumn {
    /// Its number.
    Id,
    /// Mutex or `RwLock`.
    Kind,
    /// Free, held, or by how many readers.
    State,
    /// By whom.
    Holder,
    /// For how long.
    Held,
    /// How many wait.
    Waiters,
    /// For how long.
    Wait,
    /// Acquires seen.
    Acquired,
    /// Acquires per second.
    Rate,
    /// How many of them had to wait.
    Contended,
    /// Where it was made.
    Location,
}

impl ListRow for LockRow {
    type Id = ResourceId;
    type Column = LockColumn;

    const COLUMNS: &'static [ColumnSpec<LockColumn>] = &[
        ColumnSpec::new(LockColumn::Id, "ID", Align::Right, Width::Whole(3, 10), 2),
        ColumnSpec::new(LockColumn::Kind, "Kind", Align::Left, Width::Fixed(6), 1),
        ColumnSpec::new(LockColumn::State, "State", Align::Left, Width::Fixed(10), 0),
        ColumnSpec::new(LockColumn::Holder, "Holder", Align::Left, Width::Fit(12, 30), 0),
        ColumnSpec::new(LockColumn::Held, "Held", Align::Right, Width::Fixed(7), 0),
        ColumnSpec::new(LockColumn::Waiters, "Wait", Align::Right, Width::Fixed(5), 0),
        ColumnSpec::new(LockColumn::Wait, "Longest", Align::Right, Width::Fixed(8), 0),
        ColumnSpec::new(LockColumn::Acquired, "Acquired", Align::Right, Width::Fixed(9), 5),
        ColumnSpec::new(LockColumn::Rate, "Acq/s", Align::Right, Width::Fixed(6), 3),
        ColumnSpec::new(LockColumn::Contended, "Cont", Align::Right, Width::Fixed(5), 4),
        ColumnSpec::new(LockColumn::Location, "Location", Align::Left, Width::Fill(12, 60), 0),
    ];

    /// Those with the most waiters first.
    const ORDER: (LockColumn, Direction) = (LockColumn::Waiters, Direction::Descending);

    fn id(&self) -> ResourceId {
        self.id
    }
    fn row(id: ResourceId) -> RowId {
        RowId::Resource(id)
    }
    fn of_row(row: RowId) -> Option<ResourceId> {
        if let RowId::Resource(id) = row { Some(id) } else { None }
    }

    fn compare(&self, other: &Self, column: LockColumn, model: &Model) -> Ordering {
        match column {
            LockColumn::Id => self.number.cmp(&other.number),
            LockColumn::Kind => self.kind.name().cmp(other.kind.name()),
            LockColumn::State => self.state_rank().cmp(&other.state_rank()),
            LockColumn::Holder => {
                let name = |row: &Self| {
                    let task = model.tasks().get(row.holder?)?;
                    Some((model.task_name(&task), task.id()))
                };
                name(self).cmp(&name(other))
            }
            LockColumn::Held => self.held.cmp(&other.held),
            LockColumn::Waiters => (self.waiters, self.wait, self.state_rank(), self.held).cmp(&(
                other.waiters,
                other.wait,
                other.state_rank(),
                other.held,
            )),
            LockColumn::Wait => self.wait.cmp(&other.wait),
            LockColumn::Acquired => self.acquisitions.cmp(&other.acquisitions),
            LockColumn::Rate => self.rate.total_cmp(&other.rate),
            LockColumn::Contended => self.contended.unwrap_or(-1.0).total_cmp(&other.contended.unwrap_or(-1.0)),
            LockColumn::Location => {
                let place = |row: &Self| {
                    let place = model.place(row.place);
                    (&place.file, place.line, place.column)
                };
                place(self).cmp(&place(other))
            }
        }
    }
}

impl LockRow {
    /// One lock's row; `None` where there is no such lock.
    pub fn of(model: &Model, id: ResourceId, now: Stamp) -> Option<Self> {
        let (resource, lock) = model.lock(id)?;
        let first = lock.first_hold();
        // Most locks have no operation at the moment.
        let (waiters, wait) = if resource.ops.is_empty() && lock.basis == Basis::Inferred {
            (0, None)
        } else {
            (model.waiters_count(id), model.waiters(id).iter().filter_map(|waiter| waiter.since).min())
        };
        let asleep = lock.holds.iter().any(|hold| hold.across == Across::Await && !hold.outlived);
        Some(Self {
            id,
            number: resource.number,
            kind: lock.kind,
            place: resource.place,
            state: lock.state,
            holder: first.map(|hold| hold.acquire.task),
            others: lock.holds.len().saturating_sub(1),
            unknown: model.unknown_holder(id),
            across: first.map(|_| if asleep { Across::Await } else { Across::SamePoll }),
            held: first.map(|hold| model.held_for(id, hold, now)),
            waiters,
            wait: wait.map(|since| now.since(since)),
            acquisitions: lock.acquisitions,
            rate: lock.rate.per_second(now),
            contended: (lock.acquisitions > 0).then(|| lock.contended as f64 / lock.acquisitions as f64),
            basis: first.map_or(lock.basis, |hold| hold.basis),
            gone: resource.dropped.is_some(),
        })
    }

    fn state_rank(&self) -> u64 {
        match self.state {
            _ if self.gone => 0,
            LockState::Unknown => 1,
            LockState::Free => 2,
            LockState::Shared(readers) => readers.saturating_add(2),
            LockState::Exclusive => u64::MAX,
        }
    }
}

/// Every lock, in no order.
pub fn lock_rows(model: &Model, now: Stamp) -> Vec<LockRow> {
    model.locks().filter_map(|(resource, _)| LockRow::of(model, resource.id, now)).collect()
}
