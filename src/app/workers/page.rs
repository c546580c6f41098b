//! What a worker's page shows: the worker itself, the poll that keeps it, and the stalls before.

use super::list::WorkerRow;
use crate::{
    app::{
        findings::lines::{FindingLine, findings_of_worker},
        labels::{span_label, task_label},
    },
    model::Model,
    session::Session,
    update::{Fact, FactSet, Stack, Stall, Stamp, VerdictKind, WorkerId, WorkerStack, WorkerStats, look::Role},
};
use std::{sync::Arc, time::Duration};

/// A page lists at most this many stalls that are over.
const MOST: usize = 12;

/// One worker.
#[derive(Debug, Clone)]
pub struct WorkerDetail {
    /// As in the list.
    pub row: WorkerRow,
    /// What it is called.
    pub label: String,
    /// As last told.
    pub stats: WorkerStats,
    /// Its busy share, second by second, the newest last.
    pub lane: Vec<f32>,
    /// Its runtime, in words.
    pub runtime: String,
    /// What holds of its whole runtime, and for how long.
    pub verdicts: Vec<(VerdictKind, Duration)>,
    /// The task that it polls, in words.
    pub task: Option<String>,
    /// Why nothing is counted of it, where that is so.
    pub uncounted: Option<&'static str>,
    /// What its thread does, where memory is read.
    pub thread: Option<ThreadLine>,
    /// What it was doing when somebody asked last.
    pub asked: Option<AskedLine>,
    /// The poll that keeps it, if one does.
    pub stall: Option<StallLine>,
    /// Stalls that are over, the latest first.
    pub before: Vec<StallLine>,
    /// What was found.
    pub findings: Vec<FindingLine>,
}

/// A thread as memory and the kernel tell of it.
#[derive(Debug, Clone)]
pub struct ThreadLine {
    /// What it does, in words.
    pub doing: String,
    /// For how long it was stopped so that its stack could be read.
    pub stopped: Option<Duration>,
    /// Its stack.
    pub stack: Option<Arc<Stack>>,
}

impl ThreadLine {
    fn of(model: &Model, id: WorkerId) -> Option<Self> {
        let threads = &model.memory().whole()?.threads;
        let thread = threads.iter().find(|thread| thread.role == Role::Worker(id))?;
        let state = match thread.state {
            'R' => "runs",
            'S' => "sleeps",
            'D' => "waits for a device",
            'T' | 't' => "is stopped",
            _ => "does something that is not known",
        };
        let within = if thread.waits_in.is_empty() { String::new() } else { format!(" in {}", thread.waits_in) };
        Some(Self { doing: format!("{state}{within}"), stopped: thread.stopped, stack: thread.stack.clone() })
    }
}

/// What a worker was doing when somebody asked, in words.
#[derive(Debug, Clone)]
pub struct AskedLine {
    /// In a word or two.
    pub doing: &'static str,
    /// The task that it polled, in words.
    pub task: Option<String>,
    /// How long ago that was.
    pub ago: Duration,
    /// Its stack.
    pub stack: Option<Arc<Stack>>,
}

impl AskedLine {
    fn of(model: &Model, asked: &WorkerStack, now: Stamp) -> Self {
        Self {
            doing: asked.doing.name(),
            task: asked.task.map(|task| task_label(model, task)),
            ago: now.since(asked.at),
            stack: asked.stack.clone(),
        }
    }
}

/// A stall, in words.
#[derive(Debug, Clone)]
pub struct StallLine {
    /// The task, in words.
    pub label: String,
    /// How long the poll has lasted, or lasted.
    pub lasted: Duration,
    /// How long ago it ended.
    pub ended: Option<Duration>,
    /// What the thread is doing.
    pub cause: String,
    /// The same in a word or two.
    pub short: &'static str,
    /// Time on a processor since it was found.
    pub on_cpu: Duration,
    /// Tasks queued behind it.
    pub queued: u64,
    /// The service's own spans that it is in, in one line.
    pub span: Option<String>,
    /// Its stack.
    pub stack: Option<Arc<Stack>>,
    /// Why something of this is missing.
    pub limitation: String,
}

impl StallLine {
    /// A stall as it is at `now`.
    pub fn of(model: &Model, stall: &Stall, now: Stamp) -> Self {
        Self {
            label: stall.task.map_or_else(|| "no task".into(), |task| task_label(model, task)),
            lasted: model.stalled(stall, now),
            ended: stall.ended.map(|ended| now.since(ended)),
            cause: stall.cause_in_words(),
            short: stall.cause_in_short(),
            on_cpu: stall.on_cpu,
            queued: stall.queued,
            span: stall.task.and_then(|task| span_label(model, task)),
            stack: stall.stack.clone(),
            limitation: stall.limitation.clone(),
        }
    }
}

impl WorkerDetail {
    /// A worker as it is; `None` where there is none of that id, or no longer.
    pub fn of(session: &Session, id: WorkerId, now: Stamp) -> Option<Self> {
        let model = session.model();
        let agent = model.agent();
        let worker = agent.worker(id)?;
        let row = WorkerRow::of(model, worker, now);
        let runtime = agent.runtime(id.runtime);
        let over = agent.stalls().rev().filter(|stall| stall.worker == Some(id) && stall.ended.is_some());
        Some(Self {
            row,
            label: agent.worker_label(id),
            stats: worker.stats.clone(),
            lane: worker.lane.shares(now),
            runtime: runtime.map_or_else(String::new, |runtime| match runtime.stats.flavor {
                Some(flavor) => format!("{}, {}", runtime.label(), flavor.name()),
                None => runtime.label(),
            }),
            verdicts: runtime.map_or_else(Vec::new, |runtime| {
                let of_kind = |verdict: &crate::update::Verdict| {
                    (verdict.kind, verdict.since.map_or(Duration::ZERO, |since| now.since(since)))
                };
                runtime.stats.verdicts.iter().map(of_kind).collect()
            }),
            task: row.task.map(|task| task_label(model, task)),
            uncounted: model.knows().why_not_all(FactSet::of(&[Fact::WorkerCounts])),
            thread: ThreadLine::of(model, id),
            asked: agent.asked_of(id).map(|asked| AskedLine::of(model, asked, now)),
            stall: agent.stall_of_worker(id).map(|stall| StallLine::of(model, stall, now)),
            before: over.take(MOST).map(|stall| StallLine::of(model, stall, now)).collect(),
            findings: findings_of_worker(session.engine(), id, model.attached()),
        })
    }
}
