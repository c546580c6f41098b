//! What memory tells becomes rows, locks and findings; what is only likely accuses nobody.

use crate::{
    diagnose::Settings,
    model::{Basis, Retention, TaskState},
    session::Session,
    update::{
        Begin, BeginMode, Connection, Event, Fact, Known, Knows, NewTask, Place, Process, ResourceId, Stamp, TaskId,
        Update,
        look::{
            Certainty, Chain, ClaimKind, Fate, Frame, FrameKind, Grade, Holder, Home, Interest, Queued, Reach, Socket,
            State, TaskKey, TaskLook, Thing, ThingId, ThingKind, Wait, WaitOn, Waiter, Who, Whole,
        },
    },
};
use std::{num::NonZeroU64, sync::Arc, time::Duration};

pub(super) fn at(millis: u64) -> Stamp {
    Stamp::from_nanos(1_000_000_000_000 + millis * 1_000_000)
}

pub(super) fn number(number: u64) -> NonZeroU64 {
    NonZeroU64::new(number).expect("a number")
}

pub(super) fn key(of: u64) -> TaskKey {
    TaskKey::Number(number(of))
}

pub(super) fn look(waits: Vec<Wait>) -> TaskLook {
    TaskLook {
        state: State::Idle,
        queued: Queued::Unknown,
        future: "orders::slow".into(),
        place: None,
        local: false,
        home: Home::Unknown,
        size: 512,
        references: 2,
        fate: Fate::Open,
        chain: Some(0),
        unread: "".into(),
        waits: waits.into(),
        claims: Box::default(),
    }
}

pub(super) fn waits_for(lock: u64) -> Arc<TaskLook> {
    let on = WaitOn::Permits { of: ThingId(lock), wanted: 1, missing: 1 };
    Arc::new(look(vec![Wait { frame: 1, on, certainty: Certainty::Proven }]))
}

pub(super) fn chain() -> Arc<Chain> {
    let frame = |depth, name: &str, kind, line| Frame {
        depth,
        name: name.into(),
        kind,
        reach: Reach::Polled,
        place: Place { file: if line > 0 { "src/store.rs".into() } else { String::new() }, line, column: 0 },
    };
    let frames = vec![frame(0, "orders::slow", FrameKind::Async, 22), frame(1, "Acquire", FrameKind::Leaf, 0)];
    Arc::new(Chain { frames })
}

pub(super) fn mutex(id: u64, holder: u64, certainty: Certainty, waiter: Option<u64>) -> Thing {
    Thing {
        id: ThingId(id),
        kind: ThingKind::Mutex,
        ty: "Mutex<Conn>".into(),
        names: vec!["conn of orders::slow".into()],
        of: None,
        free: Some(0),
        total: Some(1),
        held: Some(1),
        channel: None,
        holders: vec![Holder {
            who: Who::Task(number(holder)),
            what: ClaimKind::Permits(1),
            certainty,
            place: Place { file: "src/store.rs".into(), line: 22, column: 0 },
            local: "guard".into(),
        }],
        unseen: 0,
        perhaps: Vec::new(),
        doubt: "".into(),
        queue: waiter
            .map(|waiter| Waiter { who: Who::Task(number(waiter)), wanted: 1, missing: 1 })
            .into_iter()
            .collect(),
        steady: true,
    }
}

fn session() -> Session {
    let mut session = Session::new(&Settings::default(), Retention::default());
    session.apply(Event::Begin(Box::new(Begin::memory(1, Process::default(), Grade::Full))));
    session.apply(Event::Connection(Connection::Live));
    session
}

fn update(millis: u64, things: Vec<Thing>) -> Update {
    Update { now: Some(at(millis)), look: Some(Box::new(Whole { things, ..Whole::default() })), ..Update::default() }
}

pub(super) fn tell(session: &mut Session, update: Update) {
    session.apply(Event::Update(Box::new(update)));
}

pub(super) fn found(session: &Session) -> Vec<(&'static str, &'static str)> {
    session.engine().findings().map(|finding| (finding.lint.name, finding.confidence.name())).collect()
}

/// Two tasks that wait for each other's locks, as certain as is said, looked at thrice.
fn crossed(certainty: Certainty) -> Session {
    let mut session = session();
    let things = || vec![mutex(0x100, 3, certainty, Some(4)), mutex(0x200, 4, certainty, Some(3))];
    let first = Update {
        chains: vec![chain()],
        task_looks: vec![(key(3), waits_for(0x200)), (key(4), waits_for(0x100))],
        ..update(0, things())
    };
    tell(&mut session, first);
    for millis in [500, 1_000, 1_500] {
        tell(&mut session, update(millis, things()));
    }
    session
}

