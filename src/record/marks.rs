//! What the time line shows of a session: where findings begin and end, and where the target's clock was set.

use super::{
    message::{FindingMark, Mark, MarkKind},
    nanos,
};
use crate::{
    diagnose::{Finding, FindingId, Status},
    session::Session,
    update::Stamp,
};
use rustc_hash::FxHashMap;
use std::time::Duration;

/// Notices when findings begin and end.
#[derive(Default)]
pub(super) struct Marks {
    /// Findings that were active last, and how often the order of all had changed by then.
    active: FxHashMap<FindingId, FindingMark>,
    reordered: Option<u64>,
}

impl Marks {
    /// What has begun or is over since it was asked last.
    pub(super) fn since(&mut self, at: Duration, session: &Session) -> Vec<Mark> {
        let engine = session.engine();
        if self.reordered.replace(engine.reordered()) == Some(engine.reordered()) {
            return Vec::new();
        }
        let active = engine.findings().take_while(|finding| finding.status == Status::Active);
        let active: FxHashMap<FindingId, FindingMark> = active.map(|finding| (finding.id, mark(finding))).collect();
        let at = nanos(at);
        let begun = active.iter().filter(|(id, _)| !self.active.contains_key(id));
        let over = self.active.iter().filter(|(id, _)| !active.contains_key(id));
        let mut marks: Vec<Mark> = begun.map(|(_, mark)| Mark { at, kind: MarkKind::Begins(mark.clone()) }).collect();
        marks.extend(over.map(|(_, mark)| Mark { at, kind: MarkKind::Ends(mark.clone()) }));
        marks.sort_by_key(|mark| match &mark.kind {
            MarkKind::Begins(mark) | MarkKind::Ends(mark) => mark.id,
            MarkKind::Restart | MarkKind::ClockSet(_) => FindingId(0),
        });
        self.active = active;
        marks
    }
}

/// Notices when the target's clock is set.
#[derive(Default)]
pub(super) struct Clock {
    latest: Option<Stamp>,
    /// How far it was ahead of the time since the recording began, at most: what is delivered late can only make that less.
    ahead: Option<i128>,
}

/// A clock that is set by less may run a little faster.
const SET: i128 = 2_000_000_000;

impl Clock {
    /// Another target's clock follows.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// By how many nanoseconds it was set since the last time, if it was.
    pub(super) fn told(&mut self, now: Stamp, at: Duration) -> Option<i64> {
        let ahead = i128::from(now.nanos()) - i128::from(nanos(at));
        let back = self.latest.replace(now).map_or(0, |latest| i128::from(latest.nanos()) - i128::from(now.nanos()));
        let most = *self.ahead.get_or_insert(ahead);
        let by = if back > SET {
            -back
        } else if ahead - most > SET {
            ahead - most
        } else {
            self.ahead = Some(most.max(ahead));
            return None;
        };
        self.ahead = Some(ahead);
        i64::try_from(by).ok()
    }
}

fn mark(finding: &Finding) -> FindingMark {
    FindingMark { id: finding.id, severity: finding.severity, lint: finding.lint.name.into() }
}
