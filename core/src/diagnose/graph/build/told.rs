//! What instrumentation tells of what a task waits for.

use crate::{
    model::{Model, Op, TaskState},
    update::{ResourceId, Stamp, TaskId},
};

/// The lock that a task waits for, and since when, if that is all that could ever wake it, as instrumentation tells: it is asleep, every
/// operation that it waits on is a part of that acquire, and no more wakers are out than the acquire keeps. A branch of `select!` or
/// `join!`, or a timeout, shows as another operation or another waker.
pub(super) fn only_wait(model: &Model, id: TaskId) -> Option<(ResourceId, Stamp)> {
    let op = only_op(model, id)?;
    let lock = op.resource.filter(|lock| !model.sources_differ_on_wait(id, *lock))?;
    Some((lock, op.created?))
}

/// The same as an operation.
pub(in crate::diagnose::graph) fn only_op(model: &Model, id: TaskId) -> Option<&Op> {
    let task = model.tasks().get(id)?;
    if task.state() != TaskState::Idle || task.wakers() > 1 {
        return None;
    }
    let mut waits = model.waits_of(id).filter(|op| model.access(op).is_some());
    let wait = waits.next()?;
    let is_part = |op: &Op| op.id == wait.id || op.parent == Some(wait.id);
    (waits.next().is_none() && model.waits_of(id).all(is_part)).then_some(wait)
}
