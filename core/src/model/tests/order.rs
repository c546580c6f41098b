//! Whatever comes in whatever order: nothing panics, no count is wrong, and nobody is accused who could not have done it.

use super::service::{Moment, Service, Take};
use crate::{
    model::{Model, Origin, PlaceId, Retention},
    update::{
        Attribute, Dropped, Field, FieldName, MetaId, NewOp, NewResource, NewTask, OpId, OpStats, Part, PollOp,
        PollStats, Readiness, ResourceId, ResourceStats, SourcePlace, Stamp, TaskId, TaskStats, Update, Value,
    },
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use std::{collections::BTreeMap, time::Duration};

// ---- updates that no service would send ----

fn stamp() -> impl Strategy<Value = Option<Stamp>> {
    option::of((1..20_000_u64).prop_map(|millis| Stamp::from_nanos(millis * 1_000_000)))
}

fn id() -> impl Strategy<Value = u64> {
    1..6_u64
}

fn polls() -> impl Strategy<Value = PollStats> {
    (0..5_u64, stamp(), stamp(), any::<u32>()).prop_map(|(count, last_started, last_ended, busy)| PollStats {
        count,
        last_started,
        last_ended,
        busy: Duration::from_nanos(busy.into()),
    })
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        (0..4_u64).prop_map(Value::U64),
        (-2..4_i64).prop_map(Value::I64),
        select(vec!["1", "x", "task"]).prop_map(|text| Value::Text(text.into())),
    ]
}

fn field() -> impl Strategy<Value = Field> {
    let names = vec![
        "kind",
        "task.name",
        "task.id",
        "size.bytes",
        "locked",
        "write_locked",
        "current_readers",
        "max_readers",
        "permits",
        "permits_requested",
        "permits_obtained",
        "else",
    ];
    let name = prop_oneof![
        9 => select(names).prop_map(|name| FieldName::Text(name.into())),
        1 => any::<usize>().prop_map(|index| FieldName::Index(MetaId(1), index)),
    ];
    (name, value()).prop_map(|(name, value)| Field { name, value })
}

fn attributes() -> impl Strategy<Value = Vec<Attribute>> {
    vec(field().prop_map(|field| Attribute { field, unit: None }), 0..4)
}

fn place() -> impl Strategy<Value = Option<SourcePlace>> {
    option::of(select(vec!["", "a.rs", "b.rs"]).prop_map(|file| SourcePlace { file: file.into(), line: 1, column: 1 }))
}

fn new_task() -> impl Strategy<Value = NewTask> {
    (id(), vec(field(), 0..3), place())
        .prop_map(|(id, fields, place)| NewTask::from_fields(TaskId(id), Some(MetaId(1)), fields, place))
}

fn task_stats() -> impl Strategy<Value = (TaskId, TaskStats)> {
    (id(), stamp(), stamp(), stamp(), polls(), 0..5_u64).prop_map(|(id, created, dropped, last_wake, polls, wakes)| {
        (TaskId(id), TaskStats { created, dropped, last_wake, polls, wakes, ..TaskStats::default() })
    })
}

fn new_resource() -> impl Strategy<Value = NewResource> {
    (id(), option::of(id()), select(vec!["Mutex", "RwLock", "Semaphore", ""]), place()).prop_map(
        |(id, parent, concrete_type, place)| NewResource {
            id: ResourceId(id),
            metadata: Some(MetaId(1)),
            parent: parent.map(ResourceId),
            kind: "Sync".into(),
            concrete_type: concrete_type.into(),
            target: String::new(),
            place,
            internal: parent.is_some(),
        },
    )
}

fn resource_stats() -> impl Strategy<Value = (ResourceId, ResourceStats)> {
    (id(), stamp(), stamp(), attributes()).prop_map(|(id, created, dropped, attributes)| {
        (ResourceId(id), ResourceStats { created, dropped, attributes, permits: None })
    })
}

fn new_op() -> impl Strategy<Value = NewOp> {
    let sources = vec!["Mutex::lock", "RwLock::read", "RwLock::write", "Acquire::new", ""];
    (id(), option::of(id()), option::of(id()), select(sources)).prop_map(|(id, parent, resource, source)| NewOp {
        id: OpId(id),
        parent: parent.map(OpId),
        resource: resource.map(ResourceId),
        source: source.into(),
    })
}

fn op_stats() -> impl Strategy<Value = (OpId, OpStats)> {
    (id(), stamp(), stamp(), option::of(id()), polls(), attributes()).prop_map(
        |(id, created, dropped, task, polls, attributes)| {
            (OpId(id), OpStats { created, dropped, task: task.map(TaskId), polls, attributes })
        },
    )
}

