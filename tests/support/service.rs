//! A service played by hand, and the updates that stock console-subscriber would send of it.
//!
//! A test says what happens in the service, step by step, and how much time passes. [`Service::publish`] then makes the update.
//! As the real one does, it reads tasks first, then resources, then operations, takes at most [`DRAIN`] announcements along, and
//! tells of nothing that was not announced. [`Service::publish_while`] lets the service go on between these.

#![allow(dead_code, reason = "each test binary uses a part of this")]

#[path = "service/locks.rs"]
mod locks;

use holdup::update::{
    Attribute, Dropped, Field, FieldName, MetaId, NewMetadata, NewOp, NewResource, NewTask, OpId, OpStats, PollOp,
    PollStats, Readiness, ResourceId, ResourceStats, SourcePlace, Stamp, TaskId, TaskStats, Update, Value,
};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// The most announcements that one update takes along.
pub(crate) const DRAIN: usize = 127;

/// How many readers a `RwLock` lets in.
pub(crate) const MAX_READERS: u64 = (1 << 29) - 1;

/// The description that all resources share.
const METADATA: MetaId = MetaId(1);

/// An instant, this long after the service began, which was at 2026-01-01 12:00:00 UTC.
pub(crate) fn at(millis: u64) -> Stamp {
    Stamp::from_nanos(1_767_268_800_000_000_000).plus(Duration::from_millis(millis))
}

/// The moments of a publish between which the service goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Announcements were taken along.
    Drained,
    /// Tasks were read.
    Tasks,
    /// Resources were read.
    Resources,
}

/// How a lock is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Take {
    /// `Mutex::lock`.
    Lock,
    /// `RwLock::read`.
    Read,
    /// `RwLock::write`.
    Write,
}

impl Take {
    fn source(self) -> &'static str {
        match self {
            Self::Lock => "Mutex::lock",
            Self::Read => "RwLock::read",
            Self::Write => "RwLock::write",
        }
    }

    fn permits(self) -> u64 {
        match self {
            Self::Lock | Self::Read => 1,
            Self::Write => MAX_READERS,
        }
    }
}

/// Something that has statistics, and whether they were sent since they changed.
#[expect(clippy::struct_excessive_bools, reason = "what a service notes of a row changes in three ways")]
struct Kept<N, S> {
    new: N,
    stats: S,
    /// It is no longer in the channel of announcements.
    known: bool,
    announced: bool,
    changed: bool,
}

impl<N: Clone, S: Clone> Kept<N, S> {
    fn new(new: N, stats: S) -> Self {
        Self { new, stats, known: false, announced: false, changed: true }
    }

    fn change(&mut self) -> &mut S {
        self.changed = true;
        &mut self.stats
    }
}

type Table<N, S> = BTreeMap<u64, Kept<N, S>>;

/// Announcements and statistics, as an update has them.
type Told<N, S> = (Vec<N>, Vec<(u64, S)>);

/// What of a table is new, and what changed; both for good.
fn take<N: Clone, S: Clone>(table: &mut Table<N, S>) -> Told<N, S> {
    let mut new = Vec::new();
    let mut changed = Vec::new();
    for (&id, kept) in table.iter_mut().filter(|(_, kept)| kept.known) {
        if !std::mem::replace(&mut kept.announced, true) {
            new.push(kept.new.clone());
        }
        if std::mem::take(&mut kept.changed) {
            changed.push((id, kept.stats.clone()));
        }
    }
    (new, changed)
}

/// All that is known of a table; it stays as new and as changed as it was.
fn known<N: Clone, S: Clone>(table: &Table<N, S>) -> Told<N, S> {
    let known = table.iter().filter(|(_, kept)| kept.known);
    known.map(|(&id, kept)| (kept.new.clone(), (id, kept.stats.clone()))).unzip()
}

enum Announcement {
    Task(u64),
    Resource(u64),
    Op(u64),
    Poll(PollOp),
}

/// Somebody in a semaphore's queue: who waits in which operations for how many permits more.
struct Waiter {
    task: TaskId,
    outer: u64,
    inner: u64,
    missing: u64,
}

