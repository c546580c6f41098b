//! What a look or two show is not accused, and what comes and goes between looks is not taken for what lasts.

use crate::{
    diagnose::{Settings, Severity},
    model::{
        Retention,
        memory::tests::{at, chain, found, key, look, mutex, number, tell, waits_for},
    },
    session::Session,
    update::{
        Begin, Connection, Event, Process, RuntimeId, RuntimeStats, Update,
        look::{Certainty, Grade, Job, TaskKey, TaskLook, Thing, Waiter, Who, Whole},
    },
};
use std::sync::Arc;

const LOCK: u64 = 0x100;
const HOLDER: u64 = 3;

fn session() -> Session {
    let mut session = Session::new(&Settings::default(), Retention::default());
    session.apply(Event::Begin(Box::new(Begin::memory(1, Process::default(), Grade::Full))));
    session.apply(Event::Connection(Connection::Live));
    session
}

/// A lock that one holds and these wait for.
fn held(certainty: Certainty, waiting: std::ops::Range<u64>) -> Thing {
    let waiter = |task| Waiter { who: Who::Task(number(task)), wanted: 1, missing: 1 };
    Thing { queue: waiting.map(waiter).collect(), ..mutex(LOCK, HOLDER, certainty, None) }
}

/// Everybody who takes part, as in a look that found them for the first time, or found them moved.
fn all(waiting: std::ops::Range<u64>) -> Vec<(TaskKey, Arc<TaskLook>)> {
    let holder = (key(HOLDER), Arc::new(look(Vec::new())));
    waiting.map(|task| (key(task), waits_for(LOCK))).chain([holder]).collect()
}

fn told(session: &mut Session, millis: u64, thing: Thing, looks: Vec<(TaskKey, Arc<TaskLook>)>) {
    let whole = Whole { things: vec![thing], ..Whole::default() };
    let chains = if millis == 0 { vec![chain()] } else { Vec::new() };
    let update =
        Update { now: Some(at(millis)), chains, task_looks: looks, look: Some(Box::new(whole)), ..Update::default() };
    tell(session, update);
}

fn lints(session: &Session) -> Vec<&'static str> {
    found(session).iter().map(|(lint, _)| *lint).collect()
}

fn worst(session: &Session) -> Option<Severity> {
    session.engine().findings().map(|finding| finding.severity).max()
}

#[test]
fn a_queue_that_stood_in_four_looks_is_a_convoy() {
    let mut session = session();
    for round in 0..4 {
        assert!(!lints(&session).contains(&"lock-convoy"), "{round} looks");
        let looks = if round == 0 { all(10..16) } else { Vec::new() };
        told(&mut session, round * 400, held(Certainty::Proven, 10..16), looks);
    }
    assert!(lints(&session).contains(&"lock-convoy"), "{:?}", lints(&session));
}

#[test]
fn a_queue_that_is_as_long_at_each_look_and_moves_is_none() {
    let mut session = session();
    for round in 0..12 {
        // Everybody had it in between, and asked for it again.
        told(&mut session, round * 400, held(Certainty::Proven, 10..16), all(10..16));
    }
    assert_eq!(lints(&session), ["held-across-await"]);
    assert_eq!(worst(&session), Some(Severity::Warning), "nobody has waited for long");
}

#[test]
fn a_queue_that_looked_the_same_thrice_by_chance_is_none() {
    let mut session = session();
    for round in 0..12 {
        let looks = if round % 3 == 0 { all(10..16) } else { Vec::new() };
        told(&mut session, round * 600, held(Certainty::Proven, 10..16), looks);
        assert!(!lints(&session).contains(&"lock-convoy"), "look {round}");
    }
    assert_eq!(worst(&session), Some(Severity::Warning), "it was over a second from the first to the third");
}

#[test]
fn a_queue_that_goes_round_is_none_though_nobody_in_it_is_seen_to_move() {
    let mut session = session();
    for round in 0..12_usize {
        let mut thing = held(Certainty::Proven, 10..17);
        thing.queue.rotate_left(round * 3 % 7);
        let looks = if round == 0 { all(10..17) } else { Vec::new() };
        told(&mut session, round as u64 * 400, thing, looks);
        assert!(!lints(&session).contains(&"lock-convoy"), "look {round}");
    }
}

#[test]
fn what_is_likely_in_three_looks_accuses_nobody() {
    let mut session = session();
    for round in 0..4 {
        assert!(lints(&session).is_empty(), "{round} looks");
        let looks = if round == 0 { all(10..11) } else { Vec::new() };
        told(&mut session, round * 600, held(Certainty::Likely, 10..11), looks);
    }
    assert_eq!((lints(&session), worst(&session)), (vec!["held-across-await"], Some(Severity::Warning)));
}

/// What is told of a pool that is full, in a process with so many runtimes, by its name.
fn full_pool_among(runtimes: u64) -> Vec<&'static str> {
    let mut session = session();
    let runtime = |id| RuntimeStats {
        id: RuntimeId(id),
        blocking_threads: 1,
        blocking_queue: u64::from(id == 1),
        ..RuntimeStats::default()
    };
    let job = |of, thread| Job { number: number(of), closure: "app::job".into(), thread };
    for round in 0..6 {
        let whole = Whole { jobs: vec![job(7, Some(70)), job(8, None)], ..Whole::default() };
        let runtimes = Some((1..=runtimes).map(runtime).collect());
        let look = Some(Box::new(whole));
        tell(&mut session, Update { now: Some(at(round * 600)), runtimes, look, ..Update::default() });
    }
    let finding = session.engine().findings().find(|finding| finding.lint.name == "blocking-pool-full");
    finding.expect("the pool is full").evidence.iter().map(|evidence| evidence.name).collect()
}

#[test]
fn whose_pool_a_job_of_memory_is_in_is_known_where_there_is_one_alone() {
    assert_eq!(full_pool_among(1), ["waiting", "threads", "full for", "longest wait", "longest job"]);
    assert_eq!(full_pool_among(2), ["waiting", "threads", "full for"]);
}

#[test]
fn a_pool_that_was_full_whenever_it_was_looked_at_is_full_after_four_looks() {
    let mut session = session();
    let runtime = |queue| RuntimeStats {
        id: RuntimeId(1),
        blocking_threads: 2,
        blocking_queue: queue,
        ..RuntimeStats::default()
    };
    for round in 0..4 {
        assert!(lints(&session).is_empty(), "{round} looks");
        let runtimes = Some(vec![runtime(3)]);
        let look = Some(Box::new(Whole::default()));
        tell(&mut session, Update { now: Some(at(round * 600)), runtimes, look, ..Update::default() });
    }
    assert_eq!(lints(&session), ["blocking-pool-full"]);
}
