//! What shows one finding: evidence, who else is in it, and what to do.

use super::story;
use crate::{
    app::{
        clipboard::{measure, subject},
        labels::task_name,
        options::StackForm,
        state::App,
    },
    diagnose::{Confidence, Finding, Measure, Role, Severity, StackRef, Status, Step, TaskRef, humanize},
    update::{Stamp, TaskId},
    view::{
        style::{text, theme::Theme},
        widget::{stack, wrap::wrap},
    },
};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};
use std::time::{Duration, Instant};

/// A finding shows at most this many lines of a stack; the worker's page has them all.
const FRAMES_MOST: usize = 24;

/// Draws a line with the finding's name across the frame, and below it the lines.
pub fn render(
    buffer: &mut Buffer,
    area: Rect,
    finding: &Finding,
    lines: &[Line<'static>],
    app: &App,
    at: Instant,
    theme: &Theme,
) {
    let symbols = theme.symbols();
    let rule = symbols.line.repeat(area.width as usize);
    buffer.set_stringn(area.x, area.y, rule, area.width as usize, theme.border());
    buffer.set_string(area.x.saturating_sub(1), area.y, symbols.tee.0, theme.border());
    buffer.set_string(area.right(), area.y, symbols.tee.1, theme.border());
    let title = title(finding, app, at, area.width.saturating_sub(2) as usize, theme);
    buffer.set_line(area.x, area.y, &title, area.width.saturating_sub(1));
    let room = area.height.saturating_sub(1) as usize;
    for (at, line) in lines.iter().take(room).enumerate() {
        buffer.set_line(area.x + 1, area.y + 1 + at as u16, line, area.width.saturating_sub(2));
    }
    if lines.len() > room && room > 0 {
        let more = format!(" {} more lines: e explains, y copies ", lines.len() - room);
        let x = area.right().saturating_sub(more.len() as u16 + 1).max(area.x);
        buffer.set_stringn(x, area.bottom(), more, area.right().saturating_sub(x) as usize, theme.dim());
    }
}

/// The lint, its subject, how sure it is, and since when, as far as there is room.
fn title(finding: &Finding, app: &App, at: Instant, room: usize, theme: &Theme) -> Line<'static> {
    let mut parts = vec![(subject(&finding.subject), Style::new())];
    match finding.confidence {
        Confidence::Exact => {}
        Confidence::Inferred => parts.push(("inferred".into(), theme.dim())),
        Confidence::Likely => parts.push(("likely".into(), theme.dim())),
        Confidence::Incomplete => parts.push(("incomplete".into(), theme.notice())),
    }
    let since = clock(finding.since, app);
    parts.push(match (finding.status, app.now(at)) {
        (Status::Active, Some(now)) => (format!("since {since}, {}", humanize(now.since(finding.since))), Style::new()),
        _ => (format!("{since} to {}", clock(finding.last_seen, app)), theme.dim()),
    });
    if finding.episodes > 1 {
        parts.push((format!("{} times", finding.episodes), Style::new()));
    }
    let mut line = Line::from(vec![
        Span::raw(" "),
        Span::styled(theme.mark(finding.severity), theme.severity(finding.severity)),
        Span::raw(" "),
        Span::styled(finding.lint.name, theme.title()),
    ]);
    let rule = format!(" {} ", theme.symbols().line.repeat(2));
    for (text, style) in parts {
        let text = text::safe(&units(&text, theme), 60, theme).into_owned();
        if line.width() + text::columns(&rule) + text::columns(&text) < room {
            line.push_span(Span::styled(rule.clone(), theme.border()));
            line.push_span(Span::styled(text, style));
        }
    }
    line.push_span(Span::raw(" "));
    line
}

/// An instant as the user's clock shows it.
pub fn clock(at: Stamp, app: &App) -> String {
    let nanos = i128::from(at.nanos());
    jiff::Timestamp::from_nanosecond(nanos)
        .map_or_else(|_| "?".into(), |at| at.to_zoned(app.time_zone.clone()).strftime("%H:%M:%S").to_string())
}

/// A name and its value.
type Entry = (String, String, Style);

