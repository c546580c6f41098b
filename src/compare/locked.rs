//! What was measured of the locks that are made at one place, window by window.

use super::{
    LEAST,
    join::Placed,
    metric::{Measured, Metric},
    place::Watched,
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
    /// Those that had to wait.
    contended: u64,
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
        Self { place, kind, acquisitions: 0, contended: 0, samples: [zeros.clone(), Vec::new(), zeros] }
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
        self.acquisitions = self.acquisitions.saturating_add(acquisitions);
        self.contended = self.contended.saturating_add(contended).min(self.acquisitions);
    }
}

impl Watched for Locked {
    const METRICS: &'static [Metric] = &Metric::OF_LOCKS;

    fn name(&self) -> &str {
        self.kind
    }

    fn measured(&self, metric: usize, side: &Side) -> Measured {
        let needs = if Metric::OF_LOCKS[metric] == Metric::LongestWait { Fact::Locks } else { Fact::LockCounts };
        if !side.knows.has(needs) {
            return Measured::NotKnown(side.knows.why_not(needs));
        }
        if side.knows.has(Fact::LockCounts) && self.acquisitions < LEAST {
            return Measured::TooLittle;
        }
        match Measured::of(side.windows, &self.samples[metric]) {
            Measured::Enough(typical) if Metric::OF_LOCKS[metric] == Metric::Contended => {
                Measured::Enough(typical.counted(self.contended, self.acquisitions))
            }
            measured => measured,
        }
    }

    fn is_much(&self, _: &Side) -> bool {
        self.acquisitions >= LEAST
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
