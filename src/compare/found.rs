//! What was found on a side, and in which of its windows; and which findings are new, gone or worse on the other.

use super::{WINDOWS, watching::Side};
use crate::diagnose::{Finding, Severity, Subject};
use std::cmp::Ordering;

/// How bad a finding can be, the least first.
const SEVERITIES: [Severity; 3] = [Severity::Note, Severity::Warning, Severity::Critical];

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
    /// The windows in which it was so bad or worse, a bit for each, by severity.
    windows: [u32; SEVERITIES.len()],
    /// How bad it is, where it still held when the side ended.
    pub(super) holds: Option<Severity>,
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
            windows: [0; SEVERITIES.len()],
            holds: None,
        }
    }

    /// Whether another one is this one.
    pub(super) fn is(&self, other: &Self) -> bool {
        (self.lint, self.about, &self.at) == (other.lint, other.about, &other.at)
    }

    /// It holds in this window.
    pub(super) fn hold(&mut self, window: usize, now: &Self) {
        for (windows, severity) in self.windows.iter_mut().zip(SEVERITIES) {
            *windows |= u32::from(severity <= now.severity) << window;
        }
        self.severity = self.severity.max(now.severity);
        self.holds = self.holds.max(Some(now.severity));
        self.message.clone_from(&now.message);
    }

    /// In how many windows it held.
    pub fn windows(&self) -> usize {
        self.windows[0].count_ones() as usize
    }

    /// How bad it was for more than a moment: what was so in fewer than half of the windows may be chance, unless it still is.
    fn lasting(&self) -> Option<Severity> {
        let is_enough = |severity: Severity, windows: u32| {
            let windows = windows.count_ones() as usize;
            let still = self.holds >= Some(severity) && (windows > 1 || severity == Severity::Critical);
            still || windows * 2 >= WINDOWS
        };
        let mut by_severity = SEVERITIES.into_iter().zip(self.windows).rev();
        by_severity.find(|(severity, windows)| is_enough(*severity, *windows)).map(|(severity, _)| severity)
    }

    /// How bad it was: for more than a moment, if it was there for that long.
    fn how_bad(&self) -> Severity {
        self.lasting().unwrap_or(self.severity)
    }

    /// What became of it, where it was found on the side before as well.
    fn since(&self, earlier: &Self) -> Change {
        match self.how_bad().cmp(&earlier.how_bad()) {
            Ordering::Equal => Change::Same,
            Ordering::Greater if self.lasting().is_some() => Change::Worse,
            Ordering::Less if earlier.lasting().is_some() => Change::Better,
            _ => Change::TooLittle,
        }
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
    /// How bad it was, for more than a moment if it was there for that long: after, or where it is gone, before.
    pub severity: Severity,
    /// How bad it was before, if it was there.
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
        let change = match earlier.map(|earlier| found.since(earlier)) {
            Some(change) if !is_long && change.is_told() => Change::TooLittle,
            Some(change) => change,
            None if before.not_looked_for.contains(&found.lint) => Change::NotLookedFor,
            None if !is_long || found.lasting().is_none() => Change::TooLittle,
            None => Change::New,
        };
        let windows = [earlier.map_or(0, Found::windows), found.windows()];
        all.push(compared(found, earlier.map(Found::how_bad), change, windows));
    }
    for found in was.iter().filter(|was| !after.findings.iter().any(|found| was.is(found))) {
        let change = if after.not_looked_for.contains(&found.lint) {
            Change::NotLookedFor
        } else if is_long && found.lasting().is_some() {
            Change::Gone
        } else {
            Change::TooLittle
        };
        all.push(compared(found, Some(found.how_bad()), change, [found.windows(), 0]));
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
    let Found { lint, about, at, message, .. } = found.clone();
    ComparedFinding { lint, about, at, severity: found.how_bad(), was, windows, change, message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::update::Knows;

    /// A side on which a finding was a note, a warning or critical in each of these windows, by its first letter.
    fn side(windows: &str) -> Side {
        let mut held: Option<Found> = None;
        for (window, letter) in windows.chars().enumerate() {
            if let Some(held) = &mut held {
                held.holds = None;
            }
            let severity = SEVERITIES.into_iter().find(|severity| severity.name().starts_with(letter));
            if let Some(severity) = severity {
                let now = Found {
                    lint: "lock-convoy",
                    about: "lock",
                    at: "src/orders.rs:12".into(),
                    severity,
                    message: String::new(),
                    windows: [0; SEVERITIES.len()],
                    holds: None,
                };
                held.get_or_insert_with(|| now.clone()).hold(window, &now);
            }
        }
        Side {
            windows: windows.len(),
            seconds: 10.0,
            knows: Knows::console(),
            not_looked_for: Vec::new(),
            locations: Vec::new(),
            locks: Vec::new(),
            findings: held.into_iter().collect(),
        }
    }

    #[test]
    fn a_finding_is_as_bad_as_it_was_for_more_than_a_moment() {
        use Change::{Better, Gone, New, Same, TooLittle, Worse};
        use Severity::{Critical, Warning};
        for (before, after, change, severity) in [
            ("....w.....", "....c.....", TooLittle, Critical),
            ("wwwwwwwwww", "wwwwcwwwww", Same, Warning),
            ("wwwwwwwwww", "wwwccccwww", Same, Warning),
            ("wwwwwwwwww", "wwwwwccccc", Worse, Critical),
            ("....w.....", "ccccc.....", Worse, Critical),
            // It still is so.
            ("....w.....", ".........c", Worse, Critical),
            ("....w.....", ".........w", Same, Warning),
            ("nnnnnnnnnn", ".........w", TooLittle, Warning),
            ("nnnnnnnnnn", "nnnnnnnnww", Worse, Warning),
            ("....c.....", "wwwwwwwwww", TooLittle, Warning),
            ("....w.....", "wwwwwwwwww", Same, Warning),
            ("..........", "wwwwcwwwww", New, Warning),
            ("..........", "....c.....", TooLittle, Critical),
            ("nnnnnnnn", "cccccccc", TooLittle, Critical),
        ] {
            let all = compare(&side(before), &side(after), &[]);
            let became: Vec<_> = all.iter().map(|finding| (finding.change, finding.severity)).collect();
            assert_eq!(became, [(change, severity)], "{before} to {after}");
            // And the other way round.
            let back = compare(&side(after), &side(before), &[]);
            let opposite = match change {
                Worse => Better,
                New => Gone,
                other => other,
            };
            assert_eq!(back[0].change, opposite, "{after} to {before}");
        }
    }
}
