//! `undriven`: who is driven by nobody, and who only looks like it.

use super::engine::Scene;
use crate::{
    diagnose::{Settings, Status},
    model::{Retention, tests::service::Service},
    session::Session,
    update::{
        Begin, Connection, Event, Flavor, Process, RuntimeId, RuntimeStats, Stamp, TaskFacts, TaskId, Update, WorkerId,
        look::{
            Chain, Fate, Frame, FrameKind, Grade, Home, LocalSet, Owner, ProcessState, Queued, Reach, Role, Root,
            State, TaskKey, TaskLook, ThingId, Thread, Whole,
        },
    },
};
use std::{num::NonZeroU64, sync::Arc};

/// A task that was polled, is woken, and waits for so many seconds, with what happens in each of them beside.
fn waits(seconds: usize, mut beside: impl FnMut(&mut Service)) -> Scene {
    let mut service = Service::new();
    let task = service.spawn("writer", "src/writer.rs:7");
    service.keep_waker(task).pass(5).poll(task, 1);
    let mut scene = Scene::new();
    scene.take(service.greet());
    service.wake(task);
    for _ in 0..seconds {
        beside(&mut service);
        scene.take(service.pass(1_000).publish());
    }
    scene
}

#[test]
fn who_waits_while_nobody_has_anything_to_do_is_driven_by_nobody() {
    assert_eq!(waits(3, |_| ()).active(), ["starved"], "too early to say");
    let scene = waits(6, |_| ());
    assert_eq!(scene.active(), ["undriven"], "and nothing keeps a worker busy");
    let said = &scene.finding("undriven").message;
    assert!(said.ends_with("while no worker was busy: nobody drives its runtime"), "{said}");
}

#[test]
fn who_waits_beside_a_long_poll_may_wait_for_that() {
    let mut stalls = None;
    let scene = waits(8, |service| {
        if stalls.is_none() {
            let task = service.spawn("stalls", "src/report.rs:3");
            stalls = Some(task);
            service.wake(task).start(task);
        }
    });
    assert!(!scene.active().contains(&"undriven") && scene.active().contains(&"starved"), "{:?}", scene.active());
}

#[test]
fn who_waits_while_others_are_polled_most_of_the_time_waits_for_a_turn() {
    let mut crowd = None;
    let scene = waits(8, |service| {
        let task = *crowd.get_or_insert_with(|| service.spawn("crowd", "src/crowd.rs:3"));
        for _ in 0..30 {
            service.wake(task).poll(task, 50);
        }
    });
    assert!(!scene.active().contains(&"undriven") && scene.active().contains(&"starved"), "{:?}", scene.active());
}

/// What an agent tells of a current-thread runtime.
fn runtime(driven: Option<bool>) -> RuntimeStats {
    RuntimeStats {
        id: RuntimeId(2),
        flavor: Some(Flavor::CurrentThread),
        workers: 1,
        alive_tasks: 1,
        driven,
        ..RuntimeStats::default()
    }
}

/// A task of a runtime that an agent tells of so, woken for so many seconds.
fn told(driven: Option<bool>, seconds: usize) -> Scene {
    let mut service = Service::new();
    let task = service.spawn("writer", "src/writer.rs:7");
    service.keep_waker(task).pass(5).poll(task, 1);
    let mut scene = Scene::new();
    let facts = TaskFacts { parent: None, runtime: Some(RuntimeId(2)) };
    let of_agent =
        |update: Update| Update { runtimes: Some(vec![runtime(driven)]), task_facts: vec![(task, facts)], ..update };
    scene.take(of_agent(service.greet()));
    service.wake(task);
    for _ in 0..seconds {
        scene.take(of_agent(service.pass(1_000).publish()));
    }
    scene
}

#[test]
fn a_runtime_that_is_told_to_be_driven_by_nobody_needs_no_quiet() {
    let scene = told(Some(false), 2);
    assert_eq!(scene.active(), ["undriven"]);
    let said = &scene.finding("undriven").message;
    assert!(said.ends_with("nobody drives runtime 2"), "{said}");
}

#[test]
fn a_runtime_that_is_driven_lets_its_task_wait() {
    assert_eq!(told(Some(true), 8).active(), ["starved"]);
    assert_eq!(told(None, 2).active(), ["starved"]);
}

fn at(millis: u64) -> Stamp {
    Stamp::from_nanos(1_000_000_000_000 + millis * 1_000_000)
}

