//! A report for people: a paragraph for each finding, the worst first, and what was watched. Where memory was read, what most of the
//! tasks wait for stands before them.
//!
//! ```text
//! CRITICAL deadlock (inferred) task 21 ab-first src/pair.rs:30
//!   2 tasks wait for each other's locks, for 12.3 s
//!   stuck       12.3 s
//!   story       task 21 ab-first src/pair.rs:30
//!               ╰ waits for Mutex 3 src/pair.rs:12 for 12.2 s, in Mutex::lock, asleep in pair::ab at src/pair.rs:32
//!                 ╰ task 22 ba-first src/pair.rs:36 holds it for 12.3 s, acquired in pair::ba at src/pair.rs:37
//!   do          Take locks in one order everywhere, …
//!
//! watched http://127.0.0.1:6669 (console) for 10.0 s: 1 critical, 0 warnings, 2 notes
//! 118 tasks live, 12 ended; 0 events dropped; lag 0 ns
//! not looked for: stalled-worker, blocking-pool-full, panicked (only holdup's agent tells of it)
//! ```

use super::{
    data::Report,
    exact::StackRow,
    location::Location,
    rows::{LockRow, Named, Row},
    story,
    task::TaskRow,
};
use crate::{
    app::options::{Charset, Palette},
    diagnose::humanize,
    view::style::{text::safe, theme::Theme},
};
use std::{borrow::Cow, fmt::Write, time::Duration};

/// Where values begin.
const INDENT: usize = 24;

/// No line is longer than this, whatever a target calls its tasks.
const LINE_MOST: usize = 400;

/// How many frames of a stack are named.
const FRAMES_MOST: usize = 20;

/// The report as text, safe to be shown by a terminal.
pub(crate) fn render(report: &Report) -> String {
    let mut out = String::new();
    if let Some(memory) = report.memory.as_ref().filter(|memory| !memory.summary.is_empty()) {
        let _ = writeln!(out, "{}\n", plain(&memory.summary));
    }
    for row in &report.findings {
        finding(&mut out, row);
        out.push('\n');
    }
    summary(&mut out, report);
    out
}

/// One finding.
pub(super) fn finding(out: &mut String, row: &Row) {
    let over = if row.status == "past" { ", over" } else { "" };
    let severity = row.severity.to_uppercase();
    let subject = subject(&row.subject);
    let _ = writeln!(out, "{severity} {} ({}{over}) {}", row.lint, row.confidence, plain(&subject));
    let _ = writeln!(out, "  {}", plain(&row.message));
    for fact in &row.evidence {
        entry(out, fact.name, &fact.words);
    }
    let related = &row.related;
    // What it is about stands in its first line.
    let told = if row.story.len() > 1 { &row.story[..] } else { &[] };
    for (at, line) in story::lines(told, row.confidence).iter().enumerate() {
        entry(out, if at == 0 { "story" } else { "" }, line);
    }
    let several_hold = related.stacks.iter().any(|stack| whose(stack) != related.stacks.first().and_then(whose));
    for stack in &related.stacks {
        let guess = if stack.approximate { ", approximate" } else { "" };
        let mut name = format!("{}{guess}", stack.what);
        if let (true, Some(holder)) = (several_hold, &stack.task) {
            entry(out, &std::mem::take(&mut name), &task(holder));
        }
        several(out, &name, FRAMES_MOST, &stack.lines);
        if let Some(limitation) = &stack.limitation {
            entry(out, &name, limitation);
        }
    }
    entry(out, "since", &row.since);
    entry(out, "do", row.advice);
}

/// Who acquired or sleeps where a stack is.
fn whose(stack: &StackRow) -> Option<u64> {
    stack.task.as_ref().map(|task| task.id)
}

/// One for each line, as far as they are worth reading, and how many more there are.
fn several(out: &mut String, name: &str, most: usize, items: &[String]) {
    for (at, item) in items.iter().take(most).enumerate() {
        entry(out, if at == 0 { name } else { "" }, item);
    }
    if items.len() > most {
        entry(out, "", &format!("and {} more", items.len() - most));
    }
}

/// A name and its value. A name that is as wide as its column is told apart from the value by a space all the same.
fn entry(out: &mut String, name: &str, value: &str) {
    let _ = writeln!(out, "  {name:width$} {}", plain(value), width = INDENT - 1);
}

