//! Reports as SARIF 2.1.0, which code scanning services take: a run for each target, a rule for each lint, a result for each finding.
//!
//! What tells a result from others (`partialFingerprints`) has no number and no time of a run in it: the same trouble of the same place is the same
//! result tomorrow.

use super::{
    checked::{Checked, Seen},
    data::Report,
    location::Location,
    rows::{Named, Row},
    text,
};
use crate::diagnose::{LINTS, Lint, Severity};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The form that is followed.
const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Longer text than this is in no message.
const TEXT_MOST: usize = 2_000;

/// The whole log, with a line feed at its end.
pub(crate) fn render(checked: &[Checked]) -> String {
    let runs: Vec<Value> = checked.iter().map(run).collect();
    let log = json!({ "$schema": SCHEMA, "version": "2.1.0", "runs": runs });
    let mut text = format!("{log:#}");
    text.push('\n');
    text
}

fn run(checked: &Checked) -> Value {
    let (results, invocation) = match &checked.seen {
        Seen::Report(report) => (report.findings.iter().map(|row| result(row, report)).collect(), watched(report)),
        Seen::Nothing(why) => (
            Vec::new(),
            json!({
                "executionSuccessful": false,
                "toolExecutionNotifications": [{ "level": "error", "message": { "text": cut(why) } }],
            }),
        ),
    };
    json!({
        "tool": { "driver": {
            "name": "holdup",
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "rules": LINTS.iter().map(|lint| rule(lint)).collect::<Vec<Value>>(),
        } },
        "automationDetails": { "id": format!("holdup/{}", checked.target) },
        "invocations": [invocation],
        "columnKind": "unicodeCodePoints",
        "results": results,
    })
}

fn rule(lint: &Lint) -> Value {
    let worst = lint.severities.last().copied().unwrap_or(Severity::Note);
    json!({
        "id": lint.name,
        "shortDescription": { "text": lint.summary },
        "help": { "text": lint.advice, "markdown": lint.explanation },
        "defaultConfiguration": { "level": level(worst.name()) },
    })
}

/// When it was watched, and what was not looked for.
fn watched(report: &Report) -> Value {
    let notes: Vec<Value> = report
        .not_looked_for_in_words()
        .chain(report.window.reason.clone())
        .map(|said| json!({ "level": "note", "message": { "text": cut(&said) } }))
        .collect();
    json!({
        "executionSuccessful": matches!(report.window.ended, "elapsed" | "interrupted"),
        "startTimeUtc": report.window.start,
        "endTimeUtc": report.window.end,
        "toolExecutionNotifications": notes,
    })
}

fn result(row: &Row, report: &Report) -> Value {
    let said = format!("{}: {}\n{}", text::subject(&row.subject), row.message, row.advice);
    let mut place = json!({});
    if let Some(Location { file, line }) = row.subject.location() {
        place["physicalLocation"] = json!({ "artifactLocation": { "uri": uri(file) } });
        if let Some(line) = line.filter(|&line| line > 0) {
            place["physicalLocation"]["region"] = json!({ "startLine": line });
        }
    }
    place["logicalLocations"] = json!([{ "name": cut(&named(&row.subject)), "kind": kind(&row.subject) }]);
    json!({
        "ruleId": row.lint,
        "ruleIndex": LINTS.iter().position(|lint| lint.name == row.lint),
        "level": level(row.severity),
        "message": { "text": cut(&said) },
        "locations": [place],
        "partialFingerprints": { "holdup/v1": fingerprint(row) },
        "properties": {
            "severity": row.severity,
            "confidence": row.confidence,
            "status": row.status,
            "service": report.process.as_ref().map_or("", |process| process.name.as_str()),
        },
    })
}

fn level(severity: &str) -> &'static str {
    match severity {
        "critical" => "error",
        "warning" => "warning",
        _ => "note",
    }
}

/// What it is about, without anything that is another one in the next run: a name may have a number in it, a place has none.
fn fingerprint(row: &Row) -> String {
    let place = match row.subject.location() {
        Some(Location { file, line: Some(line) }) => format!("{file}:{line}"),
        Some(Location { file, line: None }) => file.clone(),
        None => String::new(),
    };
    format!("{}|{}|{place}", row.lint, kind(&row.subject))
}

fn kind(subject: &Named) -> &'static str {
    match subject {
        Named::Task(_) => "task",
        Named::Lock(_) => "lock",
        Named::Place { .. } => "place",
        Named::Runtime(_) => "runtime",
        Named::Worker(_) => "worker",
        Named::Threads { .. } => "threads",
        Named::Target => "target",
    }
}

/// What it is called in the source.
fn named(subject: &Named) -> String {
    match subject {
        Named::Task(task) => task.name.clone().unwrap_or_else(|| "task".to_owned()),
        Named::Lock(lock) => lock.lock_kind.to_owned(),
        Named::Runtime(runtime) => runtime.name.clone(),
        Named::Place { .. } => "tasks".to_owned(),
        Named::Worker(_) | Named::Threads { .. } | Named::Target => kind(subject).to_owned(),
    }
}

/// A path as a URI: what is absolute is a file of the machine that built the service, and everything else is relative to its source.
fn uri(path: &str) -> String {
    let mut uri = String::from(if path.starts_with('/') { "file://" } else { "" });
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~+@=".contains(&byte) {
            uri.push(byte.into());
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

fn cut(text: &str) -> String {
    text.chars().take(TEXT_MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_reference_whatever_is_in_it() {
        assert_eq!(uri("src/state.rs"), "src/state.rs");
        assert_eq!(uri("/home/u/my dir/a#b?.rs"), "file:///home/u/my%20dir/a%23b%3F.rs");
        assert_eq!(uri("<cargo>/x-1.0/ü.rs"), "%3Ccargo%3E/x-1.0/%C3%BC.rs");
        assert_eq!(uri("C:\\a.rs"), "C%3A%5Ca.rs");
    }
}
