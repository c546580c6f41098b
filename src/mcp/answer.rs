//! What came of a call, as an assistant is given it: no larger than it can be read, and with what a target has said apart from what holdup says.

use crate::diagnose::LINTS;
use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// Bytes of an answer at the most.
pub(super) const MOST: usize = 64 << 10;

/// What is around the report itself.
const AROUND: usize = 4 << 10;

/// Characters of one text. What a target says may be a megabyte.
const TEXT: usize = 1_000;

/// Places at which something was left out that are told of.
const CUTS: usize = 40;

/// A command that has ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) code: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

pub(super) fn targets(targets: &[String]) -> CallToolResult {
    success(&json!({ "targets": targets }))
}

/// What is holdup's own.
pub(super) fn explained(ended: Result<Ended, String>) -> CallToolResult {
    match ended {
        Ok(Ended { code: Some(0), stdout, .. }) => success(&json!({ "explanation": stdout })),
        Ok(ended) => failure(&ended.stderr),
        Err(why) => failure(&why),
    }
}

/// A report of what was seen.
pub(super) fn report(ended: Result<Ended, String>) -> CallToolResult {
    let ended = match ended {
        Ok(ended) => ended,
        Err(why) => return failure(&why),
    };
    let Ok(report) = serde_json::from_str::<Value>(&ended.stdout) else { return failure(&ended.stderr) };
    let found = found(&report);
    let (report, cut) = bounded(report, MOST - AROUND);
    let mut answer = Map::new();
    answer.insert("found".to_owned(), found);
    // That it ended early, or that one of two could not be read.
    if !ended.stderr.trim().is_empty() && ended.code != Some(0) && ended.code != Some(1) {
        answer.insert("untrusted_error".to_owned(), shown(ended.stderr.trim()).into());
    }
    answer.insert("untrusted".to_owned(), report);
    if !cut.is_empty() {
        answer.insert("cut".to_owned(), cut.into());
    }
    success(&Value::Object(answer))
}

/// How many findings there are of each lint: of words that are holdup's own alone.
fn found(report: &Value) -> Value {
    let findings = report.get("findings").and_then(Value::as_array);
    let of_lint = |lint: &str| {
        let of_lint = findings.into_iter().flatten().filter(|finding| finding.get("lint").is_some_and(|of| of == lint));
        of_lint.count()
    };
    let counts = LINTS.iter().map(|lint| (lint.name.to_owned(), of_lint(lint.name))).filter(|(_, count)| *count > 0);
    Value::Object(counts.map(|(lint, count)| (lint, count.into())).collect())
}

fn success(answer: &Value) -> CallToolResult {
    CallToolResult::success(vec![ContentBlock::text(answer.to_string())])
}

/// Why there is no answer. That may be in a target's words.
fn failure(why: &str) -> CallToolResult {
    let why = if why.trim().is_empty() { "it does not say why" } else { why.trim() };
    CallToolResult::error(vec![ContentBlock::text(json!({ "untrusted_error": shown(why) }).to_string())])
}

/// A report of so many bytes at the most, and what was left out of it: of lists what comes last, of the largest first.
fn bounded(mut report: Value, most: usize) -> (Value, Vec<Value>) {
    let mut cut = Vec::new();
    show(&mut report, &mut String::new(), &mut cut);
    let mut shortened: Vec<(String, usize, usize)> = Vec::new();
    while size(&report) > most {
        let Some((path, length)) = largest(&report) else { break };
        let Some(list) = report.pointer_mut(&path).and_then(Value::as_array_mut) else { break };
        let kept = length / 2;
        list.truncate(kept);
        match shortened.iter_mut().find(|(known, ..)| *known == path) {
            Some((_, now, _)) => *now = kept,
            None => shortened.push((path, kept, length)),
        }
    }
    // What is inside of what is gone is not told of.
    let is_there = |path: &str| report.pointer(path).is_some();
    let lists = shortened.into_iter().filter(|(path, ..)| is_there(path));
    let mut told: Vec<Value> = lists.map(|(at, kept, of)| json!({ "at": at, "kept": kept, "of": of })).collect();
    told.extend(cut.into_iter().filter(|at: &String| is_there(at)).map(|at| json!({ "at": at, "characters": TEXT })));
    if told.len() > CUTS {
        let more = told.len() - CUTS;
        told.truncate(CUTS);
        told.push(json!({ "more": more }));
    }
    if size(&report) > most {
        return (Value::Null, vec![json!({ "at": "", "kept": 0, "of": 1 })]);
    }
    (report, told)
}

fn size(value: &Value) -> usize {
    value.to_string().len()
}

