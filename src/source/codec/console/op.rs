//! Operations on resources.

use super::{field, id, poll_stats, stamp, text};
use crate::{
    source::codec::required,
    update::{DecodeIssues, NewOp, OpId, OpStats, ResourceId, TaskId},
};
use console_api::async_ops as api;

/// An operation that is announced. Without an id it is nothing.
pub(in crate::source::codec) fn new_op(op: api::AsyncOp, issues: &mut DecodeIssues) -> Option<NewOp> {
    Some(NewOp {
        id: OpId(required(id(op.id), issues)?),
        parent: id(op.parent_async_op_id).map(OpId),
        resource: id(op.resource_id).map(ResourceId),
        source: text::text(op.source, issues),
    })
}

/// An operation's state. Without its polls it says nothing that could be shown; without a creation time it is kept.
pub(in crate::source::codec) fn op_stats(
    op: u64,
    stats: api::Stats,
    issues: &mut DecodeIssues,
) -> Option<(OpId, OpStats)> {
    let op = OpId(required(Some(op), issues)?);
    let Some(polls) = stats.poll_stats else {
        issues.missing_field += 1;
        return None;
    };
    issues.missing_field += u64::from(stats.created_at.is_none());
    let stats = OpStats {
        created: stamp(stats.created_at, issues),
        dropped: stamp(stats.dropped_at, issues),
        task: id(stats.task_id).map(TaskId),
        polls: poll_stats(&polls, issues),
        attributes: field::attributes(stats.attributes, issues),
    };
    Some((op, stats))
}
