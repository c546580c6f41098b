//! The findings: what is wrong, the worst first, and below them what shows the selected one.
//!
//! ```text
//! ╭ Findings ─────────────────────────────────────────────────────── 3 now · 1 over ╮
//! │ ● critical  stalled-worker     task 17 report · 3.42 s in one poll   report.rs:88│
//! │ ▲ warning   held-across-await  Mutex · held for 1.20 s, 14 wait       state.rs:21│
//! │ not looked for: self-wakes, lost-waker (the agent counts no wakers …)            │
//! ├ held-across-await ── Mutex src/state.rs:21 ── since 12:04:31 ────────────────────┤
//! │ held       1.20 s                                                                │
//! │ do         Drop the guard before the .await                                      │
//! ╰──────────────────────────────────────────────────────────────────────────────────╯
//! ```

use super::page;
use crate::{
    app::{
        frame::{LastFrame, Pace, RowId, Window},
        input::key::Key,
        labels::task_name,
        list::column::{Align, ColumnSpec, Width},
        state::App,
    },
    diagnose::{Confidence, Finding, Status, Subject},
    view::{
        shell::{empty, unseen},
        style::{key_names, text, theme::Theme},
        widget::{
            pane,
            table::{self, Cell, Row, Table},
            wrap::wrap,
        },
    },
};
use ratatui::{buffer::Buffer, layout::Rect, style::Style};
use std::time::Instant;

/// A column of the findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Severity,
    Lint,
    What,
    Place,
}

const COLUMNS: &[ColumnSpec<Column>] = &[
    ColumnSpec::new(Column::Severity, "Severity", Align::Left, Width::Fixed(11), 0),
    ColumnSpec::new(Column::Lint, "Lint", Align::Left, Width::Fit(17, 18), 0),
    ColumnSpec::new(Column::What, "What", Align::Left, Width::Fill(30, 200), 0),
    ColumnSpec::new(Column::Place, "Where", Align::Left, Width::Fit(14, 28), 1),
];

/// The list keeps at least this many rows when the lower pane wants more.
const ROWS_LEAST: u16 = 5;

/// What most tasks wait for takes at most this many lines.
const SUMMARY_MOST: usize = 4;

/// What is not looked for takes at most this many lines, one for each reason.
const UNASKED_MOST: usize = 3;

/// Draws the screen.
pub fn render(buffer: &mut Buffer, area: Rect, app: &App, at: Instant, theme: &Theme, shown: &mut LastFrame) {
    let (now, past) = app.panels.findings.counts();
    let now = match app.session().engine().unkept() {
        0 => now.to_string(),
        // An outline has the worst of them.
        more => format!("{now} of {}", now.saturating_add(more)),
    };
    let right = match past {
        0 => format!("{now} now"),
        _ => format!("{now} now {} {past} over", theme.symbols().dot),
    };
    let inner =
        pane::render(buffer, area, "Findings", if app.panels.findings.ids.is_empty() { "" } else { &right }, theme);
    let inner = summary(buffer, inner, app, theme);
    let Some(selected) = app.finding() else {
        empty::render(buffer, inner, app, at, theme, shown);
        return;
    };
    let details = page::lines(selected, app, at, inner.width.saturating_sub(2), theme);
    let wanted = details.len() as u16 + 1;
    let rows = (app.panels.findings.ids.len() as u16).saturating_add(1);
    let list_least = rows.min(ROWS_LEAST + 1);
    let unasked = unseen::not_looked_for(app.session(), Some(inner.width.saturating_sub(2) as usize));
    let unasked = &unasked[..unasked.len().min(UNASKED_MOST)];
    let room = inner.height.saturating_sub(unasked.len() as u16);
    let lower = wanted.min(room.saturating_sub(list_least));
    let list = Rect { height: room - lower, ..inner };
    render_list(buffer, list, app, theme, shown);
    for (line, y) in unasked.iter().zip(list.bottom()..inner.bottom()) {
        let line = text::safe(line, inner.width.saturating_sub(2) as usize, theme);
        buffer.set_string(inner.x + 1, y, line, theme.dim());
    }
    if selected.status == Status::Active {
        shown.hurry(Pace::Slow);
    }
    if lower > 1 {
        let pane = Rect { y: inner.bottom() - lower, height: lower, ..inner };
        page::render(buffer, pane, selected, &details, app, at, theme);
    }
}

