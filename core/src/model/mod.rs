//! The target as we know it. Pure: no I/O, no clock, no terminal. Time comes in with each update.
//!
//! [`Model::apply`] takes what the wire claims and makes state of it, whatever the order, and however wrong. Rows are found by
//! id; a [`Slot`] is a row's place for as long as it lives. What an update changed stands in [`Changes`] until the next one, so
//! that whoever follows looks at that alone.

mod activity;
mod agent;
mod apply;
mod budget;
mod chain;
mod cpu_wait;
mod descriptions;
mod drive;
mod evict;
mod health;
mod intern;
mod jobs;
mod kind;
mod known;
mod locks;
mod losses;
mod memory;
mod ops;
mod outline;
mod panics;
mod resources;
mod runtimes;
mod sized_map;
mod slots;
mod source_root;
mod spawn_locations;
mod spawn_times;
mod stalls;
mod standstills;
mod table;
mod tasks;
mod worker_stacks;
mod workers;
mod written;

pub use agent::Agent;
pub use budget::Evicted;
pub use chain::Chain;
pub use cpu_wait::CpuWait;
pub use drive::Undriven;
pub use health::Health;
pub use intern::{Names, PlaceId, Places, Sym};
pub use jobs::Jobs;
pub use kind::TaskState;
pub use known::{Wakers, Wakes};
pub use locks::{
    Acquire, AcrossAwait, Basis, HOLD_BUCKETS, Hold, HoldTimes, Lock, LockKind, LockState, Sighting, Unknown,
};
pub use losses::Losses;
pub use memory::{Awaits, AwaitsKey, Memory};
pub use ops::{Op, Outcome};
pub use outline::{Named, Outline, SpawnSums};
pub use panics::{KnownTask, OlderPanics, Panicked};
pub use resources::{Attr, Resource};
pub use runtimes::Runtime;
pub use slots::Slot;
pub use spawn_locations::{SpawnTable, Spawns};
pub use spawn_times::Lengths;
pub use standstills::{Standstills, Stood};
pub use table::{Row, Table};
pub use tasks::{
    Batch, Doings, LONG_POLL, Origin, Rate, Recent, Rest, Room, SPARK_SECONDS, Scheduling, Spark, Task, Tasks,
};
pub use workers::{LANE_SECONDS, Lane, Worker};

use crate::update::{Access, Knows, OpId, Place, ResourceId, Stall, Stamp, TaskId, Value, Waiting};
use activity::Activity;
use chain::Of;
use descriptions::Descriptions;
use jobs::JobTable;
use locks::LockIds;
use rustc_hash::{FxHashMap, FxHashSet};
use std::{collections::VecDeque, time::Duration};

/// What the model keeps of what is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Retention {
    /// How long tasks that ended and resources that were dropped stay; `None` keeps them as long as there is room.
    pub keep: Option<Duration>,
    /// How many ended tasks, and how many dropped resources and operations, stay at most.
    pub most: usize,
    /// How many bytes the model takes at most, by its own estimate ([`Model::bytes`]). What is over goes first; if that is not
    /// enough, what is new is counted and not kept.
    pub max_bytes: usize,
    /// How many bytes whoever shows the tasks keeps of each beside its row. They count as well.
    pub beside: usize,
}

impl Default for Retention {
    /// As long as tokio-console keeps what is over; and room for two million live tasks, which no screen needs more of and no
    /// laptop is out of breath with.
    fn default() -> Self {
        Self { keep: Some(Duration::from_secs(6)), most: 100_000, max_bytes: 512 << 20, beside: 0 }
    }
}

impl Retention {
    /// No model among several has less room than this.
    const LEAST: usize = 4 << 20;

    /// Its part where there are so many models that share the room.
    #[must_use]
    pub fn among(self, models: usize) -> Self {
        match models {
            0 | 1 => self,
            _ => Self { max_bytes: (self.max_bytes / models).max(Self::LEAST.min(self.max_bytes)), ..self },
        }
    }
}

