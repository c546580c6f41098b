//! How a page of a look goes into the model.

use super::Memory;
use crate::{
    model::{Model, TaskState},
    update::{
        Begin, BeginMode, Fact, NewTask, Panic, PollStats, ResourceId, SourcePlace, Stamp, Standstill, TaskId,
        TaskKind, TaskStats, Update,
        look::{Fate, Job, ProcessState, State, TaskKey, TaskLook, Whole},
    },
};
use rustc_hash::{FxHashMap, FxHashSet};
use std::{num::NonZeroU64, sync::Arc, time::Duration};

/// What a panic is said to have been whose message was not read.
const NO_MESSAGE: &str = "what it said, and where, stands in the task's output, which is not read";

impl Model {
    /// Memory begins to be read: alone, or beside another source.
    pub fn begin_memory(&mut self, begin: &Begin) {
        let mode = begin.mode;
        self.memory = Memory { knows: Some(begin.knows.clone()), mode, ..Memory::default() };
        if mode == BeginMode::Joins {
            for task in self.tasks.iter() {
                if let Some(number) = task.number() {
                    self.memory.numbers.insert(number, task.id());
                }
            }
            self.knows = self.told.joined(&begin.knows);
        }
    }

    /// Memory is read no more, and another source speaks on.
    pub fn end_memory(&mut self) {
        if self.memory.mode != BeginMode::Joins {
            return;
        }
        let joined: Vec<ResourceId> = self.memory.joins.locks().map(|(lock, _)| lock).collect();
        for lock in joined {
            if !self.told.has(Fact::Holders) {
                self.untell_lock(lock);
            }
        }
        let rows: Vec<ResourceId> = self.memory.rows.keys().copied().collect();
        for id in rows {
            self.remove_resource(id);
        }
        self.tasks.forget_looks();
        self.memory = Memory::default();
        self.knows = self.told.clone();
    }

    /// Takes in a page of a look that is read beside what another source tells. The instants that its updates are of stay as they
    /// are: what one of them shows is borne out by the next one of them.
    pub(in crate::model) fn apply_beside(&mut self, update: &mut Update, now: Stamp) {
        self.take_looks(update, now);
        if self.told.has(Fact::Runtimes) {
            return;
        }
        if let Some(runtimes) = update.runtimes.take() {
            self.agent.tell_runtimes(runtimes, now);
        }
        if let Some(mut workers) = update.workers.take() {
            for worker in &mut workers {
                worker.polling =
                    worker.polling.map(|task| NonZeroU64::new(task.0).map_or(task, |it| self.task_of_number(it)));
            }
            self.agent.tell_workers(workers, now);
        }
    }

    /// Takes in what is read in memory, out of a page.
    pub(in crate::model) fn take_looks(&mut self, update: &mut Update, now: Stamp) {
        for chain in update.chains.drain(..) {
            self.memory.learn(chain);
        }
        for (key, look) in std::mem::take(&mut update.task_looks) {
            self.take_look(key, look, now);
        }
        for key in std::mem::take(&mut update.gone_looks) {
            self.end_look(key, now);
        }
        if let Some(whole) = update.look.take() {
            self.take_whole(*whole, now);
            for worker in update.workers.iter_mut().flatten() {
                worker.polling = worker.polling.filter(|&task| self.is_polled(task));
            }
        }
    }

    /// Whether a task that a worker's thread names is one that it polls. A worker is a job of the blocking pool to tokio: between two
    /// polls its thread names that.
    fn is_polled(&self, task: TaskId) -> bool {
        let task = NonZeroU64::new(task.0).map_or(task, |number| self.task_of_number(number));
        self.tasks.get(task).and_then(|task| task.look().map(|look| look.state)) == Some(State::Running)
    }

    /// The row of a task that a look tells of.
    pub(in crate::model) fn row_of(&self, key: TaskKey) -> TaskId {
        match key {
            TaskKey::Id(id) => id,
            TaskKey::Number(number) => {
                self.memory.numbers.get(number).copied().unwrap_or_else(|| match self.memory.mode {
                    BeginMode::Alone => TaskId(number.get()),
                    BeginMode::Joins => TaskId::unannounced(number),
                })
            }
        }
    }

    /// The row of a task by tokio's number.
    pub fn task_of_number(&self, number: NonZeroU64) -> TaskId {
        self.row_of(TaskKey::Number(number))
    }

    fn take_look(&mut self, key: TaskKey, look: Arc<TaskLook>, now: Stamp) {
        let id = self.row_of(key);
        if self.memory.mode == BeginMode::Alone {
            self.tell_row(id, key, &look, now);
        }
        let Some(slot) = self.tasks.slot(id) else { return };
        let before = self.tasks.at(slot).and_then(|task| task.look().cloned());
        if look.fate == Fate::Panicked && before.as_ref().is_none_or(|before| before.fate != Fate::Panicked) {
            self.note_panic(id, now);
        }
        let price = |look: &TaskLook| size_of::<TaskLook>() + size_of_val(&*look.waits) + size_of_val(&*look.claims);
        self.memory.look_bytes += price(&look);
        self.memory.look_bytes =
            self.memory.look_bytes.saturating_sub(before.as_ref().map_or(0, |before| price(before)));
        self.memory.moved.insert(id);
        self.tasks.set_look(slot, Some((look, now)));
        self.changes.tasks.push(slot);
    }

