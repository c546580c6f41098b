//! Services played by hand that scripts and pictures of screens share.

use super::{Stage, options};
use crate::support::service::{Service, Take};
use holdup::{app::Options, model::update::Value};

/// Three connections of which two wait for a lock that a writer holds across an await, and a task that spins.
pub fn troubled() -> Service {
    let mut service = Service::new();
    let lock = service.mutex("src/state.rs:21");
    let holder = service.spawn("writer", "src/state.rs:40");
    service.start(holder).take(holder, lock, Take::Lock).keep_waker(holder).pass(2).end(holder);
    for name in ["conn-1", "conn-2"] {
        let task = service.spawn_with(name, "src/net.rs:7", &[("peer", Value::Text("10.0.0.1".into()))]);
        service.pass(3).start(task).take(task, lock, Take::Lock).keep_waker(task).pass(1).end(task);
    }
    let idle = service.spawn("conn-3", "src/net.rs:7");
    service.start(idle).keep_waker(idle).pass(40).end(idle);
    let spinning = service.spawn("spinner", "src/report.rs:88");
    service.start(spinning);
    service
}

/// Nothing wrong: a few tasks that sleep.
pub fn healthy() -> Service {
    let mut service = Service::new();
    for (name, place) in [("accept", "src/main.rs:31"), ("ticker", "src/ticker.rs:12"), ("", "src/net.rs:7")] {
        let task = service.spawn(name, place);
        service.start(task).keep_waker(task).pass(1).end(task);
    }
    service
}

/// The client attached to a service, with enough updates for the findings to be certain.
pub fn attached((width, height): (u16, u16), mut service: Service, options: Options) -> (Stage, Service) {
    let mut stage = Stage::new(width, height, options);
    let mut updates = vec![service.greet()];
    for _ in 0..4 {
        updates.push(service.pass(700).publish());
    }
    stage.attach(updates);
    (stage, service)
}

/// The client attached to the service with troubles.
pub fn watching(size: (u16, u16)) -> (Stage, Service) {
    attached(size, troubled(), options())
}