/// What the latest update changed.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct Changes {
    /// Tasks that are new or were reported.
    pub tasks: Vec<Slot>,
    /// Tasks whose rows are gone.
    pub removed: Vec<(Slot, TaskId)>,
    /// Tasks that are no longer of this spawn location, in the order in which that happened: their rows are gone, or a second
    /// announcement named another one.
    pub left: Vec<(Slot, TaskId, PlaceId)>,
    /// Locks that were reported, or whose operations were.
    pub locks: Vec<ResourceId>,
    /// Whether the update is complete.
    pub complete: bool,
    /// Whether symbols may stand for other texts than before.
    pub renamed: bool,
}

/// How many tasks are in which state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Counts {
    /// Inside a poll.
    pub running: usize,
    /// Waiting to be polled.
    pub scheduled: usize,
    /// Not ended.
    pub live: usize,
    /// Ended and still shown.
    pub ended: usize,
}

/// One process that was attached to, from the moment of attaching. Another process, or another attachment, is another model.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct Model {
    tasks: Tasks,
    resources: Table<Resource>,
    /// The latest number that was given to one.
    resources_numbered: u32,
    ops: Table<Op>,
    names: Names,
    places: Places,
    descriptions: Descriptions,
    /// The operations that tasks wait on.
    waiting: FxHashMap<TaskId, Chain>,
    locks: LockIds,
    unsettled: FxHashSet<ResourceId>,
    /// Those of which it is told who took permits.
    counted: FxHashSet<ResourceId>,
    finished: Vec<OpId>,
    hot: FxHashSet<Slot>,
    running: FxHashSet<Slot>,
    /// The jobs that are tokio's workers.
    worker_jobs: FxHashSet<TaskId>,
    ended: VecDeque<(Stamp, TaskId)>,
    ended_rows: usize,
    /// Tasks that have a recent past, and when they were last told of, or before.
    recents: VecDeque<(Stamp, TaskId)>,
    /// Bytes of fields and attributes.
    loose_bytes: usize,
    evicted: Evicted,
    returned: apply::Returned,
    early: apply::Early,
    dropped_ops: VecDeque<(Stamp, OpId)>,
    dropped_resources: VecDeque<(Stamp, ResourceId)>,
    spawns: SpawnTable,
    health: Health,
    panics: panics::Panics,
    standstills: Standstills,
    activity: Activity,
    jobs: JobTable,
    agent: Agent,
    memory: Memory,
    /// What all sources together can tell.
    knows: Knows,
    /// What the one can that memory is read beside.
    told: Knows,
    #[serde(skip)]
    changes: Changes,
    retention: Retention,
    attached: Option<Stamp>,
    now: Option<Stamp>,
    previous: Option<Stamp>,
    /// What stands for the rows that were left out.
    #[serde(default)]
    outline: Option<Box<Outline>>,
}

impl Model {
    /// An empty model of a target that has no agent.
    pub fn new(retention: Retention) -> Self {
        Self { retention, ..Self::default() }
    }

    /// An empty model of a target that a source which knows this tells of.
    pub fn told_by(knows: Knows, retention: Retention) -> Self {
        Self { told: knows.clone(), knows, retention, ..Self::default() }
    }

    /// What its source can tell at all.
    pub fn knows(&self) -> &Knows {
        &self.knows
    }

    /// What the source can tell that memory is read beside; all, where one speaks alone.
    pub fn told(&self) -> &Knows {
        &self.told
    }

    /// What an agent alone tells; all empty where the target has none.
    pub fn agent(&self) -> &Agent {
        &self.agent
    }

    /// What was read in the process's memory; nothing where nobody reads it.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// The target's clock at the latest complete update, or at the first one while that is still on its way, and `None` before.
    pub fn now(&self) -> Option<Stamp> {
        self.now.or(self.attached)
    }

    /// The target's clock at the update before. What the latest update does not contradict was true at this instant: an
    /// update's parts are not read all at once, and some are older than its `now`.
    pub fn settled(&self) -> Option<Stamp> {
        self.previous
    }

    /// The target's clock at the first update.
    pub fn attached(&self) -> Option<Stamp> {
        self.attached
    }

