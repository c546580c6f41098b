//! `driver-late`: timers that nobody sees to, and timers that only look like it.

use super::engine::Scene;
use crate::{
    diagnose::{Settings, Status},
    model::{Model, Retention, tests::service::Service},
    session::Session,
    update::{
        Begin, Connection, Event, Flavor, Knows, Process, RuntimeId, RuntimeStats, Stamp, TaskFacts, TaskId, Update,
        WorkerId, WorkerStats,
        look::{Fate, Grade, Home, ProcessState, Queued, Role, State, TaskKey, TaskLook, Thread, Whole},
    },
};
use std::{num::NonZeroU64, sync::Arc, time::Duration};

/// Looks at a runtime whose timers are so late at each, in milliseconds, and whose worker polls a task.
fn looked(lags: &[u64], polls: Option<u64>) -> Vec<&'static str> {
    with_turns(lags, polls, 20)
}

/// The same of a worker that makes so many turns between two looks.
fn with_turns(lags: &[u64], polls: Option<u64>, turns: u64) -> Vec<&'static str> {
    let number = NonZeroU64::new(3).unwrap();
    let at = |millis: u64| Stamp::from_nanos(1_000_000_000_000 + millis * 1_000_000);
    let look = TaskLook {
        state: State::Running,
        queued: Queued::Unknown,
        future: "app::crowd".into(),
        place: None,
        local: false,
        home: Home::Runtime(RuntimeId(1)),
        size: 64,
        references: 2,
        fate: Fate::default(),
        chain: None,
        unread: "it runs".into(),
        waits: Box::default(),
        claims: Box::default(),
    };
    let role = Role::Worker(WorkerId { runtime: RuntimeId(1), index: 0 });
    let polls = polls.and_then(NonZeroU64::new);
    let whole = Whole {
        threads: vec![Thread { id: 7, role, state: 'R', polls, ..Thread::default() }],
        state: ProcessState::Running,
        ..Whole::default()
    };
    let mut session = Session::new(&Settings::default(), Retention::default());
    session.apply(Event::Begin(Box::new(Begin::memory(1, Process::default(), Grade::Full))));
    session.apply(Event::Connection(Connection::Live));
    for (turn, &lag) in (0..).zip(lags) {
        let runtime = RuntimeStats {
            id: RuntimeId(1),
            flavor: Some(Flavor::MultiThread),
            workers: 1,
            timer_lag: Some(Duration::from_millis(lag)),
            driven: Some(true),
            ..RuntimeStats::default()
        };
        let worker = WorkerStats {
            id: WorkerId { runtime: RuntimeId(1), index: 0 },
            polling: polls.map(|polls| TaskId(polls.get())),
            tick: Some((u64::from(u32::MAX) - 30 + turn * turns) & u64::from(u32::MAX)),
            ..WorkerStats::default()
        };
        session.apply(Event::Update(Box::new(Update {
            workers: Some(vec![worker]),
            now: Some(at(turn * 500)),
            look: Some(Box::new(whole.clone())),
            runtimes: Some(vec![runtime]),
            task_looks: vec![(TaskKey::Number(number), Arc::new(look.clone()))],
            ..Update::default()
        })));
    }
    let active = session.engine().findings().filter(|finding| finding.status == Status::Active);
    active.map(|finding| finding.lint.name).collect()
}

#[test]
fn a_wheel_that_is_late_in_each_of_four_looks() {
    assert_eq!(looked(&[0, 900, 300, 1_200, 700], Some(3)), ["driver-late"]);
    assert_eq!(looked(&[0, 900, 300, 20, 700, 800, 900], Some(3)), [""; 0], "the driver had its turn");
    assert_eq!(looked(&[700; 3], Some(3)), [""; 0], "too few looks");
    assert_eq!(looked(&[900; 6], None), [""; 0], "its worker may be about to see to it");
    assert_eq!(with_turns(&[900; 6], Some(3), 2), [""; 0], "each of its polls is long");
}

#[derive(Clone, Copy, PartialEq)]
enum Worker {
    Polls,
    Rests,
}

#[derive(Clone, Copy, PartialEq)]
enum Other {
    Sleeps,
    HasEnded,
}

/// What an agent tells of a runtime whose driver had no turn for so long, in milliseconds, at each second: its only worker polls a task
/// or none, and another task of it sleeps or has ended.
fn told(gaps: &[u64], worker: Worker, other: Other) -> Scene {
    let mut service = Service::new();
    let (busy, second) = (service.spawn("busy", "src/crowd.rs:3"), service.spawn("sleeps", "src/late.rs:5"));
    service.keep_waker(busy).keep_waker(second).poll(busy, 1).poll(second, 1);
    if other == Other::HasEnded {
        service.finish(second);
    }
    let facts = TaskFacts { parent: None, runtime: Some(RuntimeId(1)) };
    let knows = Knows::agent(&["wakers", "driver-turns"].map(str::to_owned));
    let mut scene = Scene { model: Model::told_by(knows, Retention::default()), ..Scene::new() };
    let of_agent = |gap: u64, update: Update| Update {
        runtimes: Some(vec![RuntimeStats {
            id: RuntimeId(1),
            flavor: Some(Flavor::MultiThread),
            workers: 1,
            driver_gap: Some(Duration::from_millis(gap)),
            driven: Some(true),
            ..RuntimeStats::default()
        }]),
        workers: Some(vec![WorkerStats {
            id: WorkerId { runtime: RuntimeId(1), index: 0 },
            polling: (worker == Worker::Polls).then_some(busy),
            ..WorkerStats::default()
        }]),
        task_facts: vec![(busy, facts), (second, facts)],
        ..update
    };
    let greeting = service.greet();
    scene.take(of_agent(0, greeting));
    for &gap in gaps {
        let update = service.pass(1_000).publish();
        scene.take(of_agent(gap, update));
    }
    scene
}

#[test]
fn a_driver_without_turns_while_somebody_sleeps() {
    let scene = told(&[900; 5], Worker::Polls, Other::Sleeps);
    assert_eq!(scene.active(), ["driver-late"]);
    let said = &scene.finding("driver-late").message;
    assert!(said.contains("no turn for up to 900 ms") && said.contains("busy keeps its worker"), "{said}");
    assert_eq!(told(&[900; 3], Worker::Polls, Other::Sleeps).active(), [""; 0], "too few looks");
    assert_eq!(told(&[900, 900, 900, 50, 900], Worker::Polls, Other::Sleeps).active(), [""; 0], "it had its turns");
    assert_eq!(told(&[900; 5], Worker::Rests, Other::Sleeps).active(), [""; 0], "nobody keeps its worker");
    assert_eq!(told(&[900; 5], Worker::Polls, Other::HasEnded).active(), [""; 0], "nobody waits for anything there");
}
