//! Tasks: what was reported of each, and what follows from that at a given instant.

mod batch;
mod chunk;
mod rare;
mod rate;
mod recent;
mod report;
mod rest;
mod sparse;
mod table;
mod task;
mod written;

pub use batch::{Batch, Room};
pub use rate::{Rate, SPARK_SECONDS, Spark};
pub use recent::{Doings, Recent, Scheduling};
pub(super) use report::Delays;
pub use rest::Rest;
pub(super) use table::Announced;
pub use table::Tasks;
pub use task::{LONG_POLL, Origin, Task};

#[cfg(test)]
mod tests;
