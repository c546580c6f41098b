//! What came of several targets, each in every format that one is printed in.

use super::{data::Report, github, text};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The version of the JSON of several. That of each report in it is the report's own.
const VERSION: u32 = 1;

/// What came of one target.
pub struct Checked {
    /// The target as it was asked for.
    pub target: String,
    /// The lints that are switched on, as far as they are known by their names.
    pub lints: Vec<&'static str>,
    /// What was seen.
    pub seen: Seen,
}

/// What was seen of a target.
pub enum Seen {
    /// It was watched.
    Report(Box<Report>),
    /// It was not, and why.
    Nothing(String),
}

/// For people: a heading for each.
pub(crate) fn in_text(checked: &[Checked]) -> String {
    let mut out = String::new();
    for Checked { target, seen, .. } in checked {
        let _ = writeln!(out, "━━ {}\n", text::plain(target));
        match seen {
            Seen::Report(report) => out.push_str(&text::render(report)),
            Seen::Nothing(why) => {
                let _ = writeln!(out, "not watched: {}", text::plain(why));
            }
        }
        out.push('\n');
    }
    let unseen = checked.iter().filter(|checked| matches!(checked.seen, Seen::Nothing(_))).count();
    let _ = writeln!(out, "{} targets, {unseen} of them not watched", checked.len());
    out
}

/// For programs: the report of each, or why there is none.
pub(crate) fn in_json(checked: &[Checked]) -> String {
    let each = |Checked { target, seen, .. }: &Checked| match seen {
        // Every part is a struct of plain data, so that there is nothing to fail.
        Seen::Report(report) => json!({ "target": target, "report": report, "error": Value::Null }),
        Seen::Nothing(why) => json!({ "target": target, "report": Value::Null, "error": why }),
    };
    let all = json!({ "version": VERSION, "targets": checked.iter().map(each).collect::<Vec<Value>>() });
    format!("{all:#}\n")
}

/// Annotations of each.
pub(crate) fn for_github(checked: &[Checked]) -> String {
    let each = |Checked { target, seen, .. }: &Checked| match seen {
        Seen::Report(report) => github::render(report),
        Seen::Nothing(why) => github::not_watched(target, why),
    };
    checked.iter().map(each).collect()
}
