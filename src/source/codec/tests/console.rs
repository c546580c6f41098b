//! An update as a message of the console's, as console-subscriber would send it: sections in the order of their numbers, and what
//! describes the rows last.

use crate::update::{
    Attribute, Field, FieldName, NewMetadata, NewOp, NewResource, NewTask, OpStats, PollOp, PollStats, Readiness,
    ResourceStats, SourcePlace, Stamp, TaskKind, TaskStats, Update, Value,
};
use console_api as api;
use prost::Message as _;
use std::time::Duration;

/// The message. Entries of a map have no order in the generated types: each is a message of its own, and messages one after the
/// other are one.
pub(super) fn encode(update: &Update) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut add = |part: api::instrument::Update| bytes.extend(part.encode_to_vec());
    let whole = api::instrument::Update::default;
    add(api::instrument::Update { now: update.now.map(timestamp), ..whole() });
    let tasks = api::tasks::TaskUpdate {
        new_tasks: update.new_tasks.iter().map(new_task).collect(),
        dropped_events: update.dropped.tasks,
        ..Default::default()
    };
    add(api::instrument::Update { task_update: Some(tasks), ..whole() });
    for (id, stats) in &update.task_stats {
        let stats_update = [(id.0, task_stats(stats))].into();
        let tasks = api::tasks::TaskUpdate { stats_update, ..Default::default() };
        add(api::instrument::Update { task_update: Some(tasks), ..whole() });
    }
    let resources = api::resources::ResourceUpdate {
        new_resources: update.new_resources.iter().map(new_resource).collect(),
        dropped_events: update.dropped.resources,
        ..Default::default()
    };
    add(api::instrument::Update { resource_update: Some(resources), ..whole() });
    for (id, stats) in &update.resource_stats {
        let stats_update = [(id.0, resource_stats(stats))].into();
        let resources = api::resources::ResourceUpdate { stats_update, ..Default::default() };
        add(api::instrument::Update { resource_update: Some(resources), ..whole() });
    }
    let polls = api::resources::ResourceUpdate {
        new_poll_ops: update.poll_ops.iter().map(poll_op).collect(),
        ..Default::default()
    };
    add(api::instrument::Update { resource_update: Some(polls), ..whole() });
    let ops = api::async_ops::AsyncOpUpdate {
        new_async_ops: update.new_ops.iter().map(new_op).collect(),
        dropped_events: update.dropped.ops,
        ..Default::default()
    };
    add(api::instrument::Update { async_op_update: Some(ops), ..whole() });
    for (id, stats) in &update.op_stats {
        let stats_update = [(id.0, op_stats(stats))].into();
        let ops = api::async_ops::AsyncOpUpdate { stats_update, ..Default::default() };
        add(api::instrument::Update { async_op_update: Some(ops), ..whole() });
    }
    let metadata = api::RegisterMetadata { metadata: update.metadata.iter().map(metadata).collect() };
    add(api::instrument::Update { new_metadata: Some(metadata), ..whole() });
    bytes
}

fn timestamp(at: Stamp) -> prost_types::Timestamp {
    let (seconds, nanos) = (at.nanos() / 1_000_000_000, at.nanos() % 1_000_000_000);
    prost_types::Timestamp { seconds: seconds.cast_signed(), nanos: i32::try_from(nanos).expect("below a second") }
}

fn duration(time: Duration) -> prost_types::Duration {
    let seconds = i64::try_from(time.as_secs()).expect("a time of this world");
    prost_types::Duration { seconds, nanos: time.subsec_nanos().cast_signed() }
}

fn id(id: u64) -> api::Id {
    api::Id { id }
}

/// What is typed in an update are fields with stable names here.
fn new_task(new: &NewTask) -> api::tasks::Task {
    let text = |name: &str, value: &str| Field { name: FieldName::Text(name.into()), value: Value::Text(value.into()) };
    let count = |name: &str, value: u64| Field { name: FieldName::Text(name.into()), value: Value::U64(value) };
    let mut fields = Vec::new();
    fields.extend((!new.name.is_empty()).then(|| text("task.name", &new.name)));
    fields.extend(new.number.map(|number| count("task.id", number.get())));
    fields.extend(new.kind.map(|kind| {
        let name = if kind == TaskKind::Other { "something else" } else { kind.name() };
        text("kind", name)
    }));
    fields.extend((new.size > 0).then(|| count("size.bytes", new.size.into())));
    fields.extend((new.original_size > 0).then(|| count("original_size.bytes", new.original_size.into())));
    fields.extend(new.fields.iter().cloned());
    api::tasks::Task {
        id: Some(id(new.id.0)),
        metadata: new.metadata.map(|meta| api::MetaId { id: meta.0 }),
        kind: api::tasks::task::Kind::Spawn.into(),
        fields: fields.iter().map(field).collect(),
        parents: Vec::new(),
        location: new.place.as_ref().map(location),
    }
}