fn poll_op() -> impl Strategy<Value = PollOp> {
    (id(), option::of(id()), option::of(id()), any::<bool>()).prop_map(|(resource, op, task, ready)| PollOp {
        resource: ResourceId(resource),
        op: op.map(OpId),
        task: task.map(TaskId),
        readiness: if ready { Readiness::Ready } else { Readiness::Pending },
    })
}

pub(crate) fn update() -> impl Strategy<Value = Update> {
    let tasks = (vec(new_task(), 0..4), vec(task_stats(), 0..6));
    let resources = (vec(new_resource(), 0..3), vec(resource_stats(), 0..4));
    let ops = (vec(new_op(), 0..4), vec(op_stats(), 0..6), vec(poll_op(), 0..3));
    let rest = (stamp(), prop::bool::weighted(0.1), prop::bool::weighted(0.8));
    (tasks, resources, ops, rest).prop_map(|(tasks, resources, ops, (now, lossy, last))| Update {
        now,
        new_tasks: tasks.0,
        task_stats: tasks.1,
        new_resources: resources.0,
        resource_stats: resources.1,
        new_ops: ops.0,
        op_stats: ops.1,
        poll_ops: ops.2,
        dropped: Dropped { ops: lossy.into(), ..Dropped::default() },
        part: if last { Part::Last } else { Part::More },
        ..Update::default()
    })
}

fn check(model: &Model) -> Result<(), TestCaseError> {
    let counts = model.counts();
    let tasks: Vec<_> = model.tasks().iter().collect();
    let ended = tasks.iter().filter(|task| task.has_ended()).count();
    prop_assert_eq!((counts.live, counts.ended), (tasks.len() - ended, ended));
    prop_assert!(counts.running + counts.scheduled <= counts.live);

    let mut live: BTreeMap<PlaceId, u64> = BTreeMap::new();
    for task in tasks.iter().filter(|task| !task.has_ended() && task.origin() == Origin::Announced) {
        *live.entry(task.place()).or_default() += 1;
    }
    for (place, spawns) in model.spawns().iter() {
        prop_assert_eq!(spawns.live, live.remove(&place).unwrap_or(0), "{:?}", model.place(place));
    }
    prop_assert!(live.is_empty(), "a place without a count: {:?}", live);

    for task in (0..8).map(TaskId) {
        for op in model.waits_of(task) {
            prop_assert!(op.is_waiting() && op.task == Some(task), "{op:?}");
        }
    }
    for (_, resource) in model.resources().iter() {
        let mut ops: Vec<OpId> = model.ops_on(resource).map(|op| op.id).collect();
        for op in &ops {
            prop_assert_eq!(model.ops().get(*op).and_then(|op| op.resource), Some(resource.id));
        }
        let count = ops.len();
        ops.sort_unstable();
        ops.dedup();
        prop_assert_eq!(ops.len(), count, "each stands there once");
        prop_assert_eq!(resource.ops.is_empty(), count == 0);
    }
    for (resource, _) in model.locks() {
        for waiter in model.waiters(resource.id) {
            let op = model.ops().get(waiter.op).expect("it is told of");
            prop_assert!(op.is_waiting() && op.resource == Some(resource.id));
        }
        prop_assert!(resource.parts.iter().all(|&part| part != resource.id));
    }
    let locks = model.resources().iter().filter(|(_, resource)| resource.lock.is_some()).count();
    prop_assert_eq!(model.locks().count(), locks);
    let changed = model.changes();
    prop_assert!(changed.tasks.iter().all(|&slot| model.tasks().at(slot).is_some()));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn no_order_of_updates_breaks_a_count(updates in vec(update(), 0..12), most in 0..5_usize) {
        let mut model = Model::new(Retention { keep: Some(Duration::from_secs(2)), most, ..Retention::default() });
        for update in updates {
            model.apply(update);
            check(&model)?;
        }
    }

    #[test]
    fn pages_come_to_the_same_as_one_update(update in update()) {
        let mut whole = Model::new(Retention::default());
        whole.apply(Update { part: Part::Last, ..update.clone() });
        let mut paged = Model::new(Retention::default());
        let now = update.now;
        let page = || Update { now, part: Part::More, ..Update::default() };
        paged.apply(Update { new_tasks: update.new_tasks, task_stats: update.task_stats, ..page() });
        paged.apply(Update { new_resources: update.new_resources, resource_stats: update.resource_stats, ..page() });
        let dropped = update.dropped;
        let last = Update { new_ops: update.new_ops, op_stats: update.op_stats, poll_ops: update.poll_ops, ..page() };
        paged.apply(Update { dropped, part: Part::Last, ..last });
        check(&paged)?;
        prop_assert_eq!(whole.counts(), paged.counts());
        prop_assert_eq!(whole.locks().count(), paged.locks().count());
        let holds = |model: &Model| model.locks().map(|(_, lock)| lock.holds.clone()).collect::<Vec<_>>();
        prop_assert_eq!(holds(&whole), holds(&paged));
    }
}

