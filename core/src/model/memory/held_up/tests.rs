//! The first line says who holds others up as far as it is known, and no further.

use crate::{
    diagnose::Settings,
    model::{
        Retention,
        memory::tests::{at, chain, key, look, mutex, number, tell, waits_for},
    },
    session::Session,
    update::{
        Begin, Connection, Event, Place, Process, Update,
        look::{
            Certainty, ClaimKind, Grade, Holder, Interest, Socket, State, TaskKey, TaskLook, Thing, ThingKind, Wait,
            WaitOn, Waiter, Who, Whole,
        },
    },
};
use std::{sync::Arc, time::Duration};

type Looks = Vec<(TaskKey, Arc<TaskLook>)>;

fn said(grade: Grade, whole: &Whole, looks: &[(TaskKey, Arc<TaskLook>)]) -> String {
    let mut session = Session::new(&Settings::default(), Retention::default());
    session.apply(Event::Begin(Box::new(Begin::memory(1, Process::default(), grade))));
    session.apply(Event::Connection(Connection::Live));
    let chains = vec![chain()];
    // A thing is a row from the look on that tells of it.
    for millis in [0, 500] {
        let (chains, looks) = if millis == 0 { (chains.clone(), looks.to_vec()) } else { Default::default() };
        let look = Some(Box::new(whole.clone()));
        tell(&mut session, Update { now: Some(at(millis)), chains, task_looks: looks, look, ..Update::default() });
    }
    session.model().memory().summary().to_owned()
}

fn waiter(task: u64) -> Waiter {
    Waiter { who: Who::Task(number(task)), wanted: 1, missing: 1 }
}

fn wait_for(on: WaitOn) -> Arc<TaskLook> {
    Arc::new(look(vec![Wait { frame: 1, on, certainty: Certainty::Proven }]))
}

/// Ten wait for a lock of which these are the holders.
fn queue(thing: Thing) -> (Thing, Looks) {
    let looks = (100..110).map(|task| (key(task), waits_for(thing.id.0))).collect();
    (Thing { queue: (100..110).map(waiter).collect(), ..thing }, looks)
}

fn place(line: u32) -> Place {
    Place { file: "src/report.rs".into(), line, column: 0 }
}

#[test]
fn those_who_have_the_permits_of_a_pool_and_the_peer_that_they_wait_for() {
    let holder = |task, line| Holder {
        who: Who::Task(number(task)),
        what: ClaimKind::Permits(1),
        certainty: Certainty::Likely,
        place: place(line),
        local: "permit".into(),
    };
    let semaphore = |lines: [u32; 3]| Thing {
        kind: ThingKind::Semaphore,
        ty: "Semaphore".into(),
        names: vec!["permits of Pool<Postgres>".into()],
        of: None,
        total: None,
        held: None,
        holders: (7..10).zip(lines).map(|(task, line)| holder(task, line)).collect(),
        ..mutex(0x100, 7, Certainty::Likely, None)
    };
    let socket = |fd, silent| Socket {
        fd,
        local: format!("10.0.0.1:4000{fd}"),
        peer: "10.0.0.7:5432".into(),
        listens: false,
        silent: Some(Duration::from_secs(silent)),
    };
    let (thing, mut looks) = queue(semaphore([88, 88, 88]));
    let reads = |fd| wait_for(WaitOn::Io { fd: Some(fd), interest: Interest::Read });
    looks.extend([(key(7), reads(7)), (key(8), reads(8)), (key(9), reads(9))]);
    // Two have asked a little later than the first.
    let sockets = vec![socket(7, 312), socket(8, 311), socket(9, 311)];
    let whole = |thing: &Thing| Whole { things: vec![thing.clone()], sockets: sockets.clone(), ..Whole::default() };
    let silent = crate::number::humanize(Duration::from_secs(312));
    assert_eq!(
        said(Grade::Full, &whole(&thing), &looks),
        format!(
            "10 of 13 tasks wait, in one chain, for Semaphore permits of Pool<Postgres>; 3 tasks likely have its \
             permits, at src/report.rs:88, and wait for 10.0.0.7:5432, silent for {silent}."
        )
    );
    let (thing, _) = queue(semaphore([88, 88, 91]));
    looks.pop();
    looks.push((key(9), wait_for(WaitOn::Timer(at(60_000)))));
    let told = said(Grade::Full, &whole(&thing), &looks);
    let expected = format!(
        "3 tasks likely have its permits, at src/report.rs:88 and 1 other place, and 2 of them wait for \
         10.0.0.7:5432, silent for {silent}."
    );
    assert!(told.ends_with(&expected), "{told}");
}

