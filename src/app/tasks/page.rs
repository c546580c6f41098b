//! What a task's page shows: everything that is known of one task, kept when the task itself is let go of.

use super::look::LookLines;
use crate::{
    app::{
        filter::field,
        findings::lines::{FindingLine, findings_of_task},
        histogram::Distribution,
        labels::{lock_label, task_label},
        workers::page::StallLine,
    },
    diagnose::woken_by,
    model::{Basis, CpuWait, Model, Op, Origin, Runtime, SPARK_SECONDS, Task, TaskState, Wakers, Wakes},
    session::Session,
    update::{
        Access, Across, Connection, Known, Knows, OpId, ResourceId, Stamp, TaskId, TaskKind, TaskStats,
        look::{Values, Who},
    },
};
use std::time::Duration;

/// A page lists at most this many fields, locks or operations.
const MOST: usize = 16;

/// One task.
#[derive(Debug, Clone)]
pub struct TaskDetail {
    /// The instrumentation's id.
    pub id: TaskId,
    /// The number that a user knows it by.
    pub number: u64,
    /// Its name, empty where it has none.
    pub name: String,
    /// What it was spawned as.
    pub kind: TaskKind,
    /// What it was doing when last reported.
    pub state: TaskState,
    /// For how long it has been doing that, where that is known.
    pub state_for: Option<Duration>,
    /// How far what is shown can be relied on.
    pub presence: Presence,
    /// Where it was spawned, empty where it is not known.
    pub place: String,
    /// How long ago it was spawned.
    pub spawned: Option<Duration>,
    /// How long ago it ended.
    pub ended: Option<Duration>,
    /// The size of what the runtime stores, in bytes; 0 where it is not known.
    pub size: u32,
    /// The size before the runtime boxed the future; 0 where it did not.
    pub original_size: u32,
    /// Its other fields, each as `name=value`.
    pub fields: Vec<String>,
    /// The service's own spans around its latest poll, outermost first.
    pub spans: Vec<String>,
    /// The task that spawned it, in words.
    pub parent: Option<String>,
    /// The runtime that it runs on, and the worker that polls it, in words.
    pub runtime: Option<String>,
    /// The poll in which it keeps its worker, or the latest one in which it did.
    pub stall: Option<StallLine>,
    /// Times.
    pub times: Times,
    /// Its counters as last reported.
    pub stats: TaskStats,
    /// Polls per second.
    pub poll_rate: f64,
    /// The longest poll that has ended; a lower bound.
    pub longest_poll: Duration,
    /// Busy shares of the last seconds.
    pub spark: [f32; SPARK_SECONDS],
    /// Its wakers.
    pub wakers: Known<Wakers>,
    /// How often it was woken.
    pub wakes: Known<Wakes>,
    /// Who woke it, in words, where that is kept, and for how long it has been.
    pub woken_by: Option<(String, Option<Duration>)>,
    /// The mean of its waits between wake and poll of late, where it was polled; and what its workers waited for a processor.
    pub turns: Option<(Duration, Option<CpuWait>)>,
    /// What its source knows, and why not the rest.
    pub knows: Knows,
    /// How long ago it was last woken.
    pub woken: Option<Duration>,
    /// Poll and scheduled times.
    pub histograms: Histograms,
    /// Locks that it holds.
    pub holds: Vec<HeldLock>,
    /// Operations that it waits on.
    pub waits: Vec<AwaitedOp>,
    /// What was read of it in memory.
    pub look: Option<LookLines>,
    /// What its frames have, where the user asked for that.
    pub values: Option<Values>,
    /// What was found.
    pub findings: Vec<FindingLine>,
}

/// How far what is shown of a task can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It is as the target last said.
    Known,
    /// The target announced nothing of it; only its statistics came.
    Unannounced,
    /// The target lost events since it last spoke of it.
    Doubtful,
    /// It was let go of: this is what was last known.
    Evicted,
}

