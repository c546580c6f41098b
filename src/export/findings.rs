//! Findings as they are counted: those that are open, and how often any has begun.

use crate::{
    diagnose::{Finding, FindingId, LINTS, Lint, Settings, Severity, Status},
    session::Session,
    update::Stamp,
};
use holdup_metrics::{Metric, Sheet};
use rustc_hash::FxHashMap;
use std::time::Duration;

/// The findings of one process.
#[derive(Debug, Default)]
pub(super) struct Findings {
    begun: FxHashMap<(&'static str, Severity), u64>,
    /// Of each finding that stands in the session's list, how often it has begun, and how bad it was.
    known: FxHashMap<FindingId, (u64, Severity)>,
    /// How often that list had changed when it was looked at last.
    looked: Option<u64>,
}

impl Findings {
    /// Another session begins, which numbers its findings anew.
    pub(super) fn begin_again(&mut self) {
        self.known.clear();
        self.looked = None;
    }

    /// Takes in what has begun since it was looked before. One that has become worse has begun once more, as what it is now.
    pub(super) fn follow(&mut self, session: &Session) {
        let engine = session.engine();
        if self.looked.replace(engine.reordered()) == Some(engine.reordered()) {
            return;
        }
        let mut known = FxHashMap::default();
        for finding in engine.findings() {
            let Finding { id, lint, severity, episodes, .. } = finding;
            let (before, was) = self.known.get(id).copied().unwrap_or((0, *severity));
            let more = episodes.saturating_sub(before) + u64::from(*severity > was && *episodes == before);
            if more > 0 {
                *self.begun.entry((lint.name, *severity)).or_default() += more;
            }
            known.insert(*id, (*episodes, *severity));
        }
        self.known = known;
    }

    /// Tells of every lint that is looked for and can judge, also where it has found nothing.
    pub(super) fn tell(&self, sheet: &mut Sheet<'_>, session: &Session, settings: &Settings, now: Option<Stamp>) {
        let unable = session.not_looked_for();
        let judges = |lint: &&&'static Lint| {
            settings.is_enabled(lint) && unable.iter().all(|unable| unable.lint.name != lint.name)
        };
        let mut open: FxHashMap<(&str, Severity), u64> = FxHashMap::default();
        let mut ages: FxHashMap<&str, Duration> = FxHashMap::default();
        let is_open = |finding: &&Finding| finding.status == Status::Active;
        for finding in session.engine().findings().take_while(is_open) {
            *open.entry((finding.lint.name, finding.severity)).or_default() += 1;
            let lasted = now.map_or(Duration::ZERO, |now| session.model().lasted(finding.since, now));
            let age = ages.entry(finding.lint.name).or_default();
            *age = lasted.max(*age);
        }
        for lint in LINTS.iter().filter(judges) {
            for severity in lint.severities {
                let labels = [lint.name, severity.name()];
                let whose = (lint.name, *severity);
                sheet.set(Metric::Findings, &labels, open.get(&whose).copied().unwrap_or_default() as f64);
                sheet.set(Metric::FindingsBegun, &labels, self.begun.get(&whose).copied().unwrap_or_default() as f64);
            }
            sheet.set_time(Metric::FindingAge, &[lint.name], ages.get(lint.name).copied().unwrap_or_default());
        }
    }
}