/// A subject in one line.
pub(super) fn subject(subject: &Named) -> String {
    match subject {
        Named::Task(row) => task(row),
        Named::Lock(row) => lock(row),
        Named::Place { location } => format!("spawned at {}", place(location.as_ref())),
        Named::Runtime(runtime) => format!("runtime {}", runtime.name.trim_start_matches("runtime ")),
        Named::Worker(worker) => format!("worker {} of {}", worker.index, worker.runtime.name),
        Named::Threads { threads } => format!("threads {threads:?}"),
        Named::Target => "the target".into(),
    }
}

fn task(task: &TaskRow) -> String {
    let mut words = match task.task_kind {
        "thread" => return format!("thread {}", task.name.as_deref().unwrap_or("without a name")),
        "task" => "task".to_owned(),
        kind => format!("{kind} task"),
    };
    if let Some(number) = task.number {
        let _ = write!(words, " {number}");
    }
    if let Some(name) = &task.name {
        let _ = write!(words, " {name}");
    }
    format!("{words} {}", place(task.location.as_ref()))
}

fn lock(lock: &LockRow) -> String {
    format!("{} {} {}", lock.lock_kind, lock.number, place(lock.location.as_ref()))
}

fn place(location: Option<&Location>) -> String {
    match location {
        None => "at an unknown place".into(),
        Some(Location { file, line: None }) => file.clone(),
        Some(Location { file, line: Some(line) }) => format!("{file}:{line}"),
    }
}

fn summary(out: &mut String, report: &Report) {
    if let Some(memory) = &report.memory {
        for unread in &memory.unread {
            let _ = writeln!(out, "not read: {} ({})", plain(&unread.what), plain(&unread.because));
        }
    }
    let count = |severity: &str| report.findings.iter().filter(|row| row.severity == severity).count();
    let plural = |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    let window = &report.window;
    let ended = match window.ended {
        "interrupted" => ", then stopped",
        "lost" => ", and lost it",
        "silent" => ", and it fell silent",
        _ => "",
    };
    let _ = writeln!(
        out,
        "watched {}{} for {:.1} s{ended}: {} critical, {}, {}",
        report.target,
        report.protocol.map(|protocol| format!(" ({protocol})")).unwrap_or_default(),
        window.seconds,
        count("critical"),
        plural(count("warning"), "warning"),
        plural(count("note"), "note"),
    );
    let counts = &report.counts;
    let seconds = |seconds: f64| humanize(Duration::try_from_secs_f64(seconds).unwrap_or_default());
    let mut line = format!(
        "{} live, {} ended; {} dropped",
        plural(counts.tasks.live, "task"),
        counts.tasks.ended,
        plural(counts.dropped_events as usize, "event"),
    );
    if counts.lag.worst_seconds > 0.0 {
        let _ = write!(line, "; lag {}, {} at worst", seconds(counts.lag.seconds), seconds(counts.lag.worst_seconds));
    }
    if counts.behind.worst_seconds > 0.0 {
        let worst = seconds(counts.behind.worst_seconds);
        let _ = write!(line, "; the link was {} behind, {worst} at worst", seconds(counts.behind.seconds));
    }
    if counts.lag.catch_ups > 0 {
        let _ = write!(line, "; asked to catch up {}", plural(counts.lag.catch_ups as usize, "time"));
    }
    if counts.decode_issues > 0 {
        let _ = write!(line, "; {} of its messages could not be used", plural(counts.decode_issues as usize, "part"));
    }
    if window.attached > 1 {
        let _ = write!(line, "; attached {}", plural(window.attached as usize, "time"));
    }
    if window.kept.is_some() {
        line.push_str("; of the end no more is kept than what was found, what that names, and sums");
        if let Some(unkept) = window.unkept_findings {
            let _ = write!(line, ", and not {}, none of them worse", plural(unkept, "more finding"));
        }
    }
    let _ = writeln!(out, "{line}");
    for line in report.not_looked_for_in_words() {
        let _ = writeln!(out, "{}", plain(&line));
    }
}

/// Text that may have come from the target, made fit for a terminal or a log.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    safe(text, LINE_MOST, &Theme::new(Palette::Off, Charset::Unicode))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_never_runs_into_its_value() {
        for name in ["polls", "share in polls over 10 m", "share in polls over 10 ms"] {
            let mut out = String::new();
            entry(&mut out, name, "100%");
            assert!(out.contains(&format!("{name} ")) && out.ends_with(" 100%\n"), "{out:?}");
        }
        let mut out = String::new();
        entry(&mut out, "polls", "7");
        assert_eq!(out.find('7'), Some(2 + INDENT));
    }
}
