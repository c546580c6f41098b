//! What is listed, and in which order.

use super::Fleet;
use crate::{
    app::clipboard::subject,
    diagnose::{FindingId, Severity},
    fleet::{Brief, Standing},
};
use std::{
    cmp::Reverse,
    time::{Duration, Instant},
};

/// A finding among those of all targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FindingAt {
    /// The target's place.
    pub target: usize,
    /// The finding, as that target's session knows it.
    pub finding: FindingId,
}

impl Fleet {
    /// Lists anew what the filter lets through. What was selected stays so.
    pub(super) fn narrow(&mut self, at: Instant) {
        let wanted = self.filter.trim().to_lowercase();
        let has = |text: &str| text.to_lowercase().contains(&wanted);
        let named = |at: usize, brief: &Brief| wanted.is_empty() || has(&self.names[at]) || has(&brief.service);
        let mut order: Vec<usize> = (0..self.briefs.len()).collect();
        order.sort_by_key(|&place| Reverse(trouble(&self.briefs[place], at)));
        let is_listed = |&at: &usize| {
            let brief = &*self.briefs[at];
            named(at, brief) || has(word(&brief.standing)) || brief.findings.iter().any(|told| has(told.lint.name))
        };
        let targets = order.iter().copied().filter(is_listed).collect();
        let mut findings: Vec<(Severity, FindingAt)> = Vec::new();
        // What was found in one that is not heard is not known to be so any more.
        for &target in order.iter().filter(|&&at| self.briefs[at].standing.is_live()) {
            let brief = &*self.briefs[target];
            let all = named(target, brief);
            let fits = |told: &&crate::fleet::Told| {
                all || has(told.lint.name) || has(&told.message) || has(&subject(&told.subject))
            };
            let those = brief.findings.iter().filter(fits);
            findings.extend(those.map(|told| (told.severity, FindingAt { target, finding: told.id })));
        }
        findings.sort_by_key(|&(severity, _)| Reverse(severity));
        self.targets = targets;
        self.findings = findings.into_iter().map(|(_, at)| at).collect();
        self.target.follow(&self.targets[..]);
        self.finding.follow(&self.findings[..]);
    }
}

/// Where a target stands, in a word.
pub(crate) fn word(standing: &Standing) -> &'static str {
    match standing {
        Standing::Connecting => "connecting",
        Standing::Live => "live",
        Standing::Paused => "paused",
        Standing::Lost(_) => "lost",
        Standing::GaveUp(_) => "given up",
    }
}

/// One that is lost and back again and again keeps its place: so long after a loss it still stands among those that are lost.
const STEADY: Duration = Duration::from_secs(10);

/// How bad it is. A service that is stuck comes first, then one that nobody hears, and then those that only cost.
fn trouble(brief: &Brief, at: Instant) -> (bool, bool, usize, usize, usize) {
    let tally = brief.tally;
    let is_stuck = brief.standing.is_live() && tally.critical > 0;
    let was_lost = brief.lost.is_some_and(|lost| at.saturating_duration_since(lost) < STEADY);
    (is_stuck, was_lost || brief.standing.reason().is_some(), tally.critical, tally.warning, tally.note)
}
