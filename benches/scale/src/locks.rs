//! Mutexes, each held across an await: what console-subscriber would tell of them.

use crate::proto::{META, attribute, location};
use console_api::{
    MetaId, PollStats,
    async_ops::{self, AsyncOp, AsyncOpUpdate},
    field::Value,
    resources::{self, Resource, ResourceUpdate, resource},
    tasks,
};
use prost_types::Timestamp;
use std::time::{Duration, SystemTime};

/// Where the mutexes are made: as many lines of one file.
const LINES: u64 = 100;

/// A mutex for each of these tasks, taken in the poll after which it went to sleep.
pub(crate) fn held(holders: &[(u64, tasks::Stats)]) -> (ResourceUpdate, AsyncOpUpdate) {
    let (mut resources, mut ops) = (ResourceUpdate::default(), AsyncOpUpdate::default());
    for (nth, (task, stats)) in (0u64..).zip(holders) {
        let polls = stats.poll_stats.as_ref();
        let Some(begun) = polls.and_then(|polls| SystemTime::try_from(polls.last_poll_started?).ok()) else { continue };
        // The lock and the semaphore inside it; the operation on the one and that on the other.
        let (outer, inner) = (nth * 2 + 1, nth * 2 + 2);
        let created = Some(Timestamp::from(begun));
        let line = (nth % LINES) as u32 * 3 + 20;
        resources.new_resources.push(made("Mutex", outer, None, line));
        resources.new_resources.push(made("Semaphore", inner, Some(outer), line));
        let is = |attribute| resources::Stats { created_at: created, dropped_at: None, attributes: vec![attribute] };
        resources.stats_update.insert(outer, is(attribute("locked", Value::BoolVal(true))));
        resources.stats_update.insert(inner, is(attribute("permits", Value::U64Val(0))));
        ops.new_async_ops.push(asked("Mutex::lock", outer, None));
        ops.new_async_ops.push(asked("Acquire::new", inner, Some(outer)));
        let permits = ["permits_obtained", "permits_requested"].map(|name| attribute(name, Value::U64Val(1)));
        ops.stats_update.insert(outer, done(*task, begun, Vec::new()));
        ops.stats_update.insert(inner, done(*task, begun, permits.to_vec()));
    }
    (resources, ops)
}

fn made(kind: &str, id: u64, parent: Option<u64>, line: u32) -> Resource {
    Resource {
        id: Some(id.into()),
        metadata: Some(MetaId { id: META }),
        concrete_type: kind.into(),
        kind: Some(resource::Kind { kind: Some(resource::kind::Kind::Other("Sync".into())) }),
        location: Some(location("src/state.rs", line)),
        parent_resource_id: parent.map(Into::into),
        is_internal: parent.is_some(),
    }
}

/// An operation has the number of the resource that it is about.
fn asked(source: &str, resource: u64, parent: Option<u64>) -> AsyncOp {
    AsyncOp {
        id: Some(resource.into()),
        metadata: Some(MetaId { id: META }),
        source: source.into(),
        parent_async_op_id: parent.map(Into::into),
        resource_id: Some(resource.into()),
    }
}

/// An operation that got what it asked for at once: made, polled and dropped within the task's poll.
fn done(task: u64, begun: SystemTime, attributes: Vec<console_api::Attribute>) -> async_ops::Stats {
    let at = |micros| Some(Timestamp::from(begun + Duration::from_micros(micros)));
    async_ops::Stats {
        created_at: at(2),
        dropped_at: at(6),
        task_id: Some(task.into()),
        poll_stats: Some(PollStats {
            polls: 2,
            first_poll: at(2),
            last_poll_started: at(3),
            last_poll_ended: at(5),
            busy_time: Duration::from_micros(2).try_into().ok(),
        }),
        attributes,
    }
}