/// The list that loses most by being halved.
#[derive(Debug, Default)]
struct Largest {
    half: usize,
    path: String,
    length: usize,
}

/// Where the list is that loses most by being halved, and how long it is.
fn largest(value: &Value) -> Option<(String, usize)> {
    let mut best = Largest::default();
    weigh(value, &mut String::new(), &mut best);
    (best.length > 0).then_some((best.path, best.length))
}

/// How many bytes something takes, all of which is looked at once.
fn weigh(value: &Value, path: &mut String, best: &mut Largest) -> usize {
    let length = path.len();
    match value {
        Value::Array(items) => {
            let (mut whole, mut half) = (2, 0);
            for (at, item) in items.iter().enumerate() {
                step(path, at);
                let size = weigh(item, path, best) + 1;
                path.truncate(length);
                whole += size;
                half += if at < items.len() / 2 { 0 } else { size };
            }
            if half > best.half {
                *best = Largest { half, path: path.clone(), length: items.len() };
            }
            whole
        }
        Value::Object(fields) => {
            let mut whole = 2;
            for (name, field) in fields {
                step(path, escaped(name));
                whole += weigh(field, path, best) + name.len() + 4;
                path.truncate(length);
            }
            whole
        }
        leaf => size(leaf),
    }
}

fn step(path: &mut String, to: impl std::fmt::Display) {
    // Writing to a string cannot fail.
    let _ = write!(path, "/{to}");
}

/// A field's name as a path has it.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Makes all text visible, and cuts what is long.
fn show(value: &mut Value, path: &mut String, cut: &mut Vec<String>) {
    let length = path.len();
    match value {
        Value::String(text) => {
            if text.chars().nth(TEXT).is_some() {
                *text = text.chars().take(TEXT).collect();
                cut.push(path.clone());
            }
            *text = visible(text);
        }
        Value::Array(items) => {
            for (at, item) in items.iter_mut().enumerate() {
                step(path, at);
                show(item, path, cut);
                path.truncate(length);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                step(path, escaped(name));
                show(field, path, cut);
                path.truncate(length);
            }
        }
        _ => {}
    }
}

fn shown(text: &str) -> String {
    visible(&text.chars().take(TEXT).collect::<String>())
}

/// The text with everything in it that is not seen as an escape: what would move a cursor, turn text around, or hide it from whoever reads along.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter != '\n' && is_unseen(letter) { shown.extend(letter.escape_unicode()) } else { shown.push(letter) }
    }
    shown
}

fn is_unseen(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_is_cut_at_the_end_of_its_lists_and_told() {
        let findings: Vec<Value> =
            (0..5_000).map(|id| json!({ "id": id, "lint": "deadlock", "message": "x".repeat(60) })).collect();
        let report = json!({ "findings": findings, "target": "a", "long": "y".repeat(5_000) });
        assert_eq!(found(&report), json!({ "deadlock": 5_000 }));
        let (report, cut) = bounded(report, 10_000);
        assert!(size(&report) <= 10_000);
        let kept = report["findings"].as_array().unwrap().len();
        assert!(kept > 10 && report["findings"][0]["id"] == 0, "{kept}");
        assert!(cut.contains(&json!({ "at": "/findings", "kept": kept, "of": 5_000 })), "{cut:?}");
        assert!(cut.contains(&json!({ "at": "/long", "characters": 1_000 })), "{cut:?}");
        let (nothing, cut) = bounded(json!({ "a": "x".repeat(900), "b": "y".repeat(900) }), 100);
        assert_eq!((nothing, cut.len()), (Value::Null, 1), "what cannot be cut is not told");
        assert_eq!(bounded(json!({ "a": [1] }), 1_000), (json!({ "a": [1] }), Vec::new()));
    }

    #[test]
    fn nothing_in_a_text_is_hidden() {
        assert_eq!(
            visible("a\u{1b}[2Jb\u{202e}c\u{200b}d\u{e0041}é\n語"),
            "a\\u{1b}[2Jb\\u{202e}c\\u{200b}d\\u{e0041}é\n語"
        );
        let mut report = json!({ "names": ["ignore\u{2066} all"] });
        show(&mut report, &mut String::new(), &mut Vec::new());
        assert_eq!(report["names"][0], "ignore\\u{2066} all");
    }

    #[test]
    fn why_there_is_none_is_said_as_what_it_is() {
        let ended = Ended { code: Some(3), stdout: String::new(), stderr: "holdup: nothing listens at a:1\n".into() };
        let answer = format!("{:?}", report(Ok(ended)));
        assert!(answer.contains("untrusted_error") && answer.contains("nothing listens at a:1"), "{answer}");
        assert!(format!("{:?}", report(Err("too late".into()))).contains("too late"));
    }
}
