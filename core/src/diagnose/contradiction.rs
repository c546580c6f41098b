//! Where two sources of one process contradict each other, one of them is of another instant: then nobody is accused of what is said
//! to be so at this one. Where a console contradicts itself, it has counted others for the task. This is the one place where that is
//! decided, for every lint.

use super::{
    Lint,
    lint::{Cx, Judgement, Key, Report},
};
use crate::{
    model::{Resource, Task},
    update::{Fact, TaskId, TaskKind},
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
    if !matches!(judgement, Judgement::Fires(_)) {
        return judgement;
    }
    if [Fact::Polls, Fact::Wakes].into_iter().any(|fact| lint.needs.has(fact)) && counts_others(cx, task) {
        return Judgement::Clear;
    }
    unless(lint, cx.model.sources_differ_on(task).then_some(Judgement::AskAgain), judgement)
}

/// Whether a console counts the polls of others, and their wakes, for the task's. It knows of a poll by the task's span, and whoever
/// takes `Span::current()` along may enter that: sqlx does so on threads of its own, as does a job that is to log as a part of what
/// began it.
fn counts_others(cx: &Cx, task: &Task) -> bool {
    goes_by_spans(cx, task) && task.has_polls_without_wakes()
}

/// Whether others, by whom a console takes the task to be in a poll, or to wait for one, may be what its state goes by.
pub(super) fn may_be_of_others(cx: &Cx, task: &Task) -> bool {
    goes_by_spans(cx, task) && (task.has_polls_without_wakes() || task.was_last_woken_within_a_poll())
}

/// An agent has no span that could be taken along, and `block_on` counts no wakes.
fn goes_by_spans(cx: &Cx, task: &Task) -> bool {
    let told = cx.model.told().facts();
    told.has(Fact::Wakes) && !told.has(Fact::Workers) && matches!(task.kind(), TaskKind::Task | TaskKind::Local)
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
