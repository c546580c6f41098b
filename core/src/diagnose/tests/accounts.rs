//! `permits-gone` and `channel-stuck` as an agent tells: who is named, and who may have done nothing.

use super::engine::Scene;
use crate::{
    model::{Model, Retention, tests::service::Service},
    update::{Knows, Permits, ResourceId, Stamp, Taken, TaskId, Value},
};

/// A semaphore with two permits or a channel with room for two, which two tasks took; a third one waits for one of them.
struct Played {
    service: Service,
    counted: ResourceId,
    takers: [TaskId; 2],
    scene: Scene,
}

#[derive(Clone, Copy)]
enum Of {
    Semaphore,
    Room,
}

/// What those do who took one.
#[derive(Clone, Copy, PartialEq)]
enum Then {
    WantAnother,
    Sleep,
}

fn played(of: Of) -> Played {
    let mut service = Service::new();
    let counted = match of {
        Of::Semaphore => {
            let outer = service.resource("Semaphore", "Sync", "src/pool.rs:7", None, &[]);
            service.resource("Semaphore", "Sync", "src/pool.rs:7", Some(outer), &[("permits", Value::U64(0))])
        }
        Of::Room => service.room(),
    };
    let takers = ["one", "two"].map(|name| {
        let task = service.spawn(name, "src/pool.rs:9");
        service.keep_waker(task).poll(task, 1);
        task
    });
    let waits = service.spawn("waits", "src/pool.rs:11");
    service.keep_waker(waits).start(waits);
    wants_one(&mut service, counted, waits);
    service.end(waits);
    let knows = Knows::agent(&["wakers", "permits"].map(str::to_owned));
    let scene = Scene { model: Model::told_by(knows, Retention::default()), ..Scene::new() };
    Played { service, counted, takers, scene }
}

fn wants_one(service: &mut Service, of: ResourceId, task: TaskId) {
    let wants = [("permits_requested", Value::U64(1)), ("permits_obtained", Value::U64(0))];
    service.op("Acquire::new", of, None, task, &wants);
}

impl Played {
    /// Both took one; what is told of that is changed.
    fn told(&mut self, then: Then, change: impl FnOnce(&mut Permits, [TaskId; 2])) -> &mut Self {
        let since = Stamp::from_nanos(0);
        let taken = self.takers.map(|task| Taken { task: Some(task), permits: 1, since });
        let mut permits = Permits { first: 2, taken: taken.to_vec(), known: true, givers: Vec::new(), returned: None };
        change(&mut permits, self.takers);
        self.service.resource_stats(self.counted).permits = Some(Box::new(permits));
        for task in self.takers.into_iter().filter(|_| then == Then::WantAnother) {
            self.service.wake(task).start(task);
            wants_one(&mut self.service, self.counted, task);
            self.service.end(task);
        }
        let greeting = self.service.greet();
        self.scene.take(greeting);
        self
    }

    fn pass(&mut self, seconds: usize) -> &mut Self {
        for _ in 0..seconds {
            let update = self.service.pass(1_000).publish();
            self.scene.take(update);
        }
        self
    }
}

#[test]
fn who_took_all_permits_and_waits_for_another_is_named_after_a_second() {
    let mut played = played(Of::Semaphore);
    let scene = &played.told(Then::WantAnother, |_, _| ()).pass(3).scene;
    assert_eq!(scene.active(), ["permits-gone"]);
    let finding = scene.finding("permits-gone");
    assert!(finding.message.ends_with("; 2 tasks took them"), "{}", finding.message);
    let of = |name: &str| finding.evidence.iter().find(|it| it.name == name).map(|it| format!("{:?}", it.value));
    let said = of("took one").expect("it says what they do");
    assert!(said.contains("task") && said.contains("waits in Acquire::new of src/pool.rs:7"), "{said}");
}

#[test]
fn who_may_only_be_slow_has_more_time() {
    let mut played = played(Of::Semaphore);
    assert_eq!(played.told(Then::Sleep, |_, _| ()).pass(4).scene.active(), [""; 0]);
    assert_eq!(played.pass(2).scene.active(), ["permits-gone"]);
}

#[test]
fn nobody_is_named_where_permits_may_be_in_other_hands_or_came_back() {
    let with = |change: fn(&mut Permits, [TaskId; 2])| {
        played(Of::Semaphore).told(Then::WantAnother, change).pass(9).scene.active()
    };
    assert_eq!(with(|permits, _| permits.known = false), [""; 0]);
    assert_eq!(with(|permits, _| permits.taken.truncate(1)), [""; 0], "the other one is tried for, or was forgotten");
    assert_eq!(with(|permits, _| *permits = Permits { known: true, ..Permits::default() }), [""; 0], "a signal");
    assert_eq!(
        with(|permits, _| permits.returned = Some(Stamp::from_nanos(u64::MAX))),
        [""; 0],
        "one came back lately"
    );
}

#[test]
fn who_received_before_and_waits_for_others_is_named() {
    let receives = |permits: &mut Permits, [one, _]: [TaskId; 2]| {
        (permits.known, permits.givers) = (false, vec![Some(one)]);
    };
    let mut played = played(Of::Room);
    let scene = &played.told(Then::WantAnother, receives).pass(3).scene;
    assert_eq!(scene.active(), ["channel-stuck"]);
    let said = &scene.finding("channel-stuck").message;
    assert!(said.contains("one received before, and waits in the send to a channel"), "{said}");
    assert!(!said.contains("reserved"), "{said}");
}

#[test]
fn who_received_before_and_may_receive_again_has_more_time() {
    let receives = |permits: &mut Permits, [one, _]: [TaskId; 2]| permits.givers = vec![Some(one)];
    let mut played = played(Of::Room);
    assert_eq!(played.told(Then::Sleep, receives).pass(4).scene.active(), [""; 0]);
    let scene = &played.pass(2).scene;
    assert_eq!(scene.active(), ["channel-stuck"]);
    let said = &scene.finding("channel-stuck").message;
    assert!(said.ends_with("sleeps; or its room is reserved, and nothing is sent"), "{said}");
}

#[test]
fn where_nobody_received_those_are_named_who_took_the_room() {
    let mut played = played(Of::Room);
    assert_eq!(played.told(Then::WantAnother, |_, _| ()).pass(4).scene.active(), [""; 0]);
    let said = &played.pass(2).scene.finding("channel-stuck").message;
    assert!(said.contains("nobody has received from it so far; 2 tasks sent into it, or reserved its room"), "{said}");
}

#[test]
fn of_one_who_sends_it_is_not_known_whether_they_receive() {
    let mut played = played(Of::Room);
    played.told(Then::WantAnother, |permits, _| permits.returned = Some(Stamp::MIN)).pass(6);
    let said = &played.scene.finding("channel-stuck").message;
    assert!(said.contains("it is not known who receives; 2 tasks sent into it"), "{said}");
}
