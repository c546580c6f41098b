//! What an agent tells beyond the console's format, as the model keeps it: runtimes, workers, stalls, spans, panics, losses,
//! and locks as they are rather than as they must be. A target without an agent has nothing of this.

use super::{Model, Runtime, Worker, priced::Priced, source_root::Root};
use crate::update::{
    Loss, RuntimeId, RuntimeStats, Span, Stall, Stamp, TaskFacts, TaskId, Update, WorkerId, WorkerStats,
};
use rustc_hash::FxHashMap;
use std::collections::VecDeque;

/// Stalls that are over are let go of beyond this many, the oldest first.
const PAST_MOST: usize = 256;

/// What an agent told.
#[derive(Debug, Clone, Default)]
pub struct Agent {
    pub(super) now: Option<Stamp>,
    runtimes: Vec<Runtime>,
    workers: Vec<Worker>,
    stalls: VecDeque<Stall>,
    spans: Priced<TaskId, Vec<Span>>,
    facts: Priced<TaskId, TaskFacts>,
    losses: Losses,
    pub(super) root: Root,
}

/// What the agent could not keep or tell.
#[derive(Debug, Clone, Default)]
pub struct Losses {
    /// By kind, since the process began.
    pub told: Vec<Loss>,
    /// What was told of each kind first.
    first: Vec<Loss>,
    /// When any of them last grew.
    pub grew_at: Option<Stamp>,
}

impl Losses {
    fn tell(&mut self, told: Vec<Loss>, now: Stamp) {
        let count = |list: &[Loss], kind: &str| list.iter().find(|loss| loss.kind == kind).map(|loss| loss.count);
        for loss in &told {
            match count(&self.told, &loss.kind) {
                None => self.first.push(loss.clone()),
                Some(before) if loss.count > before && loss.is_gap() => self.grew_at = Some(now),
                Some(_) => {}
            }
        }
        self.told = told;
    }

    /// What was lost since we attached, by kind: those of which nothing was are left out.
    pub fn since_attached(&self) -> impl Iterator<Item = (&str, u64)> {
        self.told.iter().filter_map(|loss| {
            let first = self.first.iter().find(|first| first.kind == loss.kind).map_or(0, |first| first.count);
            Some((loss.kind.as_str(), loss.count.checked_sub(first).filter(|&count| count > 0)?))
        })
    }

    /// The same, without what was let go of because it was over.
    pub fn gaps(&self) -> impl Iterator<Item = (&str, u64)> {
        self.since_attached().filter(|(kind, _)| is_gap(kind))
    }
}

impl Loss {
    fn is_gap(&self) -> bool {
        is_gap(&self.kind)
    }
}

