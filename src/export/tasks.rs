//! Tasks as they are counted: by spawn location, what they do, and what they have done, those that are over included.
//!
//! Only what an update changed is looked at. What a row had when it was counted last stands beside its slot, so that what it has more is added, and stays where the
//! row goes.

use super::words::{place_label, runtime_label};
use crate::{
    model::{Model, PlaceId, Slot, Task, TaskState},
    update::{Fact, RuntimeId, TaskId, TaskKind, TaskStats, Update},
};
use holdup_metrics::{Metric, Sheet};
use rustc_hash::FxHashMap;
use std::time::Duration;

/// Runtimes whose tasks are counted.
const RUNTIMES: usize = 4_096;

/// What tasks do that are alive.
const STATES: [&str; 3] = ["running", "scheduled", "idle"];

/// What tasks have done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Done {
    polls: u64,
    busy: Duration,
    scheduled: Duration,
}

impl Done {
    fn of(stats: &TaskStats) -> Self {
        let polls = stats.polls.count.saturating_sub(u64::from(stats.is_running()));
        Self { polls, busy: stats.polls.busy, scheduled: stats.scheduled }
    }

    fn add(&mut self, more: &Self) {
        self.polls = self.polls.saturating_add(more.polls);
        self.busy = self.busy.saturating_add(more.busy);
        self.scheduled = self.scheduled.saturating_add(more.scheduled);
    }

    fn no_less_than(&mut self, least: &Self) {
        self.polls = self.polls.max(least.polls);
        self.busy = self.busy.max(least.busy);
        self.scheduled = self.scheduled.max(least.scheduled);
    }

    /// What is more than that.
    fn beyond(&self, less: &Self) -> Self {
        Self {
            polls: self.polls.saturating_sub(less.polls),
            busy: self.busy.saturating_sub(less.busy),
            scheduled: self.scheduled.saturating_sub(less.scheduled),
        }
    }
}

/// A row as it was counted last.
#[derive(Debug, Clone, Copy)]
struct Counted {
    task: TaskId,
    place: usize,
    /// Of [`STATES`], where it is alive.
    state: Option<usize>,
    done: Done,
    spawned: Spawned,
}

/// Whether it is counted as spawned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spawned {
    /// It is a job of the blocking pool, or what `block_on` runs: the runtime counts none of these.
    Other,
    /// It is not known on which runtime.
    Unknown,
    /// It is.
    Counted,
}

/// The tasks of one location.
#[derive(Debug, Clone, Copy, Default)]
struct Of {
    alive: [u64; 3],
    done: Done,
}

/// What was counted up to the end of an attachment, as it is told.
#[derive(Debug, Clone, Default)]
struct Totals {
    done: FxHashMap<Box<str>, Done>,
    spawned: FxHashMap<Option<RuntimeId>, u64>,
}

/// The tasks of one process.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    rows: Vec<Option<Counted>>,
    /// By the number of the place.
    places: Vec<Option<Of>>,
    /// Tasks that live, without jobs.
    alive: u64,
    spawned: FxHashMap<Option<RuntimeId>, u64>,
    /// What this attachment cannot know of all that the ones before it counted.
    before: Totals,
    /// What that was, while it is not known yet how much of it this attachment is told once more.
    last: Option<Totals>,
}

/// What an update says at last of tasks, of which the rows may go with it.
pub(super) fn ended(update: &Update) -> Vec<(TaskId, TaskStats)> {
    update.task_stats.iter().filter(|(_, stats)| stats.dropped.is_some()).copied().collect()
}

impl Tasks {
    /// Another attachment to the same process begins: all that is still there is told again.
    pub(super) fn begin_again(&mut self, model: &Model) {
        let last = self.last.take().unwrap_or_else(|| self.totals(model));
        *self = Self { last: Some(last), ..Self::default() };
    }

    /// The first update of an attachment is complete: what is there is known.
    pub(super) fn settle(&mut self, model: &Model) {
        let Some(last) = self.last.take() else { return };
        let now = self.totals(model);
        for (label, done) in last.done {
            let less = now.done.get(&label).copied().unwrap_or_default();
            self.before.done.insert(label, done.beyond(&less));
        }
        for (runtime, count) in last.spawned {
            let less = now.spawned.get(&runtime).copied().unwrap_or_default();
            self.before.spawned.insert(runtime, count.saturating_sub(less));
        }
    }

    /// Takes in what an update says at last of tasks that are counted, before the model does.
    pub(super) fn end(&mut self, model: &Model, ended: &[(TaskId, TaskStats)]) {
        for (id, stats) in ended {
            let Some(task) = model.tasks().get(*id).filter(|task| task.created() == stats.created) else { continue };
            let Some(row) = self.row_mut(task.slot()).filter(|row| row.task == *id) else { continue };
            let (place, done) = (row.place, Done::of(stats));
            let more = done.beyond(&row.done);
            row.done = done;
            self.place(place).done.add(&more);
        }
    }

    /// Takes in what the model's latest update changed.
    pub(super) fn follow(&mut self, model: &Model) {
        let changes = model.changes();
        for &(slot, task) in &changes.removed {
            if self.row_mut(slot).is_some_and(|row| row.task == task) {
                self.forget(slot);
            }
        }
        for task in changes.tasks.iter().filter_map(|&slot| model.tasks().at(slot)) {
            self.count(model, &task);
        }
    }

