//! Tasks: what was reported of each, and what follows from that at a given instant.

pub(super) mod rare;
pub(super) mod rate;
pub(super) mod recent;
mod task;

pub use rate::{Rate, SPARK_SECONDS, Spark};
pub use recent::{Pulse, Scheduling};
pub use task::{LONG_POLL, Origin, Task};

#[cfg(test)]
mod tests;
