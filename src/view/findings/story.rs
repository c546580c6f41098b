//! One finding: what it says, its story as a tree of which each step leads to what it is about, and the selected step in full.
//!
//! ```text
//! ╭ deadlock ── task 21 ab-first ───────────────── critical · 12.3 s ╮
//! │ what      2 tasks wait for each other's locks, for 12.3 s        │
//! │ change    src/pair.rs:37: let go of the lock before this wait    │
//! │ do        Take locks in one order everywhere, …                  │
//! ├ The story ───────────────────────────────────────────────────────┤
//! │  Step                                         Known Where        │
//! │▌ task 21 ab-first                                   src/pair.rs:5│
//! │  ╰─ waits for Mutex 3 src/pair.rs:2 for 12.2 s      src/pair.rs:8│
//! │     ╰─ task 22 ba-first holds it for 12.3 s   exact src/pair.rs:6│
//! ├ This step ───────────────────────────────────────────────────────┤
//! │ task 21 ab-first src/pair.rs:5                                   │
//! ╰──────────────────────────────────────────────────────────────────╯
//! ```

use super::{list::below_head, page};
use crate::{
    app::{
        clipboard::subject,
        findings::page::{FindingDetail, FindingPage, Listed},
        frame::{LastFrame, Pace, RowId, Window},
        list::column::{Align, ColumnSpec, Width},
        state::App,
    },
    diagnose::{About, Confidence, Finding, Role, Severity, Status, Step, humanize, levels},
    view::{
        style::{text, theme::Theme},
        widget::{
            facts::{self, Text, draw, titled},
            markdown, pane,
            table::{self, Cell, Row, Table},
            tree,
            wrap::wrap,
        },
    },
};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};
use std::time::Instant;

/// A column of a story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Step,
    Known,
    Where,
}

const COLUMNS: &[ColumnSpec<Column>] = &[
    ColumnSpec::new(Column::Step, "Step", Align::Left, Width::Fill(30, 200), 0),
    ColumnSpec::new(Column::Known, "Known", Align::Left, Width::Fit(5, 8), 1),
    ColumnSpec::new(Column::Where, "Where", Align::Left, Width::Fit(14, 26), 0),
];

/// The story keeps at least this many lines, its title and its heads included.
const STORY_LEAST: u16 = 7;

/// A step is told in at most this many lines.
const STEP_MOST: u16 = 4;

/// Below so many columns, what is told needs the room, and of places the end is shown.
const WIDE: u16 = 120;
const WHERE_NARROW: usize = 24;
const WHERE_MOST: usize = 400;

/// What is left below is worth a part of its own from this many lines on.
const PART_LEAST: u16 = 4;

