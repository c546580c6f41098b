//! What a model says of everything that lives, row by row, as text: names and places as words, since the order in which a client met them is no
//! fact.

use holdup::{
    model::{Attr, Lock, Model, Resource, Task},
    update::Stamp,
};
use std::collections::BTreeMap;

/// Whose row it is: what kind of thing, and its id.
pub type Key = (&'static str, u64);

/// What is said of each.
pub type Rows = BTreeMap<Key, Row>;

/// What is said of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    words: String,
    /// Numbers that never become less.
    grows: Vec<u64>,
}

impl Row {
    fn of(words: String) -> Self {
        Self { words, grows: Vec::new() }
    }

    /// Whether another client may have been told this, that had been told one and now is told the other: for two clients pages are not made at the
    /// same moment, and what moves all the time has moved on between them.
    pub fn is_between(&self, before: Option<&Self>, now: &Self) -> bool {
        let has_moved = |before: &Self| {
            let each = before.grows.iter().zip(&self.grows).zip(&now.grows);
            self.words == now.words && each.into_iter().all(|((before, this), now)| (before..=now).contains(&this))
        };
        self == now || before.is_some_and(has_moved)
    }
}

/// All that an agent tells of what lives. What a client makes of that itself (rates, since when it knows) is not in it.
pub fn rows(model: &Model) -> Rows {
    let mut rows = Rows::new();
    for task in model.tasks().iter().filter(|task| !task.has_ended()) {
        rows.insert(("task", task.id().0), self::task(model, &task));
    }
    for (_, resource) in model.resources().iter().filter(|(_, resource)| resource.dropped.is_none()) {
        rows.insert(("resource", resource.id.0), Row::of(self::resource(model, resource)));
    }
    for (_, op) in model.ops().iter().filter(|(_, op)| op.dropped.is_none()) {
        let said = format!(
            "{} of {:?} on {:?} since {:?} by {:?} {:?} {}",
            model.text(op.source),
            op.parent,
            op.resource,
            op.created,
            op.task,
            op.polls,
            attributes(model, &op.attributes),
        );
        rows.insert(("operation", op.id.0), Row::of(said));
    }
    rows
}

fn task(model: &Model, task: &Task) -> Row {
    let agent = model.agent();
    let mut fields: Vec<_> = model.extra_fields(task).map(|field| format!("{field:?}")).collect();
    fields.sort_unstable();
    let stats = task.stats();
    let words = format!(
        "{:?} {:?} at {} of {} B ({}) {:?} since {:?} {fields:?} in {:?} {:?}",
        model.task_name(task),
        task.kind(),
        model.place(task.place()),
        task.size(),
        task.original_size(),
        task.origin(),
        stats.created,
        agent.spans(task.id()),
        agent.facts(task.id()),
    );
    let polls = stats.polls;
    let stamps = [stats.last_wake, polls.last_started, polls.last_ended].map(|at| at.map_or(0, Stamp::nanos));
    let times = [polls.busy, stats.scheduled].map(|time| time.as_nanos() as u64);
    let counts = [polls.count, stats.wakes, stats.self_wakes, stats.waker_clones, stats.waker_drops];
    Row { words, grows: [&stamps[..], &times, &counts].concat() }
}

fn resource(model: &Model, resource: &Resource) -> String {
    format!(
        "{} {} {} of {:?} at {} internal {} since {:?} {} {}",
        model.text(resource.kind),
        model.text(resource.concrete_type),
        model.text(resource.target),
        resource.parent,
        model.place(resource.place),
        resource.internal,
        resource.created,
        attributes(model, &resource.attributes),
        resource.lock.as_deref().map(|told| lock(model, resource, told)).unwrap_or_default(),
    )
}

fn lock(model: &Model, resource: &Resource, lock: &Lock) -> String {
    let mut holds: Vec<_> =
        lock.holds.iter().map(|hold| (hold.acquire.task, hold.acquire.at, hold.acquire.access, hold.across)).collect();
    holds.sort_unstable_by_key(|(task, at, ..)| (*task, *at));
    format!("{:?} {:?} held by {holds:?}, {} wait", lock.kind, lock.state, model.waiters_count(resource.id))
}

fn attributes(model: &Model, attributes: &[Attr]) -> String {
    let said = |attr: &Attr| format!("{}={:?}{}", model.text(attr.name), attr.value, model.text(attr.unit));
    let mut all: Vec<_> = attributes.iter().map(said).collect();
    all.sort_unstable();
    all.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(words: &str, grows: &[u64]) -> Row {
        Row { words: words.to_owned(), grows: grows.to_vec() }
    }

    #[test]
    fn what_moves_may_be_between_what_another_was_told_and_nothing_else_may() {
        let (before, now) = (row("a", &[3, 7]), row("a", &[5, 7]));
        let is_told = |this: Row| this.is_between(Some(&before), &now);
        assert!(now.is_between(None, &now) && is_told(row("a", &[5, 7])) && is_told(row("a", &[4, 7])));
        assert!(!row("a", &[4, 7]).is_between(None, &now));
        for wrong in [row("a", &[2, 7]), row("a", &[6, 7]), row("a", &[4, 6]), row("b", &[4, 7])] {
            assert!(!is_told(wrong.clone()), "{wrong:?}");
        }
    }
}
