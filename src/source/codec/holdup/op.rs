//! Operations on resources, and their polls.

use super::{
    field::{attributes, encode_attribute},
    id::{id, known, task},
    task::{encode_polls, polls},
};
use crate::{
    source::codec::{
        required, text,
        time::{stamp, timestamp},
    },
    update::{DecodeIssues, NewOp, OpId, OpStats, PollOp, Readiness, ResourceId},
};
use holdup_proto::v1 as proto;

/// An operation that is announced. Without an id it is nothing.
pub(super) fn new_op(new: proto::NewOp, issues: &mut DecodeIssues) -> Option<NewOp> {
    Some(NewOp {
        id: OpId(required(Some(new.id), issues)?),
        parent: known(new.parent_id).map(OpId),
        resource: known(new.resource_id).map(ResourceId),
        source: text::text(new.source, issues),
    })
}

pub(super) fn encode_new_op(new: &NewOp) -> proto::NewOp {
    proto::NewOp {
        id: new.id.0,
        parent_id: new.parent.map_or(0, |parent| parent.0),
        resource_id: new.resource.map_or(0, |resource| resource.0),
        source: new.source.clone(),
    }
}

/// An operation's state. Without its polls it says nothing that could be shown; without a creation time it is kept.
pub(super) fn op_stats(stats: proto::OpStats, issues: &mut DecodeIssues) -> Option<(OpId, OpStats)> {
    let id = OpId(required(Some(stats.id), issues)?);
    let polls = polls(stats.polls.as_ref(), issues)?;
    issues.missing_field += u64::from(stats.created_at.is_none());
    let stats = OpStats {
        created: stamp(stats.created_at, issues),
        dropped: stamp(stats.dropped_at, issues),
        task: task(stats.task_id),
        polls,
        attributes: attributes(stats.attributes, issues),
    };
    Some((id, stats))
}

pub(super) fn encode_op_stats(op: u64, stats: &OpStats) -> proto::OpStats {
    proto::OpStats {
        id: op,
        created_at: stats.created.map(timestamp),
        dropped_at: stats.dropped.map(timestamp),
        task_id: id(stats.task),
        polls: Some(encode_polls(&stats.polls)),
        attributes: stats.attributes.iter().map(encode_attribute).collect(),
    }
}

/// A poll of an operation. Without its resource it says nothing.
pub(super) fn poll_op(poll: &proto::PollOp, issues: &mut DecodeIssues) -> Option<PollOp> {
    Some(PollOp {
        resource: ResourceId(required(Some(poll.resource_id), issues)?),
        op: known(poll.op_id).map(OpId),
        task: task(poll.task_id),
        readiness: if poll.ready { Readiness::Ready } else { Readiness::Pending },
    })
}

pub(super) fn encode_poll_op(poll: &PollOp) -> proto::PollOp {
    proto::PollOp {
        resource_id: poll.resource.0,
        op_id: poll.op.map_or(0, |op| op.0),
        task_id: id(poll.task),
        ready: poll.readiness == Readiness::Ready,
    }
}
