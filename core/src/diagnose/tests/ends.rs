//! `job-stuck` and `shutdown-waits`: jobs that go on, and who waits for them.

use super::engine::Scene;
use crate::{
    diagnose::{Settings, Status},
    model::{Retention, tests::service::Service},
    session::Session,
    update::{
        Begin, Connection, Event, Frame, Process, Stack, Stamp, TaskId, Update, Value,
        look::{Grade, Job, ProcessState, Role, Thread, Whole},
    },
};
use std::{num::NonZeroU64, sync::Arc, time::Duration};

fn job(service: &mut Service, place: &str) -> TaskId {
    let job = service.spawn_with("", place, &[("kind", Value::Text("blocking".into()))]);
    service.pass(1).start(job);
    job
}

/// So many jobs of so many milliseconds end, and one goes on for so many seconds that was spawned here.
fn goes_on(others: usize, millis: u64, place: &str, seconds: usize) -> Scene {
    let mut service = Service::new();
    let first = job(&mut service, "src/first.rs:1");
    let mut scene = Scene::new();
    scene.take(service.greet());
    for _ in 0..others {
        let other = job(&mut service, "src/load.rs:7");
        scene.take(service.publish());
        service.pass(millis).end(other).finish(other);
        scene.take(service.publish());
    }
    job(&mut service, place);
    for _ in 0..seconds {
        scene.take(service.pass(1_000).publish());
    }
    service.end(first);
    scene
}

#[test]
fn a_job_that_lasts_far_longer_than_its_like() {
    let scene = goes_on(6, 20, "src/load.rs:7", 7);
    assert_eq!(scene.active(), ["job-stuck"]);
    let said = &scene.finding("job-stuck").message;
    assert!(said.contains("6 others of its place took 20.0 ms at the longest"), "{said}");
}

#[test]
fn jobs_without_enough_others_or_not_far_enough_over_them_accuse_nobody() {
    assert_eq!(goes_on(6, 20, "src/load.rs:7", 4).active(), [""; 0], "it may yet end");
    assert_eq!(goes_on(4, 20, "src/load.rs:7", 8).active(), [""; 0], "too few others");
    assert_eq!(goes_on(6, 600, "src/load.rs:7", 8).active(), [""; 0], "they take long, too");
    assert_eq!(goes_on(6, 20, "src/serve.rs:9", 8).active(), [""; 0], "it is the only one of its place");
}

/// A thread whose stack has this function, and so many jobs that run, as some looks find them.
fn ends(function: &str, jobs: u64, looks: u64) -> Session {
    let at = |millis: u64| Stamp::from_nanos(1_000_000_000_000 + millis * 1_000_000);
    let stack = |function: &str| {
        let frame = Frame { function: function.into(), ..Frame::default() };
        Some(Arc::new(Stack { frames: vec![frame], ..Stack::default() }))
    };
    let thread = |id: u32, name: &str, role, function: &str| Thread {
        id,
        name: name.into(),
        role,
        state: 'S',
        cpu: Some(Duration::from_millis(3)),
        stack: stack(function),
        ..Thread::default()
    };
    let number = |job: u64| NonZeroU64::new(100 + job).unwrap();
    let mut threads = vec![thread(1, "main", Role::Other, function)];
    threads.extend((0..jobs).map(|job| thread(10 + job as u32, "pool", Role::Blocking, "app::copy")));
    let runs = |job| Job { number: number(job), closure: "app::copy".into(), thread: Some(10 + job as u32) };
    let whole =
        Whole { threads, jobs: (0..jobs).map(runs).collect(), state: ProcessState::Running, ..Whole::default() };
    let mut session = Session::new(&Settings::default(), Retention::default());
    session.apply(Event::Begin(Box::new(Begin::memory(1, Process::default(), Grade::Full))));
    session.apply(Event::Connection(Connection::Live));
    for look in 0..looks {
        let update = Update {
            now: Some(at(look * 500)),
            look: Some(Box::new(whole.clone())),
            runtimes: Some(Vec::new()),
            ..Update::default()
        };
        session.apply(Event::Update(Box::new(update)));
    }
    session
}

fn active(session: &Session) -> Vec<&'static str> {
    let active = session.engine().findings().filter(|finding| finding.status == Status::Active);
    active.map(|finding| finding.lint.name).collect()
}

const SHUTDOWN: &str = "tokio::runtime::blocking::pool::BlockingPool::shutdown";

#[test]
fn who_waits_for_the_end_of_a_runtime_says_for_what() {
    let session = ends(SHUTDOWN, 1, 6);
    assert_eq!(active(&session), ["shutdown-waits"]);
    let finding = session.engine().findings().next().unwrap();
    assert!(finding.message.contains("thread main has waited 2.50 s"), "{}", finding.message);
    assert!(finding.message.ends_with("what still runs is blocking 100 app::copy"), "{}", finding.message);
    assert!(finding.related.stacks.len() == 2);
}

#[test]
fn of_several_jobs_and_of_none_no_more_is_said_than_is_known() {
    let said = |jobs| ends(SHUTDOWN, jobs, 6).engine().findings().next().map(|finding| finding.message.clone());
    assert!(said(0).is_some_and(|said| said.ends_with("what still runs is not known")));
    assert!(said(3).is_some_and(|said| said.contains("3 jobs or polls still run")));
}

#[test]
fn a_thread_elsewhere_or_for_a_moment_waits_for_no_end() {
    assert_eq!(active(&ends("app::main", 1, 6)), [""; 0]);
    assert_eq!(active(&ends(SHUTDOWN, 1, 2)), [""; 0]);
}