/// A lock's semaphore, as it is and not as it is reported.
struct Semaphore {
    id: u64,
    permits: u64,
    queue: VecDeque<Waiter>,
}

/// A service.
pub(crate) struct Service {
    now: Stamp,
    next_id: u64,
    tasks: Table<NewTask, TaskStats>,
    resources: Table<NewResource, ResourceStats>,
    ops: Table<NewOp, OpStats>,
    channel: VecDeque<Announcement>,
    dropped: Dropped,
    semaphores: BTreeMap<u64, Semaphore>,
    /// Who was given what it waits for, and has not been polled since: the outer and the inner operation.
    granted: BTreeMap<TaskId, (u64, u64)>,
}

impl Default for Service {
    fn default() -> Self {
        Self::new()
    }
}

impl Service {
    pub(crate) fn new() -> Self {
        Self {
            now: at(0),
            next_id: 0,
            tasks: Table::new(),
            resources: Table::new(),
            ops: Table::new(),
            channel: VecDeque::new(),
            dropped: Dropped::default(),
            semaphores: BTreeMap::new(),
            granted: BTreeMap::new(),
        }
    }

    /// What its clock shows.
    pub(crate) fn now(&self) -> Stamp {
        self.now
    }

    /// Time passes.
    pub(crate) fn pass(&mut self, millis: u64) -> &mut Self {
        self.pass_micros(millis * 1_000)
    }

    pub(crate) fn pass_micros(&mut self, micros: u64) -> &mut Self {
        self.now = self.now.plus(Duration::from_micros(micros));
        self
    }

    // ---- tasks ----

    /// A task is spawned. It is not polled yet.
    pub(crate) fn spawn(&mut self, name: &str, place: &str) -> TaskId {
        self.spawn_with(name, place, &[("kind", Value::Text("task".into()))])
    }

    /// A task with fields of its own.
    pub(crate) fn spawn_with(&mut self, name: &str, place: &str, fields: &[(&str, Value)]) -> TaskId {
        let id = self.id();
        let name = (!name.is_empty()).then(|| field("task.name", Value::Text(name.into())));
        let number = field("task.id", Value::U64(id + 100));
        let others = fields.iter().map(|(name, value)| field(name, value.clone()));
        let fields = name.into_iter().chain([number]).chain(others).collect();
        let new = NewTask::from_fields(TaskId(id), None, fields, source_place(place));
        let stats = TaskStats { created: Some(self.now), last_wake: Some(self.now), wakes: 1, ..TaskStats::default() };
        self.tasks.insert(id, Kept::new(new, stats));
        self.channel.push_back(Announcement::Task(id));
        TaskId(id)
    }

    /// A poll starts. If the task waited for a lock and was given it, the acquire completes; [`Service::report_taken`] is
    /// what would follow.
    pub(crate) fn start(&mut self, task: TaskId) -> &mut Self {
        let now = self.now;
        let stats = self.task(task);
        let since = stats.last_wake.max(stats.polls.last_ended);
        stats.scheduled += since.map_or(Duration::ZERO, |since| now.since(since));
        start(&mut stats.polls, now);
        if let Some((outer, inner)) = self.granted.remove(&task) {
            self.poll_op(outer, task, None);
            self.poll_op(inner, task, Some(Readiness::Ready));
            self.drop_op(inner);
            self.drop_op(outer);
        }
        self
    }

    /// The poll ends.
    pub(crate) fn end(&mut self, task: TaskId) -> &mut Self {
        let now = self.now;
        end(&mut self.task(task).polls, now);
        self
    }

    /// A poll of this length.
    pub(crate) fn poll(&mut self, task: TaskId, millis: u64) -> &mut Self {
        self.start(task).pass(millis).end(task)
    }

    /// Another task, or a timer, wakes it.
    pub(crate) fn wake(&mut self, task: TaskId) -> &mut Self {
        let now = self.now;
        let stats = self.task(task);
        stats.last_wake = Some(now);
        stats.wakes += 1;
        self
    }