/// Task 3 has the lock that ten wait for, and this is what it waits for.
fn holder(certainty: Certainty, waits: Arc<TaskLook>, more: Vec<Thing>, others: Looks) -> String {
    let (thing, mut looks) = queue(mutex(0x100, 3, certainty, None));
    looks.push((key(3), waits));
    looks.extend(others);
    let things = [thing].into_iter().chain(more).collect();
    said(Grade::Full, &Whole { things, ..Whole::default() }, &looks)
}

#[test]
fn a_circle_is_called_a_deadlock_where_it_is_proven() {
    let second = |certainty| {
        let thing = mutex(0x200, 4, certainty, Some(3));
        vec![Thing { ty: "Mutex<Other>".into(), names: Vec::new(), ..thing }]
    };
    // Task 4 stands in the first queue.
    let crossed = |certainty| {
        let (thing, mut looks) = queue(mutex(0x100, 3, certainty, None));
        looks.extend([(key(3), waits_for(0x200)), (key(4), waits_for(0x100))]);
        let first = Thing { queue: thing.queue.into_iter().chain([waiter(4)]).collect(), ..thing };
        let things = [first].into_iter().chain(second(certainty)).collect();
        said(Grade::Full, &Whole { things, ..Whole::default() }, &looks)
    };
    let sure = crossed(Certainty::Proven);
    let expected = "; task 3 has it, at src/store.rs:22, and waits for Mutex<Other>, which task 4 has, and that one waits \
                    for the first of these: a deadlock.";
    assert!(sure.ends_with(expected), "{sure}");
    let likely = crossed(Certainty::Likely);
    assert!(likely.ends_with("; task 3 likely has it, at src/store.rs:22, and waits for Mutex<Other>."), "{likely}");
    let line = holder(
        Certainty::Proven,
        waits_for(0x200),
        second(Certainty::Proven),
        vec![(key(4), wait_for(WaitOn::Timer(at(60_500))))],
    );
    let expected = "and waits for Mutex<Other>, which task 4 has, and that one waits for timer in 1 m 00 s.";
    assert!(line.ends_with(expected), "{line}");
}

#[test]
fn one_that_waits_for_itself_and_one_that_runs() {
    let (thing, mut looks) = queue(mutex(0x100, 3, Certainty::Proven, None));
    looks.push((key(3), waits_for(0x100)));
    let thing = Thing { queue: thing.queue.into_iter().chain([waiter(3)]).collect(), ..thing };
    let told = said(Grade::Full, &Whole { things: vec![thing], ..Whole::default() }, &looks);
    assert!(told.ends_with("; task 3 has it, at src/store.rs:22, and waits for it itself: a deadlock."), "{told}");
    let runs = TaskLook { state: State::Running, chain: None, ..look(Vec::new()) };
    let told = holder(Certainty::Likely, Arc::new(runs), Vec::new(), Vec::new());
    assert!(told.ends_with("; task 3 likely has it, at src/store.rs:22, and is being polled."), "{told}");
}

#[test]
fn nobody_is_named_who_is_not_known() {
    let (thing, looks) = queue(Thing { holders: Vec::new(), unseen: 1, ..mutex(0x100, 3, Certainty::Proven, None) });
    let told = said(Grade::Full, &Whole { things: vec![thing], ..Whole::default() }, &looks);
    assert!(told.ends_with("; no frame that was read has it."), "{told}");
}

#[test]
fn where_nothing_holds_up_many_it_is_told_by_kind_and_what_is_not_known_with_its_reason() {
    let timer = wait_for(WaitOn::Timer(at(60_000)));
    let nothing = || Arc::new(TaskLook { chain: None, unread: "no types".into(), ..look(Vec::new()) });
    let woken = Arc::new(TaskLook { state: State::Woken, ..TaskLook::clone(&waits_for(0x100)) });
    let looks = vec![(key(3), timer.clone()), (key(4), timer), (key(5), woken)];
    assert_eq!(said(Grade::Full, &Whole::default(), &looks), "3 tasks: 2 wait for a timer, 1 waits for a worker.");
    let told = said(Grade::Symbols, &Whole::default(), &[(key(3), nothing()), (key(4), nothing())]);
    assert!(
        told.starts_with("2 tasks: what they wait for is not known, since ") && told.contains("debug = 2"),
        "{told}"
    );
}
