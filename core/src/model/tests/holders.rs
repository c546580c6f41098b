//! Who holds which lock: what is inferred, what is not, and what takes it back.

use super::service::{DRAIN, Moment, Service, Take, at};
use crate::{
    model::{LockState, Model, Retention, Unknown},
    update::{Across, ResourceId, TaskId},
};
use std::time::Duration;

fn watch(service: &mut Service) -> Model {
    let mut model = Model::new(Retention::default());
    model.apply(service.greet());
    model
}

/// An update, 100 ms after the one before.
fn tick(service: &mut Service, model: &mut Model) {
    service.pass(100);
    model.apply(service.publish());
}

fn holders(model: &Model, lock: ResourceId) -> Vec<(TaskId, Across)> {
    let (_, lock) = model.lock(lock).expect("the lock is known");
    lock.holds.iter().map(|hold| (hold.acquire.task, hold.across)).collect()
}

fn across_count(model: &Model, lock: ResourceId) -> u64 {
    model.lock(lock).expect("the lock is known").1.across.count
}

fn waiting(model: &Model, lock: ResourceId) -> Vec<TaskId> {
    model.waiters(lock).iter().filter_map(|op| op.task).collect()
}

/// A service in which a task sleeps with a mutex, taken after 10 ms.
fn sleeper() -> (Service, TaskId, ResourceId) {
    let mut service = Service::new();
    let writer = service.spawn("writer", "src/main.rs:10");
    let mutex = service.mutex("src/state.rs:5");
    service.pass(10).start(writer).take(writer, mutex, Take::Lock).pass(1).end(writer);
    (service, writer, mutex)
}

#[test]
fn a_mutex_held_across_an_await_is_told_after_two_updates() {
    let mut service = Service::new();
    let writer = service.spawn("writer", "src/main.rs:10");
    let mutex = service.mutex("src/state.rs:5");
    let mut model = watch(&mut service);
    service.pass(10).start(writer).take(writer, mutex, Take::Lock).pass(1).end(writer);
    tick(&mut service, &mut model);
    assert_eq!(holders(&model, mutex), [], "one update alone is not one instant");
    assert_eq!(model.unknown_holder(mutex), Some(Unknown::Unconfirmed));
    tick(&mut service, &mut model);
    assert_eq!(holders(&model, mutex), [(writer, Across::Await)]);
    assert_eq!(model.unknown_holder(mutex), None);
    let (_, lock) = model.lock(mutex).expect("known");
    assert_eq!((lock.state, lock.holds[0].acquire.at, lock.acquisitions), (LockState::Exclusive, at(10), 1));
    assert_eq!(across_count(&model, mutex), 1);
}

#[test]
fn whoever_asks_again_has_given_it_back() {
    let (mut service, writer, mutex) = sleeper();
    let mut model = watch(&mut service);
    tick(&mut service, &mut model);
    // It drops the guard, another takes the lock, and it queues behind that one.
    let other = service.spawn("other", "src/main.rs:20");
    service.pass(10).start(writer).release(mutex, Take::Lock).pass(1).end(writer);
    service.start(other).take(other, mutex, Take::Lock).pass(1).end(other);
    assert!(!service.pass(1).start(writer).ask(writer, mutex, Take::Lock), "the other one has it");
    service.pass(1).end(writer);
    tick(&mut service, &mut model);
    assert!(holders(&model, mutex).iter().all(|(holder, _)| *holder != writer), "it waits for the lock");
    assert_eq!(waiting(&model, mutex), [writer]);
}

#[test]
fn it_is_told_to_those_who_attach_later() {
    let (mut service, writer, mutex) = sleeper();
    service.pass(60_000);
    let mut model = watch(&mut service);
    tick(&mut service, &mut model);
    assert_eq!(holders(&model, mutex), [(writer, Across::Await)]);
    let (_, lock) = model.lock(mutex).expect("known");
    assert_eq!(lock.across.longest, Duration::from_millis(60_001));
}

