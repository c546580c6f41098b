//! Locks as an agent tells them: who holds them is a fact, and who only seems to is cleared.

use super::{Scene, text};
use crate::support::{
    agent,
    service::{Service, Take},
};
use holdup::{
    diagnose::{Confidence, Severity},
    update::{Access, Across, Holder, LockStats, ResourceId, Stack, TaskId, Thread, Update},
};
use std::{sync::Arc, time::Duration};

/// A lock that a task took by an operation, and that others in truth hold.
fn locked() -> (Scene, [TaskId; 3], ResourceId) {
    let mut service = Service::new();
    let lock = service.rwlock("src/state.rs:21");
    let tasks = ["accused", "reader", "writer"].map(|name| service.spawn(name, "src/main.rs:7"));
    service.pass(5).start(tasks[0]).take(tasks[0], lock, Take::Read).pass(1).end(tasks[0]).keep_waker(tasks[0]);
    for task in &tasks[1..] {
        service.pass(5).poll(*task, 1).keep_waker(*task);
    }
    (Scene::new(service), tasks, lock)
}

#[test]
fn exact_holders_clear_the_one_who_seems_to_be_it() {
    let (mut scene, [accused, reader, writer], lock) = locked();
    let since = scene.service.now().minus(Duration::from_millis(5));
    let asleep = Arc::new(Stack { frames: vec![agent::frame("state::flush", "src/state.rs", 61)], ..Stack::default() });
    let holder = Holder { access: Access::Shared, suspended_at: Some(asleep), ..agent::holder(reader, since) };
    let thread = Holder { task: None, thread: Some(Thread { tid: 7, name: "main".into() }), ..holder.clone() };
    let waiting = vec![agent::waiting(900, writer, since)];
    for _ in 0..3 {
        scene.pass(700, |now| Update {
            locks: vec![LockStats {
                across_count: 1,
                ..agent::lock(lock, vec![holder.clone(), thread.clone()], waiting.clone())
            }],
            ..agent::report(now)
        });
    }
    let finding = scene.finding("held-across-await");
    assert_eq!((finding.confidence, finding.severity), (Confidence::Exact, Severity::Critical));
    assert_eq!(finding.related.holder.as_ref().map(|holder| holder.id), Some(reader));
    assert_eq!(finding.related.co_holders.iter().map(|task| task.name.as_str()).collect::<Vec<_>>(), ["main"]);
    assert_eq!(text(finding, "asleep at"), Some("task 104 reader: state::flush at src/state.rs:61"));
    assert_eq!(finding.related.stacks[0].of.as_ref().map(|task| task.id), Some(reader), "it is said whose it is");
    assert_eq!(finding.related.waiters[0].task.id, writer);
    assert!(!finding.concerns(accused));
    // Given back: it was so, and is not.
    for _ in 0..9 {
        scene.pass(700, |now| Update { locks: vec![agent::lock(lock, vec![], vec![])], ..agent::report(now) });
    }
    assert!(scene.active("held-across-await").is_empty());
}

#[test]
fn a_lock_held_inside_its_poll_is_no_trouble_however_long_it_is_watched() {
    let (mut scene, [_, reader, _], lock) = locked();
    for _ in 0..4 {
        scene.service.pass(690).wake(reader).start(reader);
        let since = scene.service.now();
        let holder = Holder { across: Across::SamePoll, ..agent::holder(reader, since) };
        scene.pass(10, |now| Update { locks: vec![agent::lock(lock, vec![holder], vec![])], ..agent::report(now) });
        scene.service.end(reader);
        scene.tell(|now| Update { locks: vec![agent::lock(lock, vec![], vec![])], ..agent::report(now) });
    }
    assert!(scene.active("held-across-await").is_empty(), "{:?}", scene.names());
}

#[test]
fn a_convoy_is_told_from_the_queue_that_the_agent_knows() {
    let (mut scene, [_, reader, writer], lock) = locked();
    let since = scene.service.now();
    let queue: Vec<_> = (0..6).map(|at| agent::waiting(900 + at, writer, since)).collect();
    scene.pass(700, |now| Update {
        locks: vec![agent::lock(lock, vec![agent::holder(reader, now)], queue.clone())],
        ..agent::report(now)
    });
    let finding = scene.finding("lock-convoy");
    assert!(
        finding.message.starts_with("6 tasks have waited over 100 ms, the first for 700 ms"),
        "{}",
        finding.message
    );
    assert_eq!(finding.related.holder.as_ref().map(|holder| holder.id), Some(reader));
    let four = queue[..4].to_vec();
    scene.tell(|now| Update {
        locks: vec![agent::lock(lock, vec![agent::holder(reader, now)], four)],
        ..agent::report(now)
    });
    assert!(scene.active("lock-convoy").is_empty());
}

