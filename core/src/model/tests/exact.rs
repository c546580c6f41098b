//! What an agent tells overrides what would have been inferred.

use super::service::{Service, Take, at};
use crate::{
    model::{Basis, LockState, Model, Retention, Task, Unknown},
    update::{
        Access, Across, Holder, Knows, LockStats, Loss, OpId, Part, ResourceId, RuntimeId, RuntimeStats, Span, Stack,
        Stall, TaskFacts, TaskId, TaskWakers, Thread, Update, VerdictKind, Waiting, Waking, WokenBy, WorkerId,
        WorkerStats,
    },
};
use std::{sync::Arc, time::Duration};

fn model() -> Model {
    Model::told_by(Knows::agent(&["wakers".to_owned(), "stalls".to_owned()]), Retention::default())
}

fn update(millis: u64) -> Update {
    Update { now: Some(at(millis)), ..Update::default() }
}

fn holder(task: Option<TaskId>, since: u64) -> Holder {
    Holder {
        task,
        thread: None,
        access: Access::Exclusive,
        since: at(since),
        across: Across::Await,
        acquired_at: None,
        suspended_at: None,
    }
}

fn told(lock: ResourceId, holders: Vec<Holder>) -> LockStats {
    LockStats { holders, acquisitions: 40, contended: 10, across_count: 1, ..LockStats::new(lock) }
}

fn waiting(op: u64, task: TaskId, since: u64) -> Waiting {
    Waiting { op: OpId(op), task: Some(task), access: Access::Exclusive, since: Some(at(since)) }
}

fn stall(id: u64, worker: Option<u32>, task: TaskId, since: u64) -> Stall {
    let runtime = RuntimeId(1);
    Stall {
        id,
        runtime,
        worker: worker.map(|index| WorkerId { runtime, index }),
        thread: None,
        task: Some(task),
        since: at(since),
        ended: None,
        cause: crate::update::Cause::Sleep,
        system_call: String::new(),
        kernel_function: String::new(),
        on_cpu: Duration::ZERO,
        queued: 0,
        stack: None,
        limitation: String::new(),
    }
}

/// One who took a lock by an operation, and one who in truth has it.
fn two() -> (Service, Model, [TaskId; 2], ResourceId) {
    let mut service = Service::new();
    let lock = service.mutex("src/state.rs:21");
    let tasks = ["accused", "holder"].map(|name| service.spawn(name, "src/main.rs:7"));
    service.pass(5).start(tasks[0]).take(tasks[0], lock, Take::Lock).pass(1).end(tasks[0]);
    service.pass(1).poll(tasks[1], 1);
    let mut model = model();
    model.apply(service.greet());
    (service, model, tasks, lock)
}

#[test]
fn a_holder_that_is_told_needs_no_confirmation_and_clears_the_one_who_seems_to_be_it() {
    let (mut service, mut model, [_, holds], lock) = two();
    model.apply(Update { locks: vec![told(lock, vec![holder(Some(holds), 6)])], ..update(20) });
    let holders = |model: &Model| {
        let holds = &model.lock(lock).expect("announced").1.holds;
        holds.iter().map(|hold| (hold.acquire.task, hold.acquire.at, hold.across, hold.basis)).collect::<Vec<_>>()
    };
    assert_eq!(holders(&model), [(holds, at(6), Across::Await, Basis::Exact)]);
    assert_eq!((model.changes().locks.as_slice(), model.changes().complete), (&[lock][..], true));
    for _ in 0..3 {
        service.pass(500);
        model.apply(service.publish());
        assert_eq!(holders(&model)[0].0, holds);
        assert_eq!(model.unknown_holder(lock), None);
    }
    let row = model.lock(lock).expect("announced").1;
    assert_eq!((row.state, row.acquisitions, row.contended), (LockState::Exclusive, 40, 10));
    model.apply(Update { locks: vec![told(lock, vec![])], ..update(2_000) });
    assert_eq!((holders(&model), model.lock(lock).expect("announced").1.state), (vec![], LockState::Free));
    assert_eq!(model.now(), Some(at(2_000)));
}

#[test]
fn a_holder_sleeps_when_the_agent_says_so_and_not_when_it_seems_to() {
    let (mut service, mut model, [accused, _], lock) = two();
    let mut tell = |across, millis| {
        model.apply(service.pass(500).publish());
        let stack = (across == Across::Await).then(|| Arc::new(Stack::default()));
        let holders = vec![Holder { across, suspended_at: stack, ..holder(Some(accused), 5) }];
        model.apply(Update { locks: vec![told(lock, holders)], ..update(millis) });
        let hold = &model.lock(lock).expect("announced").1.holds[0];
        (hold.across, hold.suspended_at.is_some())
    };
    // By the times of its polls, it slept with it.
    assert_eq!(tell(Across::SamePoll, 600), (Across::SamePoll, false));
    assert_eq!(tell(Across::Await, 1_200), (Across::Await, true));
}

