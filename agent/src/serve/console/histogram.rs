//! A task's histograms as the console has them: HDR histograms in its V2 format.

use crate::view::{Bucket, Histogram, Histograms};
use console_api::tasks::{DurationHistogram, TaskDetails, task_details::PollTimesHistogram};
use hdrhistogram::serialization::{Serializer, V2Serializer};

/// The largest value that such a histogram has; what is longer is counted apart. The console's own default.
const MAX_NANOS: u64 = 1_000_000_000;

/// Significant figures, as in the console.
const FIGURES: u8 = 2;

/// One message about one task, without its time.
pub(crate) fn details(task: u64, histograms: &Histograms) -> TaskDetails {
    TaskDetails {
        task_id: Some(task.into()),
        now: None,
        scheduled_times_histogram: serialized(&histograms.scheduled),
        poll_times_histogram: serialized(&histograms.polls).map(PollTimesHistogram::Histogram),
    }
}

/// `None` where it cannot be written, of which no case is known.
fn serialized(histogram: &Histogram) -> Option<DurationHistogram> {
    let mut hdr = hdrhistogram::Histogram::<u64>::new_with_max(MAX_NANOS, FIGURES).ok()?;
    let (mut high_outliers, mut highest_outlier) = (0, None);
    for Bucket { middle, count, .. } in &histogram.buckets {
        let nanos = u64::try_from(middle.as_nanos()).unwrap_or(u64::MAX);
        if nanos > MAX_NANOS {
            high_outliers += count;
            highest_outlier = highest_outlier.max(Some(nanos));
        }
        hdr.record_n(nanos.min(MAX_NANOS), *count).ok()?;
    }
    let mut raw_histogram = Vec::new();
    V2Serializer::new().serialize(&hdr, &mut raw_histogram).ok()?;
    Some(DurationHistogram { raw_histogram, max_value: MAX_NANOS, high_outliers, highest_outlier })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hdrhistogram::serialization::Deserializer;
    use std::time::Duration;

    #[test]
    fn what_is_written_is_read_back_and_what_is_too_long_is_counted_apart() {
        let buckets = [(Duration::from_micros(10), 3), (Duration::from_millis(5), 2), (Duration::from_secs(7), 1)];
        let bucket = |(middle, count)| Bucket { middle, longest: None, count };
        let written = serialized(&Histogram { buckets: buckets.map(bucket).to_vec() }).unwrap();
        let read: hdrhistogram::Histogram<u64> =
            Deserializer::new().deserialize(&mut written.raw_histogram.as_slice()).unwrap();
        assert_eq!(read.len(), 6);
        assert_eq!(read.count_at(10_000), 3);
        assert_eq!(read.count_at(5_000_000), 2);
        assert_eq!(read.count_at(MAX_NANOS), 1);
        assert_eq!((written.high_outliers, written.highest_outlier), (1, Some(7_000_000_000)));
        assert_eq!(written.max_value, MAX_NANOS);
    }

    #[test]
    fn a_task_that_was_never_polled_has_empty_ones() {
        let details = details(7, &Histograms::default());
        assert_eq!(details.task_id.unwrap().id, 7);
        assert_eq!(details.scheduled_times_histogram.unwrap().high_outliers, 0);
        assert!(details.poll_times_histogram.is_some());
    }
}