/// Where its life went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// Its age, or its whole life.
    pub total: Known<Duration>,
    /// Inside polls.
    pub busy: Known<Duration>,
    /// In a run queue.
    pub scheduled: Known<Duration>,
    /// Neither; also what was in a run queue, where that is not known.
    pub idle: Duration,
}

/// The distributions of a task's poll and scheduled times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Histograms {
    /// Asked for, and not here yet.
    Awaited,
    /// Not to be had.
    Missing(String),
    /// Here.
    Told {
        /// How long its polls took.
        polls: Option<Distribution>,
        /// How long it waited to be polled.
        scheduled: Option<Distribution>,
    },
}

/// A lock that a task holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldLock {
    /// Which.
    pub lock: ResourceId,
    /// In words.
    pub label: String,
    /// How.
    pub access: Access,
    /// For how long.
    pub held: Duration,
    /// Whether it was seen asleep with it.
    pub across: Across,
    /// How that is known.
    pub basis: Basis,
    /// How many wait for it.
    pub waiters: usize,
}

/// An operation that a task waits on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwaitedOp {
    /// Which.
    pub op: OpId,
    /// The method.
    pub source: String,
    /// What it works on.
    pub resource: Option<ResourceId>,
    /// The same, in words.
    pub label: String,
    /// For how long.
    pub waited: Option<Duration>,
}

impl TaskDetail {
    /// Brings what is shown up to date. Of a task that was let go of, what was last known stays; `None` where nothing is known
    /// of a task with this id.
    pub fn refresh(before: Option<Self>, session: &Session, id: TaskId, now: Stamp) -> Option<Self> {
        if let Some(task) = session.model().tasks().get(id) {
            return Some(Self::of(session, &task, now));
        }
        let before = before.filter(|before| before.id == id)?;
        let ago = |at: Option<Stamp>| at.map(|at| now.since(at));
        let histograms = match before.histograms {
            told @ Histograms::Told { .. } => told,
            _ => Histograms::Missing("the task is no longer there".into()),
        };
        Some(Self {
            presence: Presence::Evicted,
            spawned: ago(before.stats.created),
            ended: ago(before.stats.dropped),
            woken: ago(before.stats.last_wake),
            histograms,
            findings: findings_of_task(session.engine(), id, session.model().attached()),
            holds: Vec::new(),
            waits: Vec::new(),
            look: None,
            values: None,
            ..before
        })
    }

    fn of(session: &Session, task: &Task, now: Stamp) -> Self {
        let model = session.model();
        let presence = match task.origin() {
            Origin::StatisticsOnly => Presence::Unannounced,
            Origin::Announced if model.is_doubtful(task) => Presence::Doubtful,
            Origin::Announced => Presence::Known,
        };
        let state_since = match task.state() {
            TaskState::Running => task.running_since(),
            TaskState::Scheduled => task.scheduled_since(),
            TaskState::Idle => task.stats().polls.last_ended,
            TaskState::Ended => task.dropped(),
        };
        let ago = |at: Option<Stamp>| at.map(|at| now.since(at));
        Self {
            id: task.id(),
            number: task.display_id(),
            name: model.task_name(task).to_owned(),
            kind: task.kind(),
            state: task.state(),
            state_for: ago(state_since),
            presence,
            place: if task.place().is_known() { model.place(task.place()).to_string() } else { String::new() },
            spawned: ago(task.created()),
            ended: ago(task.dropped()),
            size: task.size(),
            original_size: task.original_size(),
            fields: model.extra_fields(task).take(MOST).map(|(name, value)| field(name, value)).collect(),
            spans: model.agent().spans(task.id()).iter().take(MOST).map(ToString::to_string).collect(),
            parent: model.agent().facts(task.id()).parent.map(|parent| task_label(model, parent)),
            runtime: runtime(model, task.id()),
            stall: model.agent().stall_of_task(task.id()).map(|stall| StallLine::of(model, stall, now)),
            times: Times {
                total: model.total(task, now),
                busy: model.busy(task, now),
                scheduled: model.scheduled(task, now),
                idle: task.idle(now),
            },
            stats: task.stats(),
            poll_rate: task.poll_rate(now),
            longest_poll: task.longest_poll(),
            spark: task.shares(now),
            wakers: model.wakers(task),
            wakes: model.wakes(task),
            woken_by: woken_by(model, task.id()).map(|by| {
                let since = model.agent().wakers(task.id()).and_then(|kept| kept.since);
                (by, ago(since))
            }),
            turns: turns(model, task, now),
            knows: model.knows().clone(),
            woken: ago(task.stats().last_wake),
            histograms: histograms(session, task.id()),
            holds: holds(model, task.id(), now),
            waits: waits(model, task.id(), now),
            look: LookLines::of(model, task, now),
            values: session.status().values.clone().filter(|values| task.number().map(Who::Task) == Some(values.of)),
            findings: findings_of_task(session.engine(), task.id(), model.attached()),
        }
    }
}

