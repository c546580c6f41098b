//! What a model says of everything that lives, row by row, as text: names and places as words, since the order in which a client met them is no
//! fact.

use holdup::model::{Attr, Lock, Model, Resource, Task};
use std::collections::BTreeMap;

/// Whose row it is: what kind of thing, and its id.
pub type Key = (&'static str, u64);

/// What is said of each.
pub type Rows = BTreeMap<Key, String>;

/// All that an agent tells of what lives. What a client makes of that itself (rates, since when it knows) is not in it.
pub fn rows(model: &Model) -> Rows {
    let mut rows = Rows::new();
    for task in model.tasks().iter().filter(|task| !task.has_ended()) {
        rows.insert(("task", task.id().0), self::task(model, &task));
    }
    for (_, resource) in model.resources().iter().filter(|(_, resource)| resource.dropped.is_none()) {
        rows.insert(("resource", resource.id.0), self::resource(model, resource));
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
        rows.insert(("operation", op.id.0), said);
    }
    rows
}

fn task(model: &Model, task: &Task) -> String {
    let agent = model.agent();
    let mut fields: Vec<_> = model.extra_fields(task).map(|field| format!("{field:?}")).collect();
    fields.sort_unstable();
    format!(
        "{:?} {:?} at {} of {} B ({}) {:?} {:?} {fields:?} in {:?} {:?}",
        model.task_name(task),
        task.kind(),
        model.place(task.place()),
        task.size(),
        task.original_size(),
        task.origin(),
        task.stats(),
        agent.spans(task.id()),
        agent.facts(task.id()),
    )
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
