//! Histograms of durations, in the `HdrHistogram` V2 encoding.
//!
//! `hdrhistogram` decodes them. It trusts the encoding in three ways that a peer could use, so each is checked first: it
//! allocates what the header asks for, it negates a run of empty slots unchecked, and it adds counts unchecked when it
//! is read. The compressed encoding, which no subscriber sends, could also unfold without bound, and is refused.

use crate::update::Histogram;
use console_api::tasks::DurationHistogram;
use hdrhistogram::serialization::Deserializer;

/// The first four bytes of the V2 encoding, as `hdrhistogram` writes it.
const V2_COOKIE: u32 = 0x1c84_9313;

/// Bytes before the counts: cookie, length, offset, digits, lowest and highest value, ratio.
const HEADER: usize = 40;

/// Subscribers use two significant digits. Three take at most half a megabyte, five would take fifty.
const MAX_DIGITS: u32 = 3;

/// More slots than any histogram of three digits has.
const MAX_SLOTS: u64 = 1 << 17;

/// A histogram as subscribers since console-api 0.4 send it. A value over the maximum is counted as an outlier and also
/// recorded *as* the maximum; here it is counted once, as an outlier.
pub(super) fn durations(told: &DurationHistogram) -> Option<Histogram> {
    let mut buckets = buckets(&told.raw_histogram)?;
    if let Some((bound, count)) = buckets.last_mut()
        && *bound >= told.max_value
    {
        *count = count.saturating_sub(told.high_outliers);
        if *count == 0 {
            buckets.pop();
        }
    }
    Some(Histogram { buckets, outliers: told.high_outliers, largest_outlier: told.highest_outlier })
}

/// A histogram as older subscribers send it: without outliers.
pub(super) fn legacy(bytes: &[u8]) -> Option<Histogram> {
    Some(Histogram { buckets: buckets(bytes)?, outliers: 0, largest_outlier: None })
}

fn buckets(bytes: &[u8]) -> Option<Vec<(u64, u64)>> {
    if !is_harmless(bytes) {
        return None;
    }
    let histogram = Deserializer::new().deserialize::<u64, _>(&mut &*bytes).ok()?;
    let buckets = histogram.iter_recorded().map(|step| (step.value_iterated_to(), step.count_at_value())).collect();
    Some(buckets)
}

/// Whether this can be handed to the decoder. It may still turn out to be no histogram.
fn is_harmless(bytes: &[u8]) -> bool {
    let Some((header, counts)) = bytes.split_first_chunk::<HEADER>() else {
        return false;
    };
    let word = |at: usize| header[at..].first_chunk().map_or(u32::MAX, |word| u32::from_be_bytes(*word));
    word(0) == V2_COOKIE && word(4) as usize == counts.len() && word(12) <= MAX_DIGITS && are_harmless(counts)
}

/// Each number is a count, or, negative, a run of empty slots.
fn are_harmless(mut counts: &[u8]) -> bool {
    let (mut slots, mut total) = (0_u64, 0_u64);
    while let Some(number) = number(&mut counts) {
        let (run, count) = match u64::try_from(number) {
            Ok(count) => (1, count),
            Err(_) => (number.unsigned_abs(), 0),
        };
        let sums = slots.checked_add(run).zip(total.checked_add(count));
        match sums {
            Some(sums) if sums.0 <= MAX_SLOTS => (slots, total) = sums,
            _ => return false,
        }
    }
    counts.is_empty()
}