#[test]
fn a_wait_for_a_descriptor_names_its_peer_and_how_long_that_is_silent() {
    let mut session = session();
    let socket = |fd, local: &str, peer: &str, silent| Socket {
        fd,
        local: local.into(),
        peer: peer.into(),
        listens: peer.is_empty(),
        silent,
    };
    // As they come, in no order.
    let sockets = vec![
        socket(11, "10.0.0.1:80", "10.0.0.9:5000", Some(Duration::from_millis(20))),
        socket(9, "0.0.0.0:80", "", None),
        socket(10, "10.0.0.1:41000", "10.0.0.7:5432", Some(Duration::from_secs(312))),
    ];
    let whole = Whole { sockets, ..Whole::default() };
    tell(&mut session, Update { now: Some(at(0)), look: Some(Box::new(whole)), ..Update::default() });
    let words = [8, 9, 10, 11].map(|fd| {
        let on = WaitOn::Io { fd: Some(fd), interest: Interest::Read };
        session.model().wait_in_words(on, at(0))
    });
    let silent = format!("10.0.0.7:5432 readable, silent for {}", crate::number::humanize(Duration::from_secs(312)));
    let expected = ["descriptor 8 readable", "connections on 0.0.0.0:80", &silent, "10.0.0.9:5000 readable"];
    assert_eq!(words, expected);
}

#[test]
fn tasks_are_grouped_by_peer_and_the_clients_of_one_port_are_one() {
    let mut session = session();
    let waits = |fd| {
        let on = WaitOn::Io { fd: Some(fd), interest: Interest::Read };
        Arc::new(look(vec![Wait { frame: 1, on, certainty: Certainty::Proven }]))
    };
    let looks = (3..=8).map(|of| (key(of), waits(of as i32))).collect();
    tell(&mut session, Update { chains: vec![chain()], task_looks: looks, ..update(0, Vec::new()) });
    let socket = |fd, local: &str, peer: &str| Socket {
        fd,
        local: local.into(),
        peer: peer.into(),
        listens: peer.is_empty(),
        silent: None,
    };
    let sockets = vec![
        socket(3, "10.0.0.1:41000", "10.0.0.7:5432"),
        socket(4, "10.0.0.1:41001", "10.0.0.7:5432"),
        socket(5, "0.0.0.0:80", ""),
        socket(6, "10.0.0.1:80", "10.0.0.9:5000"),
        socket(7, "10.0.0.1:80", "10.0.0.9:5001"),
    ];
    // Sockets are told of by a later look than tasks, which stand in another group then.
    let whole = Whole { sockets, ..Whole::default() };
    tell(&mut session, Update { now: Some(at(500)), look: Some(Box::new(whole)), ..Update::default() });
    let model = session.model();
    assert_eq!(model.changes().tasks.len(), 4);
    let said = |of| model.awaits_key_in_words(model.awaits_key(&model.tasks().get(TaskId(of)).expect("a row")));
    let told: Vec<String> = (3..=8).map(said).collect();
    let (store, clients) = ("10.0.0.7:5432", "clients of 0.0.0.0:80");
    assert_eq!(told, [store, store, "connections on 0.0.0.0:80", clients, clients, "descriptor 8"]);
}

#[test]
fn a_task_is_a_row_and_what_memory_does_not_know_is_no_zero() {
    let session = crossed(Certainty::Proven);
    let model = session.model();
    let task = model.tasks().get(TaskId(3)).expect("a row");
    assert_eq!((model.task_name(&task), task.state(), task.size()), ("orders::slow", TaskState::Idle, 512));
    assert_eq!(model.wakes(&task), Known::NotFrom(Fact::Wakes));
    let awaits = model.awaits(&task, at(1_500)).expect("it awaits something");
    assert_eq!(awaits.to_string(), "slow src/store.rs:22 → Mutex<Conn>");
    assert!(model.knows().has(Fact::Chains) && !model.knows().has(Fact::Polls));
}

