//! What the model believes of tasks, and of the target's own account of itself.

use super::service::{DRAIN, Service, at};
use crate::{
    model::{Model, Origin, Retention, TaskState},
    update::{Dropped, Stamp, TaskId, TaskStats, Update},
};
use std::time::Duration;

fn model() -> Model {
    Model::new(Retention::default())
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn a_task_from_its_spawn_to_its_end() {
    let mut service = Service::new();
    let mut model = model();
    let task = service.spawn("conn", "src/main.rs:7");
    model.apply(service.publish());
    let row = model.tasks().get(task).expect("announced");
    assert_eq!((model.task_name(&row), model.place(row.place()).to_string()), ("conn", "src/main.rs:7".into()));
    assert_eq!((row.state(), row.origin()), (TaskState::Scheduled, Origin::Announced));
    assert_eq!(model.counts().scheduled, 1);

    service.pass(5).start(task);
    model.apply(service.publish());
    assert_eq!((model.counts().running, model.counts().scheduled), (1, 0));
    service.pass(5).end(task);
    model.apply(service.publish());
    assert_eq!(model.tasks().get(task).expect("announced").state(), TaskState::Idle);
    assert_eq!(model.hot().count(), 0);
    service.pass(5).finish(task);
    model.apply(service.publish());
    assert_eq!((model.counts().live, model.counts().ended), (0, 1));
    let place = model.tasks().get(task).expect("announced").place();
    assert_eq!(model.spawns().get(place).expect("seen").live, 0);
}

#[test]
fn what_is_over_stays_for_as_long_as_it_is_retained() {
    let mut service = Service::new();
    let mut model = model();
    let task = service.spawn("short", "src/main.rs:7");
    let lock = service.mutex("src/main.rs:8");
    service.pass(1).poll(task, 1).finish(task).drop_resource(lock);
    model.apply(service.publish());
    service.pass(5_900);
    model.apply(service.publish());
    assert!(model.tasks().get(task).is_some() && model.lock(lock).is_some());
    service.pass(200);
    model.apply(service.publish());
    assert!(model.tasks().is_empty() && model.lock(lock).is_none());
    assert_eq!(model.changes().removed.iter().map(|&(_, id)| id).collect::<Vec<_>>(), [task]);
    assert_eq!((model.counts().live, model.counts().ended), (0, 0));
}

#[test]
fn there_is_room_for_so_many_that_are_over_and_no_more() {
    let mut service = Service::new();
    let mut model = Model::new(Retention { keep: None, most: 3, ..Retention::default() });
    let tasks: Vec<TaskId> = (0..10).map(|_| service.spawn("short", "src/main.rs:7")).collect();
    for &task in &tasks {
        service.pass(1).finish(task);
    }
    model.apply(service.publish());
    assert_eq!(model.counts().ended, 3);
    assert!(tasks[7..].iter().all(|&task| model.tasks().get(task).is_some()), "the latest stay");
}

#[test]
fn an_id_that_is_given_to_another_task_starts_from_nothing() {
    let mut service = Service::new();
    let mut model = model();
    let task = service.spawn("first", "src/main.rs:7");
    service.pass(1).poll(task, 500).finish(task);
    model.apply(service.publish());
    let mut another = Service::new();
    another.pass(1_000);
    assert_eq!(another.spawn("second", "src/main.rs:9"), task);
    model.apply(another.publish());
    let row = model.tasks().get(task).expect("announced");
    assert_eq!((model.task_name(&row), row.polls(), row.longest_poll()), ("second", 0, Duration::ZERO));
    assert_eq!((model.counts().live, model.counts().ended), (1, 0));
    // The first one's end does not take the second one away.
    another.pass(60_000);
    model.apply(another.publish());
    assert!(model.tasks().get(task).is_some());
}

#[test]
fn time_does_not_go_backwards() {
    let mut model = model();
    for (told, believed) in [(1_000, 1_000), (400, 1_000), (1_200, 1_200)] {
        model.apply(Update { now: Some(at(told)), ..Update::default() });
        assert_eq!(model.now(), Some(at(believed)));
    }
    model.apply(Update { now: None, ..Update::default() });
    assert_eq!(model.now(), Some(at(1_200)), "an update without a time is as late as the one before");
    let stats = TaskStats {
        created: Some(at(9_000)),
        dropped: Some(at(100)),
        last_wake: Some(Stamp::MIN),
        ..TaskStats::default()
    };
    model.apply(Update { task_stats: vec![(TaskId(1), TaskStats { dropped: None, ..stats })], ..Update::default() });
    model.apply(Update { task_stats: vec![(TaskId(1), stats)], ..Update::default() });
    let row = model.tasks().get(TaskId(1));
    assert!(row.is_none_or(|row| row.total(at(1_200)) == Duration::ZERO), "older than its end: no time at all");
}

#[test]
fn a_task_that_was_never_announced_is_shown_and_counted() {
    let mut model = model();
    let stats = TaskStats { created: Some(at(0)), ..TaskStats::default() };
    model.apply(Update { now: Some(at(10)), task_stats: vec![(TaskId(5), stats)], ..Update::default() });
    assert_eq!(model.tasks().get(TaskId(5)).expect("reported").origin(), Origin::StatisticsOnly);
    assert_eq!((model.health().unannounced_tasks, model.health().is_whole()), (1, false));
    let ended = TaskStats { dropped: Some(at(5)), ..stats };
    model.apply(Update { now: Some(at(20)), task_stats: vec![(TaskId(6), ended)], ..Update::default() });
    assert!(model.tasks().get(TaskId(6)).is_none(), "the end of a task that nobody knew is no news");
}

#[test]
fn a_target_that_falls_behind_is_found_out() {
    let mut service = Service::new();
    let mut model = model();
    model.apply(service.publish());
    assert!(model.health().lag.is_zero());
    // Four times what an update takes along, all at once; then time passes.
    for _ in 0..DRAIN * 4 {
        service.spawn("burst", "src/main.rs:7");
    }
    service.pass(100);
    model.apply(service.publish());
    assert!(model.health().lag.is_zero(), "the first of them are fresh");
    for late in [0, 0, 900] {
        service.pass(1_000);
        model.apply(service.publish());
        let lag = model.health().lag;
        assert!(lag >= ms(late), "{lag:?} is less than {late} ms");
    }
    assert_eq!(model.health().told_until, Some(at(0)), "nothing after the burst has been told");
    assert!(!model.health().is_whole());
    // The rest is few: the target has caught up, and says everything up to the update before.
    service.pass(1_000);
    model.apply(service.publish());
    service.pass(1_000);
    model.apply(service.publish());
    assert_eq!((model.health().lag, model.health().told_until), (Duration::ZERO, Some(at(4_100))));
}

#[test]
fn a_target_that_keeps_up_is_not_accused_of_lagging() {
    let mut service = Service::new();
    let mut model = model();
    for _ in 0..10 {
        for _ in 0..DRAIN - 1 {
            let task = service.spawn("short", "src/main.rs:7");
            service.pass_micros(100).poll(task, 1).finish(task);
        }
        service.pass(500);
        model.apply(service.publish());
        assert_eq!(model.health().lag, Duration::ZERO);
    }
    assert!(model.health().is_whole());
}

#[test]
fn a_link_is_behind_from_two_seconds_until_it_is_less_than_one() {
    let mut service = Service::new();
    let mut model = model();
    let table = [(1_900, 0), (2_000, 2_000), (9_000, 9_000), (1_000, 1_000), (999, 0), (1_500, 0)];
    for (late, behind) in table {
        model.apply(Update { late: ms(late), ..service.pass(700).publish() });
        assert_eq!(model.health().behind, ms(behind), "late by {late} ms");
    }
}

#[test]
fn what_may_be_out_of_date_is_doubtful_until_it_is_confirmed() {
    let mut service = Service::new();
    let mut model = model();
    let [quiet, busy] = ["quiet", "busy"].map(|name| service.spawn(name, "src/main.rs:7"));
    model.apply(service.publish());
    service.pass(10).poll(busy, 1);
    let dropped = Dropped { tasks: 3, ..Dropped::default() };
    model.apply(Update { dropped, ..service.publish() });
    let doubtful = |model: &Model, task| model.is_doubtful(&model.tasks().get(task).expect("announced"));
    assert_eq!((doubtful(&model, quiet), doubtful(&model, busy)), (true, false));
    service.pass(10).poll(quiet, 1);
    model.apply(service.publish());
    assert!(!doubtful(&model, quiet));
}
