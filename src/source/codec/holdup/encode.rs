//! An update → one message of `holdup.v1`, exactly: [`decode`](super::decode) makes the same update of it. What is the receiver's, how
//! late it came and what could not be used of it, is not told on.
//!
//! Rows come before what speaks of them, so that whoever reads the message in pieces meets them in that order.

use super::{field, lock, loss, op, resource, runtime, stall, task, time, worker_stack};
use crate::update::{Dropped, Part, Update};
use holdup_proto::v1 as proto;
use prost::Message as _;

/// One page of an update as one message.
pub fn encode(update: &Update) -> Vec<u8> {
    let ids = |ids: &mut dyn Iterator<Item = u64>| ids.collect::<Vec<_>>();
    let rows = proto::Report {
        now: update.now.map(time::timestamp),
        metadata: update.metadata.iter().map(field::encode_metadata).collect(),
        new_tasks: update.new_tasks.iter().map(task::encode_new_task).collect(),
        task_stats: update.task_stats.iter().map(|(id, stats)| task::encode_task_stats(*id, stats)).collect(),
        new_resources: update.new_resources.iter().map(resource::encode_new_resource).collect(),
        resource_stats: update
            .resource_stats
            .iter()
            .map(|(id, stats)| resource::encode_resource_stats(id.0, stats))
            .collect(),
        new_ops: update.new_ops.iter().map(op::encode_new_op).collect(),
        op_stats: update.op_stats.iter().map(|(id, stats)| op::encode_op_stats(id.0, stats)).collect(),
        poll_ops: update.poll_ops.iter().map(op::encode_poll_op).collect(),
        standstills: update.standstills.iter().map(stall::encode_standstill).collect(),
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
        told_every_ms: update.told_every.map_or(0, |every| u64::try_from(every.as_millis()).unwrap_or(u64::MAX)),
        runtimes: update.runtimes.iter().flatten().map(runtime::encode_runtime).collect(),
        workers: update.workers.iter().flatten().map(runtime::encode_worker).collect(),
        losses: update.losses.iter().flatten().map(loss::encode_loss).collect(),
        wholes: wholes.into_iter().flatten().map(i32::from).collect(),
        locks: update.locks.iter().map(lock::encode_lock).collect(),
        dropped_locks: ids(&mut update.gone_locks.iter().map(|id| id.0)),
        stalls: update.stalls.iter().map(stall::encode_stall).collect(),
        worker_stacks: update.worker_stacks.iter().map(worker_stack::encode_worker_stack).collect(),
        spans: update.task_spans.iter().map(|(task, spans)| task::encode_spans(*task, spans)).collect(),
        task_wakers: update.task_wakers.iter().map(|(task, wakers)| task::encode_wakers(*task, wakers)).collect(),
        spawn_times: update.spawn_times.iter().map(task::encode_spawn_times).collect(),
        panics: update.panics.iter().map(task::encode_panic).collect(),
        tasks: update.task_facts.iter().map(|(task, facts)| task::encode_task_facts(*task, *facts)).collect(),
        ..proto::Report::default()
    };
    // Two messages one after the other are one that has the fields of both.
    let mut bytes = rows.encode_to_vec();
    bytes.extend(rest.encode_to_vec());
    bytes
}
