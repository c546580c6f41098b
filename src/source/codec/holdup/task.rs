//! Tasks, and what is known of them beside: spans, panics, details.

use super::{
    field::{encode_field, encode_place, field, place},
    id::{id, task},
};
use crate::{
    source::codec::{
        required, text,
        time::{duration, encode_duration, needed, stamp, timestamp},
    },
    update::{
        DecodeIssues, Histogram, MetaId, NewTask, Panic, PollStats, RuntimeId, SourcePlace, Span, SpawnTimes,
        TaskDetails, TaskFacts, TaskId, TaskKind, TaskStats, TaskWakers, Waking, WokenBy,
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

pub(super) fn encode_new_task(new: &NewTask) -> proto::NewTask {
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
        location: new.place.as_ref().map(encode_place),
        fields: new.fields.iter().map(encode_field).collect(),
        metadata: new.metadata.map(|meta| meta.0),
    }
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
        scheduled: duration(stats.scheduled, issues),
        wakes: wakes.wakes,
        self_wakes: wakes.self_wakes,
        waker_clones: wakes.clones,
        waker_drops: wakes.drops,
    };
    Some((id, stats))
}

pub(super) fn encode_task_stats(id: TaskId, stats: &TaskStats) -> proto::TaskStats {
    proto::TaskStats {
        id: id.0,
        created_at: stats.created.map(timestamp),
        dropped_at: stats.dropped.map(timestamp),
        polls: Some(encode_polls(&stats.polls)),
        scheduled: Some(encode_duration(stats.scheduled)),
        wakes: Some(proto::WakeStats {
            wakes: stats.wakes,
            self_wakes: stats.self_wakes,
            clones: stats.waker_clones,
            drops: stats.waker_drops,
            last: stats.last_wake.map(timestamp),
        }),
    }
}

pub(super) fn polls(polls: Option<&proto::PollStats>, issues: &mut DecodeIssues) -> Option<PollStats> {
    let Some(polls) = polls else {
        issues.missing_field += 1;
        return None;
    };
    Some(PollStats {
        count: polls.count,
        last_started: stamp(polls.last_started, issues),
        last_ended: stamp(polls.last_ended, issues),
        busy: duration(polls.busy, issues),
    })
}

pub(super) fn encode_polls(polls: &PollStats) -> proto::PollStats {
    proto::PollStats {
        count: polls.count,
        last_started: polls.last_started.map(timestamp),
        last_ended: polls.last_ended.map(timestamp),
        busy: Some(encode_duration(polls.busy)),
    }
}

/// What is known of a task beyond its updates.
pub(super) fn task_facts(facts: &proto::TaskFacts, issues: &mut DecodeIssues) -> Option<(TaskId, TaskFacts)> {
    let id = TaskId(required(Some(facts.task_id), issues)?);
    let runtime = (facts.runtime_id != 0).then_some(RuntimeId(facts.runtime_id));
    Some((id, TaskFacts { parent: task(facts.parent_id), runtime }))
}

pub(super) fn encode_task_facts(task: TaskId, facts: TaskFacts) -> proto::TaskFacts {
    proto::TaskFacts {
        task_id: task.0,
        parent_id: id(facts.parent),
        runtime_id: facts.runtime.map_or(0, |runtime| runtime.0),
    }
}

/// Who woke a task. One of a kind that this version does not know is left out.
pub(super) fn wakers(told: proto::TaskWakers, issues: &mut DecodeIssues) -> Option<(TaskId, TaskWakers)> {
    let id = TaskId(required(Some(told.task_id), issues)?);
    let since = stamp(told.since, issues);
    let waking = |waker: proto::task_wakers::Waker, issues: &mut DecodeIssues| {
        let by = match waker.kind() {
            proto::task_wakers::waker::Kind::Unspecified => return None,
            proto::task_wakers::waker::Kind::Task => WokenBy::Task(TaskId(required(Some(waker.task_id), issues)?)),
            proto::task_wakers::waker::Kind::Runtime => WokenBy::Runtime,
            proto::task_wakers::waker::Kind::Outside => WokenBy::Outside,
        };
        Some(Waking { by, count: waker.count, last: stamp(waker.last, issues) })
    };
    let wakers = text::items(told.wakers, issues).filter_map(|one| waking(one, issues)).collect();
    Some((id, TaskWakers { since, wakers, others: told.others }))
}

