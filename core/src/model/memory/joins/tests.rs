//! A lock of a console and a thing of memory are one where those who wait say so, and never otherwise.

use crate::{
    diagnose::{CycleStep, Settings, Status},
    model::{
        Basis, Model, Retention,
        memory::tests::{at, chain, found, key, look, mutex, number, tell, waits_for},
        tests::service::{Service, Take},
    },
    session::Session,
    update::{
        Begin, BeginMode, Beside, Connection, Event, NewOp, NewResource, NewTask, OpId, OpStats, PollStats, Process,
        ResourceId, ResourceStats, SourcePlace, TaskId, TaskStats, Update,
        look::{Certainty, Grade, TaskKey, TaskLook, Thing, Wait, WaitOn, Whole},
    },
};
use std::{sync::Arc, time::Duration};

/// The row of a task by its number.
pub(in crate::model::memory) fn row(of: u64) -> TaskId {
    TaskId(1 << 40 | of)
}

/// A console that tells of tasks 3 to 6 and of two mutexes, 10 and 20, with memory beside it.
pub(in crate::model::memory) fn both() -> Session {
    beside(Begin::console(1))
}

/// The same of another source.
pub(in crate::model::memory) fn beside(other: Begin) -> Session {
    let mut session = Session::new(&Settings::default(), Retention::default());
    session.apply(Event::Begin(Box::new(other)));
    session.apply(Event::Connection(Connection::Live));
    let lock = |id, line| NewResource {
        id: ResourceId(id),
        metadata: None,
        parent: None,
        kind: "Sync".into(),
        concrete_type: "Mutex".into(),
        target: "tokio::sync::mutex".into(),
        place: Some(SourcePlace { file: "src/store.rs".into(), line, column: 5 }),
        internal: false,
    };
    let task = |of| NewTask { number: Some(number(of)), ..NewTask::new(row(of)) };
    let slept = PollStats { count: 1, last_started: Some(at(1)), last_ended: Some(at(2)), ..PollStats::default() };
    let stats =
        |of| (row(of), TaskStats { created: Some(at(0)), polls: slept, waker_clones: 1, ..TaskStats::default() });
    let made = |id| (ResourceId(id), ResourceStats { created: Some(at(0)), ..ResourceStats::default() });
    let first = Update {
        now: Some(at(10)),
        new_tasks: (3..=6).map(task).collect(),
        task_stats: (3..=6).map(stats).collect(),
        new_resources: vec![lock(10, 7), lock(20, 8)],
        resource_stats: vec![made(10), made(20)],
        ..Update::default()
    };
    tell(&mut session, first);
    let beside = Begin { mode: BeginMode::Joins, ..Begin::memory(1, Process::default(), Grade::Full) };
    session.apply(Event::Begin(Box::new(beside)));
    session
}

/// What the console tells next: who waits on which lock, and since when.
pub(in crate::model::memory) fn console(session: &mut Session, millis: u64, waits: &[(u64, u64, u64)]) {
    let op = |&(task, lock, _): &(u64, u64, u64)| NewOp {
        id: OpId(task * 100 + lock),
        parent: None,
        resource: Some(ResourceId(lock)),
        source: "Mutex::lock".into(),
    };
    let stats = |&(task, lock, asked): &(u64, u64, u64)| {
        let polls =
            PollStats { count: 2, last_started: Some(at(asked)), last_ended: Some(at(asked)), ..PollStats::default() };
        let stats = OpStats { created: Some(at(asked)), task: Some(row(task)), polls, ..OpStats::default() };
        (OpId(task * 100 + lock), stats)
    };
    let told = Update {
        now: Some(at(millis)),
        new_ops: waits.iter().map(op).collect(),
        op_stats: waits.iter().map(stats).collect(),
        ..Update::default()
    };
    tell(session, told);
}

pub(in crate::model::memory) fn memory(
    session: &mut Session,
    millis: u64,
    looks: Vec<(TaskKey, Arc<TaskLook>)>,
    things: Vec<Thing>,
) {
    let update = Update {
        mode: BeginMode::Joins,
        now: Some(at(millis)),
        chains: if millis < 500 { vec![chain()] } else { Vec::new() },
        task_looks: looks,
        look: Some(Box::new(Whole { things, ..Whole::default() })),
        ..Update::default()
    };
    tell(session, update);
}

