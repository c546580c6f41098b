//! What was measured of the locks that are made at one place, window by window.

use super::{
    ComparedPlace, LEAST, WINDOWS,
    join::{Joined, Pair, Placed},
    metric::{Compared, Measured, Metric, Thresholds},
    rule::Sample,
    watching::Side,
};
use crate::update::{Fact, Place};
use std::time::Duration;

/// The locks of one place, on one side.
#[derive(Debug, Clone)]
pub struct Locked {
    /// Where they are made.
    pub place: Place,
    /// `Mutex` or `RwLock`.
    pub kind: &'static str,
    /// Acquisitions, in all windows.
    pub acquisitions: u64,
    /// Values by measure, as [`Metric::OF_LOCKS`] has them. A window without acquisitions has no contended share.
    pub(super) samples: [Vec<Sample>; Metric::OF_LOCKS.len()],
}

/// What has happened since a window began.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Since {
    pub(super) acquisitions: u64,
    pub(super) contended: u64,
    pub(super) longest: Duration,
}

impl Locked {
    /// Locks that are seen first after some windows.
    pub(super) fn new(place: Place, kind: &'static str, windows: usize) -> Self {
        let zeros = vec![Sample::exact(0.0); windows];
        Self { place, kind, acquisitions: 0, samples: [zeros.clone(), Vec::new(), zeros] }
    }

    /// A window is over.
    pub(super) fn close(&mut self, since: &mut Since, seconds: f64) {
        let Since { acquisitions, contended, longest } = std::mem::take(since);
        let [taken, waited, longest_wait] = &mut self.samples;
        taken.push(Sample::exact(acquisitions as f64 / seconds));
        if acquisitions > 0 {
            waited.push(Sample::exact(contended as f64 / acquisitions as f64));
        }
        longest_wait.push(Sample::exact(longest.as_secs_f64()));
        self.acquisitions += acquisitions;
    }

    fn measured(&self, metric: usize, side: &Side) -> Measured {
        let needs = if Metric::OF_LOCKS[metric] == Metric::LongestWait { Fact::Locks } else { Fact::LockCounts };
        if !side.knows.has(needs) {
            return Measured::NotKnown(side.knows.why_not(needs));
        }
        if side.knows.has(Fact::LockCounts) && self.acquisitions < LEAST {
            return Measured::TooLittle;
        }
        Measured::of(side.windows, &self.samples[metric])
    }
}

impl Placed for Locked {
    fn place(&self) -> &Place {
        &self.place
    }

    fn known_by(&self) -> &'static str {
        ""
    }
}

pub(super) fn compare(pair: &Pair<Locked>, sides: [&Side; 2], thresholds: &Thresholds) -> ComparedPlace {
    let [before, after] = sides;
    let metrics = match (pair.before, pair.after) {
        (Some(was), Some(is)) => Metric::OF_LOCKS
            .into_iter()
            .enumerate()
            .map(|(at, metric)| Compared::new(metric, was.measured(at, before), is.measured(at, after), thresholds))
            .collect(),
        _ => Vec::new(),
    };
    let joined = pair.joined();
    let one = if joined == Joined::Gone { pair.before } else { pair.after };
    let is_long = [before, after].iter().all(|side| side.windows >= WINDOWS);
    ComparedPlace {
        place: one.map(|one| one.place.clone()).unwrap_or_default(),
        name: one.map(|one| one.kind.to_owned()).unwrap_or_default(),
        joined,
        is_enough: is_long && one.is_some_and(|one| one.acquisitions >= LEAST),
        metrics,
    }
}