    /// All tasks.
    pub fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// All resources.
    pub fn resources(&self) -> &Table<Resource> {
        &self.resources
    }

    /// What a resource is known by: its number, or its id where the model does not know it.
    pub fn resource_number(&self, id: ResourceId) -> u64 {
        self.resources.get(id).map_or(id.0, |resource| resource.number.into())
    }

    /// All operations that are pending, and those dropped a short while ago.
    pub fn ops(&self) -> &Table<Op> {
        &self.ops
    }

    /// The operations on a resource that are pending, or were dropped a short while ago.
    pub fn ops_on(&self, resource: &Resource) -> impl Iterator<Item = &Op> {
        resource.ops.iter(Of::Resource, &self.ops)
    }

    /// The locks among the resources, in the order in which they were announced.
    pub fn locks(&self) -> impl Iterator<Item = (&Resource, &Lock)> {
        self.locks.iter().filter_map(|id| self.lock(id))
    }

    /// The locks that somebody holds or waits for, as far as that is known, in no order.
    pub fn locks_in_use(&self) -> impl Iterator<Item = ResourceId> {
        self.unsettled.iter().copied()
    }

    /// The semaphores, and the rooms of channels, of which an agent tells who took permits, in no order.
    pub fn counted(&self) -> impl Iterator<Item = ResourceId> {
        self.counted.iter().copied()
    }

    /// One lock.
    pub fn lock(&self, id: ResourceId) -> Option<(&Resource, &Lock)> {
        let resource = self.resources.get(id)?;
        Some((resource, resource.lock.as_deref()?))
    }

    /// The operations that a task waits on, parts of others included.
    pub fn waits_of(&self, task: TaskId) -> impl Iterator<Item = &Op> {
        let chain = self.waiting.get(&task).copied().unwrap_or_default();
        chain.iter(Of::Task, &self.ops).filter(|op| op.is_waiting() && !self.has_got(op))
    }

    /// Whether a task has any operation that takes a lock, whether or not it waits in it.
    fn has_acquires(&self, task: TaskId) -> bool {
        let chain = self.waiting.get(&task).copied().unwrap_or_default();
        chain.iter(Of::Task, &self.ops).any(|op| self.access(op).is_some())
    }

    /// Whether the task of an operation, on a lock or on a part of one, is told to hold it since the operation began, and not to wait for
    /// it: a lock is read later than the operations on it, and is right where the two disagree. Its holders and waiters are of one
    /// moment; by the times alone one who asks again at once for what it holds could not be told from one who has got it.
    fn has_got(&self, op: &Op) -> bool {
        let of_lock = |resource: &Resource| self.resources.get(resource.parent?)?.told_lock();
        let resource = op.resource.and_then(|resource| self.resources.get(resource));
        let Some((lock, queue)) = resource.and_then(|resource| resource.told_lock().or_else(|| of_lock(resource)))
        else {
            return false;
        };
        let has = |hold: &Hold| {
            Some(hold.acquire.task) == op.task && op.created.is_some_and(|asked| hold.acquire.at >= asked)
        };
        lock.holds.iter().any(has) && queue.waiters.iter().all(|waiter| waiter.task != op.task)
    }

    /// Who waits for a lock, in the order in which they asked: as the agent tells, or else by the operations on it.
    pub fn waiters(&self, lock: ResourceId) -> Vec<Waiting> {
        let Some(resource) = self.resources.get(lock) else { return Vec::new() };
        if let Some((_, queue)) = resource.told_lock() {
            return queue.waiters.clone();
        }
        let ops = self.ops_on(resource).filter(|op| op.is_waiting());
        let waiting = |op: &Op| Some(Waiting { op: op.id, task: op.task, access: self.access(op)?, since: op.created });
        let mut waiters: Vec<Waiting> = ops.filter_map(waiting).collect();
        waiters.sort_by_key(|waiter| (waiter.since, waiter.op));
        waiters
    }

