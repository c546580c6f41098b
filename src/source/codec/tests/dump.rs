//! All that a model says, in lines: rows by id, names and places as texts, since the order in which those were met is no fact.

use crate::model::{Attr, Model, Task};
use std::fmt::Write;

/// Adds what a model says.
pub(super) fn dump(model: &Model, out: &mut String) {
    let mut say = |line: String| {
        let _ = writeln!(out, "{line}");
    };
    let health = model.health();
    say(format!(
        "now {:?} settled {:?} attached {:?} {:?}",
        model.now(),
        model.settled(),
        model.attached(),
        model.counts()
    ));
    say(format!(
        "dropped {:?} {:?} updates {} told {:?} lag {:?} {:?} {:?} unannounced {} {}",
        health.dropped,
        health.dropped_at,
        health.updates,
        health.told_until,
        health.lag,
        health.worst_lag,
        health.lagged_at,
        health.unannounced_tasks,
        health.unannounced_in_ops
    ));
    sorted(model.tasks().iter().map(|task| (task.id(), self::task(model, task))), &mut say);
    sorted(model.resources().iter().map(|(_, resource)| (resource.id, self::resource(model, resource))), &mut say);
    let op = |op: &crate::model::Op| {
        format!(
            "{:?} of {:?} on {:?} {} {:?} {:?} by {:?} {:?} {} {:?}",
            op.id,
            op.parent,
            op.resource,
            model.text(op.source),
            op.created,
            op.dropped,
            op.task,
            op.polls,
            attributes(model, &op.attributes),
            op.outcome
        )
    };
    sorted(model.ops().iter().map(|(_, row)| (row.id, op(row))), &mut say);
    sorted(
        model.spawns().iter().map(|(place, spawns)| (model.place(place).to_string(), format!("{spawns:?}"))),
        &mut say,
    );
    let agent = model.agent();
    say(format!("runtimes {:?}", agent.runtimes()));
    say(format!("workers {:?}", agent.workers()));
    say(format!("stalls {:?}", agent.stalls().collect::<Vec<_>>()));
    let asked: Vec<_> = agent.workers().iter().map(|worker| agent.asked_of(worker.stats.id)).collect();
    say(format!("asked {asked:?}"));
    say(format!("losses {:?}", agent.losses()));
    for panicked in model.panics() {
        say(format!(
            "{:?} {} {:?}",
            panicked.panic,
            model.place(panicked.location()),
            panicked.known.as_ref().map(|known| &known.name)
        ));
    }
}

fn sorted<K: Ord + std::fmt::Debug>(rows: impl Iterator<Item = (K, String)>, say: &mut impl FnMut(String)) {
    let mut rows: Vec<(K, String)> = rows.collect();
    rows.sort();
    for (key, row) in rows {
        say(format!("{key:?}: {row}"));
    }
}

fn task(model: &Model, task: Task) -> String {
    let now = model.now().unwrap_or(crate::update::Stamp::MIN);
    let fields: Vec<_> = model.extra_fields(&task).collect();
    let mut waits: Vec<_> = model.waits_of(task.id()).map(|op| op.id).collect();
    waits.sort_unstable();
    format!(
        "{} {:?} {:?} {} {} {} {:?} {:?} {:?} confirmed {:?} polls {:?} {:?} {:?} {} rate {} load {} {:?} {fields:?} waits {waits:?} {:?} {:?}",
        model.task_name(&task),
        task.kind(),
        task.number(),
        model.place(task.place()),
        task.size(),
        task.original_size(),
        task.origin(),
        task.state(),
        task.stats(),
        task.confirmed(),
        task.longest_poll(),
        task.longest_at(),
        task.long_busy(),
        task.long_polls(),
        task.poll_rate(now),
        task.load(now),
        task.recent_scheduling(now),
        model.agent().facts(task.id()),
        model.agent().spans(task.id()),
    )
}

fn resource(model: &Model, resource: &crate::model::Resource) -> String {
    let mut parts = resource.parts.clone();
    parts.sort_unstable();
    let mut ops: Vec<_> = model.ops_on(resource).map(|op| op.id).collect();
    ops.sort_unstable();
    format!(
        "number {} of {:?} parts {parts:?} {} {} {} {} {} {:?} {:?} {} changed {:?} ops {ops:?} lock {:?} waiters {:?} {} unknown {:?}",
        resource.number,
        resource.parent,
        model.text(resource.kind),
        model.text(resource.concrete_type),
        model.text(resource.target),
        model.place(resource.place),
        resource.internal,
        resource.created,
        resource.dropped,
        attributes(model, &resource.attributes),
        resource.changed_after,
        resource.lock,
        model.waiters(resource.id),
        model.waiters_count(resource.id),
        model.unknown_holder(resource.id),
    )
}

fn attributes(model: &Model, attributes: &[Attr]) -> String {
    let said = |attribute: &Attr| {
        format!("{}={:?}{}", model.text(attribute.name), attribute.value, model.text(attribute.unit))
    };
    format!("{:?}", attributes.iter().map(said).collect::<Vec<_>>())
}