#[test]
fn who_holds_a_lock_that_the_agent_is_yet_to_tell_of_is_not_inferred() {
    let (mut service, mut model, [accused, _], lock) = two();
    for _ in 0..3 {
        model.apply(service.pass(500).publish());
        let row = model.lock(lock).expect("announced").1;
        assert_eq!((row.holds.len(), row.across.count, row.certain), (0, 0, None));
    }
    model.apply(Update { locks: vec![told(lock, vec![holder(Some(accused), 5)])], ..update(1_600) });
    assert_eq!(model.lock(lock).expect("announced").1.holds.len(), 1);
    model.apply(Update { gone_locks: vec![lock], ..update(1_700) });
    model.apply(service.pass(500).publish());
    assert_eq!(model.lock(lock).expect("announced").1.holds.len(), 0);
}

#[test]
fn readers_threads_and_a_queue_in_order() {
    let (_, mut model, [a, b], lock) = two();
    let reader = |task, since| Holder { access: Access::Shared, ..holder(Some(task), since) };
    let thread =
        Holder { thread: Some(Thread { tid: 9, name: "main".into() }), access: Access::Shared, ..holder(None, 3) };
    let waiters = vec![waiting(7, b, 9), waiting(3, a, 8)];
    let lock_told = LockStats {
        waiters,
        more_waiters: 5,
        hold_times: vec![1; 40],
        ..told(lock, vec![reader(a, 1), reader(b, 2), thread])
    };
    model.apply(Update { locks: vec![lock_told], ..update(50) });
    let row = model.lock(lock).expect("announced").1;
    assert_eq!(row.state, LockState::Shared(3));
    assert_eq!(row.holds.iter().map(|hold| hold.acquire.task).collect::<Vec<_>>(), [a, b, TaskId::NONE]);
    let outside = &row.holds[2].thread;
    assert_eq!(outside.as_ref().map(|thread| thread.name.as_str()), Some("main"));
    assert_eq!(model.waiters(lock).iter().map(|waiter| waiter.op.0).collect::<Vec<_>>(), [7, 3]);
    assert_eq!(model.waiters_count(lock), 7);
    assert_eq!(row.hold_times.buckets.iter().sum::<u32>(), 40, "what lies beyond the buckets is in the last");
}

#[test]
fn what_speaks_of_a_row_is_kept_as_long_as_that_is_there() {
    let mut service = Service::new();
    let lock = service.mutex("src/state.rs:21");
    let task = service.spawn("server", "src/main.rs:7");
    let mut model = model();
    let facts = TaskFacts { parent: Some(TaskId(99)), runtime: Some(RuntimeId(1)) };
    let spans = vec![Span { name: "request".into(), fields: vec![("id".into(), "7".into())] }];
    let waking = Waking { by: WokenBy::Runtime, count: 3, last: None };
    let wakers = TaskWakers { since: None, wakers: vec![waking], others: 0 };
    let told = || Update {
        locks: vec![told(lock, vec![holder(Some(task), 1)])],
        task_wakers: vec![(task, wakers.clone()), (TaskId(777), wakers.clone())],
        task_facts: vec![(task, facts), (TaskId(777), facts)],
        task_spans: vec![(task, spans.clone()), (TaskId(777), spans.clone())],
        ..update(5)
    };
    let first = Update { part: Part::More, ..service.greet() };
    model.apply(first.clone());
    model.apply(told());
    assert_eq!((model.agent().facts(task), model.agent().spans(task)[0].name.as_str()), (facts, "request"));
    assert_eq!(model.lock(lock).expect("announced").1.holds.len(), 1);
    assert_eq!(model.agent().wakers(task), Some(&wakers));
    let ghost = TaskId(777);
    assert_eq!(model.agent().wakers(ghost), None);
    assert_eq!((model.agent().facts(ghost), model.agent().has_spans(ghost)), (TaskFacts::default(), false));
    model.apply(Update { gone_tasks: vec![task], gone_resources: vec![lock], ..update(10) });
    assert_eq!(model.tasks().get(task).map(Task::dropped), Some(Some(at(10))));
    assert!(model.lock(lock).is_none());
    let before = model.bytes();
    for seconds in [10, 20] {
        model.apply(update(seconds * 1_000));
    }
    assert!(model.tasks().get(task).is_none() && model.agent().facts(task) == TaskFacts::default());
    assert_eq!(model.agent().wakers(task), None);
    assert!(model.bytes() < before);
    // In the other order, it is told of nothing.
    let mut model = self::model();
    model.apply(Update { part: Part::More, ..told() });
    model.apply(Update { part: Part::Last, ..first });
    assert_eq!(
        (model.agent().facts(task), model.lock(lock).expect("announced").1.holds.len()),
        (TaskFacts::default(), 0)
    );
}

