//! Services at random, and what they tell.

use super::service::{Service, Take};
use crate::update::{
    Access, Across, Cause, Doing, Field, FieldName, Holder, LockStats, Loss, MetaId, NewMetadata, NewOp, OpId, OpStats,
    Panic, PollOp, Readiness, ResourceId, RuntimeId, RuntimeStats, SourcePlace, Span, Stack, Stall, Stamp, TaskFacts,
    TaskId, Thread, Update, Value, Waiting, WorkerId, WorkerStack, WorkerStats,
};
use proptest::prelude::*;
use std::sync::Arc;

/// What happens in a service.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// One of its tasks does something.
    Act { actor: usize, what: u8, lock: usize },
    /// Time passes.
    Pass(u64),
    /// It tells what changed.
    Publish,
    /// Somebody attaches: it tells everything.
    Greet,
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        14 => (0..6_usize, any::<u8>(), 0..3_usize).prop_map(|(actor, what, lock)| Step::Act { actor, what, lock }),
        3 => (1..400_u64).prop_map(Step::Pass),
        3 => Just(Step::Publish),
        1 => Just(Step::Greet),
    ]
}

/// A task that takes locks and gives them back.
#[derive(Default)]
struct Actor {
    task: Option<TaskId>,
    polled: bool,
    asked: Option<(usize, Take)>,
    holds: Vec<(usize, Take)>,
}

/// The updates that tell of these steps, one after each that publishes.
pub(super) fn updates(steps: &[Step]) -> Vec<Update> {
    let mut number = 0;
    play(steps, |_, update| {
        number += 1;
        described(update, number)
    })
}

/// Some of the tasks as an older runtime tells of them: what they are says their description, and a name comes by index. And an
/// operation of which nothing but its poll tells whether it is complete.
fn described(mut update: Update, number: u64) -> Update {
    let id = MetaId(1_000 + number);
    for new in update.new_tasks.iter_mut().filter(|new| new.id.0.is_multiple_of(2)) {
        (new.kind, new.metadata) = (None, Some(id));
        let value = Value::Text(std::mem::take(&mut new.name));
        new.fields.push(Field { name: FieldName::Index(id, 1), value });
        new.fields.push(Field { name: FieldName::Index(id, 0), value: Value::U64(number) });
    }
    let target = if number.is_multiple_of(3) { "tokio::task::blocking" } else { "tokio::task" }.to_owned();
    let field_names = ["peer", "task.name"].map(String::from).into();
    update.metadata.push(NewMetadata { id, name: "runtime.spawn".into(), target, field_names });
    let (op, resource, task) = (OpId(900_000 + number), ResourceId(1), Some(TaskId(1 + number % 9)));
    let readiness = if number.is_multiple_of(4) { Readiness::Pending } else { Readiness::Ready };
    update.new_ops.push(NewOp { id: op, parent: None, resource: Some(resource), source: "Receiver::recv".into() });
    update.poll_ops.push(PollOp { resource, op: Some(op), task, readiness });
    update.op_stats.push((op, OpStats { created: update.now, task, ..OpStats::default() }));
    update
}

/// The same, with what an agent tells beside the rows.
pub(super) fn told(steps: &[Step]) -> Vec<Update> {
    let mut number = 0;
    play(steps, |service, update| {
        number += 1;
        beside(service, described(update, number), number)
    })
}

fn play(steps: &[Step], mut tell: impl FnMut(&Service, Update) -> Update) -> Vec<Update> {
    let mut service = Service::new();
    let locks = [service.mutex("src/a.rs:1"), service.mutex("src/b.rs:2"), service.rwlock("src/c.rs:3")];
    let mut actors: [Actor; 6] = Default::default();
    let first = service.greet();
    let mut updates = vec![tell(&service, first)];
    for &step in steps {
        match step {
            Step::Act { actor, what, lock } => act(&mut service, &mut actors[actor], what, actor, (lock, locks)),
            Step::Pass(millis) => drop(service.pass(millis)),
            Step::Publish => {
                let update = service.publish();
                updates.push(tell(&service, update));
            }
            Step::Greet => {
                let update = service.greet();
                updates.push(tell(&service, update));
            }
        }
    }
    updates
}