/// Draws the page.
pub fn render(
    buffer: &mut Buffer,
    area: Rect,
    page: &FindingPage,
    app: &App,
    at: Instant,
    theme: &Theme,
    shown: &mut LastFrame,
) {
    let Some(detail) = &page.detail else {
        let inner = facts::frame(buffer, area, "a finding", "", theme);
        let mut text = Text::new(inner.width as usize, theme);
        text.prose("", "This finding is not listed any more.", theme.dim());
        return draw(buffer, inner, &text.lines());
    };
    let finding = &detail.finding;
    if finding.status == Status::Active {
        shown.hurry(Pace::Slow);
    }
    let state = state(finding, app, at, theme);
    let title = format!("{} {} {}", finding.lint.name, theme.symbols().line.repeat(2), subject(&finding.subject));
    let title = text::safe(&title, (area.width as usize).saturating_sub(text::columns(&state) + 9), theme);
    let inner = facts::frame(buffer, area, &title, &state, theme);
    let width = inner.width;
    let mut said = notes(detail, width, theme);
    said.extend(page::facts(finding, app, at, first_change(&detail.steps), width, theme));
    let step = page.selected().map(|step| in_full(step, width, theme)).unwrap_or_default();
    // As much as any of them needs, so that nothing moves when another one is selected.
    let step_lines = detail.steps.iter().map(|step| in_full(step, width, theme).len() as u16).max().unwrap_or(0);

    let mut left = inner.height;
    let step_height = if detail.steps.len() < 2 { 0 } else { step_lines.min(STEP_MOST) + 1 };
    // Its title and its heads.
    let wanted = if detail.steps.is_empty() { 0 } else { detail.steps.len() as u16 + 2 };
    let keep = wanted.min(STORY_LEAST) + step_height;
    let said_height = (said.len() as u16).min(left.saturating_sub(keep));
    left -= said_height;
    let step_height = step_height.min(left.saturating_sub(wanted.min(STORY_LEAST)));
    left -= step_height;
    let story_height = wanted.min(left);
    left -= story_height;

    let mut y = inner.y;
    let mut part = |height: u16| {
        let area = Rect { y, height, ..inner };
        y += height;
        area
    };
    facts::cut(buffer, part(said_height), &said, "e explains, y copies", theme);
    story(buffer, inner, part(story_height), (page, detail), theme, shown);
    titled(buffer, inner, part(step_height), "This step", &step, theme);
    let stacks = page::stacks(finding, app.stacks, width as usize, theme);
    if !stacks.is_empty() && left >= PART_LEAST {
        let height = (stacks.len() as u16 + 1).min(left);
        left -= height;
        titled(buffer, inner, part(height), "Stacks", &stacks, theme);
    }
    if left >= PART_LEAST {
        let mut explanation: Vec<Line> =
            wrap(finding.lint.summary, width as usize, theme).into_iter().map(Line::raw).collect();
        explanation.push(Line::default());
        explanation.extend(markdown::lines(finding.lint.explanation, width as usize, theme));
        titled(buffer, inner, part(left), "Explanation", &explanation, theme);
    }
}

/// How bad it is, how sure, and since when.
fn state(finding: &Finding, app: &App, at: Instant, theme: &Theme) -> String {
    let mut parts = vec![match finding.status {
        Status::Active => finding.severity.name().to_owned(),
        Status::Past => "over".to_owned(),
    }];
    if finding.confidence != Confidence::Exact {
        parts.push(finding.confidence.name().to_owned());
    }
    parts.push(match (finding.status, app.now(at)) {
        (Status::Active, Some(now)) => page::units(&humanize(now.since(finding.since)), theme),
        _ => format!("until {}", page::clock(finding.last_seen, app)),
    });
    parts.join(&format!(" {} ", theme.symbols().dot))
}

/// What must be known before anything else is read.
fn notes(detail: &FindingDetail, width: u16, theme: &Theme) -> Vec<Line<'static>> {
    let said = match detail.listed {
        Listed::Yes => return Vec::new(),
        Listed::OfAnotherSession => "It is of a process before this one: what it names leads nowhere any more.",
        Listed::No => "It is not listed any more: another finding says it better, or it has been over for long.",
    };
    wrap(said, width as usize, theme).into_iter().map(|line| Line::styled(line, theme.notice())).collect()
}

/// The line to change first, and what to do there.
fn first_change(steps: &[Step]) -> Option<String> {
    let at = steps.iter().position(|step| step.change.is_some())?;
    let step = &steps[at];
    let change = step.change?;
    if let Some(at) = step.at() {
        return Some(format!("{}: {change}", line_of(at)));
    }
    // No line is known: it is where somebody waits.
    let who = steps[..at].iter().rfind(|above| above.depth < step.depth).and_then(|above| above.about.as_ref());
    let who = who.map_or_else(String::new, |who| format!("{} ", who.in_words()));
    Some(format!("where {who}{}: {change}", step.in_words()))
}

/// The file and the line of a place, without the function.
fn line_of(at: &str) -> &str {
    at.rsplit(' ').next().unwrap_or(at)
}

