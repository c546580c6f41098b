//! Queues for permits as an agent tells of them: since when nothing came back, who took what there is, and what these do meanwhile. Who
//! took a permit may have handed it on, so that none of it is ever more than likely.

use super::queues::{Doing, GoesOn};
use crate::{
    diagnose::{Evidence, RELATED_MOST, WaitRef, label, lint::Cx},
    model::{Model, Op, Resource, TaskState},
    number::{humanize, plural},
    update::{Permits, ResourceId, Stamp, TaskId},
};
use std::time::Duration;

/// Of so many operations of a task it is told what they wait for.
const WAITS_MOST: usize = 3;

/// A queue for permits that does not move.
pub(super) struct Queue<'m> {
    /// What the service's author knows it by.
    pub(super) subject: ResourceId,
    pub(super) permits: &'m Permits,
    pub(super) since: Stamp,
    pub(super) lasted: Duration,
    /// Who waits, first served first.
    pub(super) waiters: Vec<WaitRef>,
    pub(super) total: usize,
}

/// What permits are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Semaphore,
    /// The room of a channel.
    Room,
}

/// Those of which nothing came back for so long, while somebody waited. Where memory tells of them it knows more.
pub(super) fn standing<'m>(cx: &Cx<'m>, of: Of, least: Duration) -> Vec<Queue<'m>> {
    if !cx.model.memory().things().is_empty() {
        return Vec::new();
    }
    let model = cx.model;
    let rows = model.counted().filter_map(|id| model.resources().get(id));
    let is_of = |row: &&Resource| label::is_room(row) == (of == Of::Room);
    rows.filter(is_of).filter_map(|row| queue(cx, row, least)).collect()
}

fn queue<'m>(cx: &Cx<'m>, row: &'m Resource, least: Duration) -> Option<Queue<'m>> {
    let model = cx.model;
    let permits = row.permits.as_deref().filter(|_| row.dropped.is_none())?;
    let waits = |op: &&Op| op.is_waiting() && model.lacks_permits(op);
    let mut waiting: Vec<&Op> = model.ops_on(row).filter(waits).collect();
    waiting.sort_by_key(|op| (op.created, op.id));
    // The first of a queue is given whatever comes back.
    let since = waiting.first()?.created?.max(permits.returned.unwrap_or(Stamp::MIN));
    let lasted = cx.lasted(since, cx.settled);
    let waiter = |op: &&Op| {
        let waited = op.created.map(|created| cx.now.since(created));
        WaitRef { task: label::task_by_id(model, op.task.unwrap_or(TaskId::NONE)), waited }
    };
    (lasted >= least).then(|| Queue {
        subject: row.parent.unwrap_or(row.id),
        permits,
        since,
        lasted,
        waiters: waiting.iter().take(RELATED_MOST).map(waiter).collect(),
        total: waiting.len(),
    })
}

impl Queue<'_> {
    /// Who took all that there is and gave nothing back, as far as that is known.
    pub(super) fn takers(&self, cx: &Cx) -> Vec<Doing> {
        let taken: u64 = self.permits.taken.iter().map(|taken| taken.permits).fold(0, u64::saturating_add);
        if !self.permits.known || taken != self.permits.first || taken == 0 {
            return Vec::new();
        }
        let doing = |taken: &crate::update::Taken| {
            let mut doing = doing(cx, taken.task);
            let since = humanize(cx.now.since(taken.since));
            let count = plural(taken.permits, "permit");
            doing.words = format!("took {count} {since} ago and {}", doing.words);
            doing
        };
        self.permits.taken.iter().map(doing).collect()
    }

    /// Who received from a channel, as far as that is known, and what they do.
    pub(super) fn receivers(&self, cx: &Cx) -> Vec<Doing> {
        self.permits.givers.iter().rev().map(|giver| doing(cx, *giver)).collect()
    }
}

/// What somebody does, as the operations tell that they wait in.
fn doing(cx: &Cx, who: Option<TaskId>) -> Doing {
    let Some(id) = who else {
        let who = label::task_by_id(cx.model, TaskId::NONE);
        return Doing { who, words: "may do anything: it is no task".into(), goes_on: GoesOn::InTime };
    };
    let told = |words: &str, goes_on| Doing { who: label::task_by_id(cx.model, id), words: words.into(), goes_on };
    let Some(task) = cx.model.tasks().get(id).filter(|task| !task.has_ended()) else {
        return told("has ended", GoesOn::ByOthers);
    };
    match task.state() {
        TaskState::Running => return told("is being polled", GoesOn::Now),
        TaskState::Scheduled => return told("is woken and not polled yet", GoesOn::Now),
        _ => {}
    }
    let waits: Vec<&Op> = cx.model.waits_of(id).collect();
    let is_whole = |op: &&&Op| op.parent.is_none_or(|parent| waits.iter().all(|other| other.id != parent));
    let on: Vec<String> = waits.iter().filter(is_whole).take(WAITS_MOST).map(|op| in_words(cx.model, op)).collect();
    // A waker beyond that of the wait may be a timeout's, or a peer's.
    let by_others =
        |op: &Op| op.resource.and_then(|id| cx.model.resources().get(id)).is_some_and(|row| is_sync(cx, row));
    let is_bound = !on.is_empty() && task.wakers() <= 1 && waits.iter().all(|op| by_others(op));
    let goes_on = if is_bound { GoesOn::ByOthers } else { GoesOn::InTime };
    let words = if on.is_empty() { "sleeps".to_owned() } else { format!("waits in {}", on.join(" or ")) };
    told(&words, goes_on)
}

fn is_sync(cx: &Cx, row: &Resource) -> bool {
    cx.model.text(row.kind) == "Sync"
}

fn in_words(model: &Model, op: &Op) -> String {
    let source = model.text(op.source);
    let of = op.resource.map(|id| label::resource(model, id));
    match of {
        Some(of) if of.kind == label::ROOM => format!("the send to a channel ({source})"),
        Some(of) => format!("{source} of {}", of.place),
        None => source.to_owned(),
    }
}

/// What those do who took some, or received, as evidence.
pub(super) fn evidence(doing: &[Doing], name: &'static str) -> Vec<Evidence> {
    let each = doing.iter().take(4);
    each.map(|doing| Evidence::text(name, format!("{} {}", label::in_words(&doing.who), doing.words))).collect()
}
