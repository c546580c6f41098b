//! What an agent tells beyond the console's format, as the model keeps it: runtimes, workers, stalls, spans, panics, losses,
//! and locks as they are rather than as they must be. A target without an agent has nothing of this.

use super::{Losses, Model, Runtime, Worker, sized_map::SizedMap, source_root::Root, spawn_times};
use crate::update::{RuntimeId, Span, Stall, Stamp, TaskFacts, TaskId, TaskWakers, Update, WorkerStack};
use rustc_hash::FxHashSet;
use std::collections::VecDeque;

/// What an agent told.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct Agent {
    pub(super) now: Option<Stamp>,
    pub(super) runtimes: Vec<Runtime>,
    pub(super) workers: Vec<Worker>,
    /// Runtimes whose workers wait for a processor at present, and for how much of their time.
    pub(super) short: Vec<(RuntimeId, f64)>,
    pub(super) stalls: VecDeque<Stall>,
    spans: SizedMap<TaskId, Vec<Span>>,
    facts: SizedMap<TaskId, TaskFacts>,
    wakers: SizedMap<TaskId, TaskWakers>,
    losses: Losses,
    pub(super) spawn_times: spawn_times::Told,
    pub(super) root: Root,
    /// The one that was told last at the end.
    #[serde(default)]
    pub(super) worker_stacks: VecDeque<WorkerStack>,
}

impl Agent {
    /// Whether anything was told at all.
    pub fn speaks(&self) -> bool {
        self.now.is_some()
    }

    /// The target's clock at the latest report.
    pub fn now(&self) -> Option<Stamp> {
        self.now
    }

    /// Whether a task is in spans of the service's own.
    pub fn has_spans(&self, task: TaskId) -> bool {
        self.spans.contains(task)
    }

    /// The service's own spans around a task's latest poll, outermost first.
    pub fn spans(&self, task: TaskId) -> &[Span] {
        self.spans.get(task).map_or(&[], Vec::as_slice)
    }

    /// What is known of a task beyond its updates.
    pub fn facts(&self, task: TaskId) -> TaskFacts {
        self.facts.get(task).copied().unwrap_or_default()
    }

    /// Who woke a task, where that is kept.
    pub fn wakers(&self, task: TaskId) -> Option<&TaskWakers> {
        self.wakers.get(task)
    }

    /// What could not be kept or told.
    pub fn losses(&self) -> &Losses {
        &self.losses
    }

    /// The same with what was told of these tasks alone.
    pub(super) fn outline(&self, tasks: &FxHashSet<TaskId>) -> Self {
        Self {
            now: self.now,
            runtimes: self.runtimes.clone(),
            workers: self.workers.clone(),
            short: self.short.clone(),
            stalls: self.stalls.clone(),
            spans: self.spans.only(tasks),
            facts: self.facts.only(tasks),
            wakers: self.wakers.only(tasks),
            losses: self.losses.clone(),
            spawn_times: self.spawn_times.clone(),
            root: self.root.clone(),
            worker_stacks: self.worker_stacks.clone(),
        }
    }

    /// Forgets a task whose row is gone.
    pub(super) fn forget_task(&mut self, task: TaskId) {
        self.spans.remove(task);
        self.facts.remove(task);
        self.wakers.remove(task);
    }

    /// How many bytes it takes, as an estimate. Stalls are few.
    pub(super) fn bytes(&self) -> usize {
        const EACH: usize = 4_096;
        let few = self.stalls.len() + self.worker_stacks.len() + self.workers.len() + self.runtimes.len();
        self.spans.bytes() + self.facts.bytes() + self.wakers.bytes() + self.spawn_times.bytes() + few * EACH
    }
}

impl Model {
    /// Takes in what an agent alone tells, out of a page whose rows are taken in. What speaks of a row that was never announced,
    /// or is gone, is let go of.
    pub(super) fn apply_agent(&mut self, update: &mut Update, now: Stamp) {
        self.take_locks(update, now);
        for (task, spans) in update.task_spans.drain(..) {
            let Some(slot) = self.tasks.slot(task) else { continue };
            if spans.is_empty() {
                self.agent.spans.remove(task);
            } else if self.agent.spans.contains(task) || self.takes_other(now) {
                self.agent.spans.insert(task, spans);
            }
            self.note_more(slot);
            // Whoever shows tasks by what is told of them looks at these again.
            self.changes.tasks.push(slot);
        }
        for (task, facts) in update.task_facts.drain(..) {
            let Some(slot) = self.tasks.slot(task) else { continue };
            if self.agent.facts.contains(task) || self.takes_other(now) {
                self.agent.facts.insert(task, facts);
            }
            self.changes.tasks.push(slot);
        }
        for (task, wakers) in update.task_wakers.drain(..) {
            let known = self.agent.wakers.contains(task);
            if self.tasks.slot(task).is_some() && (known || self.takes_other(now)) {
                self.agent.wakers.insert(task, wakers);
            }
        }
        for told in update.spawn_times.drain(..) {
            self.tell_spawn_times(told);
        }
        for mut stall in std::mem::take(&mut update.stalls) {
            self.agent.root.relate(&mut stall.stack, &self.places);
            self.agent.tell_stall(stall);
        }
        for mut told in std::mem::take(&mut update.worker_stacks) {
            self.agent.root.relate(&mut told.stack, &self.places);
            self.agent.tell_worker_stack(told);
        }
        for panic in std::mem::take(&mut update.panics) {
            self.tell_panic(panic);
        }
        if let Some(runtimes) = update.runtimes.take() {
            self.agent.now = Some(now);
            self.agent.tell_runtimes(runtimes, now);
        }
        if let Some(workers) = update.workers.take() {
            self.agent.tell_workers(workers, now);
        }
        self.note_shortage();
        if let Some(losses) = update.losses.take() {
            self.agent.losses.tell(losses, now);
        }
    }
}