/// What ended and is no longer kept is not missing from what goes on now: agents name it `finished-…`.
fn is_gap(kind: &str) -> bool {
    !kind.starts_with("finished-")
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

    /// The runtimes, by id.
    pub fn runtimes(&self) -> &[Runtime] {
        &self.runtimes
    }

    /// One runtime.
    pub fn runtime(&self, id: RuntimeId) -> Option<&Runtime> {
        self.runtimes.iter().find(|runtime| runtime.stats.id == id)
    }

    /// The workers, by runtime and number.
    pub fn workers(&self) -> &[Worker] {
        &self.workers
    }

    /// One worker.
    pub fn worker(&self, id: WorkerId) -> Option<&Worker> {
        let at = self.workers.binary_search_by_key(&id, |worker| worker.stats.id).ok()?;
        self.workers.get(at)
    }

    /// The worker that polls a task, if one does.
    pub fn worker_of(&self, task: TaskId) -> Option<&Worker> {
        self.workers.iter().find(|worker| worker.stats.polling == Some(task))
    }

    /// What a worker is called: its number, and its runtime's name where there is more than one runtime.
    pub fn worker_label(&self, id: WorkerId) -> String {
        match self.runtime(id.runtime) {
            Some(runtime) if self.runtimes.len() > 1 => format!("{}/{}", runtime.label(), id.index),
            _ => id.index.to_string(),
        }
    }

    /// Every stall that lasts, and the latest that are over, the oldest first.
    pub fn stalls(&self) -> impl DoubleEndedIterator<Item = &Stall> {
        self.stalls.iter()
    }

    /// The stall of a worker that lasts now.
    pub fn stall_of_worker(&self, id: WorkerId) -> Option<&Stall> {
        self.stalls().rfind(|stall| stall.worker == Some(id) && stall.ended.is_none())
    }

    /// The latest stall of a task, whether or not it lasts.
    pub fn stall_of_task(&self, id: TaskId) -> Option<&Stall> {
        self.stalls().rfind(|stall| stall.task == Some(id))
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

    /// What could not be kept or told.
    pub fn losses(&self) -> &Losses {
        &self.losses
    }

    /// Forgets a task whose row is gone.
    pub(super) fn forget_task(&mut self, task: TaskId) {
        self.spans.remove(task);
        self.facts.remove(task);
    }

    /// How many bytes it takes, as an estimate. Stalls are few.
    pub(super) fn bytes(&self) -> usize {
        const EACH: usize = 4_096;
        let few = self.stalls.len() + self.workers.len() + self.runtimes.len();
        self.spans.bytes() + self.facts.bytes() + few * EACH
    }

    /// Takes in what of a page concerns no rows of the model.
    fn tell(&mut self, told: Told, now: Stamp) {
        for stall in told.stalls {
            self.tell_stall(stall);
        }
        if let Some(runtimes) = told.runtimes {
            self.now = Some(now);
            self.tell_runtimes(runtimes, now);
        }
        if let Some(workers) = told.workers {
            self.tell_workers(workers, now);
        }
        if let Some(losses) = told.losses {
            self.losses.tell(losses, now);
        }
    }

    fn tell_stall(&mut self, stall: Stall) {
        if let Some(known) = self.stalls.iter_mut().find(|known| known.id == stall.id) {
            *known = stall;
            return;
        }
        self.stalls.push_back(stall);
        if self.stalls.len() > PAST_MOST {
            let over = self.stalls.iter().position(|stall| stall.ended.is_some()).unwrap_or(0);
            self.stalls.remove(over);
        }
    }

    fn tell_runtimes(&mut self, told: Vec<RuntimeStats>, now: Stamp) {
        let mut before = std::mem::take(&mut self.runtimes);
        for stats in told {
            let known = before.iter().position(|runtime| runtime.stats.id == stats.id);
            let mut runtime = known.map_or_else(|| Runtime::new(now), |at| before.swap_remove(at));
            runtime.tell(stats, now);
            self.runtimes.push(runtime);
        }
        self.runtimes.sort_by_key(|runtime| runtime.stats.id);
        self.runtimes.dedup_by_key(|runtime| runtime.stats.id);
    }

    fn tell_workers(&mut self, told: Vec<WorkerStats>, now: Stamp) {
        let mut before: FxHashMap<WorkerId, Worker> =
            self.workers.drain(..).map(|worker| (worker.stats.id, worker)).collect();
        for stats in told {
            self.workers.push(match before.remove(&stats.id) {
                Some(mut worker) => {
                    worker.tell(stats, now);
                    worker
                }
                None => Worker::new(stats, now),
            });
        }
        self.workers.sort_by_key(|worker| worker.stats.id);
        self.workers.dedup_by_key(|worker| worker.stats.id);
    }
}

/// What an update tells that concerns no rows of the model.
struct Told {
    stalls: Vec<Stall>,
    runtimes: Option<Vec<RuntimeStats>>,
    workers: Option<Vec<WorkerStats>>,
    losses: Option<Vec<Loss>>,
}

impl Model {
    /// Takes in what an agent alone tells, out of a page whose rows are taken in. What speaks of a row that was never announced,
    /// or is gone, is let go of.
    pub(super) fn take_told(&mut self, update: &mut Update, now: Stamp) {
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
        let mut stalls = std::mem::take(&mut update.stalls);
        for stall in &mut stalls {
            self.agent.root.relate(&mut stall.stack, &self.places);
        }
        for panic in std::mem::take(&mut update.panics) {
            self.tell_panic(panic);
        }
        let told = Told {
            stalls,
            runtimes: update.runtimes.take(),
            workers: update.workers.take(),
            losses: update.losses.take(),
        };
        self.agent.tell(told, now);
    }
}
