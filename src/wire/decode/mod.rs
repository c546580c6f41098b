//! One entry of the console's wire format, or of an agent's reports → one plain type of the model. Total: every input gives a value or a count.
//!
//! Nothing here panics, allocates more than its input warrants, or fills a gap with a guess. What cannot be used is left
//! out and counted in [`DecodeIssues`]; an entry that is still of use without it is kept. This module must not know in
//! what order entries come, nor what came before.

mod histogram;
mod locks;
mod ops;
mod process;
mod report;
mod resources;
pub(super) mod rows;
mod tasks;
mod text;
mod time;

pub(super) use locks::{lock, stall};
pub(super) use ops::{new_op, op_stats};
pub(super) use process::process;
pub(super) use report::{loss, packed_ids, panic, runtime, spans, task_facts, worker};
pub(super) use resources::{new_resource, poll_op, resource_stats};
pub(super) use rows::details as agents_details;
pub(super) use tasks::{new_task, task_details, task_stats};
pub(super) use text::new_metadata;
pub(super) use time::stamp;

use crate::model::update::{DecodeIssues, PollStats};
use console_api as api;

/// An id from a message of its own. Zero is what protobuf makes of an id that was not sent, and no span has it.
fn id(id: Option<api::Id>) -> Option<u64> {
    id.map(|id| id.id).filter(|id| *id != 0)
}

/// An id without which an entry says nothing.
fn required(id: Option<u64>, issues: &mut DecodeIssues) -> Option<u64> {
    let id = id.filter(|id| *id != 0);
    issues.missing_id += u64::from(id.is_none());
    id
}

fn poll_stats(stats: &api::PollStats, issues: &mut DecodeIssues) -> PollStats {
    PollStats {
        count: stats.polls,
        last_started: stamp(stats.last_poll_started, issues),
        last_ended: stamp(stats.last_poll_ended, issues),
        busy: time::duration(stats.busy_time, issues),
    }
}
