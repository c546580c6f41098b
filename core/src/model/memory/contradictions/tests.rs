//! Where memory and the console contradict each other, nobody is accused; where they do not, it is as without memory.

use crate::{
    model::memory::{
        joins::tests::{both, console, memory, row},
        tests::{at, found, key, look, mutex, tell, waits_for},
    },
    session::Session,
    update::{
        PollStats, TaskStats, Update,
        look::{Certainty, State, TaskLook, Wait, WaitOn},
    },
};
use std::sync::Arc;

fn lints(session: &Session) -> Vec<&'static str> {
    found(session).into_iter().map(|(lint, _)| lint).collect()
}

/// Task 3 as the console tells it, by its polls.
fn told(session: &mut Session, millis: u64, polls: PollStats) {
    let stats = TaskStats { created: Some(at(0)), polls, waker_clones: 1, ..TaskStats::default() };
    let update = Update { now: Some(at(millis)), task_stats: vec![(row(3), stats)], ..Update::default() };
    tell(session, update);
}

/// The console says that task 3 is in one poll for seconds; memory says this of it.
fn running(state: State) -> Session {
    let mut session = both();
    let polls = PollStats { count: 2, last_started: Some(at(100)), last_ended: Some(at(2)), ..PollStats::default() };
    told(&mut session, 500, polls);
    memory(&mut session, 450, vec![(key(3), Arc::new(TaskLook { state, ..look(Vec::new()) }))], Vec::new());
    for second in 1..=6 {
        told(&mut session, second * 1_000, polls);
        memory(&mut session, second * 1_000 + 100, Vec::new(), Vec::new());
    }
    session
}

#[test]
fn a_poll_that_goes_on_by_both_never_yields_and_one_that_memory_sees_over_is_no_finding() {
    assert_eq!(lints(&running(State::Running)), ["never-yields"]);
    assert!(lints(&running(State::Idle)).is_empty(), "{:?}", lints(&running(State::Idle)));
}

/// Two tasks wait crosswise, as the console tells; one of them, as memory tells, for this as well.
fn crosswise(more: Option<WaitOn>) -> Session {
    let mut session = both();
    let (first, second) = (waits_for(0x100), waits_for(0x200));
    let mut second = TaskLook::clone(&second);
    if let Some(on) = more {
        second.waits =
            second.waits.iter().cloned().chain([Wait { frame: 0, on, certainty: Certainty::Proven }]).collect();
    }
    let things = || [mutex(0x100, 5, Certainty::Proven, Some(4)), mutex(0x200, 4, Certainty::Proven, Some(5))];
    console(&mut session, 100, &[(4, 10, 50), (5, 20, 60)]);
    memory(&mut session, 200, vec![(key(4), first), (key(5), Arc::new(second))], things().to_vec());
    for second in 1..=6_u64 {
        memory(&mut session, second * 1_000 - 300, Vec::new(), things().to_vec());
        console(&mut session, second * 1_000, &[]);
        memory(&mut session, second * 1_000 + 200, Vec::new(), things().to_vec());
    }
    session
}

#[test]
fn a_cycle_with_a_way_out_that_memory_alone_sees_is_no_deadlock() {
    assert!(lints(&crosswise(None)).contains(&"deadlock"));
    let timed = crosswise(Some(WaitOn::Timer(at(60_000))));
    assert!(!lints(&timed).contains(&"deadlock"), "{:?}", lints(&timed));
}

#[test]
fn what_has_happened_stays_true_whatever_memory_sees_now() {
    let mut session = both();
    let long = |count, ended: u64| PollStats {
        count,
        last_started: Some(at(ended - 400)),
        last_ended: Some(at(ended)),
        busy: std::time::Duration::from_millis(400 * count),
    };
    memory(
        &mut session,
        450,
        vec![(key(3), Arc::new(TaskLook { state: State::Running, ..look(Vec::new()) }))],
        Vec::new(),
    );
    for second in 1..=6 {
        told(&mut session, second * 1_000, long(second + 1, second * 1_000 - 100));
    }
    assert!(lints(&session).contains(&"long-polls"), "{:?}", lints(&session));
}
