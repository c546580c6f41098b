//! A comparison for people: what is worse first, and then what was looked at and is as it was, too little or not known.
//!
//! ```text
//! WORSE src/orders.rs:41:9 charges
//!   polls             40.0 /s → 48.1 /s, +20% (with another load)
//!   busy              11.9% of a worker → 14.4% of a worker, +21% (worse)
//! NEW lock-convoy (warning) lock src/orders.rs:12, in 7 windows
//!   5 tasks wait for it
//!
//! before  monday.holdup, 30.0 s in 10 windows
//! after   http://127.0.0.1:6669, 30.1 s in 10 windows
//! spawn locations: 1 worse, 8 as before, 3 too little
//! not known: poll-p50, poll-p99 (only holdup's agent tells of it)
//! ```

use super::{At, AtPlace, DiffReport, FindingRow, MetricRow, Value, Watched};
use crate::{
    number::{humanize, plural},
    report::text::plain,
};
use std::{fmt::Write as _, time::Duration};

/// Where values begin.
const INDENT: usize = 18;

pub(super) fn render(report: &DiffReport) -> String {
    let mut out = String::new();
    for finding in report.findings.iter().filter(|finding| finding.told && is_worse(finding)) {
        told_finding(&mut out, finding);
    }
    for (places, what) in [(&report.locations, ""), (&report.locks, "lock ")] {
        for place in places.iter().filter(|place| place.told) {
            told_place(&mut out, place, what);
        }
    }
    for finding in report.findings.iter().filter(|finding| finding.told && !is_worse(finding)) {
        told_finding(&mut out, finding);
    }
    if !out.is_empty() {
        out.push('\n');
    }
    side(&mut out, "before", &report.before);
    side(&mut out, "after", &report.after);
    count(&mut out, "spawn locations", report.locations.iter().map(|place| place.verdict));
    count(&mut out, "locks", report.locks.iter().map(|place| place.verdict));
    count(&mut out, "findings", report.findings.iter().map(|finding| finding.change));
    unknown(&mut out, report);
    if report.told == 0 {
        out.push_str(if is_long(report) { "no change is told\n" } else { "nothing is compared: it is too little\n" });
    }
    out
}

fn is_worse(finding: &FindingRow) -> bool {
    ["new", "worse"].contains(&finding.change)
}

fn is_long(report: &DiffReport) -> bool {
    report.before.windows.min(report.after.windows) >= report.thresholds.windows
}

fn side(out: &mut String, name: &str, side: &Watched) {
    let lasted = humanize(Duration::try_from_secs_f64(side.seconds).unwrap_or_default());
    let windows = plural(side.windows as u64, "window");
    let _ = writeln!(out, "{name:<7} {}, {lasted} in {windows}", plain(&side.target));
}

/// How many of them are what.
fn count(out: &mut String, what: &str, verdicts: impl Iterator<Item = &'static str>) {
    let mut counts: Vec<(&str, usize)> =
        ["worse", "new", "better", "differs", "gone", "same", "too-little", "not-known", "not-looked-for"]
            .map(|name| (name, 0))
            .into();
    for verdict in verdicts {
        if let Some((_, count)) = counts.iter_mut().find(|(name, _)| *name == verdict) {
            *count += 1;
        }
    }
    let some = counts.into_iter().filter(|(_, count)| *count > 0);
    let words: Vec<String> = some.map(|(name, count)| format!("{count} {}", in_words(name))).collect();
    if !words.is_empty() {
        let _ = writeln!(out, "{what}: {}", words.join(", "));
    }
}

fn in_words(verdict: &str) -> &str {
    match verdict {
        "same" => "as before",
        "differs" => "with another load",
        "too-little" => "too little",
        "not-known" => "not known",
        "not-looked-for" => "not looked for on one side",
        other => other,
    }
}