/// Takes a zigzag LEB128 number of at most nine bytes, of which the ninth has all its eight bits. `None` at the end, with
/// what is left of a number that is cut short still there.
fn number(counts: &mut &[u8]) -> Option<i64> {
    let mut value = 0_u64;
    for (index, byte) in counts.iter().take(9).enumerate() {
        let (bits, ends) = if index == 8 { (*byte, true) } else { (byte & 0x7f, byte & 0x80 == 0) };
        value |= u64::from(bits) << (7 * index);
        if ends {
            *counts = &counts[index + 1..];
            return Some((value >> 1) as i64 ^ -((value & 1) as i64));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use hdrhistogram::serialization::{Serializer, V2DeflateSerializer, V2Serializer};
    use proptest::prelude::*;

    const SECOND: u64 = 1_000_000_000;

    fn of(values: &[u64]) -> hdrhistogram::Histogram<u64> {
        let mut histogram = hdrhistogram::Histogram::new_with_max(SECOND, 2).expect("valid bounds");
        for value in values {
            histogram.record(*value).expect("within bounds");
        }
        histogram
    }

    fn encode(histogram: &hdrhistogram::Histogram<u64>) -> Vec<u8> {
        let mut bytes = Vec::new();
        V2Serializer::new().serialize(histogram, &mut bytes).expect("a vector takes everything");
        bytes
    }

    #[test]
    fn what_a_subscriber_sends_is_read() {
        let bytes = encode(&of(&[10, 10, 1_000_000]));
        let read = legacy(&bytes).expect("a histogram");
        assert_eq!(read.buckets, [(10, 2), (1_003_519, 1)]);
        assert_eq!(legacy(&encode(&of(&[]))), Some(Histogram::default()));
    }

    #[test]
    fn an_outlier_is_counted_once() {
        let told = DurationHistogram {
            raw_histogram: encode(&of(&[10, SECOND, SECOND])),
            max_value: SECOND,
            high_outliers: 2,
            highest_outlier: Some(5 * SECOND),
        };
        let read = durations(&told).expect("a histogram");
        assert_eq!(read.buckets, [(10, 1)]);
        assert_eq!((read.outliers, read.largest_outlier), (2, Some(5 * SECOND)));
    }

    #[test]
    fn a_header_that_asks_for_much_is_refused() {
        let good = encode(&of(&[10]));
        assert!(legacy(&good).is_some());
        let with = |at: usize, word: u32| {
            let mut bytes = good.clone();
            bytes[at..at + 4].copy_from_slice(&word.to_be_bytes());
            bytes
        };
        assert_eq!(legacy(&with(4, u32::MAX)), None, "a payload of 4 GiB");
        assert_eq!(legacy(&with(12, 5)), None, "five significant digits");
        assert_eq!(legacy(&with(0, 0)), None, "another cookie");
        assert_eq!(legacy(&good[..20]), None, "half a header");

        let mut bomb = Vec::new();
        V2DeflateSerializer::new().serialize(&of(&[10]), &mut bomb).expect("a vector takes everything");
        assert_eq!(legacy(&bomb), None, "compressed");
    }

    #[test]
    fn counts_that_would_overflow_are_refused() {
        let with_counts = |counts: &[u8]| {
            let mut bytes = encode(&of(&[]));
            bytes.truncate(HEADER);
            bytes[4..8].copy_from_slice(&(counts.len() as u32).to_be_bytes());
            bytes.extend(counts);
            legacy(&bytes)
        };
        assert_eq!(with_counts(&[0xff; 9]), None, "a run of 2^63 slots");
        let most = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(with_counts(&most).map(|read| read.buckets), Some(vec![(0, i64::MAX as u64)]));
        assert_eq!(with_counts(&[most; 3].concat()), None, "a total past 2^64");
        assert_eq!(with_counts(&[0x80]), None, "half a number");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(mut bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = legacy(&bytes);
            // Past the first checks, so that the decoder itself is reached.
            if bytes.len() >= HEADER {
                let length = (bytes.len() - HEADER) as u32;
                bytes[..4].copy_from_slice(&V2_COOKIE.to_be_bytes());
                bytes[4..8].copy_from_slice(&length.to_be_bytes());
                bytes[8..12].fill(0);
                bytes[12..15].fill(0);
                bytes[15] %= 4;
                bytes[32..40].copy_from_slice(&1_f64.to_be_bytes());
                let _ = legacy(&bytes);
            }
        }

        #[test]
        fn what_was_recorded_is_counted(values in proptest::collection::vec(0..=SECOND, 0..50)) {
            let read = legacy(&encode(&of(&values))).expect("a histogram");
            let total: u64 = read.buckets.iter().map(|(_, count)| count).sum();
            prop_assert_eq!(total, values.len() as u64);
            prop_assert!(read.buckets.is_sorted_by(|a, b| a.0 < b.0));
        }
    }
}