#[test]
fn what_is_proven_is_a_deadlock_and_what_is_likely_is_none() {
    let sure = crossed(Certainty::Proven);
    assert_eq!(found(&sure), [("deadlock", "exact")]);
    let (_, lock) = sure.model().lock(ResourceId(0x100)).expect("a lock");
    assert_eq!((lock.holds[0].basis, lock.holds[0].acquire.at), (Basis::Exact, at(0)));
    let likely = crossed(Certainty::Likely);
    assert!(
        found(&likely).iter().all(|(lint, how)| *lint == "held-across-await" && *how == "likely"),
        "{:?}",
        found(&likely)
    );
    assert!(likely.engine().findings().all(|finding| finding.severity < crate::diagnose::Severity::Critical));
}

#[test]
fn what_was_proven_once_stays_so_while_nobody_in_it_moves() {
    let likely = || vec![mutex(0x100, 3, Certainty::Likely, Some(4)), mutex(0x200, 4, Certainty::Likely, Some(3))];
    let mut session = crossed(Certainty::Proven);
    // Something runs that was not gone into, and could have anything.
    tell(&mut session, update(2_000, likely()));
    let open = |session: &Session| {
        let mut findings = session.engine().findings();
        findings.any(|finding| finding.lint.name == "deadlock" && finding.status == crate::diagnose::Status::Active)
    };
    assert!(open(&session));
    tell(&mut session, Update { task_looks: vec![(key(3), waits_for(0x200))], ..update(2_500, likely()) });
    assert!(!open(&session), "{:?}", found(&session));
}

#[test]
fn who_moved_in_between_has_held_it_since_this_look_at_the_earliest() {
    let mut session = crossed(Certainty::Proven);
    let things = vec![mutex(0x100, 3, Certainty::Proven, Some(4)), mutex(0x200, 4, Certainty::Proven, Some(3))];
    tell(&mut session, Update { task_looks: vec![(key(3), waits_for(0x200))], ..update(2_000, things) });
    let (_, lock) = session.model().lock(ResourceId(0x100)).expect("a lock");
    assert_eq!(lock.holds[0].acquire.at, at(2_000));
}

#[test]
fn a_writer_that_collects_permits_does_not_hold_what_it_waits_for() {
    let mut session = session();
    let things = || {
        let mut lock = mutex(0x100, 3, Certainty::Proven, Some(3));
        (lock.kind, lock.total, lock.held) = (ThingKind::RwLock, Some(8), Some(8));
        lock.holders[0].local = "".into();
        lock.queue[0].wanted = 8;
        let reader = Holder { who: Who::Task(number(9)), local: "g".into(), ..lock.holders[0].clone() };
        lock.holders.push(reader);
        vec![lock]
    };
    let looks = vec![(key(3), waits_for(0x100)), (key(9), Arc::new(look(Vec::new())))];
    tell(&mut session, Update { chains: vec![chain()], task_looks: looks, ..update(0, things()) });
    (1..5).for_each(|round| tell(&mut session, update(round * 500, things())));
    assert!(found(&session).iter().all(|(lint, _)| *lint != "deadlock"), "{:?}", found(&session));
    let (_, lock) = session.model().lock(ResourceId(0x100)).expect("a lock");
    assert_eq!(lock.holds.iter().map(|hold| hold.acquire.task).collect::<Vec<_>>(), [TaskId(9)]);
}

/// Two branches of another task stand before it and behind it.
#[test]
fn who_stands_in_a_queue_twice_makes_nobody_ask_again() {
    let mut session = session();
    let things = || {
        let mut lock = mutex(0x100, 3, Certainty::Proven, Some(3));
        let other = Waiter { who: Who::Task(number(4)), ..lock.queue[0] };
        lock.queue = vec![other, lock.queue[0], other];
        vec![lock]
    };
    let waits: Vec<Wait> = (0..2).flat_map(|_| waits_for(0x100).waits.to_vec()).collect();
    let looks = vec![(key(3), waits_for(0x100)), (key(4), Arc::new(look(waits)))];
    tell(&mut session, Update { chains: vec![chain()], task_looks: looks, ..update(0, things()) });
    (1..5).for_each(|round| tell(&mut session, update(round * 500, things())));
    assert_eq!(found(&session), [("deadlock", "exact")]);
    let (resource, _) = session.model().lock(ResourceId(0x100)).expect("a lock");
    let (_, queue) = resource.told_lock().expect("a queue");
    assert!(queue.waiters.iter().all(|waiter| waiter.since == Some(at(0))), "{:?}", queue.waiters);
}