/// How long it waited for its turn of late, and what its workers waited for a processor.
fn turns(model: &Model, task: &Task, now: Stamp) -> Option<(Duration, Option<CpuWait>)> {
    model.scheduled(task, now).value()?;
    let recent = task.recent_scheduling(now)?;
    Some((recent.mean, model.cpu_wait_of(task.id())))
}

/// The runtime that a task runs on, and the worker that polls it.
fn runtime(model: &Model, task: TaskId) -> Option<String> {
    let agent = model.agent();
    let worker = agent.worker_of(task);
    let id = worker.map(|worker| worker.stats.id.runtime).or(agent.facts(task).runtime)?;
    let label = agent.runtime(id).map_or_else(|| format!("runtime {}", id.0), Runtime::label);
    Some(match worker {
        Some(worker) => format!("{label}, polled by worker {}", worker.stats.id.index),
        None => label,
    })
}

fn histograms(session: &Session, task: TaskId) -> Histograms {
    if let Some(details) = session.status().details.as_ref().filter(|details| details.task == task) {
        return Histograms::Told {
            polls: details.poll_times.as_ref().map(Distribution::of_histogram),
            scheduled: details.scheduled_times.as_ref().map(Distribution::of_histogram),
        };
    }
    match (&session.status().details_missing, &session.status().connection) {
        (Some(reason), _) => Histograms::Missing(reason.clone()),
        (None, Connection::Live) => Histograms::Awaited,
        (None, _) => Histograms::Missing("there is no connection to ask for them".into()),
    }
}

fn holds(model: &Model, task: TaskId, now: Stamp) -> Vec<HeldLock> {
    let of_lock = |(resource, lock): (&crate::model::Resource, &crate::model::Lock)| {
        let hold = lock.holds.iter().find(|hold| hold.acquire.task == task)?;
        Some(HeldLock {
            lock: resource.id,
            label: lock_label(model, resource.id),
            access: hold.acquire.access,
            held: model.held_for(resource.id, hold, now),
            across: hold.across,
            basis: hold.basis,
            waiters: model.waiters_count(resource.id),
        })
    };
    model.locks().filter_map(of_lock).take(MOST).collect()
}

/// The operations that it waits on; those that are a part of one of them say nothing new.
fn waits(model: &Model, task: TaskId, now: Stamp) -> Vec<AwaitedOp> {
    let waits: Vec<&Op> = model.waits_of(task).collect();
    let is_whole = |op: &&&Op| op.parent.is_none_or(|parent| waits.iter().all(|other| other.id != parent));
    let awaited = |op: &&Op| AwaitedOp {
        op: op.id,
        source: model.text(op.source).to_owned(),
        resource: op.resource,
        label: op.resource.map_or_else(String::new, |id| resource_label(model, id)),
        waited: op.created.map(|created| now.since(created)),
    };
    waits.iter().filter(is_whole).take(MOST).map(awaited).collect()
}

fn resource_label(model: &Model, id: ResourceId) -> String {
    match model.resources().get(id) {
        Some(resource) if resource.place.is_known() => {
            format!("{} {}", model.text(resource.concrete_type), model.place(resource.place))
        }
        Some(resource) => model.text(resource.concrete_type).to_owned(),
        None => String::new(),
    }
}
