//! How long the blocking jobs of a place took that have ended: what one is compared with that goes on.

use super::{Model, Slot, Task};
use rustc_hash::FxHashMap;
use std::time::Duration;

/// So many places are remembered.
const MOST: usize = 1_024;

/// The jobs of one place that have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Jobs {
    /// How many.
    pub count: u64,
    /// How long the longest of them took.
    pub longest: Duration,
}

/// All of them: by where they were spawned, or else by their function.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct JobTable(FxHashMap<Box<str>, Jobs>);

impl Model {
    /// The jobs that were spawned where this one was, or run the same function where nobody tells that, and have ended.
    pub fn jobs_like(&self, job: &Task) -> Jobs {
        self.job_place(job).and_then(|place| self.jobs.0.get(&*place)).copied().unwrap_or_default()
    }

    /// Where a job was spawned, if that is told: the closures of one function are all called alike.
    fn job_place(&self, job: &Task) -> Option<String> {
        let place = self.place(job.place());
        (!place.file.is_empty()).then(|| place.to_string())
    }

    /// The job in a slot has ended.
    pub(super) fn ended_job(&mut self, slot: Slot, took: Duration) {
        let Some(place) = self.tasks.at(slot).and_then(|job| self.job_place(&job)) else { return };
        if !self.jobs.0.contains_key(&*place) && self.jobs.0.len() >= MOST {
            return;
        }
        let jobs = self.jobs.0.entry(place.into()).or_default();
        jobs.count += 1;
        jobs.longest = jobs.longest.max(took);
    }
}