#[test]
fn it_is_not_told_when_the_target_forgot_the_acquire() {
    let (mut service, _, mutex) = sleeper();
    service.forget();
    let mut model = watch(&mut service);
    tick(&mut service, &mut model);
    tick(&mut service, &mut model);
    assert_eq!(model.lock(mutex).expect("known").1.state, LockState::Exclusive);
    assert_eq!(holders(&model, mutex), []);
    assert_eq!(model.unknown_holder(mutex), Some(Unknown::BeforeAttach));
}

#[test]
fn a_holder_in_its_poll_does_not_sleep() {
    let mut service = Service::new();
    let writer = service.spawn("writer", "src/main.rs:10");
    let mutex = service.mutex("src/state.rs:5");
    let mut model = watch(&mut service);
    service.pass(10).start(writer).take(writer, mutex, Take::Lock);
    for _ in 0..3 {
        tick(&mut service, &mut model);
    }
    assert_eq!(holders(&model, mutex), [(writer, Across::SamePoll)]);
    assert_eq!(across_count(&model, mutex), 0);
    service.end(writer);
    tick(&mut service, &mut model);
    tick(&mut service, &mut model);
    assert_eq!(holders(&model, mutex), [(writer, Across::Await)]);
}

#[test]
fn a_guard_that_is_dropped_ends_the_hold() {
    let (mut service, writer, mutex) = sleeper();
    let mut model = watch(&mut service);
    tick(&mut service, &mut model);
    assert_eq!(holders(&model, mutex).len(), 1);
    service.wake(writer).start(writer).release(mutex, Take::Lock).pass(1).end(writer);
    tick(&mut service, &mut model);
    assert_eq!(holders(&model, mutex), []);
    assert_eq!(model.lock(mutex).expect("known").1.state, LockState::Free);
}

#[test]
fn the_lock_goes_to_the_next_in_the_queue() {
    let (mut service, writer, mutex) = sleeper();
    let readers = ["first", "second", "third"].map(|name| service.spawn(name, "src/main.rs:20"));
    for reader in readers {
        service.pass(5).start(reader).take(reader, mutex, Take::Lock).pass(1).end(reader);
    }
    let mut model = watch(&mut service);
    tick(&mut service, &mut model);
    assert_eq!(holders(&model, mutex), [(writer, Across::Await)]);
    assert_eq!(waiting(&model, mutex), readers);
    let (_, lock) = model.lock(mutex).expect("known");
    assert_eq!(lock.across.waiters, 3);
    let waits: Vec<_> = model.waits_of(readers[0]).map(|op| model.text(op.source)).collect();
    assert_eq!(waits, ["Mutex::lock", "Acquire::new"]);

    service.start(writer).release(mutex, Take::Lock).pass(1).end(writer);
    service.start(readers[0]).report_taken(mutex, Take::Lock).pass(1).end(readers[0]);
    tick(&mut service, &mut model);
    let (_, lock) = model.lock(mutex).expect("known");
    assert!(lock.holds.iter().all(|hold| hold.seen < service.now()), "whoever has it now is not certain yet");
    tick(&mut service, &mut model);
    assert_eq!(holders(&model, mutex), [(readers[0], Across::Await)]);
    assert_eq!(waiting(&model, mutex), readers[1..]);
    let (_, lock) = model.lock(mutex).expect("known");
    assert_eq!((lock.acquisitions, lock.contended), (2, 1));
    assert!(lock.longest_wait >= Duration::from_millis(100));
}

#[test]
fn whoever_was_granted_a_lock_and_is_not_polled_neither_waits_nor_holds() {
    let (mut service, writer, mutex) = sleeper();
    let next = service.spawn("next", "src/main.rs:20");
    service.pass(1).start(next).take(next, mutex, Take::Lock).pass(1).end(next);
    let mut model = watch(&mut service);
    service.start(writer).release(mutex, Take::Lock).pass(1).end(writer);
    assert!(service.is_granted(next));
    for _ in 0..3 {
        tick(&mut service, &mut model);
        assert_eq!((holders(&model, mutex), waiting(&model, mutex)), (vec![], vec![]));
    }
}

