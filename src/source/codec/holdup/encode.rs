//! An update → one message of `holdup.v1`, exactly: [`decode`](super::decode) makes the same update of it. What is the receiver's, how
//! late it came and what could not be used of it, is not told on.
//!
//! Rows come before what speaks of them, so that whoever reads the message in pieces meets them in that order.

use crate::update::{
    Access, Across, Attribute, Cause, Dropped, Field, FieldName, Flavor, Frame, Holder, LockStats, Loss, NewMetadata,
    NewOp, NewResource, NewTask, OpStats, Panic, Part, PollOp, PollStats, Readiness, ResourceStats, RuntimeStats,
    SourcePlace, Span, Stack, Stall, Stamp, TaskFacts, TaskId, TaskKind, TaskStats, Thread, Update, Value, Verdict,
    VerdictKind, Waiting, WorkerStats,
};
use holdup_proto::v1 as proto;
use prost::Message as _;
use std::time::Duration;

/// One page of an update as one message.
pub fn encode(update: &Update) -> Vec<u8> {
    let ids = |ids: &mut dyn Iterator<Item = u64>| ids.collect::<Vec<_>>();
    let rows = proto::Report {
        now: update.now.map(timestamp),
        metadata: update.metadata.iter().map(metadata).collect(),
        new_tasks: update.new_tasks.iter().map(new_task).collect(),
        task_stats: update.task_stats.iter().map(|(id, stats)| task_stats(*id, stats)).collect(),
        new_resources: update.new_resources.iter().map(new_resource).collect(),
        resource_stats: update.resource_stats.iter().map(|(id, stats)| resource_stats(id.0, stats)).collect(),
        new_ops: update.new_ops.iter().map(new_op).collect(),
        op_stats: update.op_stats.iter().map(|(id, stats)| op_stats(id.0, stats)).collect(),
        poll_ops: update.poll_ops.iter().map(poll_op).collect(),
        gone_tasks: ids(&mut update.gone_tasks.iter().map(|id| id.0)),
        gone_resources: ids(&mut update.gone_resources.iter().map(|id| id.0)),
        gone_ops: ids(&mut update.gone_ops.iter().map(|id| id.0)),
        dropped: (update.dropped != Dropped::default()).then_some(proto::Dropped {
            tasks: update.dropped.tasks,
            resources: update.dropped.resources,
            ops: update.dropped.ops,
        }),
        ..proto::Report::default()
    };
    let wholes = [
        update.runtimes.as_ref().map(|_| proto::Whole::Runtimes),
        update.workers.as_ref().map(|_| proto::Whole::Workers),
        update.losses.as_ref().map(|_| proto::Whole::Losses),
    ];
    let rest = proto::Report {
        more: update.part == Part::More,
        runtimes: update.runtimes.iter().flatten().map(runtime).collect(),
        workers: update.workers.iter().flatten().map(worker).collect(),
        losses: update.losses.iter().flatten().map(loss).collect(),
        wholes: wholes.into_iter().flatten().map(i32::from).collect(),
        locks: update.locks.iter().map(lock).collect(),
        dropped_locks: ids(&mut update.gone_locks.iter().map(|id| id.0)),
        stalls: update.stalls.iter().map(stall).collect(),
        spans: update.task_spans.iter().map(|(task, spans)| task_spans(*task, spans)).collect(),
        panics: update.panics.iter().map(panic).collect(),
        tasks: update.task_facts.iter().map(|(task, facts)| task_facts(*task, *facts)).collect(),
        ..proto::Report::default()
    };
    // Two messages one after the other are one that has the fields of both.
    let mut bytes = rows.encode_to_vec();
    bytes.extend(rest.encode_to_vec());
    bytes
}

fn timestamp(at: Stamp) -> prost_types::Timestamp {
    const SECOND: u64 = 1_000_000_000;
    prost_types::Timestamp {
        seconds: (at.nanos() / SECOND).cast_signed(),
        nanos: i32::try_from(at.nanos() % SECOND).unwrap_or_default(),
    }
}

fn duration(duration: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        nanos: duration.subsec_nanos().cast_signed(),
    }
}

fn id(task: Option<TaskId>) -> u64 {
    task.map_or(0, |task| task.0)
}

fn new_task(new: &NewTask) -> proto::NewTask {
    let kind = match new.kind {
        None => proto::new_task::Kind::Unspecified,
        Some(TaskKind::Task) => proto::new_task::Kind::Task,
        Some(TaskKind::Local) => proto::new_task::Kind::Local,
        Some(TaskKind::Blocking | TaskKind::Worker) => proto::new_task::Kind::Blocking,
        Some(TaskKind::BlockOn) => proto::new_task::Kind::BlockOn,
        Some(TaskKind::Other) => proto::new_task::Kind::Other,
    };
    proto::NewTask {
        id: new.id.0,
        number: new.number.map_or(0, u64::from),
        name: new.name.clone(),
        kind: kind.into(),
        size: new.size.into(),
        original_size: new.original_size.into(),
        location: new.place.as_ref().map(location),
        fields: new.fields.iter().map(field).collect(),
        metadata: new.metadata.map(|meta| meta.0),
    }
}

