//! What an agent tells beyond the console's format, as the model keeps it: runtimes, workers, stalls, spans, panics, losses,
//! and locks as they are rather than as they must be. A target without an agent has nothing of this.

use super::{
    Loss, Model, ResourceId, Runtime, RuntimeId, Span, Stall, Stamp, TaskFacts, TaskId, Worker, WorkerId,
    frames::Root,
    priced::Priced,
    report::{LockStats, Report, RuntimeStats, WorkerStats},
    update::Part,
};
use rustc_hash::{FxHashMap, FxHashSet};
use std::{collections::VecDeque, time::Duration};

/// Stalls that are over are let go of beyond this many, the oldest first.
const PAST_MOST: usize = 256;

/// Locks, spans and facts of what was never announced are let go of after this long: a report may come before the update
/// that announces what it speaks of.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who tells: how far the target's own account can be relied on depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Teller {
    /// A stock console-subscriber, with a queue of events that it may be behind with.
    #[default]
    Console,
    /// An agent, whose updates are of one instant and complete.
    Agent(Knows),
}

/// What an agent knows of more than others do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Knows {
    /// Wakers: how often they are cloned and dropped, and when they wake.
    pub wakers: bool,
    /// Polls that keep a worker for long.
    pub stalls: bool,
}

impl Knows {
    /// By the stable names that an agent describes itself with.
    pub fn from_capabilities(names: &[String]) -> Self {
        let has = |name: &str| names.iter().any(|known| known == name);
        Self { wakers: has("wakers"), stalls: has("stalls") }
    }
}

impl Teller {
    /// Whether wakers are told of.
    pub fn tells_wakers(self) -> bool {
        match self {
            Self::Console => true,
            Self::Agent(knows) => knows.wakers,
        }
    }

    /// Whether every poll that keeps a worker for long is told of.
    pub fn tells_stalls(self) -> bool {
        matches!(self, Self::Agent(Knows { stalls: true, .. }))
    }

    /// Whether it is told who holds a lock, so that nothing of that is to be inferred.
    pub fn tells_locks(self) -> bool {
        matches!(self, Self::Agent(_))
    }
}

/// What an agent told.
#[derive(Debug, Clone, Default)]
pub struct Agent {
    pub(super) now: Option<Stamp>,
    runtimes: Vec<Runtime>,
    workers: Vec<Worker>,
    pub(super) locks: Priced<ResourceId, LockStats>,
    stalls: VecDeque<Stall>,
    spans: Priced<TaskId, Vec<Span>>,
    facts: Priced<TaskId, TaskFacts>,
    losses: Losses,
    root: Root,
    swept: Option<Stamp>,
    /// What was told of since then before it was announced.
    early_tasks: FxHashSet<TaskId>,
    early_locks: FxHashSet<ResourceId>,
    /// Pages of a report whose last one has not come.
    early: Vec<RuntimeStats>,
    early_workers: Vec<WorkerStats>,
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

    /// A lock as the agent tells it.
    pub fn lock(&self, id: ResourceId) -> Option<&LockStats> {
        self.locks.get(id)
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
        self.spans.bytes() + self.facts.bytes() + self.locks.bytes() + few * EACH
    }

