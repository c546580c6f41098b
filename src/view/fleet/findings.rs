//! The findings of all targets, the worst first.

use super::what;
use crate::{
    app::{
        fleet::Fleet,
        frame::{LastFrame, RowId, Window},
        list::column::{Align, ColumnSpec, Width},
    },
    fleet::Told,
    view::{
        shell::empty,
        style::theme::Theme,
        widget::{
            pane,
            table::{self, Cell, Row, Table},
        },
    },
};
use ratatui::{buffer::Buffer, layout::Rect, style::Style};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Severity,
    Target,
    Lint,
    What,
}

const COLUMNS: &[ColumnSpec<Column>] = &[
    ColumnSpec::new(Column::Severity, "Severity", Align::Left, Width::Fixed(11), 0),
    ColumnSpec::new(Column::Target, "Target", Align::Left, Width::Fit(14, 40), 0),
    ColumnSpec::new(Column::Lint, "Lint", Align::Left, Width::Fit(17, 18), 0),
    ColumnSpec::new(Column::What, "What", Align::Left, Width::Fill(20, 200), 0),
];

/// Draws the list.
pub(super) fn render(buffer: &mut Buffer, area: Rect, fleet: &Fleet, theme: &Theme, shown: &mut LastFrame) {
    let right = match fleet.findings.len() {
        0 => String::new(),
        count => format!("{count} now"),
    };
    let inner = pane::render(buffer, area, "Findings of all targets", &right, theme);
    if fleet.findings.is_empty() {
        let said = match fleet.filter() {
            "" => "Nothing wrong found in any target that is heard.",
            _ => "No finding is like this; Esc takes the filter away.",
        };
        empty::message(buffer, inner, &[(said.to_owned(), theme.dim())], theme);
        return;
    }
    let room = inner.height.saturating_sub(1) as usize;
    let visible = fleet.finding.visible(fleet.findings.len(), room);
    let told = |&at| Some((at, fleet.told(at)?));
    let rows: Vec<Row> = fleet.findings[visible.clone()]
        .iter()
        .filter_map(told)
        .map(|(at, told)| row(RowId::FindingOf(at.target, at.finding), &fleet.names()[at.target], told, theme))
        .collect();
    let selected = fleet.finding.index().checked_sub(visible.start);
    let table = Table { columns: COLUMNS, sorted: None, rows: &rows, selected };
    table::render(buffer, inner, &table, theme, shown, |_| None);
    let below = Rect { y: inner.y + 1, height: inner.height.saturating_sub(1), ..inner };
    pane::scroll_bar(buffer, below, &visible, fleet.findings.len(), theme);
    shown.window = Some(Window { offset: visible.start, rows: room });
}

fn row(id: RowId, name: &str, told: &Told, theme: &Theme) -> Row {
    let severity = format!("{} {}", theme.mark(told.severity), told.severity.name());
    Row {
        id,
        cells: vec![
            Cell::text(&severity, theme.severity(told.severity), theme),
            Cell::text(name, Style::new(), theme),
            Cell::text(told.lint.name, theme.title(), theme),
            Cell::text(&what(told, theme), Style::new(), theme),
        ],
        style: Style::new(),
    }
}