fn task_stats(stats: &TaskStats) -> api::tasks::Stats {
    api::tasks::Stats {
        created_at: stats.created.map(timestamp),
        dropped_at: stats.dropped.map(timestamp),
        last_wake: stats.last_wake.map(timestamp),
        scheduled_time: Some(duration(stats.scheduled)),
        wakes: stats.wakes,
        self_wakes: stats.self_wakes,
        waker_clones: stats.waker_clones,
        waker_drops: stats.waker_drops,
        poll_stats: Some(poll_stats(&stats.polls)),
    }
}

fn poll_stats(polls: &PollStats) -> api::PollStats {
    api::PollStats {
        polls: polls.count,
        first_poll: None,
        last_poll_started: polls.last_started.map(timestamp),
        last_poll_ended: polls.last_ended.map(timestamp),
        busy_time: Some(duration(polls.busy)),
    }
}

fn new_resource(new: &NewResource) -> api::resources::Resource {
    let kind = api::resources::resource::kind::Kind::Other(new.kind.clone());
    api::resources::Resource {
        id: Some(id(new.id.0)),
        parent_resource_id: new.parent.map(|parent| id(parent.0)),
        kind: Some(api::resources::resource::Kind { kind: Some(kind) }),
        metadata: new.metadata.map(|meta| api::MetaId { id: meta.0 }),
        concrete_type: new.concrete_type.clone(),
        location: new.place.as_ref().map(location),
        is_internal: new.internal,
    }
}

fn resource_stats(stats: &ResourceStats) -> api::resources::Stats {
    api::resources::Stats {
        created_at: stats.created.map(timestamp),
        dropped_at: stats.dropped.map(timestamp),
        attributes: stats.attributes.iter().map(attribute).collect(),
    }
}

fn new_op(new: &NewOp) -> api::async_ops::AsyncOp {
    api::async_ops::AsyncOp {
        id: Some(id(new.id.0)),
        metadata: None,
        source: new.source.clone(),
        parent_async_op_id: new.parent.map(|parent| id(parent.0)),
        resource_id: new.resource.map(|resource| id(resource.0)),
    }
}

fn op_stats(stats: &OpStats) -> api::async_ops::Stats {
    api::async_ops::Stats {
        created_at: stats.created.map(timestamp),
        dropped_at: stats.dropped.map(timestamp),
        task_id: stats.task.map(|task| id(task.0)),
        poll_stats: Some(poll_stats(&stats.polls)),
        attributes: stats.attributes.iter().map(attribute).collect(),
    }
}

fn poll_op(poll: &PollOp) -> api::resources::PollOp {
    api::resources::PollOp {
        metadata: None,
        resource_id: Some(id(poll.resource.0)),
        name: String::new(),
        task_id: poll.task.map(|task| id(task.0)),
        async_op_id: poll.op.map(|op| id(op.0)),
        is_ready: poll.readiness == Readiness::Ready,
    }
}

fn metadata(new: &NewMetadata) -> api::register_metadata::NewMetadata {
    let metadata = api::Metadata {
        name: new.name.clone(),
        target: new.target.clone(),
        field_names: new.field_names.clone(),
        ..api::Metadata::default()
    };
    api::register_metadata::NewMetadata { id: Some(api::MetaId { id: new.id.0 }), metadata: Some(metadata) }
}

fn location(place: &SourcePlace) -> api::Location {
    api::Location {
        file: Some(place.file.clone()),
        module_path: None,
        line: Some(place.line),
        column: Some(place.column),
    }
}

fn attribute(attribute: &Attribute) -> api::Attribute {
    api::Attribute { field: Some(field(&attribute.field)), unit: attribute.unit.clone() }
}

fn field(field: &Field) -> api::Field {
    let (metadata_id, name) = match &field.name {
        FieldName::Text(name) => (None, api::field::Name::StrName(name.clone())),
        FieldName::Index(meta, index) => (Some(api::MetaId { id: meta.0 }), api::field::Name::NameIdx(*index as u64)),
    };
    let value = match &field.value {
        Value::Bool(value) => api::field::Value::BoolVal(*value),
        Value::U64(value) => api::field::Value::U64Val(*value),
        Value::I64(value) => api::field::Value::I64Val(*value),
        Value::Text(value) => api::field::Value::DebugVal(value.clone()),
    };
    api::Field { metadata_id, name: Some(name), value: Some(value) }
}
