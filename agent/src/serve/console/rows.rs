//! Rows in the console's format: every field means what console-subscriber 0.5 means by it.
//!
//! A row whose last state is lost ends all the same, or a console would show it alive for as long as it is attached. The format has no word for numbers that
//! are not known: it ends with none, as if it had come and gone just now, and is counted as a dropped event.
//!
//! What the console calls metadata is in [`crate::serve::console::metadata`].

use super::metadata;
use crate::{
    serve::{
        backlog::{Due, Row},
        time::{duration, timestamp},
    },
    view::{Attribute, Location, OpView, Polls, ResourceView, TaskView, Value},
};
use console_api::{self as proto, Field, MetaId, PollStats, async_ops, field, resources, tasks};
use prost_types::Timestamp;

/// Whether wakers are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wakers {
    Counted,
    /// A task without a waker is lost to whoever reads this, so that each one that lives is shown with one.
    NotCounted,
}

/// Rows of one kind that are to be told.
pub(crate) struct Told<V> {
    pub(crate) rows: Vec<Due<V>>,
    /// How many were left out.
    pub(crate) left_out: u64,
    /// After they were read.
    pub(crate) now: Timestamp,
}

/// Tasks; `dropped_events` counts those that were left out, and is one more for each whose last state is lost.
pub(crate) fn task_update(rows: Told<TaskView>, wakers: Wakers) -> tasks::TaskUpdate {
    let Told { rows, left_out: dropped_events, now } = rows;
    let mut update = tasks::TaskUpdate { dropped_events, ..tasks::TaskUpdate::default() };
    for told in rows {
        match told {
            Due::First(row) => {
                update.stats_update.insert(row.id, task_stats(&row, wakers));
                update.new_tasks.push(task(&row));
            }
            Due::Again(row) => {
                update.stats_update.insert(row.id, task_stats(&row, wakers));
            }
            Due::Gone(id) => {
                update.dropped_events += 1;
                update.stats_update.insert(id, lost_task(now));
            }
        }
    }
    update
}

/// Resources, in the same way.
pub(crate) fn resource_update(rows: Told<ResourceView>) -> resources::ResourceUpdate {
    let Told { rows, left_out: dropped_events, now } = rows;
    let mut update = resources::ResourceUpdate { dropped_events, ..resources::ResourceUpdate::default() };
    for told in rows {
        match told {
            Due::First(row) => {
                update.stats_update.insert(row.id, resource_stats(&row));
                update.new_resources.push(resource(&row));
            }
            Due::Again(row) => {
                update.stats_update.insert(row.id, resource_stats(&row));
            }
            Due::Gone(id) => {
                update.dropped_events += 1;
                update.stats_update.insert(id, lost_resource(now));
            }
        }
    }
    update
}

/// Operations, in the same way.
pub(crate) fn op_update(rows: Told<OpView>) -> async_ops::AsyncOpUpdate {
    let Told { rows, left_out: dropped_events, now } = rows;
    let mut update = async_ops::AsyncOpUpdate { dropped_events, ..async_ops::AsyncOpUpdate::default() };
    for told in rows {
        match told {
            Due::First(row) => {
                update.stats_update.insert(row.id, op_stats(&row));
                update.new_async_ops.push(op(&row));
            }
            Due::Again(row) => {
                update.stats_update.insert(row.id, op_stats(&row));
            }
            Due::Gone(id) => {
                update.dropped_events += 1;
                update.stats_update.insert(id, lost_op(now));
            }
        }
    }
    update
}

fn task(row: &TaskView) -> tasks::Task {
    let metadata = metadata::of_task(row.kind);
    let field = |name: &str, value| Field {
        metadata_id: Some(metadata),
        name: Some(field::Name::StrName(name.to_owned())),
        value: Some(value),
    };
    let text = |value: &str| field::Value::DebugVal(value.to_owned());
    let mut fields = vec![
        field("kind", text(row.kind.as_str())),
        field("task.name", text(row.name.as_deref().unwrap_or_default())),
        field("task.id", field::Value::U64Val(row.tokio_id)),
    ];
    fields.extend(row.function.map(|function| field("fn", text(function))));
    fields.extend(row.original_size.map(|size| field("original_size.bytes", field::Value::U64Val(size))));
    fields.push(field("size.bytes", field::Value::U64Val(row.size)));
    tasks::Task {
        id: Some(row.id.into()),
        metadata: Some(metadata),
        kind: tasks::task::Kind::Spawn as i32,
        fields,
        parents: Vec::new(),
        location: location(row.location),
    }
}

