//! Tasks and locks as findings name them.

use super::{LockRef, TaskRef, WaitRef, finding::RELATED_MOST};
use crate::model::{Model, Op, ResourceId, Stamp, Task, TaskId};
use std::time::Duration;

/// A task by its row.
pub fn task(model: &Model, task: &Task) -> TaskRef {
    TaskRef {
        id: task.id,
        number: task.number().map(std::num::NonZero::get),
        name: model.task_name(task).to_owned(),
        kind: task.kind.name(),
        place: model.place(task.place).to_string(),
    }
}

/// A task by its id, also one that the target never announced.
pub fn task_by_id(model: &Model, id: TaskId) -> TaskRef {
    model.tasks().get(id).map_or_else(
        || TaskRef { id, number: None, name: String::new(), kind: "task", place: "<unknown location>".into() },
        |row| task(model, row),
    )
}

/// A lock by its id.
pub fn lock(model: &Model, id: ResourceId) -> LockRef {
    let found = model.lock(id);
    LockRef {
        id,
        kind: found.map_or("lock", |(_, lock)| lock.kind.name()),
        place: found
            .map_or_else(|| "<unknown location>".into(), |(resource, _)| model.place(resource.place).to_string()),
    }
}

/// Who waits, first come first, and how many there are.
pub fn waiters(model: &Model, waiters: &[&Op], now: Stamp) -> Vec<WaitRef> {
    waiters
        .iter()
        .take(RELATED_MOST)
        .filter_map(|op| {
            let waited = op.created.map_or(Duration::ZERO, |created| now.since(created));
            Some(WaitRef { task: task_by_id(model, op.task?), waited })
        })
        .collect()
}