fn task_stats(id: TaskId, stats: &TaskStats) -> proto::TaskStats {
    proto::TaskStats {
        id: id.0,
        created_at: stats.created.map(timestamp),
        dropped_at: stats.dropped.map(timestamp),
        polls: Some(poll_stats(&stats.polls)),
        scheduled: Some(duration(stats.scheduled)),
        wakes: Some(proto::WakeStats {
            wakes: stats.wakes,
            self_wakes: stats.self_wakes,
            clones: stats.waker_clones,
            drops: stats.waker_drops,
            last: stats.last_wake.map(timestamp),
        }),
    }
}

fn poll_stats(polls: &PollStats) -> proto::PollStats {
    proto::PollStats {
        count: polls.count,
        last_started: polls.last_started.map(timestamp),
        last_ended: polls.last_ended.map(timestamp),
        busy: Some(duration(polls.busy)),
    }
}

fn new_resource(new: &NewResource) -> proto::NewResource {
    proto::NewResource {
        id: new.id.0,
        parent_id: new.parent.map_or(0, |parent| parent.0),
        kind: new.kind.clone(),
        concrete_type: new.concrete_type.clone(),
        target: new.target.clone(),
        location: new.place.as_ref().map(location),
        internal: new.internal,
        metadata: new.metadata.map(|meta| meta.0),
    }
}

fn resource_stats(id: u64, stats: &ResourceStats) -> proto::ResourceStats {
    proto::ResourceStats {
        id,
        created_at: stats.created.map(timestamp),
        dropped_at: stats.dropped.map(timestamp),
        attributes: stats.attributes.iter().map(attribute).collect(),
    }
}

fn new_op(new: &NewOp) -> proto::NewOp {
    proto::NewOp {
        id: new.id.0,
        parent_id: new.parent.map_or(0, |parent| parent.0),
        resource_id: new.resource.map_or(0, |resource| resource.0),
        source: new.source.clone(),
    }
}

fn op_stats(op: u64, stats: &OpStats) -> proto::OpStats {
    proto::OpStats {
        id: op,
        created_at: stats.created.map(timestamp),
        dropped_at: stats.dropped.map(timestamp),
        task_id: id(stats.task),
        polls: Some(poll_stats(&stats.polls)),
        attributes: stats.attributes.iter().map(attribute).collect(),
    }
}

fn poll_op(poll: &PollOp) -> proto::PollOp {
    proto::PollOp {
        resource_id: poll.resource.0,
        op_id: poll.op.map_or(0, |op| op.0),
        task_id: id(poll.task),
        ready: poll.readiness == Readiness::Ready,
    }
}

fn metadata(new: &NewMetadata) -> proto::Metadata {
    proto::Metadata {
        id: new.id.0,
        name: new.name.clone(),
        target: new.target.clone(),
        field_names: new.field_names.clone(),
    }
}

fn location(place: &SourcePlace) -> proto::Location {
    proto::Location { file: place.file.clone(), line: place.line, column: place.column }
}

fn attribute(attribute: &Attribute) -> proto::Attribute {
    proto::Attribute { field: Some(field(&attribute.field)), unit: attribute.unit.clone() }
}

fn field(field: &Field) -> proto::Field {
    let name = match &field.name {
        FieldName::Text(name) => proto::field::Name::Text(name.clone()),
        FieldName::Index(metadata, index) => {
            proto::field::Name::Index(proto::field::Index { metadata: metadata.0, index: *index as u64 })
        }
    };
    let value = match &field.value {
        Value::Bool(value) => proto::field::Value::BoolValue(*value),
        Value::U64(value) => proto::field::Value::U64Value(*value),
        Value::I64(value) => proto::field::Value::I64Value(*value),
        Value::Text(value) => proto::field::Value::TextValue(value.clone()),
    };
    proto::Field { name: Some(name), value: Some(value) }
}

fn runtime(stats: &RuntimeStats) -> proto::Runtime {
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
        verdicts: stats.verdicts.iter().map(verdict).collect(),
    }
}

fn verdict(verdict: &Verdict) -> proto::Verdict {
    let kind = match verdict.kind {
        VerdictKind::AllWorkersStuck => proto::verdict::Kind::AllWorkersStuck,
        VerdictKind::DriverBlocked => proto::verdict::Kind::DriverBlocked,
        VerdictKind::QueuedWhileIdle => proto::verdict::Kind::QueuedWhileIdle,
        VerdictKind::BlockingPoolFull => proto::verdict::Kind::BlockingPoolFull,
    };
    proto::Verdict { kind: kind.into(), since: verdict.since.map(timestamp) }
}

fn worker(stats: &WorkerStats) -> proto::Worker {
    proto::Worker {
        runtime_id: stats.id.runtime.0,
        index: stats.id.index,
        thread: stats.thread.as_ref().map(thread),
        polling: id(stats.polling),
        polling_since: stats.polling_since.map(timestamp),
        busy: Some(duration(stats.busy)),
        queue_depth: stats.queue,
        polls: stats.polls,
        parks: stats.parks,
        steals: stats.steals,
        steal_operations: stats.steal_operations,
        overflows: stats.overflows,
        local_schedules: stats.local_schedules,
        noops: stats.noops,
    }
}