fn act(service: &mut Service, actor: &mut Actor, what: u8, at: usize, (lock, locks): (usize, [ResourceId; 3])) {
    let Some(task) = actor.task else {
        actor.task = Some(service.spawn("actor", ["src/a.rs:1", "src/b.rs:2", ""][at % 3]));
        return;
    };
    let how = match lock {
        2 if what.is_multiple_of(2) => Take::Read,
        2 => Take::Write,
        _ => Take::Lock,
    };
    match (actor.polled, what % 8) {
        (false, 0) if actor.holds.is_empty() && actor.asked.is_none() => {
            service.finish(task);
            *actor = Actor::default();
        }
        (false, 1) => drop(service.wake(task)),
        (false, 2) => drop(service.keep_waker(task)),
        (false, _) if actor.asked.is_none() || service.is_granted(task) => {
            service.wake(task).pass(1).start(task);
            actor.polled = true;
            if let Some((lock, how)) = actor.asked.take() {
                service.report_taken(locks[lock], how);
                actor.holds.push((lock, how));
            }
        }
        (false, _) => {}
        (true, 0..=3) if actor.holds.iter().all(|(held, _)| *held != lock) => {
            if service.ask(task, locks[lock], how) {
                service.report_taken(locks[lock], how);
                actor.holds.push((lock, how));
            } else {
                actor.asked = Some((lock, how));
                service.pass(1).end(task);
                actor.polled = false;
            }
        }
        (true, 4) => {
            if let Some((lock, how)) = actor.holds.pop() {
                service.release(locks[lock], how);
            }
        }
        (true, _) => {
            service.pass(1).end(task);
            actor.polled = false;
        }
    }
}

/// What an agent might tell at this time. Whether it is so is not the point: it is the same in any pages.
fn beside(service: &Service, rows: Update, number: u64) -> Update {
    let now = service.now();
    let tasks = service.task_ids();
    let nth = |at: u64| tasks.get(usize::try_from(at).unwrap_or_default() % tasks.len().max(1)).copied();
    let lock = |(at, &id): (usize, &ResourceId)| {
        let at = at as u64 + number;
        let mut lock = LockStats::new(id);
        lock.acquisitions = number * 3;
        lock.across_count = number / 2;
        lock.hold_times = vec![number, at];
        if !at.is_multiple_of(3) {
            lock.holders.push(holder(nth(at), now, at));
        }
        if at.is_multiple_of(4) {
            let since = Some(now);
            lock.waiters.push(Waiting { op: OpId(at), task: nth(at + 1), access: Access::Exclusive, since });
        }
        lock
    };
    let locks: Vec<LockStats> = service.lock_ids().iter().enumerate().map(lock).collect();
    let locks = locks.into_iter().filter(|lock| (lock.acquisitions + lock.id.0).is_multiple_of(2)).collect();
    let task = nth(number);
    let spans = vec![Span { name: "request".into(), fields: vec![("id".into(), number.to_string())] }];
    let id = WorkerId { runtime: RuntimeId(1), index: 0 };
    Update {
        locks,
        task_spans: task.map(|task| (task, spans)).into_iter().collect(),
        task_facts: task
            .map(|task| (task, TaskFacts { parent: nth(number + 1), runtime: Some(RuntimeId(1)) }))
            .into_iter()
            .collect(),
        stalls: vec![stall(number % 3, id, task, now)],
        worker_stacks: (number.is_multiple_of(3)).then(|| worker_stack(id, task, now)).into_iter().collect(),
        panics: task.filter(|_| number.is_multiple_of(4)).map(|task| panic(task, now)).into_iter().collect(),
        runtimes: Some(vec![RuntimeStats {
            id: RuntimeId(1),
            name: "main".into(),
            workers: number,
            ..RuntimeStats::default()
        }]),
        workers: Some(vec![WorkerStats { id, polling: task, polls: number, ..WorkerStats::default() }]),
        losses: Some(vec![Loss { kind: "events".into(), count: number / 5 }]),
        ..rows
    }
}

fn holder(task: Option<TaskId>, since: Stamp, at: u64) -> Holder {
    let asleep = at.is_multiple_of(2);
    Holder {
        task: task.filter(|_| !at.is_multiple_of(5)),
        thread: (at.is_multiple_of(5)).then(|| Thread { tid: 7, name: "main".into() }),
        access: Access::Exclusive,
        since,
        across: if asleep { Across::Await } else { Across::SamePoll },
        acquired_at: Some(Arc::new(Stack::default())),
        suspended_at: asleep.then(|| Arc::new(Stack::default())),
    }
}

fn stall(id: u64, worker: WorkerId, task: Option<TaskId>, since: Stamp) -> Stall {
    Stall {
        id,
        runtime: worker.runtime,
        worker: Some(worker),
        thread: None,
        task,
        since,
        ended: None,
        cause: Cause::Sleep,
        system_call: String::new(),
        kernel_function: String::new(),
        on_cpu: std::time::Duration::ZERO,
        queued: id,
        stack: None,
        limitation: String::new(),
    }
}

fn worker_stack(id: WorkerId, task: Option<TaskId>, at: Stamp) -> WorkerStack {
    WorkerStack { id, thread: None, doing: Doing::Running, task, at, stack: Some(Arc::new(Stack::default())) }
}

fn panic(task: TaskId, at: Stamp) -> Panic {
    let place = SourcePlace { file: "src/parse.rs".into(), line: 40, column: 9 };
    Panic { task, message: "bad line".into(), place, at, task_name: String::new(), spawned_at: None }
}
