//! Services played by hand that scripts and pictures of screens share.

use super::{Stage, options};
use crate::support::{
    agent,
    service::{Service, Take, at},
};
use holdup::{
    app::Options,
    source::{Process, Protocol},
    update::{
        Doing, Holder, LockStats, RuntimeId, Span, Stack, Stall, Stamp, TaskFacts, TaskId, TaskWakers, Update, Value,
        Waking, WokenBy, WorkerId, WorkerStack, WorkerStats,
    },
};
use std::{sync::Arc, time::Duration};

/// Three connections of which two wait for a lock that a writer holds across an await, and a task that spins.
pub(crate) fn troubled() -> Service {
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
pub(crate) fn healthy() -> Service {
    let mut service = Service::new();
    for (name, place) in [("accept", "src/main.rs:31"), ("ticker", "src/ticker.rs:12"), ("", "src/net.rs:7")] {
        let task = service.spawn(name, place);
        service.start(task).keep_waker(task).pass(1).end(task);
    }
    service
}

/// The client attached to a service, with enough updates for the findings to be certain.
pub(crate) fn attached((width, height): (u16, u16), mut service: Service, options: Options) -> (Stage, Service) {
    let mut stage = Stage::new(width, height, options);
    let mut updates = vec![service.greet()];
    for _ in 0..4 {
        updates.push(service.pass(700).publish());
    }
    stage.attach(updates);
    (stage, service)
}

/// The client attached to the service with troubles.
pub(crate) fn watching(size: (u16, u16)) -> (Stage, Service) {
    attached(size, troubled(), options())
}

/// The client attached to an agent in lean detail, which counts no wakes: of three tasks, after a second.
pub(crate) fn lean((width, height): (u16, u16)) -> Stage {
    let mut service = healthy();
    let capabilities = ["tasks", "workers", "locks", "stalls", "stacks"].map(String::from).into();
    let process = Process { detail: "lean".into(), capabilities, ..agent::process() };
    let mut stage = Stage::new(width, height, options());
    let as_told = |mut update: Update, now| {
        for (_, stats) in &mut update.task_stats {
            (stats.wakes, stats.self_wakes, stats.waker_clones, stats.waker_drops) = (0, 0, 0, 0);
            (stats.last_wake, stats.scheduled) = (None, Duration::ZERO);
        }
        agent::together(update, agent::report(now))
    };
    let first = as_told(service.greet(), service.now());
    let next = as_told(service.pass(1_000).publish(), service.now());
    stage.attach_to(Protocol::Agent, Some(process), [first, next]);
    stage
}

/// A service with an agent: four workers on one runtime, of which one sleeps in a report; another runtime with one worker; a
/// writer that sleeps with a lock that two wait for.
pub(crate) fn stalled(size: (u16, u16), options: Options) -> (Stage, Service) {
    let mut service = troubled();
    let mut stage = Stage::new(size.0, size.1, options);
    stage.attach_to(Protocol::Agent, Some(agent::process()), [service.greet()]);
    for _ in 0..4 {
        let update = service.pass(700).publish();
        stage.updates([update]);
        stage.reports([report_of(&service)]);
    }
    (stage, service)
}

/// Who woke a task.
fn wakers(writer: TaskId, since: Stamp) -> TaskWakers {
    let waking = |by, count| Waking { by, count, last: Some(since) };
    TaskWakers {
        since: Some(since),
        wakers: vec![waking(WokenBy::Task(writer), 120), waking(WokenBy::Runtime, 1)],
        others: 7,
    }
}

/// The report of that service's agent.
pub(crate) fn report_of(service: &Service) -> Update {
    let now = service.now();
    let age = now.since(at(0));
    let [writer, first, second, third, spinner] = service.task_ids()[..] else { panic!("five tasks") };
    let since = service.polled_since(spinner).expect("it spins");
    let worker = |index, busy: f64, polls: u64, polling: Option<TaskId>| WorkerStats {
        polling,
        polling_since: polling.map(|_| if index == 2 { since } else { now.minus(Duration::from_micros(12)) }),
        polls: polls * age.as_millis() as u64 / 1_000,
        parks: polls / 3 * age.as_millis() as u64 / 1_000,
        steals: u64::from(index) * age.as_millis() as u64 / 1_000,
        cpu_wait: Some(age.mul_f64(0.09 * f64::from(index))),
        ..agent::worker(index, age.mul_f64(busy))
    };
    let side = RuntimeId(2);
    let report_worker =
        WorkerStats { id: WorkerId { runtime: side, index: 0 }, cpu_wait: None, ..worker(0, 0.02, 12, None) };
    let span =
        Span { name: "request".into(), fields: vec![("peer".into(), "10.0.0.1".into()), ("id".into(), "77".into())] };
    let lock = service.lock_ids()[0];
    let asleep =
        Stack { frames: vec![agent::frame("echo_demo::state::flush", "src/state.rs", 61)], ..Stack::default() };
    let got = Stack { frames: vec![agent::frame("echo_demo::state::flush", "src/state.rs", 58)], ..Stack::default() };
    let holder = Holder {
        acquired_at: Some(Arc::new(got)),
        suspended_at: Some(Arc::new(asleep)),
        ..agent::holder(writer, at(0))
    };
    let waiters = vec![agent::waiting(901, first, at(5)), agent::waiting(902, second, at(9))];
    Update {
        runtimes: Some(vec![agent::runtime(1, "main", 4), agent::runtime(2, "metrics", 1)]),
        workers: Some(vec![
            worker(0, 0.31, 1_203, Some(third)),
            worker(1, 0.12, 310, None),
            WorkerStats { queue: 14, ..worker(2, 0.98, 0, Some(spinner)) },
            worker(3, 0.07, 95, None),
            report_worker,
        ]),
        stalls: vec![Stall { since, ..agent::stall(1, Some(2), spinner, since) }],
        locks: vec![LockStats {
            hold_times: vec![0, 0, 12, 40, 77, 310, 95, 31, 8, 2, 1],
            longest_hold: Duration::from_millis(1),
            across_count: 14,
            across_longest: Duration::from_millis(1_203),
            ..agent::lock(lock, vec![holder], waiters)
        }],
        task_spans: vec![
            (spinner, vec![span.clone()]),
            (writer, vec![span, Span { name: "flush".into(), ..Span::default() }]),
        ],
        task_wakers: vec![(spinner, wakers(writer, at(1)))],
        task_facts: vec![(spinner, TaskFacts { parent: Some(writer), runtime: Some(agent::MAIN) })],
        ..agent::report(now)
    }
}

/// The same after somebody has asked what each worker does.
pub(crate) fn asked_of(service: &Service) -> Update {
    let now = service.now();
    let third = service.task_ids()[3];
    let serves = vec![
        agent::frame("echo_demo::net::checksum", "src/net.rs", 31),
        agent::frame("echo_demo::net::serve::{async_fn#0}", "src/net.rs", 12),
    ];
    let asked = |index, doing, task, stack: Option<Stack>| WorkerStack {
        id: WorkerId { runtime: agent::MAIN, index },
        thread: None,
        doing,
        task,
        at: now,
        stack: stack.map(Arc::new),
    };
    let why = "its turn did not come in time: others were captured before it";
    Update {
        worker_stacks: vec![
            asked(0, Doing::Running, Some(third), Some(Stack { frames: serves, ..Stack::default() })),
            asked(1, Doing::Parked, None, None),
            asked(2, Doing::Sleeping, service.task_ids().last().copied(), Some(agent::sleeping(now))),
            asked(3, Doing::Unknown, None, Some(Stack { limitation: why.into(), ..Stack::default() })),
        ],
        ..report_of(service)
    }
}