#[test]
fn whoever_gives_up_waiting_is_no_longer_in_the_queue() {
    let (mut service, _, mutex) = sleeper();
    let impatient = service.spawn("impatient", "src/main.rs:20");
    service.pass(1).start(impatient).take(impatient, mutex, Take::Lock).pass(1).end(impatient);
    let mut model = watch(&mut service);
    assert_eq!(waiting(&model, mutex), [impatient]);
    service.pass(1).start(impatient).cancel(impatient).pass(1).end(impatient);
    tick(&mut service, &mut model);
    assert_eq!(waiting(&model, mutex), []);
    assert_eq!(model.waits_of(impatient).count(), 0);
    assert_eq!(model.lock(mutex).expect("known").1.acquisitions, 1, "a cancelled acquire is none");
}

#[test]
fn a_lock_taken_by_try_lock_has_no_known_holder() {
    let mut service = Service::new();
    let writer = service.spawn("writer", "src/main.rs:10");
    let other = service.spawn("other", "src/main.rs:11");
    let mutex = service.mutex("src/state.rs:5");
    let mut model = watch(&mut service);
    service.pass(1).start(other).take(other, mutex, Take::Lock).pass(1).release(mutex, Take::Lock).pass(1).end(other);
    service.pass(1).start(writer);
    assert!(service.try_take(mutex, Take::Lock));
    service.pass(1).end(writer);
    for _ in 0..4 {
        tick(&mut service, &mut model);
        assert_eq!(holders(&model, mutex), [], "least of all the one that had it before");
    }
    assert_eq!(model.lock(mutex).expect("known").1.state, LockState::Exclusive);
    assert_eq!(across_count(&model, mutex), 0);
    assert_eq!(model.unknown_holder(mutex), Some(Unknown::TryLock));
}

#[test]
fn dropped_events_void_what_was_known() {
    let (mut service, writer, mutex) = sleeper();
    let mut model = watch(&mut service);
    tick(&mut service, &mut model);
    assert_eq!(holders(&model, mutex).len(), 1);
    let other = service.spawn("other", "src/main.rs:11");
    tick(&mut service, &mut model);
    // The lock changes hands, and nobody hears of it.
    service.start(writer).release(mutex, Take::Lock).pass(1).end(writer);
    service.start(other).take(other, mutex, Take::Lock).lose_announcements().pass(1).end(other);
    for _ in 0..4 {
        tick(&mut service, &mut model);
        assert_eq!(holders(&model, mutex), []);
    }
    assert!(!model.health().is_whole());
    assert_eq!(model.unknown_holder(mutex), Some(Unknown::Lost));
}

#[test]
fn a_guard_in_a_task_that_is_over_accuses_nobody() {
    let (mut service, writer, mutex) = sleeper();
    service.finish(writer);
    let mut model = watch(&mut service);
    tick(&mut service, &mut model);
    tick(&mut service, &mut model);
    assert_eq!(holders(&model, mutex), []);
    assert_eq!(model.unknown_holder(mutex), Some(Unknown::Elsewhere));
}

#[test]
fn readers_and_a_writer() {
    let mut service = Service::new();
    let names = ["a", "b", "w"];
    let [a, b, writer] = names.map(|name| service.spawn(name, "src/main.rs:10"));
    let lock = service.rwlock("src/table.rs:9");
    let mut model = watch(&mut service);
    for reader in [a, b] {
        service.pass(5).start(reader).take(reader, lock, Take::Read).pass(1).end(reader);
    }
    service.pass(5).start(writer).take(writer, lock, Take::Write).pass(1).end(writer);
    tick(&mut service, &mut model);
    tick(&mut service, &mut model);
    assert_eq!(model.lock(lock).expect("known").1.state, LockState::Shared(2));
    let readers = [(a, Across::Await), (b, Across::Await)];
    assert_eq!(holders(&model, lock), readers, "also while a writer in the queue has what was left of the permits");
    assert_eq!(waiting(&model, lock), [writer]);

    for reader in [a, b] {
        service.start(reader).release(lock, Take::Read).pass(1).end(reader);
    }
    service.start(writer).report_taken(lock, Take::Write).pass(1).end(writer);
    tick(&mut service, &mut model);
    tick(&mut service, &mut model);
    assert_eq!(model.lock(lock).expect("known").1.state, LockState::Exclusive);
    assert_eq!(holders(&model, lock), [(writer, Across::Await)]);
}