/// What most of the tasks wait for, where memory tells, and what is left below that.
fn summary(buffer: &mut Buffer, area: Rect, app: &App, theme: &Theme) -> Rect {
    let said = app.session().model().memory().summary();
    let width = area.width.saturating_sub(2) as usize;
    let lines = wrap(said, width, theme);
    let height = (lines.len().min(SUMMARY_MOST) as u16).min(area.height / 3);
    for (line, y) in lines.iter().zip(area.y..area.y + height) {
        buffer.set_stringn(area.x + 1, y, line, width, theme.title());
    }
    Rect { y: area.y + height, height: area.height - height, ..area }
}

fn render_list(buffer: &mut Buffer, area: Rect, app: &App, theme: &Theme, shown: &mut LastFrame) {
    let room = area.height.saturating_sub(1) as usize;
    let visible = app.panels.findings.cursor.visible(app.panels.findings.ids.len(), room);
    let ids = &app.panels.findings.ids[visible.clone()];
    let rows: Vec<Row> = ids
        .iter()
        .filter_map(|&id| app.session().engine().finding(id))
        .map(|finding| row(finding, app.panels.findings.folded(finding.id), theme))
        .collect();
    let selected = app.panels.findings.cursor.index().checked_sub(visible.start);
    let table = Table { columns: COLUMNS, sorted: None, rows: &rows, selected };
    table::render(buffer, area, &table, theme, shown, |_| None);
    pane::scroll_bar(buffer, below_head(area), &visible, app.panels.findings.ids.len(), theme);
    shown.window = Some(Window { offset: visible.start, rows: room });
}

/// A list without its heads.
pub(crate) fn below_head(area: Rect) -> Rect {
    Rect { y: area.y + area.height.min(1), height: area.height.saturating_sub(1), ..area }
}

/// A finding's row; where it stands for several, it says for how many.
fn row(finding: &Finding, folded: Option<usize>, theme: &Theme) -> Row {
    let over = finding.status == Status::Past;
    let style = if over { theme.dim() } else { Style::new() };
    let (subject, place) = match &finding.subject {
        Subject::Task(task) => {
            (task_name(&crate::diagnose::TaskRef { place: String::new(), ..task.clone() }), task.place.as_str())
        }
        Subject::Lock(lock) => (lock.kind.to_owned(), lock.place.as_str()),
        Subject::Place(place) => ("tasks".to_owned(), place.as_str()),
        Subject::Runtime(_) => (crate::app::clipboard::subject(&finding.subject), ""),
        Subject::Target => ("target".to_owned(), ""),
    };
    let open = key_names::key(Key::Enter, theme);
    let mut what: Vec<String> =
        folded.map(|count| format!("{count} of these, {open} lists them")).into_iter().collect();
    what.extend([subject.trim_end().to_owned(), finding.message.clone()]);
    if finding.related.tasks_total > 1 {
        what.push(format!("{} tasks", finding.related.tasks_total));
    }
    if finding.confidence == Confidence::Incomplete {
        what.push("incomplete".into());
    }
    let what = what.join(&format!(" {} ", theme.symbols().dot));
    let severity = finding.severity;
    let word = if over { "over" } else { severity.name() };
    let colour = if over { style } else { theme.severity(severity) };
    Row {
        id: RowId::Finding(finding.id),
        cells: vec![
            Cell::text(&format!("{} {word}", theme.mark(severity)), colour, theme),
            Cell::text(finding.lint.name, if over { style } else { theme.title() }, theme),
            Cell::text(&page::units(&what, theme), style, theme),
            Cell::path(place, theme.dim(), theme),
        ],
        style,
    }
}
