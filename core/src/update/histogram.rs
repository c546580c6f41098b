//! How long something took, how often.

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
