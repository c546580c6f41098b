//! Findings as they are counted: those that are open, and how often any has begun. And what somebody can be told of each as it begins and ends.

use super::whose::Whose;
use crate::{
    diagnose::{Finding, FindingId, LINTS, Lint, Settings, Severity, Status, Subject},
    session::Session,
    update::{Span, Stamp},
};
use holdup_metrics::{Metric, Sheet, location};
use rustc_hash::FxHashMap;
use std::time::Duration;

/// What becomes of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// It begins.
    Begun,
    /// It is worse than it was when it began.
    Worse,
    /// It does not hold any more.
    Over,
    /// Whether it still holds is not known: its target is not attached to any more.
    Lost,
}

/// A finding's turn, with what is known of it.
#[cfg_attr(not(feature = "otlp"), allow(dead_code, reason = "nobody else is told"))]
pub(super) struct Heard<'a> {
    pub(super) finding: &'a Finding,
    pub(super) turn: Turn,
    /// Where what it is about was spawned or made, as in labels; empty where that is not known.
    pub(super) place: String,
    /// Those that the task is in, the outermost first.
    pub(super) spans: &'a [Span],
    pub(super) lasted: Duration,
    pub(super) whose: &'a Whose,
    /// Since 1970.
    pub(super) now: u64,
}

impl<'a> Heard<'a> {
    pub(super) fn new(finding: &'a Finding, turn: Turn, session: &'a Session, whose: &'a Whose, now: u64) -> Self {
        let model = session.model();
        let (place, spans) = match &finding.subject {
            Subject::Task(task) => (task.place.as_str(), model.agent().spans(task.id)),
            Subject::Lock(lock) => (lock.place.as_str(), [].as_slice()),
            Subject::Place(place) => (place.as_str(), [].as_slice()),
            Subject::Runtime(_) | Subject::Target => ("", [].as_slice()),
        };
        let place = match place.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse().ok()?))) {
            Some((file, line)) => location(file, line),
            None => String::new(),
        };
        let seen = if turn == Turn::Over { Some(finding.last_seen) } else { model.now() };
        let lasted = seen.map_or(Duration::ZERO, |seen| model.lasted(finding.since, seen));
        Self { finding, turn, place, spans, lasted, whose, now }
    }
}

/// Whoever is told of findings.
pub(super) type Tell<'a> = Option<&'a mut dyn FnMut(&Finding, Turn)>;

/// What is known of a finding that stands in the session's list.
#[derive(Debug)]
struct Known {
    episodes: u64,
    severity: Severity,
    status: Status,
    /// As it was then, where it is open and somebody is told when it is gone.
    finding: Option<Box<Finding>>,
}

/// The findings of one process.
#[derive(Debug, Default)]
pub(super) struct Findings {
    begun: FxHashMap<(&'static str, Severity), u64>,
    known: FxHashMap<FindingId, Known>,
    /// How often that list had changed when it was looked at last.
    looked: Option<u64>,
}

impl Findings {
    /// Another session begins, which numbers its findings anew: what becomes of those of this one will not be known.
    pub(super) fn begin_again(&mut self, tell: Tell<'_>) {
        let known = std::mem::take(&mut self.known).into_values();
        if let Some(tell) = tell {
            known.filter_map(|known| known.finding).for_each(|finding| tell(&finding, Turn::Lost));
        }
        self.looked = None;
    }

    /// Takes in what has begun since it was looked before. One that has become worse has begun once more, as what it is now.
    pub(super) fn follow(&mut self, session: &Session, mut tell: Tell<'_>) {
        let engine = session.engine();
        if self.looked.replace(engine.reordered()) == Some(engine.reordered()) {
            return;
        }
        let mut before = std::mem::take(&mut self.known);
        for finding in engine.findings() {
            let Finding { id, lint, severity, episodes, status, .. } = finding;
            let before = before.remove(id);
            let was_open = before.as_ref().is_some_and(|before| before.status == Status::Active);
            let again = episodes.saturating_sub(before.as_ref().map_or(0, |before| before.episodes));
            let is_worse = again == 0 && before.is_some_and(|before| before.severity < *severity);
            let more = again + u64::from(is_worse);
            if more > 0 {
                *self.begun.entry((lint.name, *severity)).or_default() += more;
            }
            let is_open = *status == Status::Active;
            if let Some(tell) = &mut tell {
                match (was_open, again > 0) {
                    (false, true) => tell(finding, Turn::Begun),
                    _ if is_worse => tell(finding, Turn::Worse),
                    _ => {}
                }
                if !is_open && (was_open || again > 0) {
                    tell(finding, Turn::Over);
                }
            }
            let kept = (is_open && tell.is_some()).then(|| Box::new(finding.clone()));
            let now = Known { episodes: *episodes, severity: *severity, status: *status, finding: kept };
            self.known.insert(*id, now);
        }
        // One that another one explains is taken back, and is not in the list any more.
        if let Some(tell) = tell {
            before.into_values().filter_map(|gone| gone.finding).for_each(|finding| tell(&finding, Turn::Over));
        }
    }

    /// Tells of every lint that is looked for and can judge, also where it has found nothing.
    pub(super) fn tell(&self, sheet: &mut Sheet<'_>, session: &Session, settings: &Settings, now: Option<Stamp>) {
        let unable = session.not_looked_for();
        let judges = |lint: &&&'static Lint| {
            settings.is_enabled(lint) && unable.iter().all(|unable| unable.lint.name != lint.name)
        };
        let mut open: FxHashMap<(&str, Severity), u64> = FxHashMap::default();
        let mut ages: FxHashMap<&str, Duration> = FxHashMap::default();
        for finding in session.engine().findings().take_while(|finding| finding.status == Status::Active) {
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
