//! What is let go of where there is no room.

use super::service::{Service, at};
use crate::{
    model::{Evicted, Model, Retention, Tasks},
    update::{NewTask, Part, SourcePlace, TaskId, Update},
};

/// Room for so many tasks, and a little for their names.
fn model(tasks: usize) -> Model {
    let empty = Model::default().bytes();
    let max_bytes = empty + 512 + tasks * (Tasks::BYTES_A_TASK + 16);
    Model::new(Retention { keep: None, max_bytes, ..Retention::default() })
}

#[test]
fn finished_tasks_make_room_the_oldest_first() {
    let (mut service, mut model) = (Service::new(), model(10));
    let stays = service.spawn("stays", "src/main.rs:7");
    let mut last = stays;
    for _ in 0..40 {
        last = service.pass(10).spawn("short", "src/main.rs:8");
        model.apply(service.publish());
        service.pass(10).finish(last);
        model.apply(service.publish());
    }
    assert!(model.tasks().get(stays).is_some(), "what lives is not let go of");
    assert!(model.tasks().get(last).is_some(), "the latest to end is still there");
    let evicted = *model.evicted();
    assert_eq!(model.tasks().len() as u64 + evicted.finished_tasks, 41);
    assert!(evicted.finished_tasks >= 25 && model.bytes() <= model.max_bytes());
    assert_eq!((evicted.new_tasks, evicted.is_short()), (0, false));
    assert!(evicted.at.is_some());
}

#[test]
fn what_is_new_and_finds_no_room_is_counted_and_not_kept() {
    let (mut service, mut model) = (Service::new(), model(10));
    let tasks: Vec<TaskId> = (0..30).map(|_| service.spawn("conn", "src/main.rs:7")).collect();
    model.apply(service.publish());
    let kept = model.tasks().len() as u64;
    assert!((5..20).contains(&kept), "{kept} of them");
    assert_eq!(model.evicted().new_tasks, 30 - kept);
    assert!(model.evicted().is_short());
    // The target goes on to speak of them: that is neither news nor its fault.
    for &task in &tasks {
        service.pass(1).poll(task, 1);
    }
    model.apply(service.publish());
    assert_eq!((model.tasks().len() as u64, model.evicted().new_tasks), (kept, 30 - kept));
    assert_eq!((model.health().unannounced_tasks, model.health().unannounced_in_ops), (0, 0));
    // Where some end, others find room.
    for &task in &tasks[1..kept as usize] {
        service.pass(1).finish(task);
    }
    model.apply(service.publish());
    let late = service.pass(10).spawn("late", "src/main.rs:7");
    model.apply(service.publish());
    assert!(model.tasks().get(late).is_some() && model.tasks().get(tasks[1]).is_none());
}

#[test]
fn nothing_is_let_go_of_while_there_is_room() {
    let (mut service, mut model) = (Service::new(), Model::default());
    service.spawn("conn", "src/main.rs:7");
    model.apply(service.publish());
    model.apply(Update { now: Some(at(50_000)), ..Update::default() });
    assert_eq!(*model.evicted(), Evicted::default());
}

#[test]
fn an_update_that_never_ends_keeps_no_more_than_one_that_does() {
    let mut model = Model::new(Retention::default());
    let task = |page: u64| NewTask {
        name: format!("name {page}"),
        place: Some(SourcePlace { file: "src/a.rs".into(), line: 1 + (page % 2) as u32, column: 1 }),
        ..NewTask::new(TaskId(1))
    };
    for page in 0..50_000 {
        let new_tasks = vec![task(page)];
        model.apply(Update { now: Some(at(page)), part: Part::More, new_tasks, ..Update::default() });
        assert!(!model.names.should_collect(), "names of {page} pages are kept");
    }
    assert_eq!(model.spawns.touched(), 2);
}
