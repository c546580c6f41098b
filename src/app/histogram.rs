//! How long something took, over all the times that it was measured: percentiles, and bins that a screen has room for.

use crate::{
    model::{HOLD_BUCKETS, HoldTimes},
    update::Histogram,
};
use std::time::Duration;

/// The percentiles that are shown.
pub const PERCENTS: [u8; 7] = [10, 25, 50, 75, 90, 95, 99];

/// Measured durations, counted in buckets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Distribution {
    /// The upper bound of each bucket in nanoseconds and the count in it, ascending, none empty.
    buckets: Vec<(u64, u64)>,
    /// Values that were too long for a bucket.
    pub outliers: u64,
    /// The longest of all, where it is known.
    pub longest: Option<Duration>,
    grain: Grain,
}

/// What a percentile is known to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Percentile {
    /// At most this, and close to it.
    AtMost(Duration),
    /// Among the outliers: longer than this.
    Over(Duration),
}

/// A bar of a histogram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bin {
    /// The values in it are at most this; `None` for the outliers.
    pub at_most: Option<Duration>,
    /// How many there are.
    pub count: u64,
}

/// Where bins may end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Grain {
    /// 1, 2, 5, 10, 20, 50, … nanoseconds: for buckets that are finer than that.
    #[default]
    Decimal,
    /// 1, 2, 4, 8, … microseconds, as the buckets themselves do.
    Doublings,
}

impl Grain {
    /// How many edges a bin may span, the finest first.
    fn steps(self) -> &'static [usize] {
        match self {
            Self::Decimal => &[1, 3, 6],
            Self::Doublings => &[1, 2, 4, 8],
        }
    }

    /// An edge in nanoseconds, by its number.
    fn edge(self, number: usize) -> u64 {
        match self {
            Self::Decimal => {
                let decade = 10_u64.saturating_pow((number / 3) as u32);
                decade.saturating_mul([1, 2, 5][number % 3])
            }
            Self::Doublings => 2_u64.saturating_pow(number as u32).saturating_mul(1_000),
        }
    }

    /// The number of the first edge, of those that are `step` apart, that a value does not pass.
    fn bin(self, nanos: u64, step: usize) -> usize {
        // The last edge is as large as a number can be.
        (0..64).find(|&bin| self.edge(bin * step) >= nanos).unwrap_or(64)
    }
}

impl Distribution {
    /// What a target's histogram says.
    pub fn of_histogram(histogram: &Histogram) -> Self {
        let mut buckets: Vec<(u64, u64)> = histogram.buckets.iter().copied().filter(|&(_, count)| count > 0).collect();
        buckets.sort_unstable();
        let longest = histogram.largest_outlier.max(buckets.last().map(|&(upper, _)| upper));
        Self {
            buckets,
            outliers: histogram.outliers,
            longest: longest.map(Duration::from_nanos),
            grain: Grain::Decimal,
        }
    }

    /// What is known of how long a lock was held.
    pub fn of_hold_times(times: &HoldTimes) -> Self {
        let upper = |bucket: usize| 1_000_u64 << bucket.min(HOLD_BUCKETS);
        let counts = times.buckets.iter().enumerate().filter(|&(_, &count)| count > 0);
        let buckets: Vec<(u64, u64)> = counts.map(|(bucket, &count)| (upper(bucket), u64::from(count))).collect();
        let longest = (!buckets.is_empty()).then_some(times.longest);
        Self { buckets, outliers: 0, longest, grain: Grain::Doublings }
    }

    /// How many values there are, outliers included.
    pub fn count(&self) -> u64 {
        self.buckets.iter().fold(self.outliers, |sum, &(_, count)| sum.saturating_add(count))
    }

    /// The value that `percent` of all values do not pass; `None` where there is no value.
    pub fn percentile(&self, percent: u8) -> Option<Percentile> {
        let all = u128::from(self.count());
        let rank = (all * u128::from(percent)).div_ceil(100).max(1);
        let mut seen = 0;
        for &(upper, count) in &self.buckets {
            seen += u128::from(count);
            if seen >= rank {
                let bound = Duration::from_nanos(upper);
                return Some(Percentile::AtMost(self.longest.map_or(bound, |longest| bound.min(longest))));
            }
        }
        let largest = self.buckets.last().map_or(0, |&(upper, _)| upper);
        (self.outliers > 0).then_some(Percentile::Over(Duration::from_nanos(largest)))
    }

