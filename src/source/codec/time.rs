//! Times and durations: protobuf allows what no clock tells.

use crate::update::{DecodeIssues, Stamp};
use std::time::Duration;

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// An instant. One before 1970, after 2554, or with a fraction that is none is counted and left out.
pub(super) fn stamp(at: Option<prost_types::Timestamp>, issues: &mut DecodeIssues) -> Option<Stamp> {
    let at = at?;
    let nanos = whole_nanos(at.seconds, at.nanos);
    issues.bad_time += u64::from(nanos.is_none());
    nanos.map(Stamp::from_nanos)
}

/// A duration. One that is absent is zero, since a subscriber that is older than a field does not send it; one that is
/// negative or out of range is zero too, and counted.
pub(super) fn duration(duration: Option<prost_types::Duration>, issues: &mut DecodeIssues) -> Duration {
    let Some(duration) = duration else {
        return Duration::ZERO;
    };
    let nanos = whole_nanos(duration.seconds, duration.nanos);
    issues.bad_time += u64::from(nanos.is_none());
    Duration::from_nanos(nanos.unwrap_or(0))
}

/// A time without which an entry says nothing.
pub(super) fn needed(at: Option<prost_types::Timestamp>, issues: &mut DecodeIssues) -> Option<Stamp> {
    issues.missing_field += u64::from(at.is_none());
    stamp(at, issues)
}

/// The reverse of [`stamp`].
pub(super) fn timestamp(at: Stamp) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: (at.nanos() / NANOS_PER_SECOND).cast_signed(),
        nanos: i32::try_from(at.nanos() % NANOS_PER_SECOND).unwrap_or_default(),
    }
}

/// The reverse of [`duration`].
pub(super) fn encode_duration(duration: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        nanos: duration.subsec_nanos().cast_signed(),
    }
}

fn whole_nanos(seconds: i64, nanos: i32) -> Option<u64> {
    let nanos = u64::try_from(nanos).ok().filter(|nanos| *nanos < NANOS_PER_SECOND)?;
    let seconds = u64::try_from(seconds).ok()?;
    seconds.checked_mul(NANOS_PER_SECOND)?.checked_add(nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64, nanos: i32) -> (Option<u64>, u64) {
        let mut issues = DecodeIssues::default();
        let stamp = stamp(Some(prost_types::Timestamp { seconds, nanos }), &mut issues);
        (stamp.map(Stamp::nanos), issues.bad_time)
    }

    #[test]
    fn instants_that_no_clock_tells_are_counted() {
        assert_eq!(at(1, 5), (Some(1_000_000_005), 0));
        assert_eq!(at(0, 0), (Some(1), 0));
        assert_eq!(at(-1, 0), (None, 1));
        assert_eq!(at(1, -1), (None, 1));
        assert_eq!(at(1, 1_000_000_000), (None, 1));
        assert_eq!(at(i64::MAX, 0), (None, 1));
        assert_eq!(stamp(None, &mut DecodeIssues::default()), None);
    }

    #[test]
    fn durations_are_never_negative() {
        let mut issues = DecodeIssues::default();
        let mut of = |seconds, nanos| duration(Some(prost_types::Duration { seconds, nanos }), &mut issues);
        assert_eq!(of(2, 500_000_000), Duration::from_millis(2_500));
        assert_eq!(of(-2, -500_000_000), Duration::ZERO);
        assert_eq!(of(i64::MIN, i32::MIN), Duration::ZERO);
        assert_eq!(issues.bad_time, 2);
        assert_eq!(duration(None, &mut issues), Duration::ZERO);
        assert_eq!(issues.bad_time, 2);
    }
}
