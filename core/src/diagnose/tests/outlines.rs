//! What is kept of a session where there is no room for all of it.

use super::many::{LOCKS, held, service};
use crate::{
    diagnose::{Finding, Settings, Status},
    model::{Retention, SpawnSums, Task},
    session::Session,
    update::{Begin, Event, NewTask, PollStats, Process, ResourceId, SourcePlace, TaskId, TaskStats, Update},
};
use std::time::Duration;

/// Ten thousand tasks, one of which has these locks.
fn session(has: impl Fn(u64) -> bool) -> Session {
    let process = Process { capabilities: vec!["locks".into(), "wakers".into()], ..Process::default() };
    let mut session = Session::new(&Settings::default(), Retention::default());
    session.apply(Event::Begin(Box::new(Begin::agent(1, process))));
    session.apply(Event::Update(Box::new(service())));
    // A few of another place, that have been polled.
    let place = Some(SourcePlace { file: "src/b.rs".into(), line: 7, column: 1 });
    let ids = || (LOCKS + 10..LOCKS + 17).map(TaskId);
    let polls = PollStats { count: 11, busy: Duration::from_millis(3), ..PollStats::default() };
    let stats = TaskStats { polls, ..TaskStats::default() };
    let others = Update {
        new_tasks: ids()
            .map(|id| NewTask { place: place.clone(), name: format!("task {id}"), ..NewTask::new(id) })
            .collect(),
        task_stats: ids().map(|id| (id, stats)).collect(),
        ..held(2, |lock| has(lock).then_some(lock))
    };
    session.apply(Event::Update(Box::new(others)));
    for seconds in 3..8 {
        session.apply(Event::Update(Box::new(held(seconds, |lock| has(lock).then_some(lock)))));
    }
    session
}

fn findings(session: &Session) -> Vec<String> {
    session.engine().findings().map(|finding: &Finding| format!("{finding:?}")).collect()
}

#[test]
fn what_was_found_is_kept_with_what_it_names_and_sums_of_all_others() {
    let session = session(|lock| lock == 77);
    let outline = session.outline().finish();
    assert_eq!(findings(&outline), findings(&session));
    assert!(outline.engine().findings().any(|finding| finding.status == Status::Active));
    let (all, few) = (session.model(), outline.model());
    assert_eq!(few.counts(), all.counts());
    // The one that has the lock and the one that waits for it, as they were.
    let tasks: Vec<TaskId> = few.tasks().iter().map(Task::id).collect();
    assert_eq!(tasks, [TaskId(77), TaskId(LOCKS + 1)]);
    for id in tasks {
        let (one, other) = (few.tasks().get(id).unwrap(), all.tasks().get(id).unwrap());
        assert_eq!((one.stats(), one.state(), one.place()), (other.stats(), other.state(), other.place()));
        assert_eq!((few.task_name(&one), one.created()), (all.task_name(&other), other.created()));
        assert_eq!(few.tasks().slot(id).map(|slot| outline.engine().flag(few, slot).is_some()), Some(id == TaskId(77)));
    }
    let locks: Vec<ResourceId> = few.locks().map(|(resource, _)| resource.id).collect();
    assert_eq!(locks, [ResourceId(77)]);
    assert_eq!(few.resource_number(ResourceId(77)), all.resource_number(ResourceId(77)));
    let lock = |session: &Session| {
        format!("{:?} {:?}", session.model().lock(locks[0]).unwrap().1, session.model().waiters(locks[0]))
    };
    assert_eq!(lock(&outline), lock(&session));
    let mut sums: Vec<(String, SpawnSums)> =
        few.outlined().unwrap().sums().map(|(place, sums)| (few.place(place).to_string(), *sums)).collect();
    sums.sort_by_key(|(place, _)| place.clone());
    let [(one, of_one), (other, of_other)] = sums.as_slice() else { panic!("{sums:?}") };
    assert_eq!((one.as_str(), of_one.live, of_one.polls), ("src/a.rs:1", LOCKS + 1, LOCKS + 1));
    assert_eq!((other.as_str(), of_other.live, of_other.polls), ("src/b.rs:7", 7, 77));
    assert_eq!(of_other.busy(), Duration::from_millis(21));
    assert!(session.model().outlined().is_none());
}

#[test]
fn of_ten_thousand_findings_the_worst_are_kept() {
    let session = session(|_| true);
    let outline = session.outline().finish();
    let all = findings(&session);
    assert!(all.len() as u64 >= LOCKS);
    assert_eq!(findings(&outline), all[..1_000]);
    assert_eq!((outline.engine().unkept(), session.engine().unkept()), (session.engine().tally().all() - 1_000, 0));
    assert_eq!(outline.outline().finish().engine().unkept(), outline.engine().unkept());
    assert!(outline.model().tasks().len() <= 1_001 && outline.model().locks().count() == 1_000);
}
