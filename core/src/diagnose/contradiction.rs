//! Where two sources of one process contradict each other, one of them is of another instant: then nobody is accused of what is said
//! to be so at this one. This is the one place where that is decided, for every lint.

use super::{
    Lint,
    lint::{Cx, Judgement, Key, Report},
};
use crate::{
    model::{Resource, Task},
    update::TaskId,
};

/// What a lint speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// What is so at this instant, and may not be so at the next.
    Now,
    /// What has happened, or what something is: no other instant contradicts it.
    SoFar,
}

/// What is to be made of what a lint says of a task.
pub(super) fn of_task(cx: &Cx, lint: &Lint, task: &Task, judgement: Judgement) -> Judgement {
    let contradicted = matches!(judgement, Judgement::Fires(_)) && cx.model.sources_differ_on(task);
    unless(lint, contradicted.then_some(Judgement::AskAgain), judgement)
}

/// What is to be made of what a lint says of a lock.
pub(super) fn of_lock(cx: &Cx, lint: &Lint, lock: &Resource, judgement: Judgement) -> Judgement {
    let contradicted = matches!(judgement, Judgement::Fires(_)) && cx.model.sources_differ_on_lock(lock.id);
    unless(lint, contradicted.then_some(Judgement::AskAgain), judgement)
}

fn unless(lint: &Lint, contradicted: Option<Judgement>, judgement: Judgement) -> Judgement {
    contradicted.filter(|_| lint.when == When::Now).unwrap_or(judgement)
}

/// Whether what a lint reports of the whole stands.
pub(super) fn allows(cx: &Cx, lint: &Lint, report: &Report) -> bool {
    let differ = |id: TaskId| cx.model.tasks().get(id).is_some_and(|task| cx.model.sources_differ_on(&task));
    match report.key {
        Key::Task(task) if lint.when == When::Now => !differ(task),
        Key::Lock(lock) if lint.when == When::Now => !cx.model.sources_differ_on_lock(lock),
        _ => true,
    }
}