#[test]
fn a_second_wait_is_a_way_out() {
    let mut session = session();
    let things = || vec![mutex(0x100, 3, Certainty::Proven, Some(4)), mutex(0x200, 4, Certainty::Proven, Some(3))];
    let on = WaitOn::Permits { of: ThingId(0x200), wanted: 1, missing: 1 };
    let both = vec![
        Wait { frame: 1, on, certainty: Certainty::Proven },
        Wait { frame: 0, on: WaitOn::Timer(at(9_000)), certainty: Certainty::Proven },
    ];
    let looks = vec![(key(3), Arc::new(look(both))), (key(4), waits_for(0x100))];
    tell(&mut session, Update { chains: vec![chain()], task_looks: looks, ..update(0, things()) });
    (1..5).for_each(|round| tell(&mut session, update(round * 500, things())));
    assert!(found(&session).iter().all(|(lint, _)| *lint != "deadlock"), "{:?}", found(&session));
}

#[test]
fn a_worker_that_polls_no_task_is_not_stalled_and_one_that_does_is() {
    use crate::update::{RuntimeId, WorkerId, WorkerStats};
    let mut session = session();
    let running = TaskLook { state: State::Running, ..look(Vec::new()) };
    let worker = |index, polling| WorkerStats {
        id: WorkerId { runtime: RuntimeId(1), index },
        polling: Some(TaskId(polling)),
        tick: Some(7),
        ..WorkerStats::default()
    };
    let workers = || Some(vec![worker(0, 1), worker(1, 3)]);
    let first = vec![(key(3), Arc::new(running))];
    tell(&mut session, Update { task_looks: first, workers: workers(), ..update(0, Vec::new()) });
    assert!(found(&session).is_empty(), "seen once, nobody knows for how long");
    (1..4).for_each(|round| tell(&mut session, Update { workers: workers(), ..update(round * 500, Vec::new()) }));
    let stalled: Vec<_> = session.engine().findings().map(|finding| (finding.lint.name, finding.since)).collect();
    assert_eq!(stalled, [("stalled-worker", at(0))]);
}

/// What the kernel has counted of two threads at a look: the worker's, and another one. Of each the time on a processor, and the time
/// for which it could run and had none.
type Counts = [(u64, u64); 2];

/// Stalls that are found of a worker whose thread is in this state in each of four looks, half a second apart.
fn stalled(state: char, waits_in: &str, counts: [Counts; 4]) -> usize {
    use crate::update::{
        RuntimeId, WorkerId, WorkerStats,
        look::{Role, Thread},
    };
    let mut session = session();
    let id = WorkerId { runtime: RuntimeId(1), index: 0 };
    let running = Arc::new(TaskLook { state: State::Running, ..look(Vec::new()) });
    let millis = std::time::Duration::from_millis;
    for (round, counts) in (0..).zip(counts) {
        // Another thread, which has handed this worker over, stands before it.
        let threads = (6..).zip([counts[1], counts[0]]).map(|(id, (cpu, waited))| Thread {
            id,
            state: if id == 7 { state } else { 'S' },
            waits_in: if id == 7 { waits_in } else { "nanosleep" }.into(),
            cpu: Some(millis(cpu)),
            waited: Some(millis(waited)),
            role: Role::Worker(WorkerId { runtime: RuntimeId(1), index: 0 }),
            ..Thread::default()
        });
        let mut told = update(round * 500, Vec::new());
        if let Some(whole) = &mut told.look {
            whole.threads = threads.collect();
        }
        let thread = Some(crate::update::Thread { tid: 7, name: "worker".into() });
        told.workers =
            Some(vec![WorkerStats { id, thread, polling: Some(TaskId(3)), tick: Some(7), ..WorkerStats::default() }]);
        told.task_looks = (round == 0).then(|| (key(3), running.clone())).into_iter().collect();
        tell(&mut session, told);
    }
    session.engine().findings().filter(|finding| finding.lint.name == "stalled-worker").count()
}

/// The counts of four looks that grow by so much from one to the next.
fn growing(worker: (u64, u64), other: (u64, u64)) -> [Counts; 4] {
    [0, 1, 2, 3].map(|round| [worker, other].map(|(cpu, waited)| (1_000 + round * cpu, 1_000 + round * waited)))
}

#[test]
fn a_thread_that_is_ready_and_has_no_processor_stalls_nobody() {
    assert_eq!(stalled('R', "", growing((500, 0), (0, 0))), 1);
    assert_eq!(stalled('R', "", growing((10, 490), (0, 0))), 0);
}