#[test]
fn a_holder_from_before_the_agent_is_not_known_and_the_lock_is_held() {
    let (_, mut model, _, lock) = two();
    let older = LockStats { unknown_holders: 1, ..told(lock, vec![]) };
    model.apply(Update { locks: vec![older], ..update(20) });
    assert_eq!(model.lock(lock).expect("announced").1.state, LockState::Exclusive);
    assert_eq!(model.unknown_holder(lock), Some(Unknown::BeforeAgent));
    model.apply(Update { locks: vec![told(lock, vec![])], ..update(30) });
    assert_eq!(model.unknown_holder(lock), None);
}

#[test]
fn holds_across_an_await_that_no_report_caught_are_counted() {
    let (_, mut model, _, lock) = two();
    let counted =
        |count| LockStats { across_count: count, across_longest: Duration::from_millis(30), ..told(lock, vec![]) };
    model.apply(Update { locks: vec![counted(100)], ..update(100) });
    let across = |model: &Model| model.lock(lock).expect("announced").1.across.clone();
    assert_eq!((across(&model).count, across(&model).last_seen), (100, None), "what was before need not go on");
    model.apply(Update { locks: vec![counted(103)], ..update(1_100) });
    assert_eq!((across(&model).count, across(&model).last_seen), (103, Some(at(1_100))));
    assert_eq!((across(&model).longest, across(&model).latest), (Duration::from_millis(30), None));
}

#[test]
fn workers_stalls_and_losses() {
    let (mut service, mut model, [task, other], _) = two();
    let id = |index| WorkerId { runtime: RuntimeId(1), index };
    let worker = |index, busy, polls| WorkerStats {
        id: id(index),
        busy: Duration::from_millis(busy),
        polls,
        ..WorkerStats::default()
    };
    let loss = |count| Some(vec![Loss { kind: "stalls".into(), count }]);
    let runtime = |queue| RuntimeStats {
        id: RuntimeId(1),
        name: "main".into(),
        blocking_threads: 4,
        blocking_queue: queue,
        ..RuntimeStats::default()
    };
    model.apply(Update {
        workers: Some(vec![worker(1, 0, 0), worker(0, 9_000, 50)]),
        runtimes: Some(vec![runtime(0)]),
        losses: loss(7),
        ..update(1_000)
    });
    // In pages: workers and runtimes are taken over with the last.
    model.apply(Update {
        part: Part::More,
        stalls: vec![stall(1, Some(0), task, 900), stall(2, None, other, 950)],
        ..update(2_000)
    });
    assert!(!model.changes().complete);
    model.apply(Update {
        workers: Some(vec![worker(0, 9_500, 250), worker(1, 0, 0)]),
        runtimes: Some(vec![runtime(3)]),
        losses: loss(9),
        ..update(2_000)
    });
    let agent = model.agent();
    assert_eq!(agent.workers().iter().map(|worker| worker.stats.id.index).collect::<Vec<_>>(), [0, 1]);
    assert!((agent.workers()[0].polls.per_second(at(2_000)) - 200.0).abs() < 1.0);
    assert!((agent.workers()[0].lane.recent(10) - 0.5).abs() < 0.01);
    assert_eq!(agent.stall_of_worker(id(0)).map(|stall| stall.id), Some(1));
    assert_eq!((agent.stall_of_worker(id(1)), agent.stall_of_task(other).map(|stall| stall.id)), (None, Some(2)));
    assert_eq!(agent.losses().since_attached().collect::<Vec<_>>(), [("stalls", 2)]);
    assert_eq!(agent.losses().grew_at, Some(at(2_000)));
    assert_eq!(agent.runtimes()[0].blocking_full, Some(at(2_000)));
    assert_eq!(agent.runtimes()[0].verdict(VerdictKind::BlockingPoolFull, at(1)), None);
    assert_eq!(agent.worker_label(id(1)), "1");

    let over = Stall { ended: Some(at(2_500)), ..stall(1, Some(0), task, 900) };
    model.apply(Update {
        stalls: vec![over],
        workers: Some(vec![]),
        runtimes: Some(vec![runtime(1)]),
        ..update(3_000)
    });
    let agent = model.agent();
    assert_eq!((agent.stall_of_worker(id(0)), agent.stalls().count()), (None, 2));
    assert_eq!(agent.runtimes()[0].blocking_full, Some(at(2_000)), "it has lasted since then");
    assert!(agent.workers().is_empty(), "all of them are told each time, and these are gone");
    // An agent's account is neither behind nor blind.
    service.pass(60_000);
    model.apply(service.publish());
    assert!(model.health().is_whole());
}