#[test]
fn readers_alone_are_all_named() {
    let mut service = Service::new();
    let [a, b] = ["a", "b"].map(|name| service.spawn(name, "src/main.rs:10"));
    let lock = service.rwlock("src/table.rs:9");
    let mut model = watch(&mut service);
    for reader in [a, b] {
        service.pass(5).start(reader).take(reader, lock, Take::Read).pass(1).end(reader);
    }
    tick(&mut service, &mut model);
    tick(&mut service, &mut model);
    assert_eq!(holders(&model, lock), [(a, Across::Await), (b, Across::Await)]);
    // One of them leaves: which one, nobody says.
    service.start(a).release(lock, Take::Read).pass(1).end(a);
    for _ in 0..3 {
        tick(&mut service, &mut model);
        assert_eq!(model.lock(lock).expect("known").1.state, LockState::Shared(1));
        assert_eq!((holders(&model, lock), model.unknown_holder(lock)), (vec![], Some(Unknown::Readers)));
    }
}

#[test]
fn an_id_that_is_given_to_another_lock_starts_from_nothing() {
    let (mut service, _, mutex) = sleeper();
    let mut model = watch(&mut service);
    tick(&mut service, &mut model);
    assert_eq!(across_count(&model, mutex), 1);
    service.drop_resource(mutex);
    tick(&mut service, &mut model);
    let mut update = service.publish();
    let mut again = Service::new();
    again.pass(500).spawn("", "");
    let reused = again.mutex("src/other.rs:1");
    assert_eq!(reused, mutex);
    let other = again.publish();
    update.new_resources = other.new_resources;
    update.resource_stats = other.resource_stats;
    model.apply(update);
    let (resource, lock) = model.lock(mutex).expect("known");
    assert_eq!((lock.state, lock.acquisitions, lock.across.count), (LockState::Free, 0, 0));
    assert_eq!(model.place(resource.place).to_string(), "src/other.rs:1");
    assert_eq!(model.locks().count(), 1);
}

#[test]
fn a_target_that_falls_behind_accuses_nobody_before_it_has_told_all() {
    let mut service = Service::new();
    let [quick, late] = ["quick", "late"].map(|name| service.spawn(name, "src/main.rs:10"));
    let mutex = service.mutex("src/state.rs:5");
    let mut model = watch(&mut service);
    service.pass(10).start(quick).take(quick, mutex, Take::Lock);
    tick(&mut service, &mut model);
    // The lock goes from one poll to another. Of the second acquire nobody hears yet: it stands behind many other events.
    for _ in 0..DRAIN * 3 {
        service.spawn("burst", "src/main.rs:20");
    }
    service.pass(1).release(mutex, Take::Lock).end(quick).start(late).take(late, mutex, Take::Lock);
    for _ in 0..3 {
        tick(&mut service, &mut model);
        assert_eq!(across_count(&model, mutex), 0);
    }
    service.release(mutex, Take::Lock).pass(1).end(late);
    for _ in 0..3 {
        tick(&mut service, &mut model);
        assert_eq!((across_count(&model, mutex), holders(&model, mutex)), (0, vec![]));
    }
    assert_eq!(model.lock(mutex).expect("known").1.acquisitions, 2);
}

