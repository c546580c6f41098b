//! Tasks and what is told of them.

use super::{field, histogram, id, poll_stats, stamp, time};
use crate::{
    source::codec::required,
    update::{DecodeIssues, MetaId, NewTask, TaskDetails, TaskId, TaskStats},
};
use console_api::tasks as api;

/// A task that is announced. Without an id it is nothing.
pub(in crate::source::codec) fn new_task(task: api::Task, issues: &mut DecodeIssues) -> Option<NewTask> {
    let id = TaskId(required(id(task.id), issues)?);
    let metadata = task.metadata.map(|id| MetaId(id.id));
    let fields = field::fields(task.fields, issues);
    Some(NewTask::from_fields(id, metadata, fields, field::place(task.location, issues)))
}

/// A task's state. Without its polls it says nothing that could be shown; without a creation time it is kept.
pub(in crate::source::codec) fn task_stats(
    task: u64,
    stats: api::Stats,
    issues: &mut DecodeIssues,
) -> Option<(TaskId, TaskStats)> {
    let task = TaskId(required(Some(task), issues)?);
    let Some(polls) = stats.poll_stats else {
        issues.missing_field += 1;
        return None;
    };
    issues.missing_field += u64::from(stats.created_at.is_none());
    let stats = TaskStats {
        created: stamp(stats.created_at, issues),
        dropped: stamp(stats.dropped_at, issues),
        last_wake: stamp(stats.last_wake, issues),
        polls: poll_stats(&polls, issues),
        scheduled: time::duration(stats.scheduled_time, issues),
        wakes: stats.wakes,
        self_wakes: stats.self_wakes,
        waker_clones: stats.waker_clones,
        waker_drops: stats.waker_drops,
    };
    Some((task, stats))
}

/// A task's details. A histogram that cannot be read is left out; `asked` is the task that they were asked for, and
/// details of any other one are nothing.
pub(in crate::source) fn task_details(asked: TaskId, details: &api::TaskDetails) -> Option<TaskDetails> {
    // Older subscribers do not repeat the id.
    if id(details.task_id).is_some_and(|told| told != asked.0) {
        return None;
    }
    let poll_times = match &details.poll_times_histogram {
        Some(api::task_details::PollTimesHistogram::LegacyHistogram(bytes)) => histogram::legacy(bytes),
        Some(api::task_details::PollTimesHistogram::Histogram(told)) => histogram::durations(told),
        None => None,
    };
    Some(TaskDetails {
        task: asked,
        now: stamp(details.now, &mut DecodeIssues::default()),
        poll_times,
        scheduled_times: details.scheduled_times_histogram.as_ref().and_then(histogram::durations),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stats_without_polls_are_left_out_and_without_a_creation_time_are_kept() {
        let mut issues = DecodeIssues::default();
        assert_eq!(task_stats(1, api::Stats::default(), &mut issues), None);
        assert_eq!(issues.missing_field, 1);

        let polled = api::Stats { poll_stats: Some(console_api::PollStats::default()), ..api::Stats::default() };
        assert_eq!(task_stats(0, polled, &mut issues), None);
        assert_eq!(issues.missing_id, 1);
        let kept = task_stats(1, polled, &mut issues);
        assert_eq!(kept, Some((TaskId(1), TaskStats::default())));
        assert_eq!(issues.missing_field, 2);
    }

    #[test]
    fn a_task_without_an_id_is_counted() {
        let mut issues = DecodeIssues::default();
        assert_eq!(new_task(api::Task::default(), &mut issues), None);
        let zero = api::Task { id: Some(0.into()), ..api::Task::default() };
        assert_eq!(new_task(zero, &mut issues), None);
        assert_eq!(issues, DecodeIssues { missing_id: 2, ..DecodeIssues::default() });
    }

    #[test]
    fn details_of_another_task_are_nothing() {
        let told = |id: u64| api::TaskDetails { task_id: Some(id.into()), ..api::TaskDetails::default() };
        assert_eq!(task_details(TaskId(1), &told(2)), None);
        assert_eq!(task_details(TaskId(1), &told(1)).map(|details| details.task), Some(TaskId(1)));
        let untold = api::TaskDetails::default();
        assert_eq!(task_details(TaskId(1), &untold).map(|details| details.task), Some(TaskId(1)));
    }
}