#[test]
fn past_stalls_are_bounded_and_those_that_last_are_kept() {
    let (_, mut model, [task, _], _) = two();
    model.apply(Update { stalls: vec![stall(0, Some(0), task, 1)], ..update(5) });
    for id in 1..2_000 {
        let over = Stall { ended: Some(at(6)), ..stall(id, Some(1), task, 2) };
        model.apply(Update { stalls: vec![over], ..update(10) });
    }
    assert!(model.agent().stalls().count() < 300);
    assert!(model.agent().stalls().any(|stall| stall.id == 0));
}

#[test]
fn who_has_got_a_lock_does_not_wait_for_it_any_more() {
    let mut service = Service::new();
    let lock = service.mutex("src/state.rs:21");
    let tasks = ["first", "second"].map(|name| service.spawn(name, "src/main.rs:7"));
    for task in tasks {
        service.pass(5).start(task).take(task, lock, Take::Lock).pass(1).end(task);
    }
    let mut model = model();
    model.apply(Update { part: Part::More, ..service.greet() });
    let second = tasks[1];
    let asked = model.waits_of(second).next().and_then(|op| op.created).expect("it waits");
    // The lock went on to the one who waits after its operation was read, in a convoy at every update: no cycle.
    let got = Holder { since: asked.plus(Duration::from_millis(1)), ..holder(Some(second), 0) };
    model.apply(Update { locks: vec![told(lock, vec![got])], ..update(20) });
    assert_eq!(model.waits_of(second).count(), 0);
    // One who asks again at once waits for itself: the lock says so, whatever the times say.
    let got = Holder { since: asked.plus(Duration::from_millis(1)), ..holder(Some(second), 0) };
    let waiting = Waiting { op: OpId(7), task: Some(second), access: Access::Exclusive, since: Some(asked) };
    let both = LockStats { waiters: vec![waiting], ..told(lock, vec![got]) };
    model.apply(Update { locks: vec![both], ..update(25) });
    assert!(model.waits_of(second).next().is_some());
    // One who held it before and asks again does, too.
    let held = Holder { since: at(1), ..holder(Some(second), 0) };
    model.apply(Update { locks: vec![told(lock, vec![held])], ..update(30) });
    assert!(model.waits_of(second).next().is_some());
}

#[test]
fn a_hold_is_as_old_as_it_can_be_where_its_holder_asks_again() {
    let mut service = Service::new();
    let lock = service.mutex("src/state.rs:21");
    let tasks = ["first", "second"].map(|name| service.spawn(name, "src/main.rs:7"));
    for task in tasks {
        service.pass(5).start(task).take(task, lock, Take::Lock).pass(1).end(task);
    }
    let second = tasks[1];
    let mut model = model();
    let rows = service.greet();
    let told_held = || vec![told(lock, vec![holder(Some(second), 2)])];
    // The holders are of an instant before the wait began.
    model.apply(Update { now: Some(at(9)), locks: told_held(), ..rows });
    let hold = model.lock(lock).expect("it is known").1.holds[0].clone();
    let asked = model.waits_of(second).next().and_then(|op| op.created).expect("it waits");
    assert!(asked > hold.seen, "{asked:?} {:?}", hold.seen);
    assert_eq!(model.held_for(lock, &hold, at(30_000)), asked.since(at(2)), "it grows no more");
    assert!(!model.has_held_while_waiting(&hold, lock));
    // It is told to be so for a while: it does wait for itself.
    for millis in [20, 500, 1_200] {
        model.apply(Update { locks: told_held(), ..update(millis) });
    }
    let hold = model.lock(lock).expect("it is known").1.holds[0].clone();
    assert!(model.has_held_while_waiting(&hold, lock));
    assert_eq!(model.held_for(lock, &hold, at(30_000)), at(30_000).since(at(2)));
}
