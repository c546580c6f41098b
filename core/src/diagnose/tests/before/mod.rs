//! The engine and the lints as they were before a lint lost its memory, to compare with until issue 10 closes. Taken over as it
//! stood; only what the model keeps now (panics with their tasks) is asked for in its new place.

#![allow(dead_code, reason = "what the comparison does not ask for is kept as it was")]

mod check;
mod engine;
mod group;
mod lints;
mod refs;

pub(super) use super::super::{
    Confidence, CycleStep, Evidence, FindingId, LockRef, Param, RELATED_MOST, Related, RuntimeRef, Settings, Severity,
    StackRef, Status, Subject, TaskRef, Threshold, WaitRef, WorkerRef, humanize_bytes, settings::Values,
};
pub(super) use crate::number;
pub(super) use engine::Engine;
pub(super) use lints::LINTS;

use crate::update::Stamp;
use check::Check;

pub(super) struct LintSettings(Values);

impl LintSettings {
    pub(super) fn time(&self, param: &Param) -> std::time::Duration {
        self.0.time(param)
    }
    pub(super) fn count(&self, param: &Param) -> u64 {
        self.0.count(param)
    }
    pub(super) fn share(&self, param: &Param) -> f64 {
        self.0.share(param)
    }
}

pub(super) struct Lint {
    pub name: &'static str,
    pub summary: &'static str,
    pub severities: &'static [Severity],
    pub advice: &'static str,
    pub explanation: &'static str,
    pub params: &'static [Param],
    subsumes: &'static [&'static str],
    build: fn(&LintSettings) -> Check,
}

impl PartialEq for Lint {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

pub(super) struct Finding {
    pub id: FindingId,
    pub lint: &'static Lint,
    pub severity: Severity,
    pub confidence: Confidence,
    pub status: Status,
    pub subject: Subject,
    pub since: Stamp,
    pub first_seen: Stamp,
    pub last_seen: Stamp,
    pub episodes: u64,
    pub message: String,
    pub evidence: Vec<Evidence>,
    pub related: Related,
}
