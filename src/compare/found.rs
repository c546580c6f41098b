//! What was found on a side, and in which of its windows; and which findings are new, gone or worse on the other.

use super::{WINDOWS, watching::Side};
use crate::diagnose::{Finding, Severity, Subject};

/// A finding of one side, by its lint and what it is about: tasks by where they are spawned, locks by where they are made.
#[derive(Debug, Clone)]
pub struct Found {
    /// The lint.
    pub lint: &'static str,
    /// What it is about, in a word: `task`, `lock`, `place`, `runtime` or `target`.
    pub about: &'static str,
    /// Where that is, as `file:line`; a runtime's name; empty of the target.
    pub at: String,
    /// How bad it got.
    pub severity: Severity,
    /// The finding in one line, as it was when it was last seen to hold.
    pub message: String,
    /// The windows in which it held, a bit for each.
    windows: u32,
    /// Whether it still held when the side ended.
    pub holds: bool,
}

impl Found {
    pub(super) fn new(finding: &Finding) -> Self {
        let (about, at) = match &finding.subject {
            Subject::Task(task) => ("task", task.place.clone()),
            Subject::Lock(lock) => ("lock", lock.place.clone()),
            Subject::Place(place) => ("place", place.clone()),
            Subject::Runtime(runtime) => ("runtime", runtime.name.clone()),
            Subject::Target => ("target", String::new()),
        };
        Self {
            lint: finding.lint.name,
            about,
            at,
            severity: finding.severity,
            message: finding.message.clone(),
            windows: 0,
            holds: false,
        }
    }

    /// Whether another one is this one.
    pub(super) fn is(&self, other: &Self) -> bool {
        (self.lint, self.about, &self.at) == (other.lint, other.about, &other.at)
    }

    /// It holds in this window.
    pub(super) fn hold(&mut self, window: usize, now: &Self) {
        self.windows |= 1 << window;
        self.severity = self.severity.max(now.severity);
        self.message.clone_from(&now.message);
    }

    /// In how many windows it held.
    pub fn windows(&self) -> usize {
        self.windows.count_ones() as usize
    }

    /// Whether it is more than a moment's: what held in fewer than half of the windows may be chance, unless it still holds.
    fn is_enough(&self) -> bool {
        let still = self.holds && (self.windows() > 1 || self.severity == Severity::Critical);
        still || self.windows() * 2 >= WINDOWS
    }
}

/// What became of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It was not there before.
    New,
    /// It is there no more.
    Gone,
    /// It is more severe.
    Worse,
    /// It is less severe.
    Better,
    /// It is as it was.
    Same,
    /// It held for a moment, or a side was not watched for long enough.
    TooLittle,
    /// One of the sides does not know what it would take to see it.
    NotLookedFor,
}

impl Change {
    /// Kebab-case and stable, as JSON names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Gone => "gone",
            Self::Worse => "worse",
            Self::Better => "better",
            Self::Same => "same",
            Self::TooLittle => "too-little",
            Self::NotLookedFor => "not-looked-for",
        }
    }

    /// Whether there is anything to tell.
    pub fn is_told(self) -> bool {
        matches!(self, Self::New | Self::Gone | Self::Worse | Self::Better)
    }

    /// Whether something is worse than it was.
    pub fn is_worse(self) -> bool {
        matches!(self, Self::New | Self::Worse)
    }
}

/// A finding on both sides, or on one.
#[derive(Debug, Clone)]
pub struct ComparedFinding {
    /// The lint.
    pub lint: &'static str,
    /// What it is about, in a word.
    pub about: &'static str,
    /// Where that is; as it is on the side after, where it is there.
    pub at: String,
    /// How bad it got: after, or where it is gone, before.
    pub severity: Severity,
    /// How bad it got before, if it was there.
    pub was: Option<Severity>,
    /// In how many windows it held, before and after.
    pub windows: [usize; 2],
    /// What became of it.
    pub change: Change,
    /// The finding in one line.
    pub message: String,
}

/// Compares what was found; locations of the side before that have moved are at their new places.
pub(super) fn compare(before: &Side, after: &Side, moved: &[(String, String)]) -> Vec<ComparedFinding> {
    let is_long = before.windows >= WINDOWS && after.windows >= WINDOWS;
    let now_at = |found: &Found| {
        let is_spawned = matches!(found.about, "task" | "place");
        let moved = moved.iter().find(|(was, _)| is_spawned && *was == found.at);
        Found { at: moved.map_or_else(|| found.at.clone(), |(_, is)| is.clone()), ..found.clone() }
    };
    let was: Vec<Found> = before.findings.iter().map(now_at).collect();
    let mut all = Vec::new();
    for found in &after.findings {
        let earlier = was.iter().find(|earlier| earlier.is(found));
        let change = match earlier {
            Some(earlier) if !is_long && earlier.severity != found.severity => Change::TooLittle,
            Some(earlier) if found.severity > earlier.severity => Change::Worse,
            Some(earlier) if found.severity < earlier.severity => Change::Better,
            Some(_) => Change::Same,
            None if before.not_looked_for.contains(&found.lint) => Change::NotLookedFor,
            None if !is_long || !found.is_enough() => Change::TooLittle,
            None => Change::New,
        };
        all.push(compared(
            found,
            earlier.map(|earlier| earlier.severity),
            change,
            [earlier.map_or(0, Found::windows), found.windows()],
        ));
    }
    for found in was.iter().filter(|was| !after.findings.iter().any(|found| was.is(found))) {
        let change = if after.not_looked_for.contains(&found.lint) {
            Change::NotLookedFor
        } else if is_long && found.is_enough() {
            Change::Gone
        } else {
            Change::TooLittle
        };
        all.push(compared(found, Some(found.severity), change, [found.windows(), 0]));
    }
    all.sort_by(|one, other| {
        let key = |finding: &ComparedFinding| {
            (!finding.change.is_worse(), !finding.change.is_told(), std::cmp::Reverse(finding.severity))
        };
        (key(one), one.lint, &one.at).cmp(&(key(other), other.lint, &other.at))
    });
    all
}

fn compared(found: &Found, was: Option<Severity>, change: Change, windows: [usize; 2]) -> ComparedFinding {
    let Found { lint, about, at, severity, message, .. } = found.clone();
    ComparedFinding { lint, about, at, severity, was, windows, change, message }
}
