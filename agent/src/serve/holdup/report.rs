//! What the console's format has no word for, as messages of `holdup.v1`.

use crate::{
    Detail, clock,
    collect::{self, callsite::tokio_version, task::row, tested, threads},
    missing::Missing,
    panics::{self, Panic},
    process::Process,
    runtimes::{
        self, Flavor,
        sample::{RuntimeRow, Sample, WorkerRow},
        verdict::{Kind, Verdict},
    },
    serve::{
        backlog::Row,
        holdup::older,
        time::{duration, timestamp},
    },
    standstills::Standstill,
    view::{Access, Holder, LockView, Losses, Owner, SpansView, SpawnTimes, Waiter, Wakers, Waking, WokenBy},
};
use holdup_proto::v1;
use std::sync::Arc;

/// Whether the agent hears of tasks that are spawned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hears {
    Tasks,
    Nothing,
}

/// Where that is nothing.
const DEAF: &str = "nothing that tokio tells arrives: a task of the agent's own was spawned, and no span of it was seen. Another \
                    subscriber is in use, or a filter around the agent's takes tokio's spans out";

/// What hardly changes while the process runs.
#[derive(Debug, Clone)]
pub(crate) struct Description {
    pub(crate) process: Process,
    pub(crate) detail: Detail,
    /// Stable names of what can be told.
    pub(crate) capabilities: Vec<&'static str>,
    /// What cannot be seen here, and why, as sentences.
    pub(crate) limitations: Vec<String>,
    /// What the agent does without at the moment.
    pub(crate) missing: Arc<Missing>,
}

pub(crate) fn description(description: &Description, hears: Hears) -> v1::DescribeResponse {
    let Description { process, detail, capabilities, limitations, missing } = description;
    // A runtime may be hooked into at any time.
    let scheduled = (*detail == Detail::Full || is_hooked()).then_some("scheduled");
    let deaf = (hears == Hears::Nothing).then(|| DEAF.to_owned());
    let collected = if *detail == Detail::Full { collect::Detail::Full } else { collect::Detail::Lean };
    let blind = || tested::limitations(collected).into_iter().chain(older::limitation());
    let blind: Vec<String> = if hears == Hears::Tasks { blind().collect() } else { Vec::new() };
    v1::DescribeResponse {
        process: Some(v1::Process {
            boot_id: process.boot_id.to_vec(),
            pid: process.pid,
            executable: process.executable.clone(),
            name: process.name.clone(),
            started_at: Some(process.started_at.into()),
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
            tokio_version: tokio_version().unwrap_or_default().to_owned(),
        }),
        detail: detail.word().to_owned(),
        capabilities: capabilities.iter().chain(&scheduled).map(ToString::to_string).collect(),
        limitations: limitations
            .iter()
            .cloned()
            .chain(missing.in_words())
            .chain(deaf)
            .chain(blind)
            .chain(panics::limitation())
            .chain(clock::limitation())
            .chain(row::limitation())
            .collect(),
    }
}

/// Whether it is known of any runtime for how long its tasks waited to be polled, although no wake is told.
#[cfg(all(tokio_unstable, feature = "schedule-latency"))]
fn is_hooked() -> bool {
    crate::collect::hooks::are_there()
}

#[cfg(not(all(tokio_unstable, feature = "schedule-latency")))]
fn is_hooked() -> bool {
    false
}

/// Every runtime and every worker.
pub(crate) fn sample(sample: &Sample) -> (Vec<v1::Runtime>, Vec<v1::Worker>) {
    (sample.runtimes.iter().map(runtime).collect(), sample.workers.iter().map(worker).collect())
}

fn runtime(row: &RuntimeRow) -> v1::Runtime {
    let flavor = match row.runtime.flavor {
        Flavor::MultiThread => v1::runtime::Flavor::MultiThread,
        Flavor::CurrentThread => v1::runtime::Flavor::CurrentThread,
    };
    v1::Runtime {
        id: row.runtime.id,
        name: row.runtime.name.to_string(),
        flavor: flavor.into(),
        workers: row.workers,
        alive_tasks: row.whole.alive_tasks,
        global_queue_depth: row.whole.global_queue_depth,
        blocking_threads: row.whole.blocking_threads,
        idle_blocking_threads: row.whole.idle_blocking_threads,
        blocking_queue_depth: row.whole.blocking_queue_depth,
        io_registered: row.whole.io_registered,
        io_ready: row.whole.io_ready,
        remote_schedules: row.whole.remote_schedules,
        budget_yields: row.whole.budget_yields,
        verdicts: row.verdicts.iter().map(verdict).collect(),
        driven: row.driven,
        driver_gap: row.driver_gap.map(duration),
    }
}

fn verdict(verdict: &Verdict) -> v1::Verdict {
    let kind = match verdict.kind {
        Kind::AllWorkersStuck => v1::verdict::Kind::AllWorkersStuck,
        Kind::DriverBlocked => v1::verdict::Kind::DriverBlocked,
        Kind::QueuedWhileIdle => v1::verdict::Kind::QueuedWhileIdle,
        Kind::BlockingPoolFull => v1::verdict::Kind::BlockingPoolFull,
    };
    v1::Verdict { kind: kind.into(), since: Some(timestamp(verdict.since)) }
}