    /// It wakes itself, inside its poll.
    pub(crate) fn wake_itself(&mut self, task: TaskId) -> &mut Self {
        self.task(task).self_wakes += 1;
        self.wake(task)
    }

    /// Its waker is cloned.
    pub(crate) fn keep_waker(&mut self, task: TaskId) -> &mut Self {
        self.task(task).waker_clones += 1;
        self
    }

    /// A clone of its waker is dropped.
    pub(crate) fn drop_waker(&mut self, task: TaskId) -> &mut Self {
        self.task(task).waker_drops += 1;
        self
    }

    /// The task is over.
    pub(crate) fn finish(&mut self, task: TaskId) -> &mut Self {
        let now = self.now;
        self.task(task).dropped = Some(now);
        self
    }

    /// The task's statistics, to be changed beyond what this service can play.
    pub(crate) fn task(&mut self, task: TaskId) -> &mut TaskStats {
        self.tasks.get_mut(&task.0).expect("a task of this service").change()
    }

    /// Every task that was ever spawned, in that order.
    pub(crate) fn task_ids(&self) -> Vec<TaskId> {
        self.tasks.keys().copied().map(TaskId).collect()
    }

    /// When a task's latest poll started.
    pub(crate) fn polled_since(&self, task: TaskId) -> Option<Stamp> {
        self.tasks.get(&task.0)?.stats.polls.last_started
    }

    /// Every lock that was ever made, in that order.
    pub(crate) fn lock_ids(&self) -> Vec<ResourceId> {
        self.semaphores.keys().copied().map(ResourceId).collect()
    }

    // ---- resources ----

    pub(crate) fn mutex(&mut self, place: &str) -> ResourceId {
        self.lock_with("Mutex", place, 1, &[("locked", Value::Bool(false))])
    }

    pub(crate) fn rwlock(&mut self, place: &str) -> ResourceId {
        let attributes = [
            ("current_readers", Value::U64(0)),
            ("max_readers", Value::U64(MAX_READERS)),
            ("write_locked", Value::Bool(false)),
        ];
        self.lock_with("RwLock", place, MAX_READERS, &attributes)
    }

    fn lock_with(&mut self, kind: &str, place: &str, permits: u64, attributes: &[(&str, Value)]) -> ResourceId {
        let lock = self.resource(kind, "Sync", place, None, attributes);
        let inner = self.resource("Semaphore", "Sync", place, Some(lock), &[("permits", Value::U64(permits))]);
        self.semaphores.insert(lock.0, Semaphore { id: inner.0, permits, queue: VecDeque::new() });
        lock
    }

    /// A resource of any type; one that is a part of another is internal.
    pub(crate) fn resource(
        &mut self,
        concrete_type: &str,
        kind: &str,
        place: &str,
        parent: Option<ResourceId>,
        attributes: &[(&str, Value)],
    ) -> ResourceId {
        let id = self.id();
        let new = NewResource {
            id: ResourceId(id),
            metadata: Some(METADATA),
            parent,
            kind: kind.into(),
            concrete_type: concrete_type.into(),
            target: String::new(),
            place: source_place(place),
            internal: parent.is_some(),
        };
        let attributes = attributes
            .iter()
            .map(|(name, value)| Attribute { field: field(name, value.clone()), unit: None })
            .collect();
        let stats = ResourceStats { created: Some(self.now), dropped: None, attributes, permits: None };
        self.resources.insert(id, Kept::new(new, stats));
        self.channel.push_back(Announcement::Resource(id));
        ResourceId(id)
    }

    /// The room of a channel: a semaphore that the service's author never wrote down, and that is part of nothing.
    pub(crate) fn room(&mut self) -> ResourceId {
        let room = self.resource("Semaphore", "Sync", "", None, &[("permits", Value::U64(0))]);
        self.resources.get_mut(&room.0).expect("it was just made").new.internal = true;
        room
    }

