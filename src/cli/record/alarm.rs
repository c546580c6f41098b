//! The findings for whose sake something is kept, and how much of what surrounds them.

use crate::{
    cli::choice::AlarmOn,
    diagnose::{Finding, FindingId},
    session::Session,
};
use rustc_hash::FxHashMap;
use std::time::Duration;

/// What rings, and how much is kept around it.
#[derive(Debug)]
pub(super) struct Alarm {
    on: AlarmOn,
    pub(super) before: Duration,
    pub(super) after: Duration,
    /// How often each that rings has begun so far.
    begun: FxHashMap<FindingId, u64>,
    /// How often the order of findings had changed when they were looked at.
    reordered: Option<u64>,
}

impl Alarm {
    pub(super) fn new(on: &AlarmOn, before: Duration, after: Duration) -> Self {
        Self { on: on.clone(), before, after, begun: FxHashMap::default(), reordered: None }
    }

    /// The name of a finding's lint that has begun since this was last asked, if there is one that rings.
    pub(super) fn rings(&mut self, session: &Session) -> Option<&'static str> {
        let engine = session.engine();
        if self.reordered.replace(engine.reordered()) == Some(engine.reordered()) {
            return None;
        }
        let mut rung = None;
        for finding in engine.findings().filter(|finding| self.on.is_of(finding)) {
            let Finding { id, episodes, .. } = finding;
            if self.begun.insert(*id, *episodes) != Some(*episodes) {
                rung = Some(finding.lint.name);
            }
        }
        rung
    }
}