/// A woken task of this home, as looks find it in a process with these sets, and a thread whose future is in this chain.
fn looked(home: Home, owner: Owner, frames: &[Frame], role: Role) -> Vec<&'static str> {
    let look = TaskLook {
        state: State::Woken,
        queued: Queued::Unknown,
        future: "app::local".into(),
        place: None,
        local: matches!(home, Home::Set(_)),
        home,
        size: 64,
        references: 2,
        fate: Fate::default(),
        chain: None,
        unread: "".into(),
        waits: Box::default(),
        claims: Box::default(),
    };
    let root = Root {
        thread: 7,
        future: "app::main".into(),
        chain: Some(0),
        unread: "".into(),
        waits: Box::default(),
        claims: Box::default(),
    };
    let whole = Whole {
        sets: vec![LocalSet { id: ThingId(0x500), owner }],
        threads: vec![Thread { id: 7, role, state: 'S', ..Thread::default() }],
        roots: vec![root],
        state: ProcessState::Running,
        ..Whole::default()
    };
    let mut session = Session::new(&Settings::default(), Retention::default());
    session.apply(Event::Begin(Box::new(Begin::memory(1, Process::default(), Grade::Full))));
    session.apply(Event::Connection(Connection::Live));
    for turn in 0..8 {
        let mut update = Update {
            now: Some(at(turn * 500)),
            look: Some(Box::new(whole.clone())),
            runtimes: Some(vec![runtime(Some(home != Home::Runtime(RuntimeId(2))))]),
            ..Update::default()
        };
        if turn == 0 {
            update.chains = vec![Arc::new(Chain { frames: frames.to_vec() })];
            update.task_looks = vec![(TaskKey::Number(NonZeroU64::new(3).unwrap()), Arc::new(look.clone()))];
        }
        session.apply(Event::Update(Box::new(update)));
    }
    let active = session.engine().findings().filter(|finding| finding.status == Status::Active);
    active.map(|finding| finding.lint.name).collect()
}

/// What is alive at a look and over before it was read is short, and has no filter of any instrumentation.
#[test]
fn a_process_whose_tasks_are_over_before_they_are_read_tells_what_it_can() {
    let mut session = Session::new(&Settings::default(), Retention::default());
    session.apply(Event::Begin(Box::new(Begin::memory(1, Process::default(), Grade::Full))));
    session.apply(Event::Connection(Connection::Live));
    for turn in 0..12 {
        session.apply(Event::Update(Box::new(Update {
            now: Some(at(turn * 500)),
            look: Some(Box::new(Whole { state: ProcessState::Running, ..Whole::default() })),
            runtimes: Some(vec![RuntimeStats { alive_tasks: 3, ..runtime(Some(true)) }]),
            ..Update::default()
        })));
    }
    assert_eq!(session.engine().findings().map(|finding| finding.lint.name).collect::<Vec<_>>(), [""; 0]);
}

fn frame(name: &str, kind: FrameKind) -> Frame {
    Frame { depth: 0, name: name.into(), kind, reach: Reach::Polled, place: crate::update::Place::default() }
}

const SET: Home = Home::Set(ThingId(0x500));
const DRIVES: Role = Role::BlockOn(RuntimeId(2));

#[test]
fn a_set_that_its_thread_s_future_does_not_await_is_driven_by_nobody() {
    let main = [frame("app::main", FrameKind::Async), frame("Pending", FrameKind::Leaf)];
    assert_eq!(looked(SET, Owner::Thread(7), &main, DRIVES), ["undriven"]);
    let worker = Role::Worker(WorkerId { runtime: RuntimeId(2), index: 0 });
    assert_eq!(
        looked(SET, Owner::Thread(7), &main, worker),
        ["undriven"],
        "so a thread of a current-thread runtime is called"
    );
    assert_eq!(looked(SET, Owner::Gone, &main, DRIVES), ["undriven"]);
    assert_eq!(looked(SET, Owner::Unknown, &main, DRIVES), [""; 0]);
    // Its stack is not told: what it does is not known.
    assert_eq!(looked(SET, Owner::Thread(7), &main, Role::Other), [""; 0]);
}

#[test]
fn a_set_that_may_be_awaited_accuses_nobody() {
    for inside in ["RunUntil<…>", "LocalSet", "PollFn<…>"] {
        let frames = [frame("app::main", FrameKind::Async), frame(inside, FrameKind::Wrapper)];
        assert_eq!(looked(SET, Owner::Thread(7), &frames, DRIVES), [""; 0], "{inside}");
    }
    let hidden = [frame("app::main", FrameKind::Async), frame("dyn Future", FrameKind::Opaque)];
    assert_eq!(looked(SET, Owner::Thread(7), &hidden, DRIVES), [""; 0]);
    assert_eq!(looked(SET, Owner::Thread(7), &[], DRIVES), [""; 0]);
}

#[test]
fn a_runtime_in_memory_that_no_thread_is_in() {
    assert_eq!(looked(Home::Runtime(RuntimeId(2)), Owner::Unknown, &[], Role::Other), ["undriven"]);
    assert_eq!(looked(Home::Runtime(RuntimeId(3)), Owner::Unknown, &[], Role::Other), [""; 0]);
    assert_eq!(looked(Home::Unknown, Owner::Unknown, &[], Role::Other), [""; 0]);
}

#[test]
fn a_task_that_was_never_polled_is_told_as_undriven_once_it_is() {
    let mut service = Service::new();
    let _never: TaskId = service.spawn("new", "src/new.rs:7");
    let mut scene = Scene::new();
    scene.take(service.greet());
    for _ in 0..6 {
        scene.take(service.pass(1_000).publish());
    }
    assert_eq!(scene.active(), ["undriven"]);
    assert!(scene.finding("undriven").message.contains("never polled"));
}