#[test]
fn a_deadlock_of_exact_holders_is_exact() {
    let mut service = Service::new();
    let tasks = ["left", "right"].map(|name| service.spawn(name, "src/pair.rs:5"));
    let locks = ["src/pair.rs:1", "src/pair.rs:2"].map(|place| service.mutex(place));
    for at in 0..2 {
        service.pass(5).start(tasks[at]).take(tasks[at], locks[at], Take::Lock).pass(1).end(tasks[at]);
    }
    let held = service.now();
    for at in 0..2 {
        service
            .pass(5)
            .wake(tasks[at])
            .start(tasks[at])
            .take(tasks[at], locks[1 - at], Take::Lock)
            .pass(1)
            .end(tasks[at]);
        service.keep_waker(tasks[at]);
    }
    let mut scene = Scene::new(service);
    for _ in 0..3 {
        scene.pass(700, |now| Update {
            locks: (0..2)
                .map(|at| {
                    agent::lock(
                        locks[at],
                        vec![agent::holder(tasks[at], held)],
                        vec![agent::waiting(900 + at as u64, tasks[1 - at], held)],
                    )
                })
                .collect(),
            ..agent::report(now)
        });
    }
    let finding = scene.finding("deadlock");
    assert_eq!((finding.confidence, finding.related.cycle.len()), (Confidence::Exact, 2));
    // A story: each holds what the one before it waits for, and one of both comes first.
    let story = finding.story();
    let told: Vec<String> =
        story.iter().map(|step| format!("{}{}", "  ".repeat(step.depth), step.in_words())).collect();
    assert_eq!(
        told,
        [
            "task 101 left",
            "  waits for Mutex 3 src/pair.rs:2 for 2.10 s, in Mutex::lock",
            "    task 102 right holds it for 2.11 s",
            "      waits for Mutex 1 src/pair.rs:1 for 2.10 s, in Mutex::lock",
            "        task 101 left (above) holds it for 2.11 s",
        ]
    );
    assert!(scene.active("held-across-await").is_empty(), "the deadlock speaks for it");
}

/// A reader that asks for the first lock just now closes a second cycle, beside the one that has stood for long.
#[test]
fn a_cycle_that_has_just_closed_hides_none_that_stands() {
    let mut service = Service::new();
    let [writer, reader, late] = ["writer", "reader", "late"].map(|name| service.spawn(name, "src/pair.rs:5"));
    let locks = ["src/pair.rs:1", "src/pair.rs:2"].map(|place| service.mutex(place));
    let asks = |service: &mut Service, task, lock| {
        service.pass(5).wake(task).start(task).take(task, lock, Take::Lock).pass(1).end(task);
        service.keep_waker(task);
    };
    service.pass(5).start(writer).take(writer, locks[0], Take::Lock).pass(1).end(writer);
    service.pass(5).start(reader).take(reader, locks[1], Take::Lock).pass(1).end(reader);
    service.pass(5).start(late).end(late);
    let held = service.now();
    asks(&mut service, writer, locks[1]);
    asks(&mut service, reader, locks[0]);
    let told = |now, waiting: &[TaskId]| {
        let shared = |task| Holder { access: Access::Shared, ..agent::holder(task, held) };
        let queue = waiting.iter().zip(900..).map(|(&task, op)| agent::waiting(op, task, held)).collect();
        let first = agent::lock(locks[0], vec![agent::holder(writer, held)], queue);
        let second = agent::lock(locks[1], vec![shared(reader), shared(late)], vec![agent::waiting(990, writer, held)]);
        Update { locks: vec![first, second], ..agent::report(now) }
    };
    let mut scene = Scene::new(service);
    for _ in 0..3 {
        scene.pass(700, |now| told(now, &[reader]));
    }
    let found = scene.finding("deadlock").related.cycle.len();
    asks(&mut scene.service, late, locks[0]);
    scene.pass(10, |now| told(now, &[reader, late]));
    assert_eq!((found, scene.finding("deadlock").related.cycle.len()), (2, 2));
}

#[test]
fn a_lock_that_is_seen_as_it_is_taken_is_not_held_for_0_ns() {
    let mut service = Service::new();
    let task = service.spawn("takes", "src/main.rs:3");
    let lock = service.mutex("src/state.rs:21");
    service.keep_waker(task).pass(5).poll(task, 1);
    let mut scene = Scene::new(service);
    scene.pass(100, |now| Update {
        locks: vec![agent::lock(lock, vec![agent::holder(task, now)], vec![])],
        ..agent::report(now)
    });
    assert_eq!(scene.finding("held-across-await").message, "just taken by a task that sleeps");
    scene.service.finish(task);
    scene.pass(700, agent::report);
    assert_eq!(scene.finding("held-across-await").message, "held for 700 ms by a guard of a task that has ended");
}