    /// How many wait for a lock: more than [`Model::waiters`] where the agent tells of the first ones alone.
    pub fn waiters_count(&self, lock: ResourceId) -> usize {
        match self.resources.get(lock).and_then(Resource::told_lock) {
            Some((_, queue)) => queue.count(),
            None => self.waiters(lock).len(),
        }
    }

    /// How an operation takes a lock, if it does.
    pub fn access(&self, op: &Op) -> Option<Access> {
        Access::from_source(self.names.text(op.source))
    }

    /// Tasks whose state depends on the time that passes, not only on reports: running, scheduled, never polled.
    pub fn hot(&self) -> impl Iterator<Item = Task<'_>> {
        self.hot.iter().filter_map(|&slot| self.tasks.at(slot))
    }

    /// Spawn locations.
    pub fn spawns(&self) -> &SpawnTable {
        &self.spawns
    }

    /// What the latest [`Model::apply`] changed.
    pub fn changes(&self) -> &Changes {
        &self.changes
    }

    /// How far the target's own account can be trusted.
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// Updates stop or begin because somebody asks for that: what is missing in between is no standstill.
    pub fn expect_a_gap(&mut self) {
        self.standstills.begin_anew();
    }

    /// How long something has lasted at an instant that is so since another, as long as the process did not stand still.
    pub fn lasted(&self, since: Stamp, at: Stamp) -> Duration {
        at.since(since).saturating_sub(self.standstills.within(since, at))
    }

    /// How long a stall has lasted at `now`, or lasted. Of one that goes on that is known up to the latest update, and findings say it
    /// up to there too.
    pub fn stalled(&self, stall: &Stall, now: Stamp) -> Duration {
        let told = self.now.map_or(now, |told| told.min(now));
        self.lasted(stall.since, stall.ended.unwrap_or(told))
    }

    /// When the process as a whole stood still.
    pub fn standstills(&self) -> &Standstills {
        &self.standstills
    }

    /// The text of a symbol.
    pub fn text(&self, sym: Sym) -> &str {
        self.names.text(sym)
    }

    /// How many texts there are. Every symbol's index is below that.
    pub fn names(&self) -> usize {
        self.names.count()
    }

    /// How many places there are. Every place's index is below that.
    pub fn places(&self) -> usize {
        self.places.count()
    }

    /// A place in the service's source.
    pub fn place(&self, id: PlaceId) -> &Place {
        self.places.get(id)
    }

    /// A task's name, empty where it has none.
    pub fn task_name(&self, task: &Task) -> &str {
        self.names.text(task.name())
    }

    /// A task's fields that have no place of their own in [`Task`].
    pub fn extra_fields<'a>(&'a self, task: &Task<'a>) -> impl Iterator<Item = (&'a str, &'a Value)> {
        task.fields().iter().map(|field| (self.descriptions.field_name(&field.name), &field.value))
    }

    /// Whether what is shown of a task may be out of date: the target lost events since it last spoke of it.
    pub fn is_doubtful(&self, task: &Task) -> bool {
        self.health.dropped_at.is_some_and(|at| at > task.confirmed()) && !task.has_ended()
    }

    /// How many tasks there are, by state; tokio's own workers are none.
    pub fn counts(&self) -> Counts {
        if let Some(outline) = &self.outline {
            return outline.counts();
        }
        let (running, ended) = (self.running.len(), self.ended_rows);
        let mut counts = Counts {
            running,
            scheduled: self.hot.len().saturating_sub(running),
            live: self.tasks.len().saturating_sub(ended),
            ended,
        };
        for job in self.worker_jobs.iter().filter_map(|&id| self.tasks.get(id)) {
            let (of_state, of_life) = match job.state() {
                TaskState::Running => (Some(&mut counts.running), &mut counts.live),
                TaskState::Scheduled => (Some(&mut counts.scheduled), &mut counts.live),
                TaskState::Idle => (None, &mut counts.live),
                TaskState::Ended => (None, &mut counts.ended),
            };
            *of_life = of_life.saturating_sub(1);
            if let Some(count) = of_state {
                *count = count.saturating_sub(1);
            }
        }
        counts
    }
}

#[cfg(test)]
pub(crate) mod tests;