fn worker(row: &WorkerRow) -> v1::Worker {
    v1::Worker {
        runtime_id: row.id.runtime,
        index: row.id.index,
        thread: row.thread.as_deref().map(a_thread),
        polling: row.polling.map_or(0, |polling| polling.task),
        polling_since: row.polling.map(|polling| timestamp(polling.since)),
        busy: Some(duration(row.busy)),
        queue_depth: row.metrics.queue_depth,
        polls: row.metrics.polls,
        parks: row.metrics.parks,
        steals: row.metrics.steals,
        steal_operations: row.metrics.steal_operations,
        overflows: row.metrics.overflows,
        local_schedules: row.metrics.local_schedules,
        noops: row.metrics.noops,
        cpu_wait: row.cpu_wait.map(duration),
    }
}

fn a_thread(thread: &threads::Thread) -> v1::Thread {
    v1::Thread { tid: thread.tid, name: thread.name.to_string() }
}

/// One lock.
pub(crate) fn lock(row: &LockView) -> v1::Lock {
    v1::Lock {
        resource_id: row.resource,
        holders: row.holders.iter().map(holder).collect(),
        waiters: row.waiters.iter().map(waiter).collect(),
        more_waiters: row.more_waiters,
        acquisitions: row.acquisitions,
        contended: row.contended,
        across_await: Some(v1::lock::AcrossAwait {
            count: row.across_await.count,
            total: Some(duration(row.across_await.total)),
            longest: Some(duration(row.across_await.longest)),
        }),
        hold_times: without_zeros(&row.hold_times),
        held_total: Some(duration(row.held)),
        longest_hold: Some(duration(row.longest_hold)),
        unknown_holders: row.unknown_holders,
    }
}

fn holder(holder: &Holder) -> v1::lock::Holder {
    let (task_id, thread) = match &holder.owner {
        Owner::Task(id) => (*id, None),
        Owner::Thread { tid, name } => (0, Some(v1::Thread { tid: *tid, name: name.to_string() })),
    };
    v1::lock::Holder {
        task_id,
        thread,
        access: access(holder.access).into(),
        since: Some(timestamp(holder.since)),
        acquired_at: holder.acquired_at.as_deref().map(crate::serve::holdup::stack::stack),
        suspended_at: holder.suspended_at.as_deref().map(crate::serve::holdup::stack::stack),
        across_await: holder.is_across_await,
    }
}

fn waiter(waiter: &Waiter) -> v1::lock::Waiter {
    v1::lock::Waiter {
        op_id: waiter.op,
        task_id: waiter.task,
        access: access(waiter.access).into(),
        since: Some(timestamp(waiter.since)),
    }
}

fn access(access: Access) -> v1::lock::Access {
    match access {
        Access::Exclusive => v1::lock::Access::Exclusive,
        Access::Shared => v1::lock::Access::Shared,
    }
}

/// The service's own spans around a task.
pub(crate) fn spans(row: SpansView) -> v1::TaskSpans {
    let span = |span: crate::view::SpanView| v1::task_spans::Span {
        name: span.name.to_owned(),
        fields: span
            .fields
            .into_iter()
            .map(|(name, value)| v1::task_spans::Field { name: name.to_owned(), value: value.to_string() })
            .collect(),
    };
    v1::TaskSpans { task_id: row.task, spans: row.spans.into_iter().map(span).collect() }
}

/// How long polls and waits of a spawn location's tasks took.
pub(crate) fn spawn_times(told: &SpawnTimes) -> v1::SpawnTimes {
    v1::SpawnTimes {
        location: crate::serve::holdup::rows::location(told.location),
        polls: without_zeros(&told.counted.polls),
        waits: without_zeros(&told.counted.waits),
    }
}

/// Without the zeros at the end.
fn without_zeros(counts: &[u64]) -> Vec<u64> {
    counts[..counts.iter().rposition(|count| *count > 0).map_or(0, |last| last + 1)].to_vec()
}

/// Who woke a task.
pub(crate) fn wakers(task_id: u64, kept: &Wakers) -> v1::TaskWakers {
    let waker = |waking: &Waking| {
        let (kind, task_id) = match waking.by {
            WokenBy::Task(task) => (v1::task_wakers::waker::Kind::Task, task),
            WokenBy::Runtime => (v1::task_wakers::waker::Kind::Runtime, 0),
            WokenBy::Outside => (v1::task_wakers::waker::Kind::Outside, 0),
        };
        let last = Some(timestamp(waking.last));
        v1::task_wakers::Waker { kind: kind.into(), task_id, count: waking.count, last }
    };
    v1::TaskWakers {
        task_id,
        since: Some(timestamp(kept.since)),
        wakers: kept.latest.iter().map(waker).collect(),
        others: kept.others,
    }
}

pub(crate) fn panic(panic: &Panic) -> v1::Panic {
    v1::Panic {
        task_id: panic.task,
        message: panic.message.to_string(),
        file: panic.file.to_string(),
        line: panic.line,
        column: panic.column,
        at: Some(timestamp(panic.at)),
        task_name: panic.name.as_deref().unwrap_or_default().to_owned(),
        spawned_at: crate::serve::holdup::rows::location(panic.spawned_at),
    }
}

pub(crate) fn standstill(stood: Standstill) -> v1::Standstill {
    v1::Standstill { from: Some(timestamp(stood.from)), to: Some(timestamp(stood.to)) }
}

/// Every kind of loss, the empty ones too: a client sees that they are counted.
pub(crate) fn losses(losses: Losses) -> Vec<v1::Loss> {
    let known = losses.by_kind(runtimes::not_known());
    known.into_iter().map(|(kind, count)| v1::Loss { kind: kind.to_owned(), count }).collect()
}

impl Row for LockView {
    fn id(&self) -> u64 {
        self.resource
    }

    fn has_ended(&self) -> bool {
        self.dropped.is_some()
    }
}