pub(super) fn encode_wakers(task: TaskId, wakers: &TaskWakers) -> proto::TaskWakers {
    let waker = |waking: &Waking| {
        let (kind, task_id) = match waking.by {
            WokenBy::Task(task) => (proto::task_wakers::waker::Kind::Task, task.0),
            WokenBy::Runtime => (proto::task_wakers::waker::Kind::Runtime, 0),
            WokenBy::Outside => (proto::task_wakers::waker::Kind::Outside, 0),
        };
        let last = waking.last.map(timestamp);
        proto::task_wakers::Waker { kind: kind.into(), task_id, count: waking.count, last }
    };
    proto::TaskWakers {
        task_id: task.0,
        since: wakers.since.map(timestamp),
        wakers: wakers.wakers.iter().map(waker).collect(),
        others: wakers.others,
    }
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

pub(super) fn encode_spans(task: TaskId, spans: &[Span]) -> proto::TaskSpans {
    let field =
        |(name, value): &(String, String)| proto::task_spans::Field { name: name.clone(), value: value.clone() };
    let span = |span: &Span| proto::task_spans::Span {
        name: span.name.clone(),
        fields: span.fields.iter().map(field).collect(),
    };
    proto::TaskSpans { task_id: task.0, spans: spans.iter().map(span).collect() }
}

/// A panic. Without the task and the time it is not told from others.
pub(super) fn panic(panic: proto::Panic, issues: &mut DecodeIssues) -> Option<Panic> {
    let task = TaskId(required(Some(panic.task_id), issues)?);
    let at = needed(panic.at, issues)?;
    let spawned_at = place(panic.spawned_at, issues);
    let place = SourcePlace { file: text::text(panic.file, issues), line: panic.line, column: panic.column };
    Some(Panic {
        task,
        message: text::text(panic.message, issues),
        place,
        at,
        task_name: text::text(panic.task_name, issues),
        spawned_at,
    })
}

pub(super) fn encode_panic(panic: &Panic) -> proto::Panic {
    proto::Panic {
        task_id: panic.task.0,
        message: panic.message.clone(),
        file: panic.place.file.clone(),
        line: panic.place.line,
        column: panic.place.column,
        at: Some(timestamp(panic.at)),
        task_name: panic.task_name.clone(),
        spawned_at: panic.spawned_at.as_ref().map(encode_place),
    }
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

/// The lengths of polls and waits of one spawn location's tasks.
pub(super) fn spawn_times(told: proto::SpawnTimes, issues: &mut DecodeIssues) -> SpawnTimes {
    SpawnTimes {
        place: place(told.location, issues),
        polls: text::items(told.polls, issues).collect(),
        waits: text::items(told.waits, issues).collect(),
    }
}

pub(super) fn encode_spawn_times(told: &SpawnTimes) -> proto::SpawnTimes {
    proto::SpawnTimes {
        location: told.place.as_ref().map(encode_place),
        polls: told.polls.clone(),
        waits: told.waits.clone(),
    }
}

fn histogram(told: proto::Histogram) -> Histogram {
    let buckets = told.buckets.into_iter().take(MAX_BUCKETS).filter(|bucket| bucket.count > 0);
    let mut buckets: Vec<(u64, u64)> = buckets.map(|bucket| (bucket.bound, bucket.count)).collect();
    buckets.sort_unstable();
    Histogram { buckets, outliers: told.outliers, largest_outlier: told.longest_outlier }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::codec::holdup::id::packed_ids;

    fn at(seconds: i64) -> prost_types::Timestamp {
        prost_types::Timestamp { seconds, nanos: 0 }
    }

    #[test]
    fn entries_that_say_nothing_are_counted() {
        let issues = &mut DecodeIssues::default();
        assert_eq!(spans(proto::TaskSpans::default(), issues), None);
        assert_eq!(task_facts(&proto::TaskFacts::default(), issues), None);
        assert_eq!(panic(proto::Panic { task_id: 3, ..Default::default() }, issues), None);
        assert_eq!((issues.missing_id, issues.missing_field), (2, 1));
        let waker = |kind, task_id| proto::task_wakers::Waker { kind, task_id, count: 1, last: Some(at(5)) };
        let told = proto::TaskWakers {
            task_id: 3,
            since: Some(at(5)),
            wakers: vec![waker(99, 0), waker(1, 0), waker(2, 0)],
            others: 0,
        };
        let kept = wakers(told, issues).map(|(_, told)| told.wakers.iter().map(|it| it.by).collect::<Vec<_>>());
        assert_eq!(kept, Some(vec![WokenBy::Runtime]), "of a kind that is not known, and of no task");
        assert_eq!((wakers(proto::TaskWakers::default(), issues), issues.missing_id), (None, 4));
        assert_eq!(packed_ids(&[0x07, 0x80], issues).collect::<Vec<_>>(), [7]);
        assert_eq!(issues.malformed, 1);
    }
}
