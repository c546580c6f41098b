//! `never-idle`: who waits by asking, and who only has much to do.

use super::engine::Scene;
use crate::{model::tests::service::Service, update::TaskId};

/// A task that is polled again and again for some seconds, each poll this long, in microseconds.
fn polled(seconds: usize, micros: u64, wake: impl Fn(&mut Service, TaskId), rest: u64) -> Scene {
    let mut service = Service::new();
    let task = service.spawn("asks", "src/asks.rs:3");
    service.keep_waker(task);
    let mut scene = Scene::new();
    scene.take(service.greet());
    for _ in 0..seconds * 4 {
        for _ in 0..250_000 / (micros + rest) {
            service.start(task).pass_micros(micros);
            wake(&mut service, task);
            service.end(task).pass_micros(rest);
        }
        scene.take(service.publish());
    }
    scene
}

fn itself(service: &mut Service, task: TaskId) {
    service.wake_itself(task);
}

#[test]
fn who_wakes_itself_all_the_time_and_does_nothing_is_never_idle() {
    let scene = polled(5, 100, itself, 0);
    assert_eq!(scene.active(), ["never-idle"], "and self-wakes is silent");
    let said = &scene.finding("never-idle").message;
    assert!(said.contains("10,000 polls a second of 100"), "{said}");
    assert_eq!(polled(2, 100, itself, 0).active(), ["self-wakes"], "too early to say");
}

#[test]
fn whoever_others_wake_or_does_much_in_each_poll_earns_it() {
    let by_others = polled(
        5,
        100,
        |service, task| {
            service.wake(task);
        },
        0,
    );
    assert_eq!(by_others.active(), [""; 0]);
    assert_eq!(polled(5, 5_000, itself, 0).active(), ["self-wakes"]);
}
