//! Tasks and locks as findings name them.

use super::{
    Confidence, Evidence, LockRef, RuntimeRef, StackRef, TaskRef, WaitRef, WorkerRef, finding::RELATED_MOST,
    graph::Actor,
};
use crate::{
    model::{Basis, Hold, KnownTask, Model, Panicked, Resource, Runtime, Task},
    update::{
        ResourceId, RuntimeId, Stamp, TaskId, Waiting, WokenBy, WorkerId,
        look::{ThingId, ThingKind},
    },
};

/// A task by its row.
pub(super) fn task(model: &Model, task: &Task) -> TaskRef {
    TaskRef {
        id: task.id(),
        number: task.number().map(std::num::NonZero::get),
        name: model.task_name(task).to_owned(),
        kind: task.kind().name(),
        place: model.place(task.place()).to_string(),
    }
}

/// A task by its id, also one that the target never announced.
pub(super) fn task_by_id(model: &Model, id: TaskId) -> TaskRef {
    if id == TaskId::NONE {
        return thread_ref("");
    }
    model.tasks().get(id).map_or_else(
        || TaskRef {
            id,
            number: id.unannounced_number().map(std::num::NonZero::get),
            name: String::new(),
            kind: "task",
            place: "<unknown location>".into(),
        },
        |row| task(model, &row),
    )
}

/// A task that panicked: as it was while its row stood, for it is soon let go of.
pub(super) fn panicked(model: &Model, panicked: &Panicked) -> TaskRef {
    known(model, panicked.panic.task, panicked.known.as_ref())
}

/// A task whose row may be gone, by what is known of it beside.
fn known(model: &Model, id: TaskId, known: Option<&KnownTask>) -> TaskRef {
    known.map_or_else(
        || task_by_id(model, id),
        |known| TaskRef {
            id,
            number: known.number.map(std::num::NonZero::get),
            name: known.name.clone(),
            kind: known.kind.name(),
            place: model.place(known.place).to_string(),
        },
    )
}

/// One who holds a lock: a task, or a thread that runs none.
pub(super) fn holder(model: &Model, hold: &Hold) -> TaskRef {
    match hold.acquire.task {
        TaskId::NONE => thread_ref(hold.thread.as_ref().map_or("", |thread| &thread.name)),
        task => known(model, task, hold.known.as_deref()),
    }
}

/// Somebody who waits, or has what others wait for.
pub(super) fn actor(model: &Model, actor: Actor) -> TaskRef {
    match actor {
        Actor::Task(task) => task_by_id(model, task),
        Actor::Root(thread) => {
            let root = model.memory().whole().and_then(|whole| whole.roots.iter().find(|root| root.thread == thread));
            let future = root.map_or("", |root| &*root.future);
            TaskRef { kind: "block_on", place: format!("thread {thread}"), ..thread_ref(future) }
        }
    }
}

/// A thread that runs no task.
fn thread_ref(name: &str) -> TaskRef {
    TaskRef { id: TaskId::NONE, number: None, name: name.to_owned(), kind: "thread", place: String::new() }
}

/// A task in a few words: what it is, its number, and its name where it has one.
pub(super) fn in_words(task: &TaskRef) -> String {
    let number = task.number.or_else(|| (task.id != TaskId::NONE).then_some(task.id.0));
    let number = number.map_or_else(String::new, |number| format!(" {number}"));
    let name = if task.name.is_empty() { &task.place } else { &task.name };
    format!("{}{number} {name}", task.kind).trim_end().to_owned()
}

/// How sure it is who holds a lock.
pub(super) fn confidence(basis: Basis) -> Confidence {
    match basis {
        Basis::Exact => Confidence::Exact,
        Basis::Inferred => Confidence::Inferred,
        Basis::Likely => Confidence::Likely,
    }
}

/// What is told of those who hold a lock, beyond who they are: where they acquired it and where they sleep, and in which of
/// the service's spans they are.
pub(super) fn holds(model: &Model, holds: &[Hold]) -> (Vec<Evidence>, Vec<StackRef>) {
    let (mut evidence, mut stacks) = (Vec::new(), Vec::new());
    for hold in holds.iter().take(HOLDERS_MOST) {
        let of = holder(model, hold);
        // Of several it is said whose it is.
        let whose = if holds.len() > 1 { format!("{}: ", in_words(&of)) } else { String::new() };
        if let Some(span) = span(model, hold.acquire.task) {
            evidence.push(Evidence::text("span", format!("{whose}{span}")));
        }
        for (what, stack) in [("acquired", &hold.acquired_at), ("asleep", &hold.suspended_at)] {
            let Some(stack) = stack else { continue };
            if let Some(top) = stack.top() {
                let name = if what == "asleep" { "asleep at" } else { "acquired at" };
                evidence.push(Evidence::text(name, format!("{whose}{}", top.in_words())));
            }
            stacks.push(StackRef { what, of: Some(of.clone()), stack: stack.clone() });
        }
    }
    (evidence, stacks)
}