    /// The resource is gone, and so are its parts.
    pub(crate) fn drop_resource(&mut self, resource: ResourceId) -> &mut Self {
        let now = self.now;
        for (&id, kept) in &mut self.resources {
            if id == resource.0 || kept.new.parent == Some(resource) {
                kept.change().dropped = Some(now);
            }
        }
        self
    }

    /// The resource's statistics, to be changed beyond what this service can play.
    pub(crate) fn resource_stats(&mut self, resource: ResourceId) -> &mut ResourceStats {
        self.resources.get_mut(&resource.0).expect("a resource of this service").change()
    }

    // ---- operations ----

    /// An operation is made by a task that is being polled.
    pub(crate) fn op(
        &mut self,
        source: &str,
        resource: ResourceId,
        parent: Option<OpId>,
        task: TaskId,
        attributes: &[(&str, Value)],
    ) -> OpId {
        let id = self.id();
        let new = NewOp { id: OpId(id), parent, resource: Some(resource), source: source.into() };
        let attributes = attributes
            .iter()
            .map(|(name, value)| Attribute { field: field(name, value.clone()), unit: None })
            .collect();
        let stats = OpStats { created: Some(self.now), attributes, ..OpStats::default() };
        self.ops.insert(id, Kept::new(new, stats));
        self.channel.push_back(Announcement::Op(id));
        // Making the future enters its span once.
        self.poll_op(id, task, None);
        OpId(id)
    }

    fn poll_op(&mut self, id: u64, task: TaskId, readiness: Option<Readiness>) {
        let now = self.now;
        let op = self.ops.get_mut(&id).expect("an operation of this service");
        let resource = op.new.resource;
        let stats = op.change();
        stats.task = Some(task);
        start(&mut stats.polls, now);
        end(&mut stats.polls, now);
        if let (Some(readiness), Some(resource)) = (readiness, resource) {
            let poll = PollOp { resource, op: Some(OpId(id)), task: Some(task), readiness };
            self.channel.push_back(Announcement::Poll(poll));
        }
    }

    fn drop_op(&mut self, id: u64) {
        let now = self.now;
        self.ops.get_mut(&id).expect("an operation of this service").change().dropped = Some(now);
    }

    /// A task gives up waiting: the operation is dropped before it is complete.
    pub(crate) fn cancel(&mut self, task: TaskId) -> &mut Self {
        let mut cancelled = Vec::new();
        for semaphore in self.semaphores.values_mut() {
            cancelled.extend(semaphore.queue.iter().filter(|waiter| waiter.task == task).map(|w| (w.inner, w.outer)));
            semaphore.queue.retain(|waiter| waiter.task != task);
        }
        for (inner, outer) in cancelled {
            self.drop_op(inner);
            self.drop_op(outer);
        }
        self
    }

    fn obtain(&mut self, inner: u64, permits: u64) {
        let stats = self.ops.get_mut(&inner).expect("an operation of this service").change();
        add(&mut stats.attributes, "permits_obtained", permits as i64);
    }

    fn set(&mut self, resource: ResourceId, name: &str, value: Value) {
        let attributes = &mut self.resource_stats(resource).attributes;
        if let Some(attribute) = attributes.iter_mut().find(|attribute| is_named(attribute, name)) {
            attribute.field.value = value;
        }
    }

    fn add(&mut self, resource: ResourceId, name: &str, by: i64) {
        add(&mut self.resource_stats(resource).attributes, name, by);
    }

    fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    // ---- publishing ----

    /// Announcements are lost before anybody reads them; the service counts how many operations were.
    pub(crate) fn lose_announcements(&mut self) -> &mut Self {
        let lost = self.channel.drain(..).filter(|lost| matches!(lost, Announcement::Op(_) | Announcement::Poll(_)));
        self.dropped.ops += lost.count() as u64;
        self
    }

    /// What is over is forgotten, as it is for whoever attaches later.
    pub(crate) fn forget(&mut self) -> &mut Self {
        while !self.channel.is_empty() {
            self.drain();
        }
        self.tasks.retain(|_, kept| kept.stats.dropped.is_none());
        self.resources.retain(|_, kept| kept.stats.dropped.is_none());
        self.ops.retain(|_, kept| kept.stats.dropped.is_none());
        self
    }