fn thread(thread: &Thread) -> proto::Thread {
    proto::Thread { tid: thread.tid, name: thread.name.clone() }
}

fn lock(stats: &LockStats) -> proto::Lock {
    proto::Lock {
        resource_id: stats.id.0,
        holders: stats.holders.iter().map(holder).collect(),
        waiters: stats.waiters.iter().map(waiter).collect(),
        more_waiters: stats.more_waiters,
        acquisitions: stats.acquisitions,
        contended: stats.contended,
        across_await: Some(proto::lock::AcrossAwait {
            count: stats.across_count,
            longest: Some(duration(stats.across_longest)),
            total: None,
        }),
        hold_times: stats.hold_times.clone(),
        held_total: None,
        longest_hold: Some(duration(stats.longest_hold)),
        unknown_holders: stats.unknown_holders,
    }
}

fn holder(holder: &Holder) -> proto::lock::Holder {
    proto::lock::Holder {
        task_id: id(holder.task),
        thread: holder.thread.as_ref().map(thread),
        access: access(holder.access).into(),
        since: Some(timestamp(holder.since)),
        acquired_at: holder.acquired_at.as_deref().map(stack),
        suspended_at: holder.suspended_at.as_deref().map(stack),
        across_await: holder.across == Across::Await,
    }
}

fn waiter(waiter: &Waiting) -> proto::lock::Waiter {
    proto::lock::Waiter {
        op_id: waiter.op.0,
        task_id: id(waiter.task),
        access: access(waiter.access).into(),
        since: waiter.since.map(timestamp),
    }
}

fn access(access: Access) -> proto::lock::Access {
    match access {
        Access::Shared => proto::lock::Access::Shared,
        Access::Exclusive => proto::lock::Access::Exclusive,
    }
}

fn stall(stall: &Stall) -> proto::Stall {
    let cause = match stall.cause {
        Cause::Unknown => proto::stall::Cause::Unspecified,
        Cause::Running => proto::stall::Cause::Running,
        Cause::SystemCall => proto::stall::Cause::InSystemCall,
        Cause::Lock => proto::stall::Cause::Lock,
        Cause::Sleep => proto::stall::Cause::Sleep,
        Cause::Device => proto::stall::Cause::Device,
        Cause::Starved => proto::stall::Cause::Starved,
        Cause::Child => proto::stall::Cause::Child,
    };
    proto::Stall {
        id: stall.id,
        runtime_id: stall.runtime.0,
        worker: stall.worker.map(|worker| worker.index),
        thread: stall.thread.as_ref().map(thread),
        task_id: id(stall.task),
        since: Some(timestamp(stall.since)),
        ended_at: stall.ended.map(timestamp),
        cause: cause.into(),
        system_call: stall.system_call.clone(),
        kernel_function: stall.kernel_function.clone(),
        on_cpu: Some(duration(stall.on_cpu)),
        queued: stall.queued,
        stack: stall.stack.as_deref().map(stack),
        limitation: stall.limitation.clone(),
    }
}

fn stack(stack: &Stack) -> proto::Stack {
    proto::Stack {
        frames: stack.frames.iter().map(frame).collect(),
        approximate: stack.approximate,
        captured_at: stack.captured.map(timestamp),
        limitation: stack.limitation.clone(),
    }
}

fn frame(frame: &Frame) -> proto::Frame {
    proto::Frame {
        function: frame.function.clone(),
        file: frame.place.file.clone(),
        line: frame.place.line,
        column: frame.place.column,
        address: frame.address,
        module: frame.module.clone(),
        inlined: false,
    }
}

fn task_spans(task: TaskId, spans: &[Span]) -> proto::TaskSpans {
    let field =
        |(name, value): &(String, String)| proto::task_spans::Field { name: name.clone(), value: value.clone() };
    let span = |span: &Span| proto::task_spans::Span {
        name: span.name.clone(),
        fields: span.fields.iter().map(field).collect(),
    };
    proto::TaskSpans { task_id: task.0, spans: spans.iter().map(span).collect() }
}

fn panic(panic: &Panic) -> proto::Panic {
    proto::Panic {
        task_id: panic.task.0,
        message: panic.message.clone(),
        file: panic.place.file.clone(),
        line: panic.place.line,
        column: panic.place.column,
        at: Some(timestamp(panic.at)),
        ..proto::Panic::default()
    }
}

fn task_facts(task: TaskId, facts: TaskFacts) -> proto::TaskFacts {
    proto::TaskFacts {
        task_id: task.0,
        parent_id: id(facts.parent),
        runtime_id: facts.runtime.map_or(0, |runtime| runtime.0),
    }
}

fn loss(loss: &Loss) -> proto::Loss {
    proto::Loss { kind: loss.kind.clone(), count: loss.count }
}
