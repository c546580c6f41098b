//! A finding or a task as text, to be pasted elsewhere.

use crate::{
    app::{
        filter::field,
        labels::{span_label, task_name},
        tasks::look::LookLines,
    },
    diagnose::{Finding, LINES, Measure, StackRef, Status, Subject, drawn, humanize, humanize_bytes, levels},
    session::Session,
    update::{Known, Stamp, TaskId},
};
use std::fmt::Write;

/// A finding with its evidence and advice.
pub(crate) fn finding(finding: &Finding) -> String {
    let mut text = format!("{} {}: {}\n", finding.severity, finding.lint.name, subject(&finding.subject));
    let over = if finding.status == Status::Past { " (over)" } else { "" };
    let _ = writeln!(text, "  {}{over} [{}]", finding.message, finding.confidence.name());
    for evidence in &finding.evidence {
        let _ = writeln!(text, "  {}: {}", evidence.name, measure(&evidence.value));
    }
    let steps = finding.story();
    let depths: Vec<usize> = steps.iter().map(|step| step.depth).collect();
    for (step, levels) in steps.iter().zip(levels(&depths)) {
        let (before, beside) = drawn(&levels, LINES);
        let _ = writeln!(text, "  {before}{}", step.in_full());
        if let Some(change) = step.change {
            let _ = writeln!(text, "  {beside}  change this first: {change}");
        }
    }
    for StackRef { what, of, stack } in &finding.related.stacks {
        let guess = if stack.approximate { " (approximate)" } else { "" };
        let whose = of.as_ref().map_or_else(String::new, |task| format!(", {}", task_name(task)));
        let _ = writeln!(text, "  {what}{whose}{guess}: {}", stack.limitation);
        for line in stack.folded() {
            let _ = writeln!(text, "    {}", line.in_words());
        }
    }
    let _ = writeln!(text, "  do: {}", finding.advice());
    text
}

/// What a finding is about, in words.
pub fn subject(subject: &Subject) -> String {
    match subject {
        Subject::Task(task) => task_name(task),
        Subject::Lock(lock) => lock.in_words(),
        Subject::Place(place) => format!("tasks spawned at {place}"),
        Subject::Runtime(runtime) => format!("runtime {}", runtime.name.trim_start_matches("runtime ")),
        Subject::Target => "the target".into(),
    }
}

/// A measured value with its unit.
pub fn measure(measure: &Measure) -> String {
    match measure {
        Measure::Time(time) => humanize(*time),
        Measure::Count(count) => count.to_string(),
        Measure::Bytes(bytes) => humanize_bytes(*bytes),
        Measure::Share(share) => format!("{:.0}%", share * 100.0),
        Measure::Text(text) => text.clone(),
    }
}

/// A task with its numbers.
pub(crate) fn task(session: &Session, id: TaskId, now: Option<Stamp>) -> Option<String> {
    let (model, now) = (session.model(), now?);
    let task = model.tasks().get(id)?;
    let mut text = format!("task {} {}\n", task.display_id(), model.task_name(&task));
    let known = |value: Known<String>| match value {
        Known::Value(value) => value,
        Known::NotFrom(fact) => format!("not known from here, because {}", model.knows().why_not(fact)),
    };
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "  {name}: {value}");
    };
    line("state", task.state().name().into());
    line("kind", task.kind().name().into());
    line("location", model.place(task.place()).to_string());
    line("total", known(model.total(&task, now).map(humanize)));
    line("busy", known(model.busy(&task, now).map(humanize)));
    line("scheduled", known(model.scheduled(&task, now).map(humanize)));
    line("idle", known(model.idle(&task, now).map(humanize)));
    line("polls", known(model.polls(&task).map(|polls| polls.to_string())));
    line("wakes", known(model.wakes(&task).map(|wakes| format!("{} ({} by itself)", wakes.count, wakes.own))));
    line("wakers", known(model.wakers(&task).map(|wakers| wakers.out.to_string())));
    if let Some(span) = span_label(model, id) {
        line("span", span);
    }
    for (name, value) in model.extra_fields(&task) {
        line("field", field(name, value));
    }
    for (lint, severity) in session.engine().lints_of(model, id) {
        line("finding", format!("{severity} {}", lint.name));
    }
    if let Some(look) = LookLines::of(model, &task, now) {
        for frame in &look.frames {
            let indent = "  ".repeat(usize::from(frame.indent));
            line("awaits in", format!("{indent}{} {}", frame.name, frame.place).trim_end().to_owned());
        }
        for wait in &look.waits {
            line("waits for", format!("{} ({})", wait.what, wait.certainty.name()));
            for (holder, certainty) in &wait.holders {
                line("held by", format!("{holder} ({})", certainty.name()));
            }
        }
        if !look.unread.is_empty() {
            line("not known", look.unread);
        }
    }
    Some(text)
}
