//! The target as we know it. Pure: no I/O, no clock, no terminal. Time comes in with each update.

mod ids;
mod time;
pub mod update;

pub use ids::{MetaId, OpId, ResourceId, TaskId};
pub use time::{Stamp, nanos};