    /// Takes in everything of a page but its locks, which concern rows of the model.
    fn tell(&mut self, report: &mut Report, now: Stamp) {
        for stall in report.stalls.drain(..) {
            self.tell_stall(stall);
        }
        self.early.append(&mut report.runtimes);
        self.early_workers.append(&mut report.workers);
        if report.part == Part::Last {
            self.tell_runtimes(now);
            self.tell_workers(now);
            self.losses.tell(std::mem::take(&mut report.losses), now);
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

    fn tell_runtimes(&mut self, now: Stamp) {
        let mut before = std::mem::take(&mut self.runtimes);
        for stats in std::mem::take(&mut self.early) {
            let known = before.iter().position(|runtime| runtime.stats.id == stats.id);
            let mut runtime = known.map_or_else(|| Runtime::new(now), |at| before.swap_remove(at));
            runtime.tell(stats, now);
            self.runtimes.push(runtime);
        }
        self.runtimes.sort_by_key(|runtime| runtime.stats.id);
        self.runtimes.dedup_by_key(|runtime| runtime.stats.id);
    }

    fn tell_workers(&mut self, now: Stamp) {
        let mut before: FxHashMap<WorkerId, Worker> =
            self.workers.drain(..).map(|worker| (worker.stats.id, worker)).collect();
        for stats in std::mem::take(&mut self.early_workers) {
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

impl Model {
    /// What an agent told beyond the console's format; all empty where the target has none.
    pub fn agent(&self) -> &Agent {
        &self.agent
    }

    /// Who tells.
    pub fn teller(&self) -> Teller {
        self.teller
    }

    /// Takes in one page of a report. [`Model::changes`] then says what it changed.
    pub fn hear(&mut self, mut report: Report) {
        self.changes.tasks.clear();
        self.changes.removed.clear();
        self.changes.left.clear();
        self.changes.locks.clear();
        self.changes.renamed = false;
        let is_last = report.part == Part::Last;
        self.changes.complete = is_last && self.now.is_some();
        self.health.issues.add(report.issues);
        // A target's clock may step back, and a message may come without a time; the model's does not.
        let now = report.now.max(self.agent.now).unwrap_or(Stamp::MIN);
        let tasks = report.spans.iter().map(|(task, _)| *task).chain(report.tasks.iter().map(|(task, _)| *task));
        self.agent.early_tasks.extend(tasks.filter(|&task| self.tasks.slot(task).is_none()));
        let locks = report.locks.iter().map(|lock| lock.id);
        self.agent.early_locks.extend(locks.filter(|&lock| self.resources.slot(lock).is_none()));
        for id in report.dropped_locks.drain(..) {
            self.agent.locks.remove(id);
            if let Some(lock) = self.resources.get_mut(id).and_then(|resource| resource.lock.as_mut()) {
                lock.forget_acquires();
            }
        }
        for mut lock in report.locks.drain(..) {
            lock.told = Some(now);
            for holder in &mut lock.holders {
                self.agent.root.relate(&mut holder.acquired_at, &self.places);
                self.agent.root.relate(&mut holder.suspended_at, &self.places);
            }
            if self.agent.locks.contains(lock.id) || self.takes_other(now) {
                self.unsettled.insert(lock.id);
                self.agent.locks.insert(lock.id, lock);
            }
        }
        // Whoever shows tasks by what is told of them looks at these again.
        let told = report.spans.iter().map(|(task, _)| *task).chain(report.tasks.iter().map(|(task, _)| *task));
        self.changes.tasks.extend(told.filter_map(|task| self.tasks.slot(task)));
        for (task, spans) in report.spans.drain(..) {
            if spans.is_empty() {
                self.agent.spans.remove(task);
            } else if self.agent.spans.contains(task) || self.takes_other(now) {
                self.agent.spans.insert(task, spans);
            }
        }
        for (task, facts) in report.tasks.drain(..) {
            if self.agent.facts.contains(task) || self.takes_other(now) {
                self.agent.facts.insert(task, facts);
            }
        }
        for stall in &mut report.stalls {
            self.agent.root.relate(&mut stall.stack, &self.places);
        }
        for panic in report.panics.drain(..) {
            self.tell_panic(panic);
        }
        self.name_panics();
        self.agent.tell(&mut report, now);
        // Making room may have taken some of them.
        let rows = &self.tasks;
        self.changes.tasks.retain(|&changed| rows.at(changed).is_some());
        if is_last {
            self.agent.now = Some(now);
            self.changes.locks.extend(self.unsettled.iter().copied());
            self.settle_told(now);
            self.agent_forgets(now);
        }
    }

    /// Lets go of what was told of things that were never announced, or are gone.
    fn agent_forgets(&mut self, now: Stamp) {
        if self.agent.swept.is_some_and(|swept| now.since(swept) < PATIENCE) {
            return;
        }
        self.agent.swept = Some(now);
        // What came since the last time may still be announced.
        let early_tasks = std::mem::take(&mut self.agent.early_tasks);
        let early_locks = std::mem::take(&mut self.agent.early_locks);
        let (tasks, resources) = (&self.tasks, &self.resources);
        let is_known = |task: TaskId| tasks.slot(task).is_some() || early_tasks.contains(&task);
        self.agent.spans.retain(is_known);
        self.agent.facts.retain(is_known);
        self.agent.locks.retain(|lock| resources.slot(lock).is_some() || early_locks.contains(&lock));
    }
}