/// A step in as many lines as it needs, what to change before the rest.
fn in_full(step: &Step, width: u16, theme: &Theme) -> Vec<Line<'static>> {
    let known = step.known.map_or_else(String::new, |known| format!(" ({})", known.name()));
    let words = page::units(&format!("{}{known}", step.in_full()), theme);
    let mut lines: Vec<Line> = Vec::new();
    if let Some(change) = step.change {
        let change = format!("{} change this first: {change}", theme.mark(Severity::Warning));
        lines.extend(wrap(&change, width as usize, theme).into_iter().map(|line| Line::styled(line, theme.good())));
    }
    lines.extend(wrap(&words, width as usize, theme).into_iter().map(Line::raw));
    lines
}

fn story(
    buffer: &mut Buffer,
    frame: Rect,
    area: Rect,
    (page, detail): (&FindingPage, &FindingDetail),
    theme: &Theme,
    shown: &mut LastFrame,
) {
    if area.height < 3 {
        return;
    }
    facts::rule(buffer, frame, area.y, "The story", theme);
    let area = Rect { x: area.x.saturating_sub(1), y: area.y + 1, width: area.width + 2, height: area.height - 1 };
    let room = area.height.saturating_sub(1) as usize;
    let count = detail.steps.len();
    let visible = page.cursor.visible(count, room);
    let where_most = if area.width < WIDE { WHERE_NARROW } else { WHERE_MOST };
    let rows: Vec<Row> = visible.clone().filter_map(|at| row(detail, at, where_most, theme)).collect();
    let selected = page.cursor.index().checked_sub(visible.start);
    let table = Table { columns: COLUMNS, sorted: None, rows: &rows, selected };
    table::render(buffer, area, &table, theme, shown, |_| None);
    pane::scroll_bar(buffer, below_head(area), &visible, count, theme);
    shown.window = Some(Window { offset: visible.start, rows: room });
}

fn row(detail: &FindingDetail, at: usize, where_most: usize, theme: &Theme) -> Option<Row> {
    let (step, levels) = (detail.steps.get(at)?, detail.levels.get(at)?);
    let mark = if step.change.is_some() { format!("{} ", theme.mark(Severity::Warning)) } else { String::new() };
    let words = format!("{}{mark}{}", tree::prefix(levels, theme).0, page::units(&step.in_words(), theme));
    let (place, style_of_place) = match (step.at().map(line_of), &step.about) {
        (Some(place), _) => (place, Style::new()),
        (None, about) => (about.as_ref().and_then(About::place).unwrap_or_default(), theme.dim()),
    };
    let place = Cell::path(&text::safe_end(place, where_most, theme), style_of_place, theme);
    let known = step.known.map_or(Cell::Empty, |known| Cell::Text(known.name().into(), theme.dim()));
    Some(Row {
        id: RowId::Step(*detail.ids.get(at)?),
        cells: vec![Cell::text(&words, style(step, theme), theme), known, place],
        style: Style::new(),
    })
}

fn style(step: &Step, theme: &Theme) -> Style {
    match step.role {
        _ if step.change.is_some() => theme.notice(),
        Role::Begins => theme.title(),
        Role::More => theme.dim(),
        Role::Awaited | Role::Keeps(_) | Role::Waits | Role::On | Role::Also => Style::new(),
    }
}

/// A story in lines of this width, each step in as many as it needs.
pub(super) fn lines(steps: &[Step], width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let depths: Vec<usize> = steps.iter().map(|step| step.depth).collect();
    let mut lines = Vec::new();
    for (step, levels) in steps.iter().zip(levels(&depths)) {
        let (mut before, beside) = tree::prefix(&levels, theme);
        let room = width.saturating_sub(before.chars().count());
        for line in wrap(&page::units(&step.in_full(), theme), room, theme) {
            let drawn = std::mem::replace(&mut before, beside.clone());
            lines.push(Line::from(vec![Span::styled(drawn, theme.dim()), Span::styled(line, style(step, theme))]));
        }
        if let Some(change) = step.change {
            for line in wrap(&format!("change this first: {change}"), room, theme) {
                lines.push(Line::from(vec![
                    Span::styled(beside.clone(), theme.dim()),
                    Span::styled(line, theme.good()),
                ]));
            }
        }
    }
    lines
}
