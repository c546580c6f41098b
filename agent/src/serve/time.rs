//! Times and durations as the wire has them.

use crate::clock::Nanos;
use prost_types::{Duration, Timestamp};

pub(super) fn timestamp(at: Nanos) -> Timestamp {
    at.wall().into()
}

/// What is longer than the wire can say, some 292 billion years, is said as that.
pub(super) fn duration(duration: std::time::Duration) -> Duration {
    Duration { seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX), nanos: duration.subsec_nanos() as i32 }
}
