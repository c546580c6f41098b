//! The list of workers: a lane each, and the columns that it can be sorted by.

use crate::{
    app::{
        frame::RowId,
        list::column::{Align, ColumnSpec, Direction, Width},
        list::rows::ListRow,
    },
    model::{Model, Worker},
    update::{Fact, Stamp, TaskId, WorkerId},
};
use std::{cmp::Ordering, time::Duration};

/// One worker.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WorkerRow {
    /// Which.
    pub id: WorkerId,
    /// What it is doing.
    pub doing: WorkerState,
    /// The task that it polls.
    pub task: Option<TaskId>,
    /// For how long it has.
    pub polling: Option<Duration>,
    /// Its busy share of late, from 0 to 1.
    pub busy: f64,
    /// Tasks in its own queue.
    pub queue: u64,
    /// Polls per second.
    pub polls: f64,
    /// Tasks taken from other workers, per second.
    pub steals: f64,
    /// Times that it went to sleep, per second.
    pub parks: f64,
    /// How much of the time of late its thread waited for a processor, from 0 to 1; `None` where that is not told.
    pub cpu_wait: Option<f64>,
}

/// What a worker is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WorkerState {
    /// No thread is this worker at the moment.
    NoThread,
    /// Nothing, or something between two polls.
    Idle,
    /// It polls a task.
    Polling,
    /// It has been in one poll for too long.
    Stalled,
}

impl WorkerState {
    /// What the worker of this state is doing.
    pub fn of(model: &Model, worker: &Worker) -> Self {
        match (&worker.stats.thread, worker.stats.polling) {
            _ if model.agent().stall_of_worker(worker.stats.id).is_some() => Self::Stalled,
            (_, Some(_)) => Self::Polling,
            (Some(_), None) => Self::Idle,
            (None, None) => Self::NoThread,
        }
    }

    /// In a word or two.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoThread => "no thread",
            Self::Idle => "idle",
            Self::Polling => "polling",
            Self::Stalled => "stalled",
        }
    }
}

/// A column of the list of workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WorkerColumn {
    /// Its number, and its runtime where there are several.
    Worker,
    /// What it is doing.
    State,
    /// How busy it was, second by second.
    Lane,
    /// How busy it was of late.
    Busy,
    /// The task that it polls.
    Task,
    /// For how long it has.
    For,
    /// Tasks in its own queue.
    Queue,
    /// Polls per second.
    Polls,
    /// Tasks taken from others per second.
    Steals,
    /// Times that it went to sleep per second.
    Parks,
    /// How much of the time of late its thread waited for a processor.
    CpuWait,
}

impl ListRow for WorkerRow {
    type Id = WorkerId;
    type Column = WorkerColumn;

    const COLUMNS: &'static [ColumnSpec<WorkerColumn>] = &[
        ColumnSpec::new(WorkerColumn::Worker, "Worker", Align::Left, Width::Fit(7, 24), 0),
        ColumnSpec::new(WorkerColumn::State, "State", Align::Left, Width::Fixed(9), 1),
        ColumnSpec::new(WorkerColumn::Lane, "Last minute", Align::Right, Width::Fit(11, 60), 0),
        ColumnSpec::new(WorkerColumn::Busy, "Busy", Align::Right, Width::Fixed(5), 0),
        ColumnSpec::new(WorkerColumn::Task, "Task", Align::Left, Width::Fill(12, 40), 0),
        ColumnSpec::new(WorkerColumn::For, "For", Align::Right, Width::Fixed(7), 0),
        ColumnSpec::new(WorkerColumn::Queue, "Queue", Align::Right, Width::Fixed(5), 0),
        ColumnSpec::new(WorkerColumn::Polls, "Polls/s", Align::Right, Width::Fixed(7), 2),
        ColumnSpec::new(WorkerColumn::Steals, "Steals/s", Align::Right, Width::Fixed(8), 4),
        ColumnSpec::new(WorkerColumn::Parks, "Parks/s", Align::Right, Width::Fixed(7), 3),
        ColumnSpec::new(WorkerColumn::CpuWait, "CPU wait", Align::Right, Width::Fixed(8), 5),
    ];

    /// Each lane stays where it is.
    const ORDER: (WorkerColumn, Direction) = (WorkerColumn::Worker, Direction::Ascending);

    fn id(&self) -> WorkerId {
        self.id
    }
    fn row(id: WorkerId) -> RowId {
        RowId::Worker(id)
    }
    fn of_row(row: RowId) -> Option<WorkerId> {
        if let RowId::Worker(id) = row { Some(id) } else { None }
    }

    fn compare(&self, other: &Self, column: WorkerColumn, model: &Model) -> Ordering {
        match column {
            WorkerColumn::Worker => self.id.cmp(&other.id),
            WorkerColumn::State => (self.doing, self.polling).cmp(&(other.doing, other.polling)),
            WorkerColumn::Lane | WorkerColumn::Busy => self.busy.total_cmp(&other.busy),
            WorkerColumn::Task => {
                let name = |row: &Self| model.tasks().get(row.task?).map(|task| model.task_name(&task));
                (name(self), self.task).cmp(&(name(other), other.task))
            }
            WorkerColumn::For => self.polling.cmp(&other.polling),
            WorkerColumn::Queue => self.queue.cmp(&other.queue),
            WorkerColumn::Polls => self.polls.total_cmp(&other.polls),
            WorkerColumn::Steals => self.steals.total_cmp(&other.steals),
            WorkerColumn::Parks => self.parks.total_cmp(&other.parks),
            WorkerColumn::CpuWait => {
                let share = |row: &Self| row.cpu_wait.unwrap_or(-1.0);
                share(self).total_cmp(&share(other))
            }
        }
    }
}

/// How many seconds "of late" are.
const LATE: u64 = 10;

impl WorkerRow {
    /// One worker's row.
    pub fn of(model: &Model, worker: &Worker, now: Stamp) -> Self {
        let stats = &worker.stats;
        let stall = model.agent().stall_of_worker(stats.id);
        let told = model.agent().now().map_or(now, |told| told.min(now));
        Self {
            id: stats.id,
            doing: WorkerState::of(model, worker),
            task: stall.and_then(|stall| stall.task).or(stats.polling),
            // Of a poll that is no stall nobody knows whether it still lasts.
            polling: stall.map(|stall| model.stalled(stall, now)).or_else(|| worker.polling_for(told)),
            busy: worker.lane.recent(LATE),
            queue: stats.queue,
            polls: worker.polls.per_second(now),
            steals: worker.steals.per_second(now),
            parks: worker.parks.per_second(now),
            cpu_wait: worker.cpu_wait.as_ref().map(|lane| lane.recent(LATE)),
        }
    }
}

/// Every worker, in no order.
pub fn worker_rows(model: &Model, now: Stamp) -> Vec<WorkerRow> {
    model.agent().workers().iter().map(|worker| WorkerRow::of(model, worker, now)).collect()
}

/// How busy all workers together were of late, from 0 to 1; `None` where there are none.
pub fn workers_load(model: &Model) -> Option<f64> {
    let workers = model.agent().workers();
    let sum: f64 = workers.iter().map(|worker| worker.lane.recent(LATE)).sum();
    let told = !workers.is_empty() && model.knows().has(Fact::WorkerCounts);
    told.then(|| sum / workers.len() as f64)
}
