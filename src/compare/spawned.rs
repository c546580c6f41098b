//! What was measured at one spawn location, window by window.

use super::{
    LEAST, WINDOWS,
    join::Placed,
    metric::{Measured, Metric},
    place::Watched,
    rule::Sample,
    watching::Side,
};
use crate::{
    model::Lengths,
    update::{Doublings, Fact, Place},
};

/// A spawn location on one side.
#[derive(Debug, Clone)]
pub struct Spawned {
    /// Where it is.
    pub place: Place,
    /// The function of its tasks, or the name that all of them have; empty where neither is known.
    pub name: String,
    /// Whether its tasks are called this and that.
    has_several: bool,
    /// Polls that were counted, in all windows.
    pub polls: u64,
    /// Polls, and waits, whose lengths were.
    pub lengths: [u64; 2],
    /// Values by measure, as [`Metric::OF_LOCATIONS`] has them. A window in which nothing was polled has no lengths.
    pub(super) samples: [Vec<Sample>; Metric::OF_LOCATIONS.len()],
}

/// What has happened since a window began, and what was known when it did.
#[derive(Debug, Clone, Default)]
pub(super) struct Since {
    pub(super) polls: u64,
    /// Nanoseconds in polls that have ended.
    pub(super) busy: u64,
    /// Nanoseconds of the polls that went on when the window began.
    pub(super) goes_on: u64,
    /// What was told of lengths then.
    pub(super) told: Lengths,
}

impl Spawned {
    /// One that is seen first after some windows: in those nothing was spawned there.
    pub(super) fn new(place: Place, windows: usize) -> Self {
        let zeros = vec![Sample::exact(0.0); windows];
        let samples = std::array::from_fn(|metric| if metric < 3 { zeros.clone() } else { Vec::new() });
        Self { place, name: String::new(), has_several: false, polls: 0, lengths: [0; 2], samples }
    }

    /// One of its tasks is called this; where they are called this and that, that says nothing of the location.
    pub(super) fn note_name(&mut self, name: &str) {
        if self.has_several || name.is_empty() || self.name == name {
            return;
        }
        self.has_several = !self.name.is_empty();
        self.name = if self.has_several { String::new() } else { name.to_owned() };
    }

    /// A window is over.
    pub(super) fn close(&mut self, since: &mut Since, now: Now<'_>) {
        let Now { seconds, live, goes_on, told } = now;
        let busy = since.busy.saturating_add(goes_on).saturating_sub(since.goes_on);
        let values = [live as f64, since.polls as f64 / seconds, busy as f64 / 1e9 / seconds];
        for (samples, value) in self.samples.iter_mut().zip(values) {
            samples.push(Sample::exact(value));
        }
        self.polls = self.polls.saturating_add(since.polls);
        if let Some(told) = told {
            let news = [(&told.polls, &since.told.polls), (&told.waits, &since.told.waits)];
            for (kind, (now, before)) in news.into_iter().enumerate() {
                let counts = grown(now, before);
                self.lengths[kind] = self.lengths[kind].saturating_add(sum(&counts));
                for (at, part) in [0.5, 0.99].into_iter().enumerate() {
                    self.samples[3 + 2 * kind + at].extend(percentile(&counts, part));
                }
            }
            since.told = told.clone();
        }
        (since.polls, since.busy, since.goes_on) = (0, 0, goes_on);
    }
}

impl Watched for Spawned {
    const METRICS: &'static [Metric] = &Metric::OF_LOCATIONS;

    fn name(&self) -> &str {
        &self.name
    }

    fn measured(&self, metric: usize, side: &Side) -> Measured {
        let windows = side.windows;
        let (needs, count): (&[Fact], u64) = match Metric::OF_LOCATIONS[metric] {
            Metric::Tasks => (&[], LEAST),
            Metric::PollMedian | Metric::PollLong => (&[Fact::SpawnTimes], self.lengths[0]),
            Metric::WaitMedian | Metric::WaitLong => (&[Fact::SpawnTimes, Fact::ScheduledTime], self.lengths[1]),
            _ => (&[Fact::Polls], self.polls),
        };
        match needs.iter().find(|fact| !side.knows.has(**fact)) {
            Some(unknown) => Measured::NotKnown(side.knows.why_not(*unknown)),
            None if count < LEAST => Measured::TooLittle,
            None => Measured::of(windows, &self.samples[metric]),
        }
    }

    fn is_much(&self, side: &Side) -> bool {
        let lived = self.samples[0].iter().filter(|live| live.least > 0.0).count();
        if side.knows.has(Fact::Polls) { self.polls >= LEAST } else { lived >= WINDOWS }
    }
}

/// What is known when a window is over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now<'a> {
    /// How long it was.
    pub(super) seconds: f64,
    /// Tasks that live.
    pub(super) live: u64,
    /// Nanoseconds of the polls that go on.
    pub(super) goes_on: u64,
    pub(super) told: Option<&'a Lengths>,
}

/// What was counted since: totals never shrink.
fn grown(now: &Doublings, before: &Doublings) -> Doublings {
    let then = before.iter().copied().chain(std::iter::repeat(0));
    now.iter().zip(then).map(|(now, then)| now.saturating_sub(then)).collect()
}

fn sum(counts: &Doublings) -> u64 {
    counts.iter().copied().fold(0, u64::saturating_add)
}

/// Between which bounds, in seconds, the length is that so large a part of all is no longer than; `None` of nothing.
fn percentile(counts: &Doublings, part: f64) -> Option<Sample> {
    let all = sum(counts);
    // The number of the one that is asked for, from 1.
    let wanted = (all as f64 * part).ceil() as u64;
    let mut counted = 0_u64;
    let doubling = counts.iter().position(|count| {
        counted = counted.saturating_add(*count);
        counted >= wanted && counted > 0
    })?;
    let bound = |doubling: i32| 1e-6 * 2_f64.powi(doubling);
    let doubling = i32::try_from(doubling).unwrap_or(i32::MAX);
    let is_last = doubling as usize + 1 >= crate::update::DOUBLINGS;
    Some(Sample {
        least: if doubling == 0 { 0.0 } else { bound(doubling - 1) },
        // Of what is longer than all that can be told apart nothing is known but that.
        most: if is_last { f64::MAX } else { bound(doubling) },
    })
}

impl Placed for Spawned {
    fn place(&self) -> &Place {
        &self.place
    }

    fn known_by(&self) -> &str {
        &self.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_between_the_bounds_of_its_doubling() {
        let mut counts = vec![0; 11];
        (counts[0], counts[3], counts[10]) = (1, 98, 1);
        let between = |part| percentile(&counts, part).map(|sample| (sample.least, sample.most));
        assert_eq!(between(0.01), Some((0.0, 1e-6)));
        assert_eq!(between(0.5), Some((4e-6, 8e-6)));
        assert_eq!(between(0.99), Some((4e-6, 8e-6)));
        assert_eq!(between(1.0), Some((512e-6, 1024e-6)));
        assert_eq!(percentile(&vec![0; 5], 0.5), None);
        let mut longest = vec![0; 32];
        longest[31] = 7;
        assert_eq!(percentile(&longest, 0.5).map(|sample| sample.most), Some(f64::MAX));
        assert_eq!(
            percentile(&vec![u64::MAX, 1], 0.99).map(|sample| sample.most),
            Some(1e-6),
            "more than can be counted"
        );
    }

    #[test]
    fn totals_that_shrank_count_nothing() {
        assert_eq!(grown(&vec![5, 1, 4], &vec![3, 2]), [2, 0, 4]);
    }
}
