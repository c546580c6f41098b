//! Tasks, resources and operations as messages of `holdup.v1`.

use crate::{
    serve::{
        console::{metadata, rows::Wakers},
        time::{duration, timestamp},
    },
    view::{
        Attribute, Bucket, Histogram, Histograms, Location, OpView, Permits, Polls, ResourceView, Taken, TaskKind,
        TaskView, Value, Wakes,
    },
};
use holdup_proto::v1;

pub(crate) fn task(row: &TaskView) -> v1::NewTask {
    let kind = match row.kind {
        TaskKind::Task => v1::new_task::Kind::Task,
        TaskKind::Local => v1::new_task::Kind::Local,
        TaskKind::BlockOn => v1::new_task::Kind::BlockOn,
        TaskKind::Blocking => v1::new_task::Kind::Blocking,
    };
    v1::NewTask {
        id: row.id,
        number: row.tokio_id,
        name: row.name.as_deref().unwrap_or_default().to_owned(),
        kind: kind.into(),
        size: row.size,
        original_size: row.original_size.unwrap_or_default(),
        location: location(row.location),
        fields: row
            .function
            .map(|function| field("fn", v1::field::Value::TextValue(function.to_owned())))
            .into_iter()
            .collect(),
        metadata: None,
    }
}

pub(crate) fn task_stats(row: &TaskView, wakers: Wakers) -> v1::TaskStats {
    v1::TaskStats {
        id: row.id,
        created_at: Some(timestamp(row.created)),
        dropped_at: row.dropped.map(timestamp),
        polls: Some(polls(&row.polls)),
        scheduled: Some(duration(row.scheduled)),
        wakes: (wakers == Wakers::Counted).then(|| wakes(&row.wakes)),
    }
}

fn polls(polls: &Polls) -> v1::PollStats {
    v1::PollStats {
        count: polls.count,
        last_started: polls.last_started.map(timestamp),
        last_ended: polls.last_ended.map(timestamp),
        busy: Some(duration(polls.busy)),
    }
}

fn wakes(wakes: &Wakes) -> v1::WakeStats {
    v1::WakeStats {
        wakes: wakes.wakes,
        self_wakes: wakes.self_wakes,
        clones: wakes.clones,
        drops: wakes.drops,
        last: wakes.last.map(timestamp),
    }
}

pub(crate) fn resource(row: &ResourceView) -> v1::NewResource {
    v1::NewResource {
        id: row.id,
        parent_id: row.parent,
        kind: row.kind.to_owned(),
        concrete_type: row.concrete_type.to_owned(),
        target: metadata::target_of(row).to_owned(),
        location: location(row.location),
        internal: row.internal,
        metadata: None,
    }
}

pub(crate) fn resource_stats(row: &ResourceView) -> v1::ResourceStats {
    v1::ResourceStats {
        id: row.id,
        created_at: Some(timestamp(row.created)),
        dropped_at: row.dropped.map(timestamp),
        attributes: row.attributes.iter().map(attribute).collect(),
        permits: row.permits.as_ref().map(permits),
    }
}

fn permits(row: &Permits) -> v1::Permits {
    let taken = |taken: &Taken| v1::permits::Taken {
        task_id: taken.task,
        permits: taken.permits,
        since: Some(timestamp(taken.since)),
    };
    v1::Permits {
        first: row.first,
        taken: row.taken.iter().map(taken).collect(),
        known: row.is_known,
        givers: row.givers.clone(),
        returned_at: row.returned.map(timestamp),
    }
}

pub(crate) fn op(row: &OpView) -> v1::NewOp {
    v1::NewOp { id: row.id, parent_id: row.parent, resource_id: row.resource, source: row.source.to_owned() }
}

pub(crate) fn op_stats(row: &OpView) -> v1::OpStats {
    v1::OpStats {
        id: row.id,
        created_at: Some(timestamp(row.created)),
        dropped_at: row.dropped.map(timestamp),
        task_id: row.task,
        polls: Some(polls(&row.polls)),
        attributes: row.attributes.iter().map(attribute).collect(),
    }
}

fn attribute(attribute: &Attribute) -> v1::Attribute {
    let value = match attribute.value {
        Value::Bool(value) => v1::field::Value::BoolValue(value),
        Value::Unsigned(value) => v1::field::Value::U64Value(value),
        Value::Signed(value) => v1::field::Value::I64Value(value),
        Value::Text(value) => v1::field::Value::TextValue(value.to_owned()),
    };
    v1::Attribute { field: Some(field(attribute.name, value)), unit: attribute.unit.map(str::to_owned) }
}

fn field(name: &str, value: v1::field::Value) -> v1::Field {
    v1::Field { name: Some(v1::field::Name::Text(name.to_owned())), value: Some(value) }
}

pub(crate) fn location(at: Option<&'static Location>) -> Option<v1::Location> {
    at.map(|at| v1::Location { file: at.file.to_owned(), line: at.line, column: at.column })
}

/// One message about one task, without its time.
pub(crate) fn details(task: u64, histograms: &Histograms) -> v1::TaskDetails {
    v1::TaskDetails {
        task_id: task,
        now: None,
        poll_times: Some(histogram(&histograms.polls)),
        scheduled_times: Some(histogram(&histograms.scheduled)),
    }
}

fn histogram(histogram: &Histogram) -> v1::Histogram {
    let bounded = histogram.buckets.iter().filter_map(|bucket| Some((bucket.longest?, bucket.count)));
    let buckets = bounded.map(|(longest, count)| v1::histogram::Bucket {
        bound: u64::try_from(longest.as_nanos()).unwrap_or(u64::MAX),
        count,
    });
    let beyond = histogram.buckets.iter().filter(|bucket| bucket.longest.is_none());
    v1::Histogram {
        buckets: buckets.collect(),
        outliers: beyond.map(|Bucket { count, .. }| count).sum(),
        longest_outlier: None,
    }
}
