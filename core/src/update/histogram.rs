//! How long something took, how often.

use super::SourcePlace;

/// The lengths of a task's polls, or of its waits to be polled: buckets and outliers.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Histogram {
    /// Upper bound of each bucket in nanoseconds and the count in it, ascending, empty buckets left out.
    pub buckets: Vec<(u64, u64)>,
    /// Values over the histogram's maximum, counted apart.
    pub outliers: u64,
    /// The largest value over the maximum, in nanoseconds.
    pub largest_outlier: Option<u64>,
}

/// Durations of one kind, counted by doublings of a microsecond: `[0]` counts those of less than 1 µs, `[i]` those of less than 2^i µs and not less
/// than 2^(i-1) µs, and the last one all that are longer. What is not there is zero.
pub type Doublings = Vec<u64>;

/// How many doublings are told apart.
pub const DOUBLINGS: usize = 32;

/// How long the polls of all tasks of one spawn location took, and how long they waited for them: totals since the process began, tasks that have
/// ended included.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SpawnTimes {
    /// The location; `None` for all tasks whose locations are not told apart.
    pub place: Option<SourcePlace>,
    /// Polls that have ended.
    pub polls: Doublings,
    /// From being woken to being polled.
    pub waits: Doublings,
}