/// Everything below the title, in lines of this width.
pub fn lines(finding: &Finding, app: &App, at: Instant, width: u16, theme: &Theme) -> Vec<Line<'static>> {
    let (facts, mut prose) = evidence(finding, theme);
    related(finding, &mut prose, theme);
    let ring = if finding.related.cycle.is_empty() { Vec::new() } else { finding.story() };
    let mut last = Vec::new();
    over(finding, app, at, &mut last, theme);
    last.push(("do".into(), finding.advice().into(), theme.good()));
    let names = names(facts.iter().chain(&prose).chain(&last));
    let mut lines = lay_out(&facts, &prose, names, width, theme);
    lines.extend(story::lines(&ring, width as usize, theme));
    for entry in &last {
        push(&mut lines, entry, names, width, theme);
    }
    lines.extend(stacks(finding, app.stacks, width as usize, theme));
    lines
}

/// What a finding says where its story is told beside it, what is to be done first, in lines of this width.
pub(super) fn facts(
    finding: &Finding,
    app: &App,
    at: Instant,
    change: Option<String>,
    width: u16,
    theme: &Theme,
) -> Vec<Line<'static>> {
    let (facts, evidence) = evidence(finding, theme);
    let mut first: Vec<Entry> = evidence.iter().take(1).cloned().collect();
    over(finding, app, at, &mut first, theme);
    first.extend(change.map(|change| ("change first".into(), change, theme.notice())));
    first.push(("do".into(), finding.advice().into(), theme.good()));
    let names = names(facts.iter().chain(&first).chain(&evidence));
    let mut lines = Vec::new();
    for entry in &first {
        push(&mut lines, entry, names, width, theme);
    }
    grid(&mut lines, &facts, names, width, theme);
    for entry in evidence.iter().skip(1) {
        push(&mut lines, entry, names, width, theme);
    }
    lines
}

/// Its stacks, in lines of this width.
pub(super) fn stacks(finding: &Finding, form: StackForm, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    finding.related.stacks.iter().flat_map(|shown| stack_lines(shown, form, width, theme)).collect()
}

/// What shows it: short facts, and what it says first of all with the longer ones.
fn evidence(finding: &Finding, theme: &Theme) -> (Vec<Entry>, Vec<Entry>) {
    let mut facts: Vec<Entry> = Vec::new();
    let mut prose: Vec<Entry> = vec![("what".into(), finding.message.clone(), Style::new())];
    for evidence in &finding.evidence {
        let value = measure(&evidence.value);
        match evidence.value {
            Measure::Text(_) => prose.push((evidence.name.into(), value, Style::new())),
            _ => facts.push((evidence.name.into(), value, theme.title())),
        }
    }
    (facts, prose)
}

fn over(finding: &Finding, app: &App, at: Instant, prose: &mut Vec<Entry>, theme: &Theme) {
    if finding.status == Status::Past {
        let ago = app.now(at).map(|now| now.since(finding.last_seen)).filter(|ago| *ago >= Duration::from_secs(1));
        let ago = ago.map_or_else(String::new, |ago| format!(", {} ago", humanize(ago)));
        prose.push(("over".into(), format!("last seen at {}{ago}", clock(finding.last_seen, app)), theme.dim()));
    }
}

/// How wide the column of names is.
fn names<'a>(entries: impl Iterator<Item = &'a Entry>) -> usize {
    entries.map(|(name, ..)| text::columns(name)).max().unwrap_or(0).min(18)
}

/// What it says first, then the short facts, then the rest.
fn lay_out(facts: &[Entry], prose: &[Entry], names: usize, width: u16, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for (at, entry) in prose.iter().enumerate() {
        push(&mut lines, entry, names, width, theme);
        if at == 0 {
            grid(&mut lines, facts, names, width, theme);
        }
    }
    lines
}

/// A stack below a line that says what it is of.
fn stack_lines(shown: &StackRef, form: StackForm, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let title = match shown.what {
        "acquired" => "where the lock was acquired",
        "asleep" => "where its holder sleeps",
        _ => "the thread's stack",
    };
    let whose = shown.of.as_ref().map_or_else(String::new, |task| format!(": {}", task_name(task)));
    let title = format!("{title}{whose}");
    let mut lines = vec![Line::styled(text::safe(&title, width, theme).into_owned(), theme.label())];
    lines.extend(stack::lines(&shown.stack, form, width, FRAMES_MOST, theme));
    lines
}

