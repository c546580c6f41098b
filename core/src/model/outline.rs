//! What is left of a model where there is no room for all of it: the rows that somebody names, as they are, and of all tasks how many there are and
//! sums by spawn location.

use super::{
    Attr, Chain, Counts, Model, Names, Op, PlaceId, Resource, Task, TaskState,
    chain::{Links, Of},
    tasks::Rest,
};
use crate::update::{ResourceId, Stamp, TaskId};
use rustc_hash::{FxHashMap, FxHashSet};
use std::{cmp::Reverse, time::Duration};

/// Of so many spawn locations the sums are kept, those with the most tasks; the others are summed where the location is not known.
const LOCATIONS: usize = 4_096;

/// The rows that are left.
#[derive(Debug, Clone, Default)]
pub struct Named {
    /// Tasks.
    pub tasks: FxHashSet<TaskId>,
    /// Locks, and whatever else is waited for.
    pub resources: FxHashSet<ResourceId>,
}

/// The tasks of one spawn location, together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct SpawnSums {
    /// Alive.
    pub live: u64,
    /// Inside a poll.
    pub running: u64,
    /// Ended, and known at that time.
    pub ended: u64,
    /// Polls.
    pub polls: u64,
    busy: u64,
}

impl SpawnSums {
    /// Time inside polls, those included that went on.
    pub fn busy(&self) -> Duration {
        Duration::from_nanos(self.busy)
    }

    /// How many tasks there are.
    pub fn tasks(&self) -> u64 {
        self.live.saturating_add(self.ended)
    }

    pub(super) fn count(&mut self, task: &Task, now: Stamp) {
        self.live += u64::from(!task.has_ended());
        self.running += u64::from(task.state() == TaskState::Running);
        self.ended += u64::from(task.has_ended());
        self.polls = self.polls.saturating_add(task.polls());
        self.busy = self.busy.saturating_add(task.busy_nanos(now));
    }

    fn add(&mut self, other: &Self) {
        self.live = self.live.saturating_add(other.live);
        self.running = self.running.saturating_add(other.running);
        self.ended = self.ended.saturating_add(other.ended);
        self.polls = self.polls.saturating_add(other.polls);
        self.busy = self.busy.saturating_add(other.busy);
    }
}

/// What stands for the rows that are left out.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct Outline {
    counts: Counts,
    sums: FxHashMap<PlaceId, SpawnSums>,
}

impl Outline {
    /// How many tasks there were.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The sums of each spawn location, in no order.
    pub fn sums(&self) -> impl Iterator<Item = (PlaceId, &SpawnSums)> {
        self.sums.iter().map(|(place, sums)| (*place, sums))
    }
}

impl Model {
    /// What is left of it with these rows alone; the sums are yet to be made, of [`Model::rest`]. It takes as long as there are such rows.
    pub fn outline(&self, named: &Named) -> Self {
        let mut outline = Self {
            places: self.places.clone(),
            descriptions: self.descriptions.clone(),
            resources_numbered: self.resources_numbered,
            evicted: self.evicted,
            spawns: self.spawns.clone(),
            health: self.health.clone(),
            panics: self.panics.clone(),
            standstills: self.standstills.clone(),
            activity: self.activity.clone(),
            jobs: self.jobs.clone(),
            agent: self.agent.outline(&named.tasks),
            knows: self.knows.clone(),
            told: self.told.clone(),
            retention: self.retention,
            attached: self.attached,
            now: self.now,
            previous: self.previous,
            outline: Some(Box::new(Outline { counts: self.counts(), sums: FxHashMap::default() })),
            ..Self::default()
        };
        let tasks: Vec<Task> = sorted(&named.tasks).filter_map(|id| self.tasks.get(id)).collect();
        for task in &tasks {
            outline.copy_task(task, self);
        }
        // In the order in which they were announced.
        let mut resources: Vec<&Resource> = named.resources.iter().filter_map(|id| self.resources.get(*id)).collect();
        resources.sort_by_key(|resource| resource.number);
        for resource in &resources {
            outline.copy_resource(resource, &self.names);
        }
        let of_tasks = tasks.iter().flat_map(|task| {
            let chain = self.waiting.get(&task.id()).copied().unwrap_or_default();
            chain.iter(Of::Task, &self.ops)
        });
        let of_resources = resources.iter().flat_map(|resource| resource.ops.iter(Of::Resource, &self.ops));
        // The latest that were made stand last in both chains.
        let mut ops: Vec<&Op> = of_tasks.chain(of_resources).collect();
        ops.sort_by_key(|op| (op.created, op.id));
        ops.dedup_by_key(|op| op.id);
        for op in ops {
            outline.copy_op(op, &self.names);
        }
        outline.unsettled = self.unsettled.intersection(&named.resources).copied().collect();
        outline.counted = self.counted.intersection(&named.resources).copied().collect();
        outline.memory = self.memory.outline(&tasks, &named.resources);
        outline.mend();
        outline
    }

