//! The rows behind the lists and the pages: in which order they come, and that they have bounds.

mod support;

use holdup::{
    app::{
        Direction, ListRow, LockColumn, LockDetail, LockRow, LockUserRow, Node, OpRow, ResourceRow, Role, RowList,
        lock_rows, lock_users, op_rows, resource_rows,
    },
    diagnose::Settings,
    model::{Model, Retention},
    session::Session,
    source::{Begin, Event},
    update::{Across, Holder, ResourceId, Stamp, Update},
};
use std::time::Duration;
use support::{
    agent,
    service::{Service, Take},
};

fn watched(service: &mut Service) -> Session {
    let mut watched = Session::new(&Settings::default(), Retention::default());
    watched.apply(Event::Update(Box::new(service.greet())));
    for _ in 0..3 {
        service.pass(500);
        watched.apply(Event::Update(Box::new(service.publish())));
    }
    watched
}

fn listed<R: ListRow>(rows: Vec<R>, model: &Model) -> RowList<R> {
    let mut list = RowList::default();
    list.show(rows, model);
    list
}

/// A free lock, one that is held, and two that are waited for, by one task and by two.
fn busy() -> (Service, [ResourceId; 4]) {
    let mut service = Service::new();
    let locks = ["src/d.rs:1", "src/c.rs:1", "src/b.rs:1", "src/a.rs:1"].map(|place| service.mutex(place));
    for (at, &lock) in locks.iter().enumerate().skip(1) {
        let holder = service.spawn(&format!("holder-{at}"), "src/main.rs:1");
        service.pass(10).start(holder).take(holder, lock, Take::Lock).pass(1).end(holder);
        for waiter in 1..at {
            let task = service.spawn(&format!("waiter-{at}-{waiter}"), "src/main.rs:2");
            service.pass(10).start(task).take(task, lock, Take::Lock).pass(1).end(task);
        }
    }
    (service, locks)
}

#[test]
fn locks_with_waiters_come_first_then_those_that_are_held() {
    let (mut service, [free, held, waited, crowded]) = busy();
    let watched = watched(&mut service);
    let model = watched.model();
    let mut list: RowList<LockRow> = listed(lock_rows(model, service.now()), model);
    let ids = |list: &RowList<LockRow>| list.rows().iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(ids(&list), [crowded, waited, held, free]);
    list.sort_by(LockColumn::Location, model);
    assert_eq!(list.sorted(), (LockColumn::Location, Direction::Descending));
    assert_eq!(ids(&list), [free, held, waited, crowded]);
    list.sort_by(LockColumn::Held, model);
    assert_eq!(ids(&list), [held, waited, crowded, free], "who is not held at all is held for less than any");
}

#[test]
fn every_column_of_every_list_sorts_both_ways() {
    fn check<R: ListRow>(mut list: RowList<R>, model: &Model) {
        let count = list.rows().len();
        assert!(count > 1);
        for spec in R::COLUMNS {
            for _ in 0..2 {
                list.sort_by(spec.column, model);
                assert_eq!(list.rows().len(), count);
                let ordered = list.rows().is_sorted_by(|a, b| {
                    let by_column = a.compare(b, spec.column, model);
                    match list.sorted().1 {
                        Direction::Ascending => by_column.is_le(),
                        Direction::Descending => by_column.is_ge(),
                    }
                });
                assert!(ordered, "by {}", spec.title);
            }
        }
    }
    let (mut service, [.., crowded]) = busy();
    let watched = watched(&mut service);
    let (model, now) = (watched.model(), service.now());
    check::<LockRow>(listed(lock_rows(model, now), model), model);
    check::<ResourceRow>(listed(resource_rows(model, now), model), model);
    check::<LockUserRow>(listed(lock_users(model, crowded, now), model), model);
    check::<OpRow>(listed(op_rows(model, crowded, now), model), model);
}

#[test]
fn the_queue_stands_in_the_order_in_which_they_asked() {
    let (mut service, [.., crowded]) = busy();
    let watched = watched(&mut service);
    let people: RowList<LockUserRow> = listed(lock_users(watched.model(), crowded, service.now()), watched.model());
    let roles: Vec<Role> = people.rows().iter().map(|row| row.role).collect();
    assert_eq!(roles, [Role::HoldsAsleep, Role::Waits(1), Role::Waits(2)]);
    assert!(people.rows()[1].time > people.rows()[2].time, "the first has waited for longest");
}

fn tree(watched: &Session, lock: ResourceId, now: Stamp) -> Vec<(usize, Node)> {
    let detail = LockDetail::of(watched, lock, now).expect("the lock is known");
    detail.tree.into_iter().map(|line| (line.levels.len(), line.node)).collect()
}

#[test]
fn a_tree_follows_holders_that_wait_themselves_and_marks_a_cycle() {
    let mut service = Service::new();
    let tasks = [0, 1, 2].map(|at| service.spawn(&format!("task-{at}"), "src/main.rs:1"));
    let locks = [0, 1, 2].map(|at| service.mutex(&format!("src/ring.rs:{at}1")));
    for at in 0..3 {
        service.pass(5).start(tasks[at]).take(tasks[at], locks[at], Take::Lock).pass(1).end(tasks[at]);
    }
    for at in 0..3 {
        service.pass(5).start(tasks[at]).take(tasks[at], locks[(at + 1) % 3], Take::Lock).pass(1).end(tasks[at]);
    }
    let watched = watched(&mut service);
    let tree = tree(&watched, locks[0], service.now());
    let depths: Vec<usize> = tree.iter().map(|(depth, _)| *depth).collect();
    assert_eq!(depths, [0, 1, 2, 3, 4, 5, 6]);
    assert!(matches!(&tree[5], (_, Node::Holder { id, .. }) if *id == tasks[2]));
    assert!(matches!(&tree[6], (_, Node::Cycle { id, .. }) if *id == locks[0]), "{:?}", tree[6]);
}