#[test]
fn a_lock_that_changed_after_its_last_known_acquire_is_somebody_elses() {
    let (mut service, writer, mutex) = sleeper();
    let mut model = watch(&mut service);
    service.start(writer).release(mutex, Take::Lock).pass(1).end(writer);
    tick(&mut service, &mut model);
    let other = service.spawn("other", "src/main.rs:11");
    tick(&mut service, &mut model);
    service.pass(50).start(other).take(other, mutex, Take::Lock).pass(1).end(other);
    for _ in 0..4 {
        service.pass(100);
        // Whether this acquire completed cannot be read from what comes.
        let mut update = service.publish();
        update.poll_ops.clear();
        update.op_stats.iter_mut().for_each(|(_, stats)| stats.attributes.clear());
        model.apply(update);
        assert_eq!(holders(&model, mutex), []);
    }
    assert_eq!(model.lock(mutex).expect("known").1.state, LockState::Exclusive);
}

#[test]
fn what_is_sent_twice_is_counted_once() {
    let (mut service, writer, mutex) = sleeper();
    service.start(writer).release(mutex, Take::Lock).pass(1).end(writer).pass(1).finish(writer);
    let mut model = watch(&mut service);
    for _ in 0..2 {
        let (_, lock) = model.lock(mutex).expect("known");
        assert_eq!((lock.acquisitions, lock.contended), (1, 0));
        assert_eq!((model.counts().live, model.counts().ended), (0, 1));
        assert_eq!(model.changes().removed, [], "what is over is not made anew");
        tick(&mut service, &mut model);
    }
}

#[test]
fn what_is_sent_twice_and_is_long_over_is_counted_once() {
    let (mut service, writer, mutex) = sleeper();
    service.start(writer).release(mutex, Take::Lock).pass(1).end(writer).pass(1).finish(writer).pass(60_000);
    let mut model = watch(&mut service);
    for _ in 0..2 {
        assert_eq!(model.lock(mutex).expect("known").1.acquisitions, 1);
        assert_eq!((model.counts().live, model.counts().ended), (0, 0));
        tick(&mut service, &mut model);
    }
    assert!(model.ops().is_empty());
}

#[test]
fn a_thread_without_a_task_that_takes_the_lock_clears_the_one_before() {
    let (mut service, writer, mutex) = sleeper();
    let mut model = watch(&mut service);
    tick(&mut service, &mut model);
    assert_eq!(holders(&model, mutex), [(writer, Across::Await)]);
    // Between two updates the guard is dropped, and a thread takes the lock with `blocking_lock`.
    service.start(writer).release(mutex, Take::Lock).pass(1).end(writer);
    let stranger = TaskId(999);
    assert!(service.ask(stranger, mutex, Take::Lock));
    service.report_taken(mutex, Take::Lock).pass(1);
    for _ in 0..4 {
        service.pass(100);
        let mut update = service.publish();
        for (_, stats) in update.op_stats.iter_mut().filter(|(_, stats)| stats.task == Some(stranger)) {
            stats.task = None;
        }
        model.apply(update);
    }
    let (_, lock) = model.lock(mutex).expect("known");
    assert_eq!((lock.state, lock.acquisitions), (LockState::Exclusive, 2));
    assert_eq!(holders(&model, mutex), []);
}

/// Between the reading of tasks and that of operations, a lock changes hands and its state is read in the middle.
#[test]
fn an_update_that_is_not_one_instant_accuses_nobody() {
    let mut service = Service::new();
    let [quick, late] = ["quick", "late"].map(|name| service.spawn(name, "src/main.rs:10"));
    let mutex = service.mutex("src/state.rs:5");
    let mut model = watch(&mut service);
    for _ in 0..20 {
        service.pass(10).start(quick).take(quick, mutex, Take::Lock).pass(1).release(mutex, Take::Lock);
        service.pass(1).end(quick).pass(10);
        let update = service.publish_while(|service, moment| match moment {
            Moment::Drained => {
                // Nobody will hear of this acquire before the next update, but its effect on the lock is read.
                service.pass(1).start(late).take(late, mutex, Take::Lock).pass(1);
            }
            Moment::Tasks => {}
            Moment::Resources => {
                service.pass(1).release(mutex, Take::Lock).pass(1).end(late);
            }
        });
        model.apply(update);
        assert_eq!(holders(&model, mutex), []);
    }
    assert_eq!(across_count(&model, mutex), 0);
}
