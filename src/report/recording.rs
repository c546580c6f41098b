//! What is said of a recording.

use super::text::plain;
use crate::{
    number::{humanize, humanize_bytes},
    view::widget::facts::plural,
};
use serde::Serialize;
use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

/// What is said of a recording.
#[derive(Debug, Serialize)]
pub(crate) struct RecordingInfo {
    pub(crate) target: String,
    /// Who answered: the name of the service, or the executable, of each process.
    pub(crate) processes: Vec<String>,
    pub(crate) holdup_version: String,
    pub(crate) format: u32,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) seconds: f64,
    pub(crate) bytes: u64,
    pub(crate) segments: usize,
    /// How many of them have no more than what was found, what that names, and sums.
    pub(crate) outlines: usize,
    pub(crate) updates: u64,
    pub(crate) most_tasks: usize,
    /// How often something began to tell.
    pub(crate) attached: u64,
    /// How many findings there were, by lint.
    pub(crate) findings: BTreeMap<&'static str, usize>,
    /// Whether it was closed: otherwise it is still written, or whoever wrote it was ended.
    pub(crate) closed: bool,
    pub(crate) damaged_segments: u64,
    pub(crate) unusable_messages: u64,
    pub(crate) bytes_of_nothing: u64,
}

impl RecordingInfo {
    /// As JSON.
    pub(crate) fn to_json(&self) -> String {
        let mut json = serde_json::to_string_pretty(self).unwrap_or_default();
        json.push('\n');
        json
    }

    /// As text, safe to be shown by a terminal.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let mut row = |name: &str, value: &str| {
            let _ = writeln!(text, "{name:<10} {}", plain(value));
        };
        row("target", &self.target);
        self.processes.iter().for_each(|process| row("process", process));
        row("recorded", &format!("by holdup {}, format {}", self.holdup_version, self.format));
        row("from", &self.from);
        row("to", &format!("{}, {} later", self.to, humanize(Duration::from_secs_f64(self.seconds))));
        row("size", &format!("{} in {}", humanize_bytes(self.bytes), plural(self.segments as u64, "segment")));
        if self.outlines > 0 {
            row(
                "outlines",
                &format!("{} of the segments have no more than findings, what they name, and sums", self.outlines),
            );
        }
        row("updates", &format!("{}, with up to {} tasks", self.updates, self.most_tasks));
        if self.attached > 1 {
            row("attached", &format!("{} times: the target was lost, or began again", self.attached));
        }
        for (lint, count) in &self.findings {
            row("finding", &if *count == 1 { (*lint).to_owned() } else { format!("{lint}, {count} of it") });
        }
        if self.findings.is_empty() {
            row("finding", "none");
        }
        if !self.closed {
            row("end", "it was not closed: it is still written, or whoever wrote it was ended");
        }
        let damage = [
            (self.damaged_segments, "segments of which nothing can be believed"),
            (self.unusable_messages, "events that cannot be read"),
            (self.bytes_of_nothing, "bytes that belong to nothing"),
        ];
        for (count, what) in damage.into_iter().filter(|(count, _)| *count > 0) {
            row("damaged", &format!("{count} {what}"));
        }
        text
    }
}