/// What is not known, a line for each reason.
fn unknown(out: &mut String, report: &DiffReport) {
    let places = report.locations.iter().chain(&report.locks);
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for metric in places.flat_map(|place| &place.metrics) {
        let Some(because) = metric.because else { continue };
        let at = reasons.iter().position(|(known, _)| *known == because).unwrap_or_else(|| {
            reasons.push((because, Vec::new()));
            reasons.len() - 1
        });
        if !reasons[at].1.contains(&metric.name) {
            reasons[at].1.push(metric.name);
        }
    }
    for (because, names) in reasons {
        let _ = writeln!(out, "not known: {} ({because})", names.join(", "));
    }
}

fn told_finding(out: &mut String, finding: &FindingRow) {
    let about = if finding.about == "target" { "the target" } else { finding.about };
    let severity = match finding.severity_before {
        Some(before) if before != finding.severity => format!("{before} → {}", finding.severity),
        _ => finding.severity.to_owned(),
    };
    let windows = if finding.change == "gone" { finding.windows_before } else { finding.windows_after };
    let windows = plural(windows as u64, "window");
    let change = finding.change.to_uppercase();
    let held = if finding.change == "gone" { "it was in" } else { "in" };
    let _ = writeln!(
        out,
        "{change} {} ({severity}) {}, {held} {windows}",
        finding.lint,
        plain(format!("{about} {}", finding.at).trim_end())
    );
    let _ = writeln!(out, "  {}", plain(&finding.message));
}

fn told_place(out: &mut String, place: &AtPlace, what: &str) {
    let name = if place.name.is_empty() { String::new() } else { format!(" {}", place.name) };
    let from = place.moved_from.as_ref().map_or_else(String::new, |from| format!(", before at {}", location(from)));
    let heading = format!("{}{name}{from}", location(&place.location));
    let verdict = if place.verdict == "differs" { "OTHER LOAD".to_owned() } else { place.verdict.to_uppercase() };
    let _ = writeln!(out, "{verdict} {what}{}", plain(&heading));
    for metric in place.metrics.iter().filter(|metric| ["worse", "better", "differs"].contains(&metric.verdict)) {
        told_metric(out, metric);
    }
}

fn location(at: &At) -> String {
    match (at.line, at.column) {
        (0, _) => at.file.clone(),
        (line, 0) => format!("{}:{line}", at.file),
        (line, column) => format!("{}:{line}:{column}", at.file),
    }
}

fn told_metric(out: &mut String, metric: &MetricRow) {
    let (Some(before), Some(after)) = (&metric.before, &metric.after) else { return };
    let by = change(before, after).map_or_else(String::new, |by| format!(", {by}"));
    let words = [before, after].map(|value| in_unit(value, metric.unit));
    let _ = writeln!(
        out,
        "  {name:INDENT$}{} → {}{by} ({verdict})",
        words[0],
        words[1],
        name = metric.name,
        verdict = in_words(metric.verdict)
    );
}

/// By which share it changed, where it is known so exactly.
fn change(before: &Value, after: &Value) -> Option<String> {
    let exact = |value: &Value| value.most.filter(|most| *most <= value.least);
    let (was, is) = (exact(before)?, exact(after)?);
    (was > 0.0).then(|| format!("{:+.0}%", (is / was - 1.0) * 100.0))
}

fn in_unit(value: &Value, unit: &str) -> String {
    let time = |seconds: f64| humanize(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX));
    match (unit, value.most) {
        ("seconds", Some(most)) if most <= value.least => time(most),
        ("seconds", Some(most)) if value.least <= 0.0 => format!("under {}", time(most)),
        ("seconds", Some(most)) => format!("{} to {}", time(value.least), time(most)),
        ("seconds", None) => format!("over {}", time(value.least)),
        ("per-second", _) => format!("{:.1} /s", value.least),
        ("workers", _) => format!("{:.1}% of a worker", value.least * 100.0),
        ("share", _) => format!("{:.1}%", value.least * 100.0),
        _ => format!("{:.0}", value.least),
    }
}
