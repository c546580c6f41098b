//! Rows of tasks, resources and operations as `holdup.v1` has them.

use super::{runtime::task, text, time};
use crate::{
    source::codec::{required, time::stamp},
    update::{
        Attribute, DecodeIssues, Field, FieldName, Histogram, MetaId, NewMetadata, NewOp, NewResource, NewTask, OpId,
        OpStats, PollOp, PollStats, Readiness, ResourceId, ResourceStats, SourcePlace, TaskDetails, TaskId, TaskKind,
        TaskStats, Value,
    },
};
use holdup_proto::v1 as proto;
use std::num::NonZeroU64;

/// The most buckets of a histogram that are kept.
const MAX_BUCKETS: usize = 4_096;

/// A task that is announced. Without an id it is nothing.
pub(super) fn new_task(new: proto::NewTask, issues: &mut DecodeIssues) -> Option<NewTask> {
    let id = TaskId(required(Some(new.id), issues)?);
    let size = |bytes| u32::try_from(bytes).unwrap_or(u32::MAX);
    let kind = match new.kind() {
        proto::new_task::Kind::Unspecified => None,
        proto::new_task::Kind::Task => Some(TaskKind::Task),
        proto::new_task::Kind::Local => Some(TaskKind::Local),
        proto::new_task::Kind::Blocking => Some(TaskKind::Blocking),
        proto::new_task::Kind::BlockOn => Some(TaskKind::BlockOn),
        proto::new_task::Kind::Other => Some(TaskKind::Other),
    };
    Some(NewTask {
        id,
        metadata: new.metadata.map(MetaId),
        number: NonZeroU64::new(new.number),
        name: text::text(new.name, issues),
        kind,
        size: size(new.size),
        original_size: size(new.original_size),
        fields: text::items(new.fields, issues).filter_map(|one| field(one, issues)).collect(),
        place: place(new.location, issues),
    })
}

/// A task's state. Without its polls it says nothing that could be shown; without a creation time it is kept.
pub(super) fn task_stats(stats: &proto::TaskStats, issues: &mut DecodeIssues) -> Option<(TaskId, TaskStats)> {
    let id = TaskId(required(Some(stats.id), issues)?);
    let polls = polls(stats.polls.as_ref(), issues)?;
    issues.missing_field += u64::from(stats.created_at.is_none());
    let wakes = stats.wakes.unwrap_or_default();
    let stats = TaskStats {
        created: stamp(stats.created_at, issues),
        dropped: stamp(stats.dropped_at, issues),
        last_wake: stamp(wakes.last, issues),
        polls,
        scheduled: time::duration(stats.scheduled, issues),
        wakes: wakes.wakes,
        self_wakes: wakes.self_wakes,
        waker_clones: wakes.clones,
        waker_drops: wakes.drops,
    };
    Some((id, stats))
}

fn polls(polls: Option<&proto::PollStats>, issues: &mut DecodeIssues) -> Option<PollStats> {
    let Some(polls) = polls else {
        issues.missing_field += 1;
        return None;
    };
    Some(PollStats {
        count: polls.count,
        last_started: stamp(polls.last_started, issues),
        last_ended: stamp(polls.last_ended, issues),
        busy: time::duration(polls.busy, issues),
    })
}

/// A resource that is announced. Without an id it is nothing.
pub(super) fn new_resource(new: proto::NewResource, issues: &mut DecodeIssues) -> Option<NewResource> {
    Some(NewResource {
        id: ResourceId(required(Some(new.id), issues)?),
        metadata: new.metadata.map(MetaId),
        parent: known(new.parent_id).map(ResourceId),
        kind: text::text(new.kind, issues),
        concrete_type: text::text(new.concrete_type, issues),
        target: text::text(new.target, issues),
        place: place(new.location, issues),
        internal: new.internal,
    })
}

/// A resource's state. Without a creation time it is kept.
pub(super) fn resource_stats(
    stats: proto::ResourceStats,
    issues: &mut DecodeIssues,
) -> Option<(ResourceId, ResourceStats)> {
    let id = ResourceId(required(Some(stats.id), issues)?);
    issues.missing_field += u64::from(stats.created_at.is_none());
    let stats = ResourceStats {
        created: stamp(stats.created_at, issues),
        dropped: stamp(stats.dropped_at, issues),
        attributes: attributes(stats.attributes, issues),
    };
    Some((id, stats))
}