// ---- services in which no guard outlives a poll ----

/// A task that does one thing over and over: it takes a lock in a poll, and drops the guard in the same poll.
#[derive(Debug, Clone)]
struct Worker {
    task: TaskId,
    next: Step,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Start,
    Ask,
    Woken,
    ReportTaken,
    GiveBack,
    ReportReleased,
    End,
}

impl Worker {
    /// Does its next small step, if it can.
    fn step(&mut self, service: &mut Service, lock: ResourceId, how: Take) {
        let task = self.task;
        self.next = match self.next {
            Step::Start => {
                service.wake(task).pass_micros(3).start(task);
                Step::Ask
            }
            Step::Ask if service.ask(task, lock, how) => Step::ReportTaken,
            Step::Ask => {
                service.pass_micros(3).end(task);
                Step::Woken
            }
            Step::Woken if service.is_granted(task) => {
                service.pass_micros(3).start(task);
                Step::ReportTaken
            }
            Step::Woken => Step::Woken,
            Step::ReportTaken => {
                service.report_taken(lock, how);
                Step::GiveBack
            }
            Step::GiveBack => {
                service.give_back(lock, how);
                Step::ReportReleased
            }
            Step::ReportReleased => {
                service.report_released(lock, how);
                Step::End
            }
            Step::End => {
                service.pass_micros(3).end(task);
                Step::Start
            }
        };
    }
}

/// What happens next: a worker's step, time, or a publish with this many steps in each of its gaps.
#[derive(Debug, Clone)]
enum Next {
    Step(usize),
    Pass(u64),
    Publish([Vec<usize>; 3]),
}

fn next() -> impl Strategy<Value = Next> {
    let steps = || vec(0..3_usize, 0..12);
    prop_oneof![
        12 => (0..3_usize).prop_map(Next::Step),
        2 => (0..200_000_u64).prop_map(Next::Pass),
        2 => (steps(), steps(), steps()).prop_map(|(a, b, c)| Next::Publish([a, b, c])),
    ]
}

fn nobody_is_accused(script: &[Next], how: [Take; 3]) -> Result<(), TestCaseError> {
    let mut service = Service::new();
    let lock = if how.contains(&Take::Lock) { service.mutex("src/a.rs:1") } else { service.rwlock("src/a.rs:1") };
    let mut workers = [0, 1, 2].map(|_| Worker { task: service.spawn("worker", "src/b.rs:1"), next: Step::Start });
    let mut model = Model::new(Retention::default());
    model.apply(service.greet());
    for next in script {
        match next {
            Next::Step(worker) => workers[*worker].step(service.pass_micros(1), lock, how[*worker]),
            Next::Pass(micros) => {
                service.pass_micros(*micros);
            }
            Next::Publish(gaps) => {
                let update = service.publish_while(|service, moment| {
                    let gap = match moment {
                        Moment::Drained => 0,
                        Moment::Tasks => 1,
                        Moment::Resources => 2,
                    };
                    for &worker in &gaps[gap] {
                        workers[worker].step(service.pass_micros(1), lock, how[worker]);
                    }
                });
                model.apply(update);
                let (_, state) = model.lock(lock).expect("known");
                prop_assert_eq!(state.across.count, 0, "{:?}", state);
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn a_mutex_dropped_in_the_poll_that_took_it_accuses_nobody(script in vec(next(), 0..120)) {
        nobody_is_accused(&script, [Take::Lock; 3])?;
    }

    #[test]
    fn nor_does_an_rwlock(script in vec(next(), 0..120)) {
        nobody_is_accused(&script, [Take::Read, Take::Write, Take::Read])?;
    }
}

/// One reader has its permit as an update is made, and the lock says so after it was read; then another one comes and goes.
#[test]
fn nor_does_a_reader_that_says_late_that_it_got_in() {
    let publish = |gaps: [&[usize]; 3]| Next::Publish(gaps.map(<[usize]>::to_vec));
    let script = [
        Next::Step(1),
        Next::Step(1),
        Next::Step(1),
        publish([&[2, 1, 2, 2, 0, 2], &[1, 2, 1, 0, 1, 0, 0], &[0, 0, 0, 1, 2, 2, 1, 1, 2]]),
        publish([&[0], &[1], &[2, 1, 1, 1]]),
        publish([&[0, 0, 0, 0], &[], &[]]),
        publish([&[], &[], &[]]),
    ];
    nobody_is_accused(&script, [Take::Read, Take::Write, Take::Read]).unwrap();
}