    /// At most `most` bins from the shortest to the longest value, empty ones between them included, and one for outliers if there are any.
    pub fn bins(&self, most: usize) -> Vec<Bin> {
        let outliers = (self.outliers > 0).then_some(Bin { at_most: None, count: self.outliers });
        let room = most.saturating_sub(usize::from(outliers.is_some()));
        let mut bins = self.grain.steps().iter().map(|&step| self.bins_of(step)).find(|bins| bins.len() <= room);
        if bins.is_none() {
            let mut coarse = self.grain.steps().last().map(|&step| self.bins_of(step)).unwrap_or_default();
            // Still too many: the shortest ones share the first bin.
            let excess = coarse.len() - room;
            let short = coarse.drain(..excess).fold(0_u64, |sum, bin| sum.saturating_add(bin.count));
            if let Some(first) = coarse.first_mut() {
                first.count = first.count.saturating_add(short);
            }
            bins = Some(coarse);
        }
        bins.into_iter().flatten().chain(outliers).take(most).collect()
    }

    fn bins_of(&self, step: usize) -> Vec<Bin> {
        let mut bins: Vec<Bin> = Vec::new();
        let Some(&(shortest, _)) = self.buckets.first() else { return bins };
        let first = self.grain.bin(shortest, step);
        for &(upper, count) in &self.buckets {
            let at = self.grain.bin(upper, step) - first;
            while bins.len() <= at {
                let edge = self.grain.edge((first + bins.len()) * step);
                bins.push(Bin { at_most: Some(Duration::from_nanos(edge)), count: 0 });
            }
            bins[at].count = bins[at].count.saturating_add(count);
        }
        bins
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn micros(micros: u64) -> Duration {
        Duration::from_micros(micros)
    }

    fn histogram(buckets: &[(u64, u64)], outliers: u64, largest: Option<u64>) -> Histogram {
        Histogram { buckets: buckets.to_vec(), outliers, largest_outlier: largest }
    }

    #[test]
    fn percentiles_count_the_outliers() {
        let values = Distribution::of_histogram(&histogram(&[(1_000, 50), (4_000, 45)], 5, Some(9_000_000)));
        assert_eq!(values.count(), 100);
        assert_eq!(values.percentile(50), Some(Percentile::AtMost(micros(1))));
        assert_eq!(values.percentile(95), Some(Percentile::AtMost(micros(4))));
        assert_eq!(values.percentile(99), Some(Percentile::Over(micros(4))));
        assert_eq!(values.longest, Some(micros(9_000)));
        assert_eq!(Distribution::default().percentile(50), None);
    }

    #[test]
    fn bins_have_round_edges_and_show_gaps() {
        let values = Distribution::of_histogram(&histogram(&[(1_500, 3), (15_000, 1)], 2, Some(60_000)));
        let edges: Vec<_> = values.bins(10).iter().map(|bin| (bin.at_most, bin.count)).collect();
        let at = |edge| Some(micros(edge));
        assert_eq!(edges, [(at(2), 3), (at(5), 0), (at(10), 0), (at(20), 1), (None, 2)]);
        let edges: Vec<_> = values.bins(3).iter().map(|bin| (bin.at_most, bin.count)).collect();
        assert_eq!(edges, [(at(10), 3), (at(100), 1), (None, 2)], "decades where there is less room");
    }

    #[test]
    fn hold_times_keep_their_own_edges() {
        let mut times = HoldTimes { longest: micros(900), ..HoldTimes::default() };
        times.buckets[0] = 1;
        times.buckets[10] = 4;
        let values = Distribution::of_hold_times(&times);
        assert_eq!(values.percentile(99), Some(Percentile::AtMost(micros(900))), "no value is over the longest one");
        let bins = values.bins(20);
        assert_eq!((bins.first(), bins.len()), (Some(&Bin { at_most: Some(micros(1)), count: 1 }), 11));
        assert_eq!(bins.last(), Some(&Bin { at_most: Some(micros(1_024)), count: 4 }));
    }

    proptest! {
        #[test]
        fn no_value_is_lost_between_bins(
            buckets in prop::collection::vec((any::<u64>(), 0..1_000_u64), 0..50),
            outliers in 0..10_u64,
            most in 2_usize..30,
        ) {
            let values = Distribution::of_histogram(&histogram(&buckets, outliers, None));
            let bins = values.bins(most);
            prop_assert!(bins.len() <= most);
            prop_assert_eq!(bins.iter().map(|bin| bin.count).sum::<u64>(), values.count());
            let percentiles: Vec<_> = PERCENTS.iter().filter_map(|&percent| values.percentile(percent)).collect();
            let bounds: Vec<_> = percentiles
                .iter()
                .map(|percentile| match percentile {
                    Percentile::AtMost(at) | Percentile::Over(at) => *at,
                })
                .collect();
            prop_assert!(bounds.is_sorted());
        }
    }
}
