//! What follows from a task's reports.

use super::*;
use crate::{
    model::{Standstills, TaskState},
    update::{PollStats, Stamp, TaskId, TaskStats},
};
use std::time::Duration;

fn at(millis: u64) -> Stamp {
    Stamp::from_nanos(1_000_000_000_000 + millis * 1_000_000)
}
fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
fn polled(count: u64, started: u64, ended: Option<u64>, busy: u64) -> PollStats {
    PollStats { count, last_started: Some(at(started)), last_ended: ended.map(at), busy: ms(busy) }
}
fn tasks(stats: TaskStats, now: u64) -> Tasks {
    let mut tasks = Tasks::default();
    let slot = tasks.slot_or_begin(TaskId(1), at(now));
    let delays = Delays { stood: &Standstills::default(), waited: 0.0 };
    tasks.report(slot, &TaskStats { created: Some(at(0)), ..stats }, at(now), &delays);
    tasks
}

#[test]
fn the_poll_in_progress_counts_as_busy_whichever_poll_it_is() {
    let task = tasks(TaskStats { polls: polled(5, 100, Some(50), 20), ..Default::default() }, 110);
    let task = task.get(TaskId(1)).expect("it was told");
    assert_eq!(task.state(), TaskState::Running);
    assert_eq!(task.busy(at(300)), ms(220));
    assert_eq!(task.idle(at(300)), ms(80));
}

#[test]
fn a_woken_task_is_scheduled_until_it_is_polled() {
    let woken =
        tasks(TaskStats { polls: polled(1, 10, Some(20), 10), last_wake: Some(at(50)), ..Default::default() }, 60);
    let woken = woken.get(TaskId(1)).expect("it was told");
    assert_eq!(woken.state(), TaskState::Scheduled);
    assert_eq!(woken.scheduled(at(80)), ms(30));
    // Woken by itself while it ran: it waits since the poll ended, not since the wake.
    let itself =
        tasks(TaskStats { polls: polled(1, 10, Some(20), 10), last_wake: Some(at(15)), ..Default::default() }, 60);
    let itself = itself.get(TaskId(1)).expect("it was told");
    assert_eq!(itself.scheduled_since(), Some(at(20)));
    let idle =
        tasks(TaskStats { polls: polled(2, 60, Some(70), 20), last_wake: Some(at(50)), ..Default::default() }, 80);
    let idle = idle.get(TaskId(1)).expect("it was told");
    assert_eq!(idle.state(), TaskState::Idle);
}

#[test]
fn a_task_never_polled_waits_since_its_spawn() {
    let task = tasks(TaskStats::default(), 40);
    let task = task.get(TaskId(1)).expect("it was told");
    assert_eq!(task.state(), TaskState::Scheduled);
    assert_eq!(task.scheduled(at(40)), ms(40));
}

#[test]
fn long_polls_are_bounded_from_below() {
    // 10 polls, 100 ms together: each may have been exactly as long as the limit, so nothing is proven.
    let even = tasks(TaskStats { polls: polled(10, 99, Some(100), 100), ..Default::default() }, 100);
    let even = even.get(TaskId(1)).expect("it was told");
    assert_eq!(even.long_busy(), ms(0));
    // 2 polls, 100 ms together: at least 80 ms of it were in long ones, and one took at least 50 ms.
    let long = tasks(TaskStats { polls: polled(2, 99, Some(100), 100), ..Default::default() }, 100);
    let long = long.get(TaskId(1)).expect("it was told");
    assert_eq!((long.long_busy(), long.longest_poll()), (ms(80), ms(50)));
    // The latest poll is told exactly.
    let last = tasks(TaskStats { polls: polled(100, 60, Some(100), 50), ..Default::default() }, 100);
    let last = last.get(TaskId(1)).expect("it was told");
    assert_eq!((last.long_busy(), last.longest_poll()), (ms(40), ms(40)));
}

#[test]
fn a_poll_that_has_not_ended_is_not_judged_as_one_that_has() {
    let task = tasks(TaskStats { polls: polled(1, 10, None, 0), ..Default::default() }, 5_000);
    let task = task.get(TaskId(1)).expect("it was told");
    assert_eq!((task.longest_poll(), task.long_busy()), (ms(0), ms(0)));
}

#[test]
fn an_ended_task_stands_still() {
    let stats = TaskStats { polls: polled(1, 0, Some(30), 30), dropped: Some(at(100)), ..Default::default() };
    let task = tasks(stats, 100);
    let task = task.get(TaskId(1)).expect("it was told");
    assert_eq!(task.state(), TaskState::Ended);
    assert_eq!((task.total(at(9_000)), task.busy(at(9_000)), task.idle(at(9_000))), (ms(100), ms(30), ms(70)));
}
