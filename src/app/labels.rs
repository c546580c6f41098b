//! Tasks and locks in words, as pages name them.

use crate::{
    diagnose::TaskRef,
    model::{Hold, Model},
    update::{ResourceId, TaskId},
};

/// A task in words: its number, its name where it has one, else its place.
pub fn task_name(task: &TaskRef) -> String {
    if task.id == TaskId::NONE {
        return match task.name.as_str() {
            "" => "a thread that runs no task".into(),
            name => format!("thread {name}"),
        };
    }
    let number = task.number.unwrap_or(task.id.0);
    if task.name.is_empty() {
        format!("{} {number} {}", task.kind, task.place)
    } else {
        format!("{} {number} {}", task.kind, task.name)
    }
}

/// A task in words: what it is, its number, and its name or else its place.
pub fn task_label(model: &Model, id: TaskId) -> String {
    if id == TaskId::NONE {
        return "a thread that runs no task".into();
    }
    let Some(task) = model.tasks().get(id) else {
        let number = id.unannounced_number().map_or(id.0, std::num::NonZero::get);
        return format!("task {number}, not announced");
    };
    if model.task_name(&task).is_empty() && !task.place().is_known() {
        return format!("{} {}, not announced", task.kind().name(), task.display_id());
    }
    task_name(&TaskRef {
        id,
        number: task.number().map(std::num::NonZero::get),
        name: model.task_name(&task).to_owned(),
        kind: task.kind().name(),
        place: model.place(task.place()).to_string(),
    })
}

/// A task in fewer words: its name, or else what it is and its number.
pub fn task_short(model: &Model, id: TaskId) -> String {
    match model.tasks().get(id) {
        Some(task) if !model.task_name(&task).is_empty() => model.task_name(&task).to_owned(),
        Some(task) => format!("{} {}", task.kind().name(), task.display_id()),
        None if id == TaskId::NONE => "a thread".into(),
        None => format!("task {id}"),
    }
}

/// Who holds a lock in as few words as possible: also by a guard that has outlived its task, of which no more may be known than that.
pub(crate) fn holder_short(model: &Model, hold: &Hold) -> String {
    let id = hold.acquire.task;
    match &hold.known {
        _ if !hold.outlived || model.tasks().get(id).is_some() => task_short(model, id),
        Some(known) if !known.name.is_empty() => known.name.clone(),
        _ => "an ended task".into(),
    }
}

/// The service's own spans around a task's latest poll, in one line; `None` where there are none.
pub fn span_label(model: &Model, id: TaskId) -> Option<String> {
    let spans = model.agent().spans(id);
    (!spans.is_empty()).then(|| spans.iter().map(ToString::to_string).collect::<Vec<_>>().join(" > "))
}

/// One who holds a lock, in words: a task, or a thread that runs none.
pub fn holder_label(model: &Model, hold: &Hold) -> String {
    match &hold.thread {
        Some(thread) if hold.acquire.task == TaskId::NONE => format!("thread {}", thread.name),
        _ => match &hold.known {
            // Its row may be gone.
            Some(known) => task_name(&TaskRef {
                id: hold.acquire.task,
                number: known.number.map(std::num::NonZero::get),
                name: known.name.clone(),
                kind: known.kind.name(),
                place: model.place(known.place).to_string(),
            }),
            None => task_label(model, hold.acquire.task),
        },
    }
}

/// A lock in words: what it is, its number, and where it was made. Of one place there may be many.
pub fn lock_label(model: &Model, id: ResourceId) -> String {
    match model.lock(id) {
        Some((resource, lock)) => format!("{} {} {}", lock.kind.name(), resource.number, model.place(resource.place)),
        None => format!("lock {id}"),
    }
}