fn related(finding: &Finding, prose: &mut Vec<Entry>, theme: &Theme) {
    let related = &finding.related;
    // A ring's is told with it.
    if let Some(lock) = related.lock.as_ref().filter(|_| related.cycle.is_empty()) {
        prose.push(("lock".into(), lock.in_words(), Style::new()));
    }
    let steps = if related.cycle.is_empty() { finding.story() } else { Vec::new() };
    let keeps = |step: &Step| step.depth == 1 && matches!(step.role, Role::Keeps(_));
    for (at, step) in steps.iter().enumerate().filter(|(_, step)| keeps(step)) {
        let waits = steps[at + 1..].iter().take_while(|step| step.depth > 1);
        let waits = waits.filter(|step| step.depth == 2 && step.role == Role::Awaited).map(Step::in_words);
        let said: Vec<String> = std::iter::once(step.in_full()).chain(waits).collect();
        let is_first = prose.iter().all(|(name, ..)| name != "holder");
        let style = if is_first { theme.severity(Severity::Warning) } else { Style::new() };
        prose.push((if is_first { "holder" } else { "holds too" }.into(), said.join("; "), style));
    }
    if !related.waiters.is_empty() {
        let dot = format!(" {} ", theme.symbols().dot);
        let named: Vec<String> = related
            .waiters
            .iter()
            .map(|waiter| format!("{} {}", short(&waiter.task), waiter.waited_in_words()))
            .collect();
        prose.push(("waiting".into(), some(&named, related.waiters_total, &dot), Style::new()));
    }
    if !related.tasks.is_empty() && related.cycle.is_empty() {
        prose.push(("so do".into(), counted(&related.tasks, finding.other_tasks()), Style::new()));
    }
}

/// Tasks by name, those of one name together: many tasks of one place have the same.
fn counted(tasks: &[TaskRef], total: usize) -> String {
    let mut names: Vec<(String, usize)> = Vec::new();
    for task in tasks {
        let name = short(task);
        match names.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => *count += 1,
            None => names.push((name, 1)),
        }
    }
    let in_words = |(name, count): &(String, usize)| match count {
        1 => name.clone(),
        _ => format!("{count} of {name}"),
    };
    let mut said: Vec<String> = names.iter().take(NAMED_MOST).map(in_words).collect();
    let counted: usize = names.iter().take(NAMED_MOST).map(|(_, count)| count).sum();
    if total > counted {
        said.push(format!("{} more", total - counted));
    }
    said.join(", ")
}

/// So many are named.
const NAMED_MOST: usize = 6;

/// The first few of many.
fn some(named: &[String], total: usize, separator: &str) -> String {
    let mut shown = named[..named.len().min(NAMED_MOST)].to_vec();
    if total > shown.len() {
        shown.push(format!("{} more", total - shown.len()));
    }
    shown.join(separator)
}

fn short(task: &TaskRef) -> String {
    if task.id == TaskId::NONE {
        return task_name(task);
    }
    if task.name.is_empty() { format!("task {}", task.number.unwrap_or(task.id.0)) } else { task.name.clone() }
}

/// One name and its value, in as many lines as the value needs.
fn push(lines: &mut Vec<Line<'static>>, entry: &Entry, names: usize, width: u16, theme: &Theme) {
    let (name, value, style) = entry;
    let mut name = text::left(name, names, theme);
    for line in wrap(&units(value, theme), (width as usize).saturating_sub(names + 2), theme) {
        let blank = " ".repeat(names);
        lines.push(Line::from(vec![
            Span::styled(std::mem::replace(&mut name, blank), theme.label()),
            Span::raw("  "),
            Span::styled(line, *style),
        ]));
    }
}

/// Short facts, side by side where there is room.
fn grid(lines: &mut Vec<Line<'static>>, facts: &[Entry], names: usize, width: u16, theme: &Theme) {
    const VALUE: usize = 14;
    let cell = names + 2 + VALUE;
    let across = (width as usize / cell).max(1);
    for row in facts.chunks(across) {
        let mut line = Line::default();
        for (name, value, style) in row {
            line.push_span(Span::styled(text::left(name, names, theme), theme.label()));
            line.push_span(Span::raw("  "));
            line.push_span(Span::styled(text::left(&units(value, theme), VALUE - 1, theme), *style));
            line.push_span(Span::raw(" "));
        }
        lines.push(line);
    }
}

/// Units in the characters that there are.
pub fn units(words: &str, theme: &Theme) -> String {
    match theme.symbols().micro {
        "µ" => words.to_owned(),
        micro => words.replace('µ', micro),
    }
}