/// The same waits and the same looks for some seconds.
fn watched(waits: &[(u64, u64, u64)], looks: &[(u64, u64)], things: &[Thing]) -> Session {
    let mut session = both();
    console(&mut session, 100, waits);
    let mut looks: Vec<_> = looks.iter().map(|&(task, thing)| (key(task), waits_for(thing))).collect();
    looks.push((key(3), Arc::new(look(Vec::new()))));
    memory(&mut session, 200, looks, things.to_vec());
    for second in 1..=6_u64 {
        memory(&mut session, second * 1_000 - 300, Vec::new(), things.to_vec());
        console(&mut session, second * 1_000, &[]);
        memory(&mut session, second * 1_000 + 200, Vec::new(), things.to_vec());
    }
    session
}

fn holders(model: &Model, lock: u64) -> Vec<(TaskId, Basis)> {
    let (_, lock) = model.lock(ResourceId(lock)).expect("a lock");
    lock.holds.iter().map(|hold| (hold.acquire.task, hold.basis)).collect()
}

#[test]
fn a_lock_of_the_console_has_the_holder_that_memory_proves() {
    let session = watched(&[(4, 10, 50)], &[(4, 0x100)], &[mutex(0x100, 3, Certainty::Proven, Some(4))]);
    let model = session.model();
    assert_eq!(holders(model, 10), [(row(3), Basis::Exact)]);
    assert_eq!(model.locks().count(), 2, "it is no second row");
    let waiters = model.waiters(ResourceId(10));
    assert_eq!((waiters[0].task, waiters[0].op, waiters[0].since), (Some(row(4)), OpId(410), Some(at(50))));
    assert_eq!(model.thing_of_row(ResourceId(10)).map(|thing| &*thing.ty), Some("Mutex<Conn>"));
    let held: Vec<_> = found(&session).into_iter().filter(|(lint, _)| *lint == "held-across-await").collect();
    assert_eq!(held, [("held-across-await", "exact")]);
}

#[test]
fn what_is_likely_in_memory_is_likely_on_the_console_s_lock() {
    let session = watched(&[(4, 10, 50)], &[(4, 0x100)], &[mutex(0x100, 3, Certainty::Likely, Some(4))]);
    assert_eq!(holders(session.model(), 10), [(row(3), Basis::Likely)]);
}

#[test]
fn where_those_who_wait_disagree_no_lock_is_a_thing() {
    let mut thing = mutex(0x100, 3, Certainty::Proven, Some(4));
    thing.queue.extend(mutex(0x100, 3, Certainty::Proven, Some(5)).queue);
    let session = watched(&[(4, 10, 50), (5, 20, 50)], &[(4, 0x100), (5, 0x100)], &[thing]);
    assert_eq!((holders(session.model(), 10), holders(session.model(), 20)), (vec![], vec![]));
    assert_eq!(session.model().locks().count(), 2);
}

#[test]
fn two_things_are_not_one_lock() {
    let things = [mutex(0x100, 3, Certainty::Proven, Some(4)), mutex(0x200, 3, Certainty::Proven, Some(5))];
    let session = watched(&[(4, 10, 50), (5, 10, 50)], &[(4, 0x100), (5, 0x200)], &things);
    assert_eq!(holders(session.model(), 10), []);
}

#[test]
fn a_wait_that_began_after_every_look_says_nothing() {
    let session = watched(&[(4, 10, 60_000)], &[(4, 0x100)], &[mutex(0x100, 3, Certainty::Proven, Some(4))]);
    assert_eq!(holders(session.model(), 10), []);
    assert_eq!(session.model().locks().count(), 2);
}

#[test]
fn a_lock_that_the_console_does_not_tell_of_is_a_row_of_its_own() {
    let session = watched(&[], &[(4, 0x100)], &[mutex(0x100, 3, Certainty::Proven, Some(4))]);
    assert_eq!(holders(session.model(), 0x100), [(row(3), Basis::Exact)]);
    assert_eq!(session.model().locks().count(), 3);
}