#[test]
fn who_asks_again_for_the_lock_that_it_held_is_no_cycle_before_that_has_lasted() {
    let mut service = Service::new();
    let lock = service.mutex("src/state.rs:21");
    let tasks = ["first", "second"].map(|name| service.spawn(name, "src/main.rs:7"));
    for task in tasks {
        service.pass(5).start(task).take(task, lock, Take::Lock).pass(1).end(task);
    }
    let mut watched = Session::new(&Settings::default(), Retention::default());
    watched.apply(Event::Begin(Box::new(Begin::agent(1, agent::process()))));
    watched.apply(Event::Update(Box::new(service.greet())));
    let mut last = |millis| {
        let told = vec![agent::lock(lock, vec![agent::holder(tasks[1], support::service::at(1))], Vec::new())];
        let now = service.pass(millis).now();
        watched.apply(Event::Update(Box::new(Update { locks: told, ..agent::report(now) })));
        tree(&watched, lock, now).pop().map(|(_, node)| node)
    };
    // A convoy: what is told of the lock and of the waits is of different instants.
    assert_eq!(last(20), Some(Node::Again { id: lock }));
    assert!(matches!(last(1_500), Some(Node::Cycle { .. })));
}

#[test]
fn who_was_seen_with_a_lock_in_a_poll_is_not_said_to_hold_it_on_when_that_is_over() {
    let mut service = Service::new();
    let lock = service.mutex("src/state.rs:21");
    let task = service.spawn("member", "src/main.rs:7");
    service.pass(5).start(task).take(task, lock, Take::Lock).pass(3);
    let mut watched = Session::new(&Settings::default(), Retention::default());
    watched.apply(Event::Update(Box::new(service.greet())));
    let mut held = |service: &mut Service| {
        watched.apply(Event::Update(Box::new(service.pass(500).publish())));
        LockRow::of(watched.model(), lock, service.now()).and_then(|row| row.held)
    };
    assert_eq!(held(&mut service), Some(Duration::from_millis(503)), "that poll goes on");
    service.end(task);
    assert_eq!(held(&mut service), Some(Duration::from_millis(503)), "it was seen until then");
    assert_eq!(held(&mut service), Some(Duration::from_millis(1_503)), "it sleeps with the lock");
}

#[test]
fn what_an_agent_tells_of_a_poll_that_is_over_is_as_of_then() {
    let mut service = Service::new();
    let lock = service.mutex("src/state.rs:21");
    let task = service.spawn("member", "src/main.rs:7");
    service.pass(5).poll(task, 1).keep_waker(task);
    let mut watched = Session::new(&Settings::default(), Retention::default());
    watched.apply(Event::Begin(Box::new(Begin::agent(1, agent::process()))));
    watched.apply(Event::Update(Box::new(service.greet())));
    let mut held = |across| {
        let since = service.now();
        let told = vec![agent::lock(lock, vec![Holder { across, ..agent::holder(task, since) }], Vec::new())];
        let now = service.pass(3).now();
        watched.apply(Event::Update(Box::new(Update { locks: told, ..agent::report(now) })));
        let later = service.pass(400).now();
        LockRow::of(watched.model(), lock, later).and_then(|row| row.held)
    };
    assert_eq!(held(Across::SamePoll), Some(Duration::from_millis(3)));
    assert_eq!(held(Across::Await), Some(Duration::from_millis(403)), "it sleeps with the lock");
}

#[test]
fn a_tree_has_an_end_however_many_hold() {
    let mut service = Service::new();
    // Every reader of a table waits for a lock of its own, which nobody can tell the holder of.
    let table = service.rwlock("src/table.rs:1");
    for _ in 0..60 {
        let reader = service.spawn("reader", "src/main.rs:2");
        let lock = service.mutex("src/each.rs:1");
        service.try_take(lock, Take::Lock);
        service
            .pass(1)
            .start(reader)
            .take(reader, table, Take::Read)
            .take(reader, lock, Take::Lock)
            .pass(1)
            .end(reader);
    }
    let watched = watched(&mut service);
    let many = tree(&watched, table, service.now());
    assert!(many.len() <= 70, "{}", many.len());
    assert!(many.iter().any(|(_, node)| *node == Node::More));
    assert!(many.iter().any(|(_, node)| matches!(node, Node::Unknown { .. })));
}

#[test]
fn a_chain_is_cut_where_nobody_reads_on() {
    let mut service = Service::new();
    let locks: Vec<ResourceId> = (0..40).map(|_| service.mutex("src/chain.rs:1")).collect();
    let tasks: Vec<_> = locks.iter().map(|_| service.spawn("link", "src/main.rs:1")).collect();
    for (&task, &lock) in tasks.iter().zip(&locks) {
        service.pass(1).start(task).take(task, lock, Take::Lock).pass(1).end(task);
    }
    for (&task, &next) in tasks.iter().zip(&locks[1..]) {
        service.pass(1).start(task).take(task, next, Take::Lock).pass(1).end(task);
    }
    let watched = watched(&mut service);
    let tree = tree(&watched, locks[0], service.now());
    assert!(tree.len() < 40);
    assert_eq!(tree.last().map(|(_, node)| node), Some(&Node::More));
}