fn task_stats(row: &TaskView, wakers: Wakers) -> tasks::Stats {
    let is_shown_with_one = wakers == Wakers::NotCounted && row.dropped.is_none();
    tasks::Stats {
        created_at: Some(timestamp(row.created)),
        dropped_at: row.dropped.map(timestamp),
        wakes: row.wakes.wakes,
        waker_clones: if is_shown_with_one { 1 } else { row.wakes.clones },
        waker_drops: row.wakes.drops,
        last_wake: row.wakes.last.map(timestamp),
        poll_stats: Some(poll_stats(&row.polls)),
        self_wakes: row.wakes.self_wakes,
        scheduled_time: Some(duration(row.scheduled)),
    }
}

fn lost_task(now: Timestamp) -> tasks::Stats {
    tasks::Stats {
        created_at: Some(now),
        dropped_at: Some(now),
        poll_stats: Some(PollStats::default()),
        ..tasks::Stats::default()
    }
}

fn lost_resource(now: Timestamp) -> resources::Stats {
    resources::Stats { created_at: Some(now), dropped_at: Some(now), attributes: Vec::new() }
}

fn lost_op(now: Timestamp) -> async_ops::Stats {
    async_ops::Stats {
        created_at: Some(now),
        dropped_at: Some(now),
        poll_stats: Some(PollStats::default()),
        ..async_ops::Stats::default()
    }
}

fn resource(row: &ResourceView) -> resources::Resource {
    use resources::resource::{
        Kind,
        kind::{self, Known},
    };
    let kind = match row.kind {
        "timer" => kind::Kind::Known(Known::Timer as i32),
        other => kind::Kind::Other(other.to_owned()),
    };
    resources::Resource {
        id: Some(row.id.into()),
        metadata: Some(metadata::of_resource(row)),
        concrete_type: row.concrete_type.to_owned(),
        kind: Some(Kind { kind: Some(kind) }),
        location: location(row.location),
        parent_resource_id: known(row.parent),
        is_internal: row.internal,
    }
}

fn resource_stats(row: &ResourceView) -> resources::Stats {
    resources::Stats {
        created_at: Some(timestamp(row.created)),
        dropped_at: row.dropped.map(timestamp),
        attributes: attributes(&row.attributes, metadata::of_resource(row)),
    }
}

fn op(row: &OpView) -> async_ops::AsyncOp {
    async_ops::AsyncOp {
        id: Some(row.id.into()),
        metadata: Some(metadata::of_op(row)),
        resource_id: known(row.resource),
        source: row.source.to_owned(),
        parent_async_op_id: known(row.parent),
    }
}

fn op_stats(row: &OpView) -> async_ops::Stats {
    async_ops::Stats {
        created_at: Some(timestamp(row.created)),
        dropped_at: row.dropped.map(timestamp),
        poll_stats: Some(poll_stats(&row.polls)),
        task_id: known(row.task),
        attributes: attributes(&row.attributes, metadata::of_op(row)),
    }
}

fn poll_stats(polls: &Polls) -> PollStats {
    PollStats {
        polls: polls.count,
        first_poll: polls.first.map(timestamp),
        last_poll_started: polls.last_started.map(timestamp),
        last_poll_ended: polls.last_ended.map(timestamp),
        busy_time: Some(duration(polls.busy)),
    }
}

fn attributes(attributes: &[Attribute], metadata: MetaId) -> Vec<proto::Attribute> {
    let attribute = |attribute: &Attribute| proto::Attribute {
        field: Some(Field {
            metadata_id: Some(metadata),
            name: Some(field::Name::StrName(attribute.name.to_owned())),
            value: Some(match attribute.value {
                Value::Bool(value) => field::Value::BoolVal(value),
                Value::Unsigned(value) => field::Value::U64Val(value),
                Value::Signed(value) => field::Value::I64Val(value),
                Value::Text(value) => field::Value::StrVal(value.to_owned()),
            }),
        }),
        unit: attribute.unit.map(str::to_owned),
    };
    attributes.iter().map(attribute).collect()
}

fn location(at: Option<&'static Location>) -> Option<proto::Location> {
    at.map(|at| proto::Location {
        file: Some(at.file.to_owned()),
        module_path: None,
        line: Some(at.line),
        column: Some(at.column),
    })
}

/// An id, where 0 stands for none.
fn known(id: u64) -> Option<proto::Id> {
    (id != 0).then_some(proto::Id { id })
}

impl Row for TaskView {
    fn id(&self) -> u64 {
        self.id
    }

    fn has_ended(&self) -> bool {
        self.dropped.is_some()
    }
}

impl Row for ResourceView {
    fn id(&self) -> u64 {
        self.id
    }

    fn has_ended(&self) -> bool {
        self.dropped.is_some()
    }
}

impl Row for OpView {
    fn id(&self) -> u64 {
        self.id
    }

    fn has_ended(&self) -> bool {
        self.dropped.is_some()
    }
}