#[test]
fn what_one_look_contradicts_is_over_and_the_end_of_memory_leaves_the_console_s_word() {
    let thing = || mutex(0x100, 3, Certainty::Proven, Some(4));
    let mut session = watched(&[(4, 10, 50)], &[(4, 0x100)], &[thing()]);
    session.apply(Event::Beside(Beside::Over { reason: String::new() }));
    assert_eq!((holders(session.model(), 10), session.model().locks().count()), (vec![], 2));

    let mut session = watched(&[(4, 10, 50)], &[(4, 0x100)], &[thing()]);
    let over = OpStats { created: Some(at(50)), dropped: Some(at(7_500)), task: Some(row(4)), ..OpStats::default() };
    let told = Update { now: Some(at(7_600)), op_stats: vec![(OpId(410), over)], ..Update::default() };
    tell(&mut session, told);
    console(&mut session, 7_700, &[(4, 20, 7_500)]);
    for millis in [8_000, 8_500, 9_000] {
        memory(&mut session, millis, Vec::new(), vec![thing()]);
        console(&mut session, millis + 200, &[]);
    }
    memory(&mut session, 9_500, Vec::new(), vec![thing()]);
    assert_eq!(holders(session.model(), 10), []);
}

#[test]
fn two_tasks_crosswise_are_a_deadlock_of_the_console_s_locks() {
    let things = [mutex(0x100, 5, Certainty::Proven, Some(4)), mutex(0x200, 4, Certainty::Proven, Some(5))];
    let session = watched(&[(4, 10, 50), (5, 20, 60)], &[(4, 0x100), (5, 0x200)], &things);
    let deadlocks: Vec<_> = found(&session).into_iter().filter(|(lint, _)| *lint == "deadlock").collect();
    assert_eq!(deadlocks, [("deadlock", "exact")]);
    let finding = session.engine().findings().find(|finding| finding.lint.name == "deadlock").expect("a finding");
    let of_step = |step: &CycleStep| Some((step.task.id, step.waits_for.resource()?.id));
    let mut cycle: Vec<_> = finding.related.cycle.iter().filter_map(of_step).collect();
    cycle.sort_unstable();
    assert_eq!(cycle, [(row(4), ResourceId(10)), (row(5), ResourceId(20))]);
    assert!(finding.related.cycle.iter().all(|step| step.waited > Duration::from_secs(1)));
}

#[test]
fn waits_that_are_over_when_the_console_tells_of_them_say_it_too() {
    let mut session = both();
    let asked = |turn: u64| 1_000 * turn + 100;
    let got = |turn: u64| 1_000 * turn + 600;
    for turn in 0..5 {
        // Looked at while it waited; it has got the lock before the console speaks.
        let looks = vec![(key(3), Arc::new(look(Vec::new()))), (key(4), waits_for(0x100))];
        memory(&mut session, 1_000 * turn + 300, looks, vec![mutex(0x100, 3, Certainty::Proven, Some(4))]);
        let polls = PollStats {
            count: 3,
            last_started: Some(at(got(turn))),
            last_ended: Some(at(got(turn))),
            ..PollStats::default()
        };
        let over = OpStats {
            created: Some(at(asked(turn))),
            dropped: Some(at(got(turn) + 1)),
            task: Some(row(4)),
            polls,
            ..OpStats::default()
        };
        let op =
            NewOp { id: OpId(turn + 1), parent: None, resource: Some(ResourceId(10)), source: "Mutex::lock".into() };
        let told = Update {
            now: Some(at(1_000 * turn + 900)),
            new_ops: vec![op],
            op_stats: vec![(OpId(turn + 1), over)],
            ..Update::default()
        };
        tell(&mut session, told);
    }
    memory(&mut session, 5_300, vec![(key(4), waits_for(0x100))], vec![mutex(0x100, 3, Certainty::Proven, Some(4))]);
    assert_eq!(holders(session.model(), 10), [(row(3), Basis::Exact)]);
    assert_eq!(session.model().locks().count(), 2);
}

/// The number that a console's task has.
fn number_of(task: TaskId) -> u64 {
    task.0 + 100
}