/// Of so many who hold a lock it is told how.
const HOLDERS_MOST: usize = 3;

/// The service's own spans around a task's latest poll, in one line; `None` where there are none.
pub(super) fn span(model: &Model, task: TaskId) -> Option<String> {
    let spans = model.agent().spans(task);
    (!spans.is_empty()).then(|| spans.iter().map(ToString::to_string).collect::<Vec<_>>().join(" > "))
}

/// Who woke a task, the latest first, in one line; `None` where that is not kept, or nobody did since.
pub fn woken_by(model: &Model, task: TaskId) -> Option<String> {
    let kept = model.agent().wakers(task)?;
    let by = |by| match by {
        WokenBy::Task(waker) if waker == task => "itself".to_owned(),
        WokenBy::Task(waker) => in_words(&task_by_id(model, waker)),
        WokenBy::Runtime => "the runtime: I/O, a timer or a turn that was yielded".to_owned(),
        WokenBy::Outside => "code outside of any task".to_owned(),
    };
    let mut said: Vec<String> =
        kept.wakers.iter().map(|waking| format!("{} ({})", by(waking.by), times(waking.count))).collect();
    if kept.others > 0 {
        said.push(format!("others before ({})", times(kept.others)));
    }
    (!said.is_empty()).then(|| said.join("; "))
}

fn times(count: u64) -> String {
    if count == 1 { "once".into() } else { format!("{count} times") }
}

/// A runtime by its id.
pub(super) fn runtime(model: &Model, id: RuntimeId) -> RuntimeRef {
    let name = model.agent().runtime(id).map_or_else(|| format!("runtime {}", id.0), Runtime::label);
    RuntimeRef { id, name }
}

/// A worker by its id.
pub(super) fn worker(model: &Model, id: WorkerId) -> WorkerRef {
    let thread = model.agent().worker(id).and_then(|worker| worker.stats.thread.as_ref());
    WorkerRef {
        id,
        runtime: runtime(model, id.runtime).name,
        thread: thread.map_or_else(String::new, |thread| thread.name.clone()),
    }
}

/// What the room of a channel is called.
pub(super) const ROOM: &str = ThingKind::Room.name();

/// Whether a semaphore is a channel's room: it is part of nothing that the service's author wrote down.
pub(super) fn is_room(semaphore: &Resource) -> bool {
    semaphore.internal && semaphore.parent.is_none()
}

/// Anything that is waited for, by its id.
pub(super) fn resource(model: &Model, id: ResourceId) -> LockRef {
    if model.lock(id).is_some() {
        return lock(model, id);
    }
    let thing = model.thing_of_row(id).or_else(|| model.memory().thing(ThingId(id.0)));
    let row = model.resources().get(id);
    let place = match (row, thing) {
        (Some(row), _) => model.place(row.place).to_string(),
        (None, Some(thing)) => thing.names.first().map_or_else(String::new, ToString::to_string),
        (None, None) => "<unknown location>".into(),
    };
    let kind = match (thing, row) {
        (Some(thing), _) => thing.kind.name(),
        (None, Some(row)) if model.text(row.concrete_type) == "Semaphore" => {
            if is_room(row) {
                ROOM
            } else {
                "Semaphore"
            }
        }
        (None, _) => "lock",
    };
    LockRef { id, number: model.resource_number(id), kind, place }
}

/// A lock by its id.
pub(super) fn lock(model: &Model, id: ResourceId) -> LockRef {
    let found = model.lock(id);
    LockRef {
        id,
        number: model.resource_number(id),
        kind: found.map_or("lock", |(_, lock)| lock.kind.name()),
        place: found
            .map_or_else(|| "<unknown location>".into(), |(resource, _)| model.place(resource.place).to_string()),
    }
}

/// Who waits, first come first, and how many there are.
pub(super) fn waiters(model: &Model, waiters: &[Waiting], now: Stamp) -> Vec<WaitRef> {
    waiters
        .iter()
        .take(RELATED_MOST)
        .map(|waiter| {
            let waited = waiter.since.map(|since| now.since(since));
            WaitRef { task: task_by_id(model, waiter.task.unwrap_or(TaskId::NONE)), waited }
        })
        .collect()
}