    /// What the sums of an outline are made of: all tasks as they are now, which costs no more than a pointer for a thousand of them.
    pub fn rest(&self) -> Rest {
        self.tasks.rest()
    }

    /// Sums up the tasks that there were.
    pub fn sum(&mut self, rest: &Rest) {
        let now = self.now().unwrap_or(Stamp::MIN);
        let Some(outline) = &mut self.outline else { return };
        let mut sums = rest.sums(now);
        if sums.len() > LOCATIONS {
            let mut sizes: Vec<(Reverse<u64>, PlaceId)> =
                sums.iter().map(|(place, sums)| (Reverse(sums.tasks()), *place)).collect();
            sizes.sort_unstable();
            for (_, place) in sizes.drain(LOCATIONS..) {
                let other = sums.remove(&place).unwrap_or_default();
                sums.entry(PlaceId::UNKNOWN).or_default().add(&other);
            }
        }
        outline.sums = sums;
    }

    /// What stands for the rows that are left out, where any are.
    pub fn outlined(&self) -> Option<&Outline> {
        self.outline.as_deref()
    }

    fn copy_task(&mut self, task: &Task, from: &Self) {
        let name = self.names.intern(from.names.text(task.name()));
        let slot = self.tasks.copy(task, name);
        if matches!(task.state(), TaskState::Running | TaskState::Scheduled) {
            self.hot.insert(slot);
        }
        if task.state() == TaskState::Running {
            self.running.insert(slot);
        }
        if from.worker_jobs.contains(&task.id()) {
            self.worker_jobs.insert(task.id());
        }
    }

    fn copy_resource(&mut self, resource: &Resource, names: &Names) {
        let copy = Resource {
            kind: self.names.intern(names.text(resource.kind)),
            concrete_type: self.names.intern(names.text(resource.concrete_type)),
            target: self.names.intern(names.text(resource.target)),
            attributes: self.copy_attributes(&resource.attributes, names),
            ops: Chain::default(),
            ..resource.clone()
        };
        self.resources.slot_or_insert(resource.id, || copy);
        if resource.lock.is_some() {
            self.locks.push(resource.id);
        }
    }

    fn copy_op(&mut self, op: &Op, names: &Names) {
        let mut copy = op.clone();
        copy.source = self.names.intern(names.text(op.source));
        copy.attributes = self.copy_attributes(&op.attributes, names);
        for chain in [Of::Task, Of::Resource] {
            *copy.links_mut(chain) = Links::default();
        }
        let slot = self.ops.slot_or_insert(op.id, || copy);
        if let Some(resource) = op.resource.and_then(|resource| self.resources.get_mut(resource)) {
            resource.ops.push(Of::Resource, &mut self.ops, slot);
        }
        if let Some(task) = op.task.filter(|_| op.dropped.is_none()) {
            self.waiting.entry(task).or_default().push(Of::Task, &mut self.ops, slot);
        }
    }

    fn copy_attributes(&mut self, attributes: &[Attr], names: &Names) -> Vec<Attr> {
        let mut copy = |attr: &Attr| Attr {
            name: self.names.intern(names.text(attr.name)),
            value: attr.value.clone(),
            unit: self.names.intern(names.text(attr.unit)),
        };
        attributes.iter().map(&mut copy).collect()
    }
}

/// In one order, whatever that of the set is.
fn sorted<T: Copy + Ord>(ids: &FxHashSet<T>) -> impl Iterator<Item = T> {
    let mut ids: Vec<T> = ids.iter().copied().collect();
    ids.sort_unstable();
    ids.into_iter()
}