/// An operation that is announced. Without an id it is nothing.
pub(super) fn new_op(new: proto::NewOp, issues: &mut DecodeIssues) -> Option<NewOp> {
    Some(NewOp {
        id: OpId(required(Some(new.id), issues)?),
        parent: known(new.parent_id).map(OpId),
        resource: known(new.resource_id).map(ResourceId),
        source: text::text(new.source, issues),
    })
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

/// A poll of an operation. Without its resource it says nothing.
pub(super) fn poll_op(poll: &proto::PollOp, issues: &mut DecodeIssues) -> Option<PollOp> {
    Some(PollOp {
        resource: ResourceId(required(Some(poll.resource_id), issues)?),
        op: known(poll.op_id).map(OpId),
        task: task(poll.task_id),
        readiness: if poll.ready { Readiness::Ready } else { Readiness::Pending },
    })
}

/// The description of a span or an event.
pub(super) fn metadata(new: proto::Metadata, issues: &mut DecodeIssues) -> Option<NewMetadata> {
    Some(NewMetadata {
        id: MetaId(required(Some(new.id), issues)?),
        name: text::text(new.name, issues),
        target: text::text(new.target, issues),
        field_names: text::items(new.field_names, issues).map(|name| text::text(name, issues)).collect(),
    })
}

/// A task's details. Those of another task than was asked for are nothing.
pub(in crate::source) fn details(asked: TaskId, details: proto::TaskDetails) -> Option<TaskDetails> {
    (details.task_id == asked.0).then(|| TaskDetails {
        task: asked,
        now: stamp(details.now, &mut DecodeIssues::default()),
        poll_times: details.poll_times.map(histogram),
        scheduled_times: details.scheduled_times.map(histogram),
    })
}

fn histogram(told: proto::Histogram) -> Histogram {
    let buckets = told.buckets.into_iter().take(MAX_BUCKETS).filter(|bucket| bucket.count > 0);
    let mut buckets: Vec<(u64, u64)> = buckets.map(|bucket| (bucket.bound, bucket.count)).collect();
    buckets.sort_unstable();
    Histogram { buckets, outliers: told.outliers, largest_outlier: told.longest_outlier }
}

fn attributes(attributes: Vec<proto::Attribute>, issues: &mut DecodeIssues) -> Vec<Attribute> {
    let attribute = |one: proto::Attribute, issues: &mut DecodeIssues| {
        let Some(told) = one.field else {
            issues.missing_field += 1;
            return None;
        };
        Some(Attribute { field: field(told, issues)?, unit: one.unit.map(|unit| text::text(unit, issues)) })
    };
    text::items(attributes, issues).filter_map(|one| attribute(one, issues)).collect()
}

fn field(field: proto::Field, issues: &mut DecodeIssues) -> Option<Field> {
    let (Some(name), Some(value)) = (field.name, field.value) else {
        issues.missing_field += 1;
        return None;
    };
    let name = match name {
        proto::field::Name::Text(name) => FieldName::Text(text::text(name, issues)),
        proto::field::Name::Index(at) => {
            FieldName::Index(MetaId(at.metadata), usize::try_from(at.index).unwrap_or(usize::MAX))
        }
    };
    let value = match value {
        proto::field::Value::BoolValue(value) => Value::Bool(value),
        proto::field::Value::U64Value(value) => Value::U64(value),
        proto::field::Value::I64Value(value) => Value::I64(value),
        proto::field::Value::TextValue(value) => Value::Text(text::text(value, issues)),
    };
    Some(Field { name, value })
}

fn place(location: Option<proto::Location>, issues: &mut DecodeIssues) -> Option<SourcePlace> {
    let location = location?;
    Some(SourcePlace { file: text::text(location.file, issues), line: location.line, column: location.column })
}

/// An id, where 0 stands for none.
fn known(id: u64) -> Option<u64> {
    (id != 0).then_some(id)
}