/// Two tasks that wait for each other's locks for as long as is said before anybody looks, as a console tells it; and with memory beside it from then on, which
/// finds them as `seen` says, with these things.
fn crossed_before(
    seen: impl Fn(u64) -> Arc<TaskLook>,
    things: impl Fn(u64, u64) -> Vec<Thing>,
) -> (Session, [TaskId; 2]) {
    let mut service = Service::new();
    let tasks = [service.spawn("ab", "src/main.rs:10"), service.spawn("ba", "src/main.rs:20")];
    let mutexes = [service.mutex("src/state.rs:5"), service.mutex("src/state.rs:6")];
    service.pass(10);
    for (task, lock) in tasks.into_iter().zip(mutexes) {
        service.start(task).take(task, lock, Take::Lock).pass(1).end(task);
    }
    for (task, lock) in tasks.into_iter().zip(mutexes.into_iter().rev()) {
        service.pass(1).start(task);
        assert!(!service.ask(task, lock, Take::Lock));
        service.pass(1).end(task);
    }
    service.pass(30_000);
    let mut session = Session::new(&Settings::default(), Retention::default());
    session.apply(Event::Begin(Box::new(Begin::console(1))));
    session.apply(Event::Connection(Connection::Live));
    tell(&mut session, service.greet());
    let beside = Begin { mode: BeginMode::Joins, ..Begin::memory(1, Process::default(), Grade::Full) };
    session.apply(Event::Begin(Box::new(beside)));
    let [a, b] = tasks.map(number_of);
    for second in 0..6 {
        tell(&mut session, service.pass(500).publish());
        // Whose number is what the console calls another one by.
        let strangers = tasks.map(|task| (key(task.0), waits_for(0x900)));
        let ours = [(key(a), seen(0x200)), (key(b), seen(0x100))];
        let first = ours.into_iter().chain(strangers).filter(|_| second == 0);
        let update = Update {
            mode: BeginMode::Joins,
            now: Some(service.pass(500).now()),
            chains: if second == 0 { vec![chain()] } else { Vec::new() },
            task_looks: first.collect(),
            look: Some(Box::new(Whole { things: things(a, b), ..Whole::default() })),
            ..Update::default()
        };
        tell(&mut session, update);
    }
    (session, tasks)
}

fn deadlocks(session: &Session) -> Vec<(&'static str, bool, u64)> {
    let of = session.engine().findings().filter(|finding| finding.lint.name == "deadlock");
    of.map(|finding| {
        let waited = finding.related.cycle.iter().map(|step| step.waited.as_secs()).min();
        (finding.confidence.name(), finding.status == Status::Active, waited.unwrap_or_default())
    })
    .collect()
}

#[test]
fn what_memory_is_not_sure_of_takes_nothing_from_what_the_console_tells() {
    // Memory does not know what they wait for.
    let unsure = |_| Arc::new(look(vec![Wait { frame: 1, on: WaitOn::Other, certainty: Certainty::Likely }]));
    let (session, tasks) = crossed_before(unsure, |_, _| Vec::new());
    assert_eq!(deadlocks(&session), [("inferred", true, 35)]);
    // It knows that, and is not sure of who has it; and nobody is looked at in place of who has the number that is another's id.
    let likely = |a, b| vec![mutex(0x100, a, Certainty::Likely, Some(b)), mutex(0x200, b, Certainty::Likely, Some(a))];
    let (session, _) = crossed_before(waits_for, likely);
    assert_eq!(deadlocks(&session), [("inferred", true, 35)]);
    for task in tasks {
        let row = session.model().tasks().get(task).expect("it lives");
        assert_ne!(row.look().map(|look| look.waits[0].on.thing().map(|thing| thing.0)), Some(Some(0x900)));
    }
}

#[test]
fn what_memory_proves_has_lasted_for_as_long_as_the_console_tells() {
    let proven = |a, b| vec![mutex(0x100, a, Certainty::Proven, Some(b)), mutex(0x200, b, Certainty::Proven, Some(a))];
    let (session, _) = crossed_before(waits_for, proven);
    assert_eq!(deadlocks(&session), [("exact", true, 35)]);
}

#[test]
fn what_memory_proves_beside_a_lock_is_a_way_out_that_the_console_does_not_see() {
    let with_a_way_out = |lock| {
        let on = WaitOn::Permits { of: crate::update::look::ThingId(lock), wanted: 1, missing: 1 };
        let wait = |frame, on| Wait { frame, on, certainty: Certainty::Proven };
        Arc::new(look(vec![wait(1, on), wait(1, WaitOn::Timer(at(1 << 40)))]))
    };
    let proven = |a, b| vec![mutex(0x100, a, Certainty::Proven, Some(b)), mutex(0x200, b, Certainty::Proven, Some(a))];
    let (session, _) = crossed_before(with_a_way_out, proven);
    assert!(deadlocks(&session).iter().all(|(_, is_active, _)| !is_active), "{:?}", deadlocks(&session));
}