#[test]
fn a_thread_that_waits_for_one_without_a_processor_stalls_nobody() {
    assert_eq!(stalled('S', "futex", growing((0, 0), (500, 0))), 1);
    assert_eq!(stalled('S', "futex", growing((0, 0), (10, 490))), 0);
    // Who sleeps waits for nobody: what counts is what it waited for a processor itself.
    assert_eq!(stalled('S', "clock_nanosleep", growing((0, 0), (10, 490))), 1);
    assert_eq!(stalled('S', "clock_nanosleep", growing((10, 490), (0, 0))), 0);
}

#[test]
fn what_nothing_can_wake_is_lost_and_what_panicked_is_told() {
    let mut session = session();
    let lost = TaskLook { references: 1, ..look(Vec::new()) };
    let panicked = TaskLook { state: State::Complete, fate: Fate::Panicked, ..look(Vec::new()) };
    let looks = vec![(key(3), Arc::new(lost)), (key(4), Arc::new(panicked)), (key(5), Arc::new(look(Vec::new())))];
    tell(&mut session, Update { chains: vec![chain()], task_looks: looks, ..update(0, Vec::new()) });
    (1..5).for_each(|round| tell(&mut session, update(round * 500, Vec::new())));
    let lints: Vec<&str> = found(&session).iter().map(|(lint, _)| *lint).collect();
    assert_eq!(lints, ["lost-waker", "panicked"]);
    tell(&mut session, Update { gone_looks: vec![key(3), key(4), key(5)], ..update(3_000, Vec::new()) });
    assert_eq!(session.model().counts().live, 0);
}

#[test]
fn a_function_that_has_not_begun_and_stays_woken_was_never_polled() {
    let started = |started: bool| {
        let name = if started { "orders::slow" } else { "orders::slow (not started)" };
        let mut chain = Chain::clone(&chain());
        chain.frames[0].name = name.into();
        Arc::new(chain)
    };
    let woken = |chain| Arc::new(TaskLook { state: State::Woken, chain: Some(chain), ..look(Vec::new()) });
    let mut session = session();
    // Task 3 never began, task 4 did; task 5 is polled in the end; each look finds another new task.
    let looks = vec![(key(3), woken(0)), (key(4), woken(1)), (key(5), woken(0))];
    tell(
        &mut session,
        Update { chains: vec![started(false), started(true)], task_looks: looks, ..update(0, Vec::new()) },
    );
    for round in 1..6 {
        let new = vec![(key(10 + round), woken(0))];
        let gone = (round > 1).then_some(key(9 + round)).into_iter().collect();
        let polled = (round == 1).then(|| (key(5), Arc::new(look(Vec::new()))));
        let looks = new.into_iter().chain(polled).collect();
        tell(&mut session, Update { task_looks: looks, gone_looks: gone, ..update(round * 500, Vec::new()) });
    }
    let told: Vec<_> =
        session.engine().findings().map(|finding| (finding.lint.name, finding.related.tasks_total)).collect();
    assert_eq!(told, [("never-polled", 1)]);
}

#[test]
fn memory_joins_the_rows_of_another_source_by_number_and_leaves_them() {
    let mut session = Session::new(&Settings::default(), Retention::default());
    session.apply(Event::Begin(Box::new(Begin::console(1))));
    let row = NewTask { number: Some(number(3)), name: "writer".into(), ..NewTask::new(TaskId(1 << 40)) };
    tell(&mut session, Update { now: Some(at(0)), new_tasks: vec![row], ..Update::default() });
    let beside = Begin { mode: BeginMode::Joins, ..Begin::memory(1, Process::default(), Grade::Full) };
    session.apply(Event::Begin(Box::new(beside)));
    let looks = vec![(key(3), waits_for(0x200)), (key(77), waits_for(0x200))];
    tell(
        &mut session,
        Update { mode: BeginMode::Joins, chains: vec![chain()], task_looks: looks, ..update(10, Vec::new()) },
    );
    let model = session.model();
    assert_eq!(
        (model.tasks().len(), model.now()),
        (1, Some(at(0))),
        "no row of its own, and the clock is the console's"
    );
    let task = model.tasks().get(TaskId(1 << 40)).expect("a row");
    assert!(task.look().is_some() && model.task_name(&task) == "writer");
    assert!(model.knows().has(Fact::Polls) && model.knows().has(Fact::Chains));
    session.apply(Event::Beside(crate::update::Beside::Over { reason: String::new() }));
    let model = session.model();
    assert!(model.tasks().iter().all(|task| task.look().is_none()) && !model.memory().speaks());
    assert_eq!(model.knows(), &Knows::console());
}
