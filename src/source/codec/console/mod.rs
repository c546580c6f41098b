//! The console's format, which is only read: one entry → one plain type.

pub(super) mod field;
mod histogram;
pub(super) mod op;
pub(super) mod resource;
mod schema;
pub(super) mod task;

pub(in crate::source) use schema::Console;
pub use schema::decode;
pub(in crate::source) use task::task_details;

use super::{text, time};
use crate::update::{DecodeIssues, PollStats};
use console_api as api;
use time::stamp;

/// An id from a message of its own. Zero is what protobuf makes of an id that was not sent, and no span has it.
fn id(id: Option<api::Id>) -> Option<u64> {
    id.map(|id| id.id).filter(|id| *id != 0)
}

fn poll_stats(stats: &api::PollStats, issues: &mut DecodeIssues) -> PollStats {
    PollStats {
        count: stats.polls,
        last_started: stamp(stats.last_poll_started, issues),
        last_ended: stamp(stats.last_poll_ended, issues),
        busy: time::duration(stats.busy_time, issues),
    }
}
