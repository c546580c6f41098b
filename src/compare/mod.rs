//! Two sides of a change, each watched for a while: what of the one is not as it was on the other.
//!
//! ```text
//! watching   events taken in, a side's windows out: ten, each with what was measured in it
//!   spawned    … at a spawn location          locked   … at a lock
//!   found      what was found, and in which windows
//! place      … as it was on both sides
//! join       which location of the one side is which of the other
//! rule       whether two sides differ by more than each does by itself
//! ```
//!
//! Nothing here does any I/O, or knows where events come from. What is not known stays so, and what is too little is judged by nobody.

mod found;
mod join;
mod locked;
mod metric;
mod place;
mod rule;
mod spawned;
#[cfg(test)]
mod tests;
mod watching;

pub use found::{Change as FindingChange, ComparedFinding, Found};
pub use join::Joined;
pub use locked::Locked;
pub use metric::{Compared, Measured, Metric, Thresholds, Unit, Verdict};
pub use rule::{Sample, Typical};
pub use spawned::Spawned;
pub use watching::{Heard, Side, WINDOWS, Watching};

use crate::{diagnose::Severity, update::Place};

/// Fewer polls, or acquisitions, than this say nothing.
pub const LEAST: u64 = 100;

/// What became of a spawn location or a lock.
#[derive(Debug, Clone)]
pub struct ComparedPlace {
    /// Where it is: on the side after, or where it is gone, before.
    pub place: Place,
    /// What is known of it beside: the function or the name of its tasks, or the kind of lock.
    pub name: String,
    /// How the two sides were joined.
    pub joined: Joined,
    /// Whether there was enough of it to say that it is new or gone.
    pub is_enough: bool,
    /// What was measured.
    pub metrics: Vec<Compared>,
}

impl ComparedPlace {
    /// The worst that became of it.
    pub fn verdict(&self) -> Verdict {
        let judged = self.metrics.iter().map(|compared| compared.verdict);
        judged.max_by_key(|verdict| verdict.weight()).unwrap_or(Verdict::TooLittle)
    }

    /// Whether there is anything to tell.
    pub fn is_told(&self) -> bool {
        match self.joined {
            Joined::New | Joined::Gone => self.is_enough,
            Joined::Same | Joined::Moved(_) => self.verdict().is_told(),
        }
    }
}

/// What of a side is not as it was on the other.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// Spawn locations, the worst first.
    pub locations: Vec<ComparedPlace>,
    /// Locks, by where they are made.
    pub locks: Vec<ComparedPlace>,
    /// Findings, the worst first.
    pub findings: Vec<ComparedFinding>,
}

impl Comparison {
    /// Compares two sides.
    pub fn new(before: &Side, after: &Side, thresholds: &Thresholds) -> Self {
        let pairs = join::join(&before.locations, &after.locations);
        let moved: Vec<(String, String)> = pairs
            .iter()
            .filter_map(|pair| Some((pair.before?.place.to_string(), pair.after?.place.to_string())))
            .collect();
        let mut locations: Vec<ComparedPlace> =
            pairs.iter().map(|pair| place::compare(pair, [before, after], thresholds)).collect();
        let pairs = join::join(&before.locks, &after.locks);
        let mut locks: Vec<ComparedPlace> =
            pairs.iter().map(|pair| place::compare(pair, [before, after], thresholds)).collect();
        for places in [&mut locations, &mut locks] {
            places.sort_by(|one, other| {
                let key = |place: &ComparedPlace| {
                    (std::cmp::Reverse(place.verdict().weight()), !place.is_told(), place.place.to_string())
                };
                key(one).cmp(&key(other))
            });
        }
        Self { locations, locks, findings: found::compare(before, after, &moved) }
    }

    /// Whether anything is worse: a measure, or a finding that is as bad as one for which this is so.
    pub fn is_worse(&self, fails: impl Fn(Severity) -> bool) -> bool {
        let mut places = self.locations.iter().chain(&self.locks);
        let mut findings = self.findings.iter().filter(|finding| finding.change.is_worse());
        places.any(|place| place.verdict() == Verdict::Worse) || findings.any(|finding| fails(finding.severity))
    }

    /// How many things there are to tell.
    pub fn told(&self) -> usize {
        let places = self.locations.iter().chain(&self.locks).filter(|place| place.is_told()).count();
        places + self.findings.iter().filter(|finding| finding.change.is_told()).count()
    }
}
