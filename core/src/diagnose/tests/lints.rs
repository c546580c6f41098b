//! Lints by themselves, on services that a console tells of: cases that must fire, and cases that must not.

use super::engine::Scene;
use crate::{
    diagnose::Measure,
    model::tests::service::Service,
    update::{TaskId, Update, Value},
};

/// A scene that a service has greeted.
fn greeted(service: &mut Service) -> Scene {
    let mut scene = Scene::new();
    scene.take(service.greet());
    scene
}

/// So many updates, one each second.
fn seconds(scene: &mut Scene, service: &mut Service, count: usize) {
    for _ in 0..count {
        scene.take(service.pass(1_000).publish());
    }
}

fn caveat(scene: &Scene, lint: &str) -> Option<String> {
    let said = scene.finding(lint).evidence.iter().find(|evidence| evidence.name == "caveat")?;
    match &said.value {
        Measure::Text(text) => Some(text.clone()),
        _ => None,
    }
}

// ---- lost-waker ----

/// A task that was polled once, and for which no waker is left.
fn asleep(service: &mut Service) -> TaskId {
    let task = service.spawn("asleep", "src/mailbox.rs:3");
    service.pass(5).poll(task, 1);
    // console-subscriber counts a spawn as no wake.
    service.task(task).wakes = 0;
    task
}

#[test]
fn a_task_without_a_waker_is_lost() {
    let mut service = Service::new();
    asleep(&mut service);
    let mut scene = greeted(&mut service);
    seconds(&mut scene, &mut service, 4);
    assert_eq!(scene.active(), ["lost-waker"]);
    assert!(caveat(&scene, "lost-waker").is_some_and(|said| said.contains("ended")));
}

#[test]
fn a_task_whose_future_was_dropped_has_lost_no_waker_although_its_end_is_not_told() {
    let mut service = Service::new();
    let task = asleep(&mut service);
    // To drop the future enters its span once more, and nobody had woken it.
    service.poll(task, 0);
    let mut scene = greeted(&mut service);
    seconds(&mut scene, &mut service, 10);
    assert_eq!(scene.active(), [""; 0]);
}

#[test]
fn while_a_job_goes_on_that_it_may_have_started_a_task_is_not_taken_for_lost() {
    let mut service = Service::new();
    let task = service.spawn("handler", "src/upload.rs:9");
    service.keep_waker(task).pass(5).start(task);
    let job = service.spawn_with("", "src/upload.rs:12", &[("kind", Value::Text("blocking".into()))]);
    service.pass(1).end(task).start(job);
    // It was woken more often than polled, so that the count of polls tells nothing.
    service.wake(task).wake(task).start(task).pass(1).drop_waker(task).end(task).poll(task, 0);
    let mut scene = greeted(&mut service);
    seconds(&mut scene, &mut service, 10);
    let accused = |scene: &Scene| scene.active().contains(&"lost-waker");
    assert!(!accused(&scene));
    // The job is over, and the task is still there.
    service.end(job).finish(job);
    seconds(&mut scene, &mut service, 3);
    assert!(accused(&scene));
}

#[test]
fn a_job_that_began_later_clears_nobody() {
    let mut service = Service::new();
    asleep(&mut service);
    let job = service.pass(5).spawn_with("", "src/upload.rs:12", &[("kind", Value::Text("blocking".into()))]);
    service.pass(1).start(job);
    let mut scene = greeted(&mut service);
    seconds(&mut scene, &mut service, 4);
    assert_eq!(scene.active(), ["lost-waker"]);
}

// ---- tells-nothing ----

#[test]
fn a_target_that_tells_of_no_task_is_no_target_in_which_nothing_is_wrong() {
    let mut service = Service::new();
    let mut scene = greeted(&mut service);
    seconds(&mut scene, &mut service, 2);
    assert_eq!(scene.active(), [""; 0], "it may come yet");
    seconds(&mut scene, &mut service, 2);
    assert_eq!(scene.active(), ["tells-nothing"]);
    let message = &scene.finding("tells-nothing").message;
    assert!(message.contains("tokio=trace,runtime=trace") && message.contains("max_level_*"), "{message}");
    let task = service.spawn("first", "src/main.rs:3");
    service.keep_waker(task).poll(task, 1);
    seconds(&mut scene, &mut service, 2);
    assert_eq!(scene.active(), [""; 0]);
}

#[test]
fn an_idle_service_that_has_or_had_tasks_tells_enough() {
    let mut service = Service::new();
    let task = service.spawn("first", "src/main.rs:3");
    service.keep_waker(task).poll(task, 1);
    let mut scene = greeted(&mut service);
    seconds(&mut scene, &mut service, 10);
    service.finish(task);
    seconds(&mut scene, &mut service, 20);
    assert!(scene.model.tasks().is_empty(), "its row is let go of");
    assert_eq!(scene.active(), [""; 0]);
}

