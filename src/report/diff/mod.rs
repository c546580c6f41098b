//! A comparison as plain data: the JSON of `holdup diff`, field by field. Whoever changes it changes `schema/diff.schema.json` with it, and the version
//! where a reader of the old form would be wrong.

#[cfg(test)]
mod tests;
mod text;

use crate::{
    compare::{
        Compared, ComparedFinding, ComparedPlace, Comparison, Joined, LEAST, Side, Thresholds, Typical, WINDOWS,
    },
    diagnose::Severity,
    update::Place,
};
use serde::Serialize;

/// The JSON Schema of a comparison as JSON.
pub const DIFF_SCHEMA: &str = include_str!("../../../schema/diff.schema.json");

/// The version of the JSON. It grows when a field changes its meaning or goes; new fields do not change it.
const VERSION: u32 = 1;

/// The whole of it.
#[derive(Debug, Serialize)]
pub(crate) struct DiffReport {
    version: u32,
    before: Watched,
    after: Watched,
    thresholds: Limits,
    /// Whether a measure is worse, or a finding that is as severe as one for which it is so.
    worse: bool,
    /// How many places and findings there is something to tell of.
    told: usize,
    locations: Vec<AtPlace>,
    locks: Vec<AtPlace>,
    findings: Vec<FindingRow>,
}

/// A side.
#[derive(Debug, Serialize)]
struct Watched {
    target: String,
    windows: usize,
    seconds: f64,
}

/// From where on a difference is told.
#[derive(Debug, Serialize)]
struct Limits {
    share: f64,
    seconds: f64,
    part: f64,
    windows: usize,
    events: u64,
}

/// A place in the source.
#[derive(Debug, Serialize)]
struct At {
    file: String,
    line: u32,
    column: u32,
}

/// A spawn location, or the locks that are made at one place.
#[derive(Debug, Serialize)]
struct AtPlace {
    location: At,
    moved_from: Option<At>,
    name: String,
    joined: &'static str,
    verdict: &'static str,
    told: bool,
    metrics: Vec<MetricRow>,
}

/// A measure.
#[derive(Debug, Serialize)]
struct MetricRow {
    name: &'static str,
    unit: &'static str,
    before: Option<Value>,
    after: Option<Value>,
    verdict: &'static str,
    because: Option<&'static str>,
}

/// What is typical of a side's windows.
#[derive(Debug, Serialize)]
struct Value {
    least: f64,
    most: Option<f64>,
    spread: f64,
}

/// A finding.
#[derive(Debug, Serialize)]
struct FindingRow {
    lint: &'static str,
    about: &'static str,
    at: String,
    change: &'static str,
    severity: &'static str,
    severity_before: Option<&'static str>,
    windows_before: usize,
    windows_after: usize,
    told: bool,
    message: String,
}

/// A side, and what it is called.
#[derive(Clone, Copy)]
pub(crate) struct Named<'a> {
    /// As it was asked for.
    pub(crate) target: &'a str,
    /// What was measured.
    pub(crate) side: &'a Side,
}

impl DiffReport {
    /// Of two sides that were compared, and findings that are so severe are failures.
    pub(crate) fn new(
        sides: [Named; 2],
        comparison: &Comparison,
        thresholds: &Thresholds,
        fails: impl Fn(Severity) -> bool,
    ) -> Self {
        let [before, after] = sides.map(|named| Watched {
            target: named.target.to_owned(),
            windows: named.side.windows,
            seconds: named.side.seconds,
        });
        Self {
            version: VERSION,
            before,
            after,
            thresholds: Limits {
                share: thresholds.share,
                seconds: thresholds.time.as_secs_f64(),
                part: thresholds.part,
                windows: WINDOWS,
                events: LEAST,
            },
            worse: comparison.is_worse(fails),
            told: comparison.told(),
            locations: comparison.locations.iter().map(place).collect(),
            locks: comparison.locks.iter().map(place).collect(),
            findings: comparison.findings.iter().map(finding).collect(),
        }
    }

    /// Whether anything is worse.
    pub(crate) fn is_worse(&self) -> bool {
        self.worse
    }

    /// As JSON, with a line feed at its end.
    pub(crate) fn to_json(&self) -> String {
        // Every part is a struct of plain data, so that there is nothing to fail.
        let mut json = serde_json::to_string_pretty(self).unwrap_or_default();
        json.push('\n');
        json
    }

    /// As text, safe to be shown by a terminal.
    pub(crate) fn text(&self) -> String {
        text::render(self)
    }
}

fn at(place: &Place) -> At {
    At { file: place.file.clone(), line: place.line, column: place.column }
}

fn place(compared: &ComparedPlace) -> AtPlace {
    let moved_from = match &compared.joined {
        Joined::Moved(from) => Some(at(from)),
        _ => None,
    };
    let verdict = match compared.joined {
        Joined::New | Joined::Gone if compared.is_enough => compared.joined.name(),
        _ => compared.verdict().name(),
    };
    AtPlace {
        location: at(&compared.place),
        moved_from,
        name: compared.name.clone(),
        joined: compared.joined.name(),
        verdict,
        told: compared.is_told(),
        metrics: compared.metrics.iter().map(metric).collect(),
    }
}

fn metric(compared: &Compared) -> MetricRow {
    MetricRow {
        name: compared.metric.name(),
        unit: compared.metric.unit().name(),
        before: compared.before.typical().map(value),
        after: compared.after.typical().map(value),
        verdict: compared.verdict.name(),
        because: compared.why_not(),
    }
}

fn value(typical: Typical) -> Value {
    // JSON has no word for what has no bound.
    Value { least: typical.least, most: (typical.most < f64::MAX).then_some(typical.most), spread: typical.spread }
}

fn finding(compared: &ComparedFinding) -> FindingRow {
    let [windows_before, windows_after] = compared.windows;
    FindingRow {
        lint: compared.lint,
        about: compared.about,
        at: compared.at.clone(),
        change: compared.change.name(),
        severity: compared.severity.name(),
        severity_before: compared.was.map(Severity::name),
        windows_before,
        windows_after,
        told: compared.change.is_told(),
        message: compared.message.clone(),
    }
}
