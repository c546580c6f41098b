//! Where memory and the console contradict each other, nobody is accused; where they do not, it is as without memory.

use crate::{
    diagnose::Status,
    model::memory::{
        joins::tests::{beside, both, console, memory, row},
        tests::{at, found, key, look, mutex, tell, waits_for},
    },
    session::Session,
    update::{
        Access, Across, Begin, Holder, LockStats, OpId, PollStats, Process, ResourceId, TaskStats, Update, Waiting,
        look::{Certainty, State, TaskLook, Wait, WaitOn},
    },
};
use std::sync::Arc;

fn lints(session: &Session) -> Vec<&'static str> {
    found(session).into_iter().map(|(lint, _)| lint).collect()
}

/// Task 3 as the console tells it, by its polls.
fn told(session: &mut Session, millis: u64, polls: PollStats) {
    let wakes = polls.count - 1;
    let stats = TaskStats { created: Some(at(0)), polls, wakes, waker_clones: 1, ..TaskStats::default() };
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

/// The agent says that task 3 has had the lock since the beginning, and that task 4 waits for it; memory proves of this task that it has it.
fn held_by(task: u64) -> Session {
    let capabilities = vec!["wakers".to_owned()];
    let mut session = beside(Begin::agent(1, Process { capabilities, ..Process::default() }));
    let holder = Holder {
        task: Some(row(3)),
        thread: None,
        access: Access::Exclusive,
        since: at(20),
        across: Across::Await,
        acquired_at: None,
        suspended_at: None,
    };
    let waiter = Waiting { op: OpId(410), task: Some(row(4)), access: Access::Exclusive, since: Some(at(50)) };
    let told = LockStats { holders: vec![holder], waiters: vec![waiter], ..LockStats::new(ResourceId(10)) };
    console(&mut session, 100, &[(4, 10, 50)]);
    tell(&mut session, Update { now: Some(at(110)), locks: vec![told], ..Update::default() });
    let thing = || vec![mutex(0x100, task, Certainty::Proven, Some(4))];
    let asleep = || Arc::new(look(Vec::new()));
    let looks = vec![(key(4), waits_for(0x100)), (key(3), asleep()), (key(5), asleep())];
    memory(&mut session, 200, looks, thing());
    for second in 1..=6_u64 {
        memory(&mut session, second * 1_000 - 300, Vec::new(), thing());
        console(&mut session, second * 1_000, &[]);
        memory(&mut session, second * 1_000 + 200, Vec::new(), thing());
    }
    session
}

#[test]
fn an_agent_s_holder_that_memory_proves_not_to_have_it_is_not_accused() {
    assert_eq!(lints(&held_by(3)), ["held-across-await"]);
    let session = held_by(5);
    let open: Vec<_> = session.engine().findings().filter(|finding| finding.status == Status::Active).collect();
    assert!(open.is_empty(), "{open:#?}");
}