#[test]
fn a_service_whose_only_task_is_a_main_that_sleeps_tells_enough() {
    let mut service = Service::new();
    service.resource("Sleep", "timer", "src/main.rs:3", None, &[]);
    let mut scene = greeted(&mut service);
    seconds(&mut scene, &mut service, 10);
    assert_eq!(scene.active(), [""; 0]);
}

#[test]
fn what_dropped_events_explain_is_not_blamed_on_filters() {
    let mut service = Service::new();
    let mut scene = greeted(&mut service);
    let mut lossy = service.pass(1_000).publish();
    lossy.dropped.tasks = 7;
    scene.take(lossy);
    seconds(&mut scene, &mut service, 10);
    assert_eq!(scene.active(), ["lost-events"]);
}

// ---- stood-still ----

/// A service in which a task is polled every 10 ms and another waits for its turn, an update every 100 ms; and that task.
fn busy() -> (Scene, Service, TaskId) {
    let mut service = Service::new();
    let (busy, waits) = (service.spawn("busy", "src/a.rs:1"), service.spawn("waits", "src/b.rs:2"));
    service.keep_waker(busy).keep_waker(waits).poll(busy, 1).poll(waits, 1);
    let mut scene = greeted(&mut service);
    for _ in 0..20 {
        work(&mut service, busy);
        scene.take(service.publish());
    }
    (scene, service, busy)
}

/// 100 ms of it.
fn work(service: &mut Service, busy: TaskId) {
    for _ in 0..10 {
        service.wake(busy).pass(6).poll(busy, 4);
    }
}

#[test]
fn nobody_is_accused_of_what_a_process_that_stood_still_did_to_its_polls_and_waits() {
    let (mut scene, mut service, busy) = busy();
    let waits = service.task_ids()[1];
    // It stops in the middle of a poll, with another task in the queue.
    service.wake(waits).wake(busy).pass(1).start(busy).pass(2_040);
    scene.take(service.publish());
    assert_eq!(scene.active(), ["stood-still"]);
    let finding = scene.finding("stood-still");
    assert_eq!(finding.message, "the process stood still for at least 1.94 s: none of its tasks is at fault");
    // Not even when later updates bear out that it lasted.
    scene.take(service.pass(20).publish());
    service.end(busy).poll(waits, 1);
    for _ in 0..10 {
        work(&mut service, busy);
        scene.take(service.publish());
    }
    assert_eq!(scene.active(), ["stood-still"]);
    for _ in 0..700 {
        work(&mut service, busy);
        scene.take(service.publish());
    }
    assert_eq!(scene.active(), [""; 0], "it is no longer news");
}

#[test]
fn a_poll_that_lasts_longer_than_the_process_stood_still_is_accused_of_the_rest() {
    let (mut scene, mut service, busy) = busy();
    service.wake(busy).pass(1).start(busy).pass(2_000);
    scene.take(service.publish());
    for _ in 0..4 {
        scene.take(service.pass(100).publish());
    }
    assert_eq!(scene.active(), ["never-yields", "stood-still"]);
    assert!(scene.finding("never-yields").message.starts_with("400 ms in one poll"));
}

#[test]
fn a_console_that_is_late_while_its_service_works_says_nothing_of_a_standstill() {
    let (mut scene, mut service, busy) = busy();
    for _ in 0..20 {
        work(&mut service, busy);
    }
    scene.take(service.publish());
    service.wake(busy).pass(1).start(busy).pass(300);
    scene.take(service.publish());
    scene.take(service.pass(100).publish());
    assert_eq!(scene.active(), ["never-yields"]);
}

#[test]
fn updates_that_were_asked_to_stop_are_no_standstill() {
    let (mut scene, mut service, busy) = busy();
    scene.model.expect_a_gap();
    scene.take(service.pass(5_000).publish());
    for _ in 0..10 {
        work(&mut service, busy);
        scene.take(service.publish());
    }
    assert_eq!(scene.active(), [""; 0]);
}

// ---- long-polls ----

#[test]
fn a_console_cannot_tell_a_long_poll_from_block_in_place_and_the_finding_says_so() {
    let mut service = Service::new();
    let task = service.spawn("digest", "src/hash.rs:3");
    service.keep_waker(task).poll(task, 0);
    let mut scene = greeted(&mut service);
    seconds(&mut scene, &mut service, 1);
    service.wake(task).poll(task, 600);
    scene.take(service.pass(100).publish());
    assert_eq!(scene.active(), ["long-polls"]);
    assert!(caveat(&scene, "long-polls").is_some_and(|said| said.contains("block_in_place")));
}

/// What no update tells of is as if nothing came.
#[test]
fn an_update_with_nothing_in_it_is_an_update() {
    let mut scene = Scene::new();
    for second in 0..5 {
        let now = crate::update::Stamp::from_nanos((1_000 + second) * 1_000_000_000);
        scene.take(Update { now: Some(now), ..Update::default() });
    }
    assert_eq!(scene.active(), ["tells-nothing"]);
}