    /// A task that memory alone tells of: its row, and what it is doing.
    fn tell_row(&mut self, id: TaskId, key: TaskKey, look: &TaskLook, now: Stamp) {
        let known = self.tasks.get(id);
        let is_named = known.is_some_and(|task| self.task_name(&task) == &*look.future);
        if !is_named {
            let number = if let TaskKey::Number(number) = key { Some(number) } else { None };
            let kind = if look.local { TaskKind::Local } else { TaskKind::Task };
            self.announce_task(
                NewTask {
                    number,
                    kind: Some(kind),
                    name: look.future.to_string(),
                    size: look.size,
                    place: look.place.clone(),
                    ..NewTask::new(id)
                },
                now,
            );
        }
        let before = self.tasks.get(id).map(|task| (task.state(), task.stats()));
        self.report_task(id, stats(look.state, before, now), now);
    }

    fn note_panic(&mut self, task: TaskId, now: Stamp) {
        let is_told = self.memory.mode == BeginMode::Joins && self.told.has(Fact::Panics);
        if is_told || self.panics().any(|panicked| panicked.panic.task == task) {
            return;
        }
        self.tell_panic(Panic {
            task,
            message: NO_MESSAGE.into(),
            place: SourcePlace::default(),
            at: now,
            task_name: String::new(),
            spawned_at: None,
        });
    }

    fn end_look(&mut self, key: TaskKey, now: Stamp) {
        let id = self.row_of(key);
        if self.memory.mode == BeginMode::Alone {
            return self.end_task(id, now);
        }
        if let Some(slot) = self.tasks.slot(id) {
            self.tasks.set_look(slot, None);
            self.changes.tasks.push(slot);
        }
    }

    fn take_whole(&mut self, mut whole: Whole, now: Stamp) {
        whole.things.sort_by_key(|thing| thing.id);
        whole.things.dedup_by_key(|thing| thing.id);
        whole.sockets.sort_by_key(|socket| socket.fd);
        for thread in &mut whole.threads {
            self.agent.root.relate(&mut thread.stack, &self.places);
        }
        self.memory.looked.at(now);
        self.memory.slept = self.memory.who_slept(&whole, now);
        let regrouped = self.memory.learn_peers(&whole.sockets);
        if !regrouped.is_empty() {
            self.regroup(&regrouped);
        }
        if self.memory.mode == BeginMode::Alone {
            self.take_jobs(&whole.jobs, now);
            self.take_things(&whole.things, now);
        } else {
            self.memory.now = Some(now);
            self.take_things_beside(&whole.things, now);
        }
        // While a process does not run, nothing in it lasts.
        if let (ProcessState::Stopped | ProcessState::Traced | ProcessState::Frozen, Some(from)) =
            (whole.state, self.memory.now)
        {
            self.standstills.tell(vec![Standstill { from, to: now }]);
        }
        self.memory.whole = Some(Arc::new(whole));
        self.memory.now = Some(now);
        self.memory.moved.clear();
        // Beside another source it says something where chains are known alone.
        let says = self.memory.mode == BeginMode::Alone || self.knows.has(Fact::Chains);
        let summary = if says { self.waits_in_short(now) } else { None };
        self.memory.summary = summary.unwrap_or_default().into();
    }

    /// A job of `spawn_blocking` is one poll, on a thread that may block.
    fn take_jobs(&mut self, jobs: &[Job], now: Stamp) {
        let mut found = FxHashSet::default();
        for job in jobs {
            let id = TaskId(job.number.get());
            found.insert(id);
            if self.tasks.slot(id).is_none() {
                let name = job.closure.to_string();
                let kind = Some(TaskKind::Blocking);
                self.announce_task(NewTask { number: Some(job.number), kind, name, ..NewTask::new(id) }, now);
            }
            let before = self.tasks.get(id).map(|task| (task.state(), task.stats()));
            let state = if job.thread.is_some() { State::Running } else { State::Woken };
            // A job that runs is one poll that goes on.
            let since = before.filter(|(state, _)| *state == TaskState::Running);
            let mut told = stats(state, before, now);
            if job.thread.is_some() {
                told.polls.count = 1;
                told.polls.last_started = since.and_then(|(_, stats)| stats.polls.last_started).or(Some(now));
            }
            self.report_task(id, told, now);
        }
        let over: Vec<TaskId> = self.memory.jobs.difference(&found).copied().collect();
        for id in over {
            self.end_task(id, now);
        }
        self.memory.jobs = found;
    }
}

impl Memory {
    /// The threads that have used no processor since the look before, and since which look they have not.
    fn who_slept(&self, looked: &Whole, now: Stamp) -> FxHashMap<u32, Stamp> {
        let used = |whole: &Whole| {
            whole.threads.iter().filter_map(|it| Some((it.id, it.cpu?))).collect::<FxHashSet<(u32, Duration)>>()
        };
        let before = self.whole.as_deref().map(used).unwrap_or_default();
        let last = self.now.unwrap_or(now);
        let since = |thread: u32| (thread, self.slept.get(&thread).copied().unwrap_or(last));
        used(looked).intersection(&before).map(|(thread, _)| since(*thread)).collect()
    }
}

/// A task as memory tells of it: since when it does what it does is known from one look to the next alone, and only of one that
/// did not move in between.
fn stats(state: State, before: Option<(TaskState, TaskStats)>, now: Stamp) -> TaskStats {
    let told = TaskStats::default();
    match state {
        State::Idle => TaskStats { polls: PollStats { last_ended: Some(now), ..told.polls }, ..told },
        State::Woken => {
            let woken = before.filter(|(state, _)| *state == TaskState::Scheduled);
            TaskStats { last_wake: woken.and_then(|(_, stats)| stats.last_wake).or(Some(now)), ..told }
        }
        State::Running => TaskStats { polls: PollStats { last_started: Some(now), ..told.polls }, ..told },
        State::Complete => TaskStats { dropped: Some(now), ..told },
    }
}