    fn count(&mut self, model: &Model, task: &Task) {
        let slot = task.slot();
        let known = self.forget(slot).filter(|row| row.task == task.id());
        // What a runtime does with its own workers is nobody's work.
        if task.kind() == TaskKind::Worker {
            return;
        }
        let before = known.map(|row| row.done).unwrap_or_default();
        let mut done = Done::of(&task.stats());
        // What an update said at last the model may not have taken in.
        done.no_less_than(&before);
        let row = Counted {
            task: task.id(),
            place: task.place().index(),
            state: state(task),
            done,
            spawned: self.spawned_of(model, task, known.map_or(Spawned::Unknown, |row| row.spawned)),
        };
        let more = row.done.beyond(&before);
        let of = self.place(row.place);
        of.done.add(&more);
        if let Some(state) = row.state {
            of.alive[state] += 1;
            self.alive += u64::from(row.spawned != Spawned::Other);
        }
        if self.rows.len() <= slot.index() {
            self.rows.resize(slot.index() + 1, None);
        }
        self.rows[slot.index()] = Some(row);
    }

    fn spawned_of(&mut self, model: &Model, task: &Task, before: Spawned) -> Spawned {
        if !matches!(task.kind(), TaskKind::Task | TaskKind::Local | TaskKind::Other) {
            return Spawned::Other;
        }
        let runtime = model.agent().facts(task.id()).runtime;
        let is_known = runtime.is_some() || !model.knows().has(Fact::Runtimes);
        let has_room = self.spawned.len() < RUNTIMES || self.spawned.contains_key(&runtime);
        if before == Spawned::Counted || !is_known || !has_room {
            return before;
        }
        *self.spawned.entry(runtime).or_default() += 1;
        Spawned::Counted
    }

    /// A row goes, or is about to be another one; what it has done stays.
    fn forget(&mut self, slot: Slot) -> Option<Counted> {
        let row = self.rows.get_mut(slot.index())?.take()?;
        if let Some(state) = row.state {
            let alive = &mut self.place(row.place).alive[state];
            *alive = alive.saturating_sub(1);
            self.alive = self.alive.saturating_sub(u64::from(row.spawned != Spawned::Other));
        }
        Some(row)
    }

    fn row_mut(&mut self, slot: Slot) -> Option<&mut Counted> {
        self.rows.get_mut(slot.index())?.as_mut()
    }

    fn place(&mut self, place: usize) -> &mut Of {
        if self.places.len() <= place {
            self.places.resize(place + 1, None);
        }
        self.places[place].get_or_insert_default()
    }

    fn by_label<'a>(&'a self, model: &'a Model) -> impl Iterator<Item = (String, &'a Of)> {
        let places = self.places.iter().enumerate();
        places.filter_map(|(place, of)| Some((place_label(model, PlaceId::from_index(place)), of.as_ref()?)))
    }

    /// All that is counted, what attachments before counted included.
    fn totals(&self, model: &Model) -> Totals {
        let mut totals = self.before.clone();
        for (label, of) in self.by_label(model) {
            totals.done.entry(label.into()).or_default().add(&of.done);
        }
        for (runtime, count) in &self.spawned {
            *totals.spawned.entry(*runtime).or_default() += count;
        }
        totals
    }

    /// The same as it is told: before it is known how much of it is told once more, no less than before.
    fn told(&self, model: &Model) -> Totals {
        let mut totals = self.totals(model);
        if let Some(last) = &self.last {
            for (label, done) in &last.done {
                totals.done.entry(label.clone()).or_default().no_less_than(done);
            }
            for (runtime, count) in &last.spawned {
                let told = totals.spawned.entry(*runtime).or_default();
                *told = (*count).max(*told);
            }
        }
        totals
    }

    /// Tells what is counted. What is not known of this source is not told.
    pub(super) fn tell(&self, sheet: &mut Sheet<'_>, model: &Model) {
        let knows = model.knows();
        for (label, of) in self.by_label(model) {
            for (state, alive) in STATES.iter().zip(of.alive) {
                sheet.set(Metric::Tasks, &[&label, state], alive as f64);
            }
        }
        let Totals { done, spawned } = self.told(model);
        for (label, done) in done {
            if knows.has(Fact::Polls) {
                sheet.set(Metric::TaskPolls, &[&label], done.polls as f64);
                sheet.set_time(Metric::TaskBusy, &[&label], done.busy);
            }
            if knows.has(Fact::Polls) && knows.has(Fact::ScheduledTime) {
                sheet.set_time(Metric::TaskScheduled, &[&label], done.scheduled);
            }
        }
        if !knows.has(Fact::Runtimes) {
            // Which runtime it is nobody says, and an empty label is none to Prometheus.
            sheet.set(Metric::AliveTasks, &[""], self.alive as f64);
        }
        if knows.has(Fact::Polls) {
            for (runtime, count) in spawned {
                let (label, source) = runtime.map_or_else(Default::default, |id| (runtime_label(model, id), id.0));
                sheet.count_of(Metric::SpawnedTasks, &[&label], source, count as f64);
            }
        }
    }
}

fn state(task: &Task) -> Option<usize> {
    match task.state() {
        TaskState::Running => Some(0),
        TaskState::Scheduled => Some(1),
        TaskState::Idle => Some(2),
        TaskState::Ended => None,
    }
}
