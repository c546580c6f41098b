//! What an agent's reports hold: runtimes, workers, spans, panics, losses.

use super::{text, time};
use crate::{
    source::codec::{required, time::stamp},
    update::{
        DecodeIssues, Flavor, Loss, Panic, RuntimeId, RuntimeStats, SourcePlace, Span, Stamp, TaskFacts, TaskId,
        Thread, Verdict, VerdictKind, WorkerId, WorkerStats,
    },
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
        verdicts: text::items(runtime.verdicts, issues).filter_map(|one| verdict(&one, issues)).collect(),
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

/// A worker.
pub(super) fn worker(worker: proto::Worker, issues: &mut DecodeIssues) -> WorkerStats {
    let polling_since = stamp(worker.polling_since, issues);
    WorkerStats {
        id: WorkerId { runtime: RuntimeId(worker.runtime_id), index: worker.index },
        thread: worker.thread.map(|one| thread(one, issues)),
        polling: task(worker.polling),
        polling_since,
        busy: time::duration(worker.busy, issues),
        queue: worker.queue_depth,
        polls: worker.polls,
        parks: worker.parks,
        steals: worker.steals,
        steal_operations: worker.steal_operations,
        overflows: worker.overflows,
        local_schedules: worker.local_schedules,
        noops: worker.noops,
    }
}

pub(super) fn thread(thread: proto::Thread, issues: &mut DecodeIssues) -> Thread {
    Thread { tid: thread.tid, name: text::text(thread.name, issues) }
}

/// A task, where 0 stands for none.
pub(super) fn task(id: u64) -> Option<TaskId> {
    (id != 0).then_some(TaskId(id))
}

/// The spans around a task's latest poll.
pub(super) fn spans(spans: proto::TaskSpans, issues: &mut DecodeIssues) -> Option<(TaskId, Vec<Span>)> {
    let task = TaskId(required(Some(spans.task_id), issues)?);
    let one = |span: proto::task_spans::Span, issues: &mut DecodeIssues| Span {
        name: text::text(span.name, issues),
        fields: text::items(span.fields, issues)
            .map(|field| (text::text(field.name, issues), text::text(field.value, issues)))
            .collect(),
    };
    Some((task, text::items(spans.spans, issues).map(|span| one(span, issues)).collect()))
}

/// A panic. Without the task and the time it is not told from others.
pub(super) fn panic(panic: proto::Panic, issues: &mut DecodeIssues) -> Option<Panic> {
    let task = TaskId(required(Some(panic.task_id), issues)?);
    let at = needed(panic.at, issues)?;
    let place = SourcePlace { file: text::text(panic.file, issues), line: panic.line, column: panic.column };
    Some(Panic { task, message: text::text(panic.message, issues), place, at })
}

/// A time without which an entry says nothing.
pub(super) fn needed(at: Option<prost_types::Timestamp>, issues: &mut DecodeIssues) -> Option<Stamp> {
    issues.missing_field += u64::from(at.is_none());
    stamp(at, issues)
}

/// A count of what was lost.
pub(super) fn loss(loss: proto::Loss, issues: &mut DecodeIssues) -> Loss {
    Loss { kind: text::text(loss.kind, issues), count: loss.count }
}

/// What is known of a task beyond its updates.
pub(super) fn task_facts(facts: &proto::TaskFacts, issues: &mut DecodeIssues) -> Option<(TaskId, TaskFacts)> {
    let id = TaskId(required(Some(facts.task_id), issues)?);
    let runtime = (facts.runtime_id != 0).then_some(RuntimeId(facts.runtime_id));
    Some((id, TaskFacts { parent: task(facts.parent_id), runtime }))
}

/// Numbers in protobuf's packed form.
pub(super) fn packed_ids(mut bytes: &[u8], issues: &mut DecodeIssues) -> impl Iterator<Item = u64> + use<> {
    let mut ids = Vec::new();
    while !bytes.is_empty() {
        let Ok(id) = prost::encoding::decode_varint(&mut bytes) else {
            issues.malformed += 1;
            break;
        };
        ids.push(id);
    }
    ids.into_iter()
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

    #[test]
    fn entries_that_say_nothing_are_counted() {
        let issues = &mut DecodeIssues::default();
        assert_eq!(spans(proto::TaskSpans::default(), issues), None);
        assert_eq!(task_facts(&proto::TaskFacts::default(), issues), None);
        assert_eq!(panic(proto::Panic { task_id: 3, ..Default::default() }, issues), None);
        assert_eq!((issues.missing_id, issues.missing_field), (2, 1));
        assert_eq!(packed_ids(&[0x07, 0x80], issues).collect::<Vec<_>>(), [7]);
        assert_eq!(issues.malformed, 1);
    }
}
