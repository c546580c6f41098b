//! Findings as they begin and end, as log records, until a collector takes them.

use super::{
    scope,
    whose::{place, resource, seconds, text},
};
use crate::{
    diagnose::{Finding, Severity, Subject},
    export::{
        findings::{Heard, Turn},
        keeping::Keeping,
        whose::Whose,
    },
};
use opentelemetry_proto::tonic::{
    common::v1::{AnyValue, any_value::Value},
    logs::v1::{LogRecord, ResourceLogs, ScopeLogs, SeverityNumber},
};
use std::{
    collections::VecDeque,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::Notify;

/// Records that wait to be taken, of all targets together. One has about a kilobyte.
const ROOM: usize = 4_096;

/// The event that all of them are.
const EVENT: &str = "holdup.finding";

/// The field of a span in which a service writes which trace it belongs to, and its span in there.
const TRACE: &str = "trace_id";
const SPAN: &str = "span_id";

/// A record, and whose it is.
#[derive(Debug)]
pub(super) struct Kept {
    target: String,
    whose: Whose,
    record: LogRecord,
}

/// What waits to be taken, and what came to nothing.
#[derive(Debug, Default)]
pub(in crate::export) struct Outbox {
    records: Mutex<VecDeque<Kept>>,
    more: Notify,
    /// Requests that were not taken.
    pub(in crate::export) errors: AtomicU64,
    /// Data points that were not taken.
    pub(in crate::export) dropped_points: AtomicU64,
    /// Records that never will be.
    pub(in crate::export) dropped_records: AtomicU64,
}

impl Outbox {
    fn records(&self) -> MutexGuard<'_, VecDeque<Kept>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in what a target is heard to tell. Without room the oldest goes.
    pub(in crate::export) fn add(&self, target: &str, heard: &Heard<'_>) {
        let kept = Kept { target: target.to_owned(), whose: heard.whose.clone(), record: record(heard) };
        let mut records = self.records();
        if records.len() >= ROOM {
            records.pop_front();
            self.dropped_records.fetch_add(1, Ordering::Relaxed);
        }
        records.push_back(kept);
        drop(records);
        self.more.notify_one();
    }

    /// Until there is one that was not there before.
    pub(super) async fn wait(&self) {
        self.more.notified().await;
    }

    /// The oldest, so many of them at the most.
    pub(super) fn take(&self, most: usize) -> Vec<Kept> {
        let mut records = self.records();
        let count = most.min(records.len());
        records.drain(..count).collect()
    }

    /// Those that were taken and found no taker, as far as there is room.
    pub(super) fn put_back(&self, taken: Vec<Kept>) {
        let mut records = self.records();
        for kept in taken.into_iter().rev() {
            if records.len() >= ROOM {
                self.dropped_records.fetch_add(1, Ordering::Relaxed);
            } else {
                records.push_front(kept);
            }
        }
    }
}

/// Records as they are told, those of one process together.
pub(super) fn told(all: &[Kept], keeping: &Keeping) -> Vec<ResourceLogs> {
    let of_one = all.chunk_by(|one, next| one.target == next.target && one.whose == next.whose);
    let told = of_one.map(|of_one| {
        let Kept { target, whose, .. } = &of_one[0];
        let log_records = of_one.iter().map(|kept| kept.record.clone()).collect();
        ResourceLogs {
            resource: Some(resource(target, &keeping.labels(target), Some(whose))),
            scope_logs: vec![ScopeLogs { scope: Some(scope()), log_records, ..ScopeLogs::default() }],
            ..ResourceLogs::default()
        }
    });
    told.collect()
}

fn record(heard: &Heard<'_>) -> LogRecord {
    let Heard { finding, turn, now, lasted, .. } = heard;
    let lasted_nanos = u64::try_from(lasted.as_nanos()).unwrap_or(u64::MAX);
    let Finding { lint, severity, confidence, message, .. } = finding;
    let number = match severity {
        Severity::Note => SeverityNumber::Info,
        Severity::Warning => SeverityNumber::Warn,
        Severity::Critical => SeverityNumber::Error,
    };
    let (what, at) = match turn {
        Turn::Begun => ("begun", now.saturating_sub(lasted_nanos)),
        Turn::Worse => ("worse", *now),
        Turn::Over => ("over", *now),
        Turn::Lost => ("lost", *now),
    };
    let mut attributes = vec![
        text("lint", lint.name),
        text("severity", severity.name()),
        text("holdup.finding.state", what),
        text("holdup.finding.confidence", confidence.name()),
        text("holdup.finding.subject", subject(&finding.subject)),
        text("holdup.finding.advice", lint.advice),
    ];
    if *turn != Turn::Begun {
        attributes.push(seconds("holdup.finding.age", lasted.as_secs_f64()));
    }
    let name = called(&finding.subject);
    if !name.is_empty() {
        attributes.push(text("holdup.finding.name", &holdup_metrics::cut(name)));
    }
    attributes.extend(place(&heard.place));
    let (trace_id, span_id) = trace(heard).unwrap_or_default();
    LogRecord {
        time_unix_nano: at,
        observed_time_unix_nano: *now,
        severity_number: number.into(),
        severity_text: severity.name().to_owned(),
        body: Some(AnyValue { value: Some(Value::StringValue(format!("{}: {message}", lint.name))) }),
        attributes,
        event_name: EVENT.to_owned(),
        trace_id,
        span_id,
        ..LogRecord::default()
    }
}

/// What kind of thing it is about.
fn subject(subject: &Subject) -> &'static str {
    match subject {
        Subject::Task(_) => "task",
        Subject::Lock(_) => "lock",
        Subject::Place(_) => "location",
        Subject::Runtime(_) => "runtime",
        Subject::Target => "target",
    }
}

/// What the service calls it.
fn called(subject: &Subject) -> &str {
    match subject {
        Subject::Task(task) => &task.name,
        Subject::Runtime(runtime) => &runtime.name,
        Subject::Lock(lock) => lock.kind,
        Subject::Place(_) | Subject::Target => "",
    }
}

/// The trace that the task's innermost span says it belongs to, and its span in there where it says so too.
fn trace(heard: &Heard<'_>) -> Option<(Vec<u8>, Vec<u8>)> {
    let field = |wanted: &str, bytes: usize| {
        let mut spans = heard.spans.iter().rev();
        spans.find_map(|span| {
            let (_, value) = span.fields.iter().find(|(name, _)| name == wanted)?;
            hex(value.trim_matches('"'), bytes)
        })
    };
    let trace = field(TRACE, 16)?;
    Some((trace, field(SPAN, 8).unwrap_or_default()))
}

/// So many bytes, written as hexadecimal digits, not all of them 0.
fn hex(digits: &str, bytes: usize) -> Option<Vec<u8>> {
    if digits.len() != 2 * bytes || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let byte = |at: usize| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).ok();
    let told: Vec<u8> = (0..bytes).map(byte).collect::<Option<_>>()?;
    told.iter().any(|byte| *byte > 0).then_some(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_the_id_of_a_trace_is_one() {
        assert_eq!(hex("4bf92f3577b34da6a3ce929d0e0e4736", 16).unwrap()[..2], [0x4b, 0xf9]);
        assert_eq!(hex("00f067aa0ba902b7", 8).unwrap().len(), 8);
        for none in ["", "7", &"0".repeat(32), &"g".repeat(32), &"a".repeat(31), &"é".repeat(16)] {
            assert_eq!(hex(none, 16), None, "{none}");
        }
    }
}
