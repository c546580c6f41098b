//! Runtimes and their workers.

use super::{
    id::{id, task},
    stack::{encode_thread, thread},
};
use crate::{
    source::codec::{
        text,
        time::{duration, encode_duration, stamp, timestamp},
    },
    update::{DecodeIssues, Flavor, RuntimeId, RuntimeStats, Verdict, VerdictKind, WorkerId, WorkerStats},
};
use holdup_proto::v1 as proto;

/// A runtime. Its id may be any number.
pub(super) fn runtime(runtime: proto::Runtime, issues: &mut DecodeIssues) -> RuntimeStats {
    RuntimeStats {
        id: RuntimeId(runtime.id),
        flavor: match runtime.flavor() {
            proto::runtime::Flavor::MultiThread => Some(Flavor::MultiThread),
            proto::runtime::Flavor::CurrentThread => Some(Flavor::CurrentThread),
            proto::runtime::Flavor::Unspecified => None,
        },
        name: text::text(runtime.name, issues),
        workers: runtime.workers.into(),
        alive_tasks: runtime.alive_tasks,
        global_queue: runtime.global_queue_depth,
        blocking_threads: runtime.blocking_threads,
        idle_blocking_threads: runtime.idle_blocking_threads,
        blocking_queue: runtime.blocking_queue_depth,
        io_registered: runtime.io_registered,
        io_ready: runtime.io_ready,
        remote_schedules: runtime.remote_schedules,
        budget_yields: runtime.budget_yields,
        driven: runtime.driven,
        driver_gap: runtime.driver_gap.map(|gap| duration(Some(gap), issues)),
        verdicts: text::items(runtime.verdicts, issues).filter_map(|one| verdict(&one, issues)).collect(),
        ..RuntimeStats::default()
    }
}

pub(super) fn encode_runtime(stats: &RuntimeStats) -> proto::Runtime {
    let flavor = match stats.flavor {
        None => proto::runtime::Flavor::Unspecified,
        Some(Flavor::MultiThread) => proto::runtime::Flavor::MultiThread,
        Some(Flavor::CurrentThread) => proto::runtime::Flavor::CurrentThread,
    };
    proto::Runtime {
        id: stats.id.0,
        name: stats.name.clone(),
        flavor: flavor.into(),
        workers: u32::try_from(stats.workers).unwrap_or(u32::MAX),
        alive_tasks: stats.alive_tasks,
        global_queue_depth: stats.global_queue,
        blocking_threads: stats.blocking_threads,
        idle_blocking_threads: stats.idle_blocking_threads,
        blocking_queue_depth: stats.blocking_queue,
        io_registered: stats.io_registered,
        io_ready: stats.io_ready,
        remote_schedules: stats.remote_schedules,
        budget_yields: stats.budget_yields,
        verdicts: stats.verdicts.iter().map(encode_verdict).collect(),
        driven: stats.driven,
        driver_gap: stats.driver_gap.map(encode_duration),
    }
}

/// A judgement; one of a kind that this version does not know is left out.
fn verdict(verdict: &proto::Verdict, issues: &mut DecodeIssues) -> Option<Verdict> {
    let kind = match verdict.kind() {
        proto::verdict::Kind::Unspecified => return None,
        proto::verdict::Kind::AllWorkersStuck => VerdictKind::AllWorkersStuck,
        proto::verdict::Kind::DriverBlocked => VerdictKind::DriverBlocked,
        proto::verdict::Kind::QueuedWhileIdle => VerdictKind::QueuedWhileIdle,
        proto::verdict::Kind::BlockingPoolFull => VerdictKind::BlockingPoolFull,
    };
    Some(Verdict { kind, since: stamp(verdict.since, issues) })
}

fn encode_verdict(verdict: &Verdict) -> proto::Verdict {
    let kind = match verdict.kind {
        VerdictKind::AllWorkersStuck => proto::verdict::Kind::AllWorkersStuck,
        VerdictKind::DriverBlocked => proto::verdict::Kind::DriverBlocked,
        VerdictKind::QueuedWhileIdle => proto::verdict::Kind::QueuedWhileIdle,
        VerdictKind::BlockingPoolFull => proto::verdict::Kind::BlockingPoolFull,
    };
    proto::Verdict { kind: kind.into(), since: verdict.since.map(timestamp) }
}

/// A worker.
pub(super) fn worker(worker: proto::Worker, issues: &mut DecodeIssues) -> WorkerStats {
    let polling_since = stamp(worker.polling_since, issues);
    WorkerStats {
        tick: None,
        id: WorkerId { runtime: RuntimeId(worker.runtime_id), index: worker.index },
        thread: worker.thread.map(|one| thread(one, issues)),
        polling: task(worker.polling),
        polling_since,
        busy: duration(worker.busy, issues),
        queue: worker.queue_depth,
        polls: worker.polls,
        parks: worker.parks,
        steals: worker.steals,
        steal_operations: worker.steal_operations,
        overflows: worker.overflows,
        local_schedules: worker.local_schedules,
        noops: worker.noops,
        cpu_wait: worker.cpu_wait.map(|wait| duration(Some(wait), issues)),
    }
}

pub(super) fn encode_worker(stats: &WorkerStats) -> proto::Worker {
    proto::Worker {
        runtime_id: stats.id.runtime.0,
        index: stats.id.index,
        thread: stats.thread.as_ref().map(encode_thread),
        polling: id(stats.polling),
        polling_since: stats.polling_since.map(timestamp),
        busy: Some(encode_duration(stats.busy)),
        queue_depth: stats.queue,
        polls: stats.polls,
        parks: stats.parks,
        steals: stats.steals,
        steal_operations: stats.steal_operations,
        overflows: stats.overflows,
        local_schedules: stats.local_schedules,
        noops: stats.noops,
        cpu_wait: stats.cpu_wait.map(encode_duration),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_version_does_not_know_is_left_out() {
        let issues = &mut DecodeIssues::default();
        let verdict = |kind| proto::Verdict { kind, since: None };
        let sent = proto::Runtime { id: 1, flavor: 77, verdicts: vec![verdict(1), verdict(99)], ..Default::default() };
        let told = runtime(sent, issues);
        assert_eq!((told.flavor, told.verdicts.len()), (None, 1));
        assert_eq!(*issues, DecodeIssues::default());
    }
}