    /// The update that greets whoever attaches: all that was announced. It leaves the marks of what is new and what changed as
    /// they are, so that the next update tells everything once more, as the real one does.
    pub(crate) fn greet(&mut self) -> Update {
        while !self.channel.is_empty() {
            self.drain();
        }
        self.update(known(&self.tasks), known(&self.resources), known(&self.ops), Vec::new())
    }

    /// An update of all that was announced, and changed since the last one.
    pub(crate) fn publish(&mut self) -> Update {
        self.publish_while(|_, _| ())
    }

    /// The same, while the service goes on.
    pub(crate) fn publish_while(&mut self, mut go_on: impl FnMut(&mut Self, Moment)) -> Update {
        let poll_ops = self.drain();
        go_on(self, Moment::Drained);
        let tasks = take(&mut self.tasks);
        go_on(self, Moment::Tasks);
        let resources = take(&mut self.resources);
        go_on(self, Moment::Resources);
        let ops = take(&mut self.ops);
        let update = self.update(tasks, resources, ops, poll_ops);
        Update { dropped: std::mem::take(&mut self.dropped), ..update }
    }

    fn update(
        &self,
        (new_tasks, task_stats): Told<NewTask, TaskStats>,
        (new_resources, resource_stats): Told<NewResource, ResourceStats>,
        (new_ops, op_stats): Told<NewOp, OpStats>,
        poll_ops: Vec<PollOp>,
    ) -> Update {
        let metadata = NewMetadata {
            id: METADATA,
            name: "runtime.resource".into(),
            target: "tokio::sync".into(),
            field_names: Vec::new(),
        };
        Update {
            now: Some(self.now),
            metadata: vec![metadata],
            new_tasks,
            task_stats: task_stats.into_iter().map(|(id, stats)| (TaskId(id), stats)).collect(),
            new_resources,
            resource_stats: resource_stats.into_iter().map(|(id, stats)| (ResourceId(id), stats)).collect(),
            new_ops,
            op_stats: op_stats.into_iter().map(|(id, stats)| (OpId(id), stats)).collect(),
            poll_ops,
            ..Update::default()
        }
    }

    fn drain(&mut self) -> Vec<PollOp> {
        let mut polls = Vec::new();
        for announcement in self.channel.drain(..self.channel.len().min(DRAIN)) {
            match announcement {
                Announcement::Task(id) => self.tasks.get_mut(&id).expect("announced").known = true,
                Announcement::Resource(id) => self.resources.get_mut(&id).expect("announced").known = true,
                Announcement::Op(id) => self.ops.get_mut(&id).expect("announced").known = true,
                Announcement::Poll(poll) => polls.push(poll),
            }
        }
        polls
    }
}

fn start(polls: &mut PollStats, now: Stamp) {
    polls.count += 1;
    polls.last_started = Some(now);
}

fn end(polls: &mut PollStats, now: Stamp) {
    polls.busy += polls.last_started.map_or(Duration::ZERO, |started| now.since(started));
    polls.last_ended = Some(now);
}

fn field(name: &str, value: Value) -> Field {
    Field { name: FieldName::Text(name.into()), value }
}

fn is_named(attribute: &Attribute, name: &str) -> bool {
    matches!(&attribute.field.name, FieldName::Text(text) if text == name)
}

fn add(attributes: &mut [Attribute], name: &str, by: i64) {
    for attribute in attributes.iter_mut().filter(|attribute| is_named(attribute, name)) {
        if let Value::U64(number) = &mut attribute.field.value {
            *number = number.saturating_add_signed(by);
        }
    }
}

/// `file:line`, and no place for an empty text.
fn source_place(place: &str) -> Option<SourcePlace> {
    let (file, line) = place.rsplit_once(':')?;
    Some(SourcePlace { file: file.into(), line: line.parse().ok()?, column: 5 })
}
