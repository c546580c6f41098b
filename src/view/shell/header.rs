//! The first line: who is watched, by which way, how the connection stands, and how much there is.
//!
//! ```text
//!  holdup  echo-demo · pid 4242 · 127.0.0.1:6669 · agent, full · live ●    4 workers 67% · 118 tasks · ▲2 ●1
//! ```

use crate::{
    app::{
        frame::{LastFrame, Pace},
        state::App,
        workers::list::workers_load,
    },
    diagnose::{Severity, humanize},
    update::{Connection, Protocol, Temporality},
    view::style::{numbers, text, theme::Theme},
};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};
use std::time::Instant;

/// A part of the line. Where room is scarce, the part with the highest number goes first.
struct Part {
    text: String,
    style: Style,
    drop: u8,
}

/// Draws the line.
pub(crate) fn render(buffer: &mut Buffer, area: Rect, app: &App, at: Instant, theme: &Theme, shown: &mut LastFrame) {
    let (mut left, mut right) = (left(app, at, theme, shown), right(app, theme, workers_load(app.session().model())));
    let dot = format!(" {} ", theme.symbols().dot);
    let gap = dot.chars().count();
    let width = |parts: &[Part]| -> usize {
        let columns: usize = parts.iter().map(|part| text::columns(&part.text)).sum();
        columns + gap * parts.len().saturating_sub(1)
    };
    let name = " holdup  ";
    // Who is watched, and what it speaks, comes before how busy it is.
    if name.len() + width(&left) + 2 + right.width() > area.width as usize {
        right = self::right(app, theme, None);
    }
    let tally = right.width();
    while name.len() + width(&left) + 2 + tally > area.width as usize {
        let Some(first) = (0..left.len()).filter(|&at| left[at].drop > 0).max_by_key(|&at| left[at].drop) else {
            break;
        };
        left.remove(first);
    }
    let mut spans = vec![Span::styled(name, theme.title())];
    for (at, part) in left.into_iter().enumerate() {
        if at > 0 {
            spans.push(Span::styled(dot.clone(), theme.dim()));
        }
        spans.push(Span::styled(part.text, part.style));
    }
    let (end, _) = buffer.set_line(area.x, area.y, &Line::from(spans), area.width);
    let room = area.right().saturating_sub(end) as usize;
    if room > tally {
        buffer.set_line(area.right() - tally as u16, area.y, &right, tally as u16);
    }
}

fn left(app: &App, at: Instant, theme: &Theme, shown: &mut LastFrame) -> Vec<Part> {
    let part = |text: String, style, drop| Part { text, style, drop };
    let plain = |text: &str, drop| part(text::safe(text, 40, theme).into_owned(), Style::new(), drop);
    let mut parts = Vec::new();
    if let Some(session) = &app.session().status().begun {
        if let Some(process) = &session.process {
            parts.push(plain(&process.name, 3));
            parts.push(plain(&format!("pid {}", process.pid), 4));
        }
        if session.protocol != Protocol::Memory {
            parts.push(plain(&app.target, 1));
        }
        let mut speaks = match session.protocol {
            Protocol::Console => "console".to_owned(),
            Protocol::Memory => match session.process.as_ref().map_or("", |process| process.detail.as_str()) {
                "" => "memory".to_owned(),
                grade => format!("memory, {grade}"),
            },
            Protocol::Agent => match session.process.as_ref().map_or("", |process| process.detail.as_str()) {
                "" => "agent".to_owned(),
                detail => format!("agent, {detail}"),
            },
        };
        if app.session().status().beside.is_some() {
            speaks += " + memory";
        }
        parts.push(plain(&speaks, 2));
        if app.session().status().service_lost.is_some() {
            parts.push(part("service lost".into(), theme.bad(), 1));
        }
        if let Some(stands) = app.session().model().memory().whole().and_then(|whole| whole.state.in_words()) {
            parts.push(part(text::safe(stands, 40, theme).into_owned(), theme.notice(), 0));
        }
    } else {
        parts.push(plain(&app.target, 1));
    }
    let (text, style) = state(app, at, theme, shown);
    parts.push(part(text, style, 0));
    parts
}

/// How the connection and the display stand, in a few words.
fn state(app: &App, at: Instant, theme: &Theme, shown: &mut LastFrame) -> (String, Style) {
    let symbols = theme.symbols();
    if app.past().is_recording() {
        return match (app.past().is_playing(), app.past().line()) {
            (_, None) => ("opening".into(), theme.notice()),
            (true, _) => (format!("recording, {}×", app.past().speed()), theme.good()),
            (false, _) => (format!("recording {}", symbols.frozen), theme.notice()),
        };
    }
    let is_past = app.past().line().is_some() && app.past().shown().is_some();
    if let (false, Some(missed)) = (is_past, app.missed()) {
        return (format!("frozen {} {missed} new", symbols.frozen), theme.notice());
    }
    if let Some((wait, _)) = app.retry(at) {
        shown.hurry(Pace::Slow);
        return (format!("lost {}, retry in {} s", symbols.lost, wait.as_millis().div_ceil(1_000)), theme.bad());
    }
    if app.gave_up().is_some() {
        return (format!("given up {}", symbols.lost), theme.bad());
    }
    if is_past {
        return (format!("past {}", symbols.frozen), theme.notice());
    }
    if let Some(progress) = app.live().status().progress {
        let percent = numbers::percent(progress.received as f64 / progress.total.max(1) as f64);
        return (format!("loading {percent}"), theme.notice());
    }
    if let Some(silent) = app.silent_for(at) {
        return (format!("silent for {} s", silent.as_secs()), theme.bad());
    }
    let behind = app.session().model().health().behind;
    match (&app.live().status().connection, app.live().status().temporality) {
        (Connection::Connecting { attempt: 1 }, _) => ("connecting".into(), theme.notice()),
        (Connection::Connecting { attempt }, _) => (format!("connecting, try {attempt}"), theme.notice()),
        (_, Some(Temporality::Paused)) => (format!("paused {}", symbols.frozen), theme.notice()),
        _ if !behind.is_zero() => (format!("{} behind", humanize(behind)), theme.notice()),
        _ => (format!("live {}", symbols.live), theme.good()),
    }
}

/// Counts: tasks, and active findings by severity.
fn right(app: &App, theme: &Theme, load: Option<f64>) -> Line<'static> {
    let live = app.session().model().counts().live as u64;
    let tasks = if live == 1 { "1 task".into() } else { format!("{} tasks", numbers::grouped(live)) };
    let mut spans = Vec::new();
    if let Some(load) = load {
        let workers = app.session().model().agent().workers().len() as u64;
        spans.push(Span::raw(format!(
            "{} {}",
            crate::view::widget::facts::plural(workers, "worker"),
            numbers::percent(load)
        )));
        spans.push(Span::styled(format!(" {} ", theme.symbols().dot), theme.dim()));
    }
    spans.push(Span::raw(tasks));
    let tally = app.session().engine().tally();
    let counts =
        [(Severity::Note, tally.note), (Severity::Warning, tally.warning), (Severity::Critical, tally.critical)];
    let mut separator = format!(" {} ", theme.symbols().dot);
    for (severity, count) in counts.into_iter().filter(|&(_, count)| count > 0) {
        spans.push(Span::styled(std::mem::replace(&mut separator, " ".into()), theme.dim()));
        spans.push(Span::styled(format!("{}{count}", theme.mark(severity)), theme.severity(severity)));
    }
    spans.push(Span::raw(" "));
    Line::from(spans)
}
