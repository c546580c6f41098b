//! A console counts as polls of a task what others do inside of its span, as sqlx does on threads of its own: nobody is accused of that.

use super::engine::Scene;
use crate::{
    model::{Model, Retention, tests::service::Service},
    update::{Knows, TaskId},
};

/// A task, what is seen of it, and a client.
struct Told {
    service: Service,
    task: TaskId,
    scene: Scene,
}

impl Told {
    /// One that was polled a few times, as it was woken.
    fn new() -> Self {
        let mut service = Service::new();
        let task = service.spawn("settles", "src/orders.rs:54");
        // A spawn is no wake to a console.
        service.keep_waker(task).task(task).wakes = 0;
        let mut told = Self { service, task, scene: Scene::new() };
        told.scene.take(told.service.greet());
        for _ in 0..3 {
            told.service.poll(told.task, 0).pass(10).wake(told.task);
        }
        told.service.poll(told.task, 0);
        told.lasts(250);
        told
    }

    /// Others are inside of its span for as long, which nobody woke it for, and wake it before they leave.
    fn others(&mut self, millis: u64) {
        self.service.start(self.task);
        self.lasts(millis);
        // It is polled before they leave: none of that is counted.
        self.service.wake_itself(self.task).pass(1).end(self.task);
    }

    /// Time passes, with updates.
    fn lasts(&mut self, millis: u64) {
        for _ in 0..millis / 50 {
            self.scene.take(self.service.pass(50).publish());
        }
    }
}

#[test]
fn who_is_inside_of_its_span_unwoken_never_yields_and_is_not_it() {
    let mut told = Told::new();
    for _ in 0..4 {
        told.others(400);
        assert_eq!(told.scene.active(), [""; 0]);
        told.service.pass(10).wake(told.task).poll(told.task, 1);
    }
    let mut told = Told::new();
    told.service.wake(told.task).start(told.task);
    told.lasts(400);
    assert_eq!(told.scene.active(), ["never-yields"], "it was woken for it");
}

#[test]
fn a_wake_from_inside_of_its_span_starves_nobody() {
    let mut told = Told::new();
    told.others(50);
    told.lasts(400);
    assert_eq!(told.scene.active(), [""; 0]);
    told.service.wake(told.task);
    told.lasts(400);
    assert_eq!(told.scene.active(), ["starved"], "it was woken since");
}

#[test]
fn an_agent_counts_polls_and_not_spans() {
    let mut told = Told::new();
    told.scene.model = Model::told_by(Knows::agent(&["wakers".to_owned()]), Retention::default());
    told.scene.take(told.service.greet());
    told.service.start(told.task).pass(10).wake_itself(told.task).end(told.task);
    told.lasts(400);
    assert_eq!(told.scene.active(), ["starved"]);
}
