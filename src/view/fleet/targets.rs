//! The targets, the worst first: where each stands, how much there is, and what is worst.

use super::{tally, what};
use crate::{
    app::{
        fleet::{Fleet, word},
        frame::{LastFrame, RowId, Window},
        list::column::{Align, ColumnSpec, Width},
    },
    fleet::{Brief, Standing},
    view::{
        shell::empty,
        style::{numbers, theme::Theme},
        widget::{
            pane,
            table::{self, Cell, Row, Table},
        },
    },
};
use ratatui::{buffer::Buffer, layout::Rect, style::Style};
use std::time::{Duration, Instant};

/// A target that has told nothing for so long is silent.
const SILENCE: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    State,
    Target,
    Service,
    Speaks,
    Tasks,
    Findings,
    Worst,
}

const COLUMNS: &[ColumnSpec<Column>] = &[
    ColumnSpec::new(Column::State, "State", Align::Left, Width::Fit(10, 14), 0),
    ColumnSpec::new(Column::Target, "Target", Align::Left, Width::Fit(15, 40), 0),
    ColumnSpec::new(Column::Service, "Service", Align::Left, Width::Fit(9, 24), 2),
    ColumnSpec::new(Column::Speaks, "By", Align::Left, Width::Fit(5, 7), 3),
    ColumnSpec::new(Column::Tasks, "Tasks", Align::Right, Width::Fit(7, 9), 1),
    ColumnSpec::new(Column::Findings, "Findings", Align::Left, Width::Fit(8, 14), 0),
    ColumnSpec::new(Column::Worst, "Worst", Align::Left, Width::Fill(28, 200), 0),
];

/// Draws the list.
pub(super) fn render(
    buffer: &mut Buffer,
    area: Rect,
    fleet: &Fleet,
    at: Instant,
    theme: &Theme,
    shown: &mut LastFrame,
) {
    let all = fleet.names().len();
    let right = if fleet.targets.len() < all { format!("{} of {all}", fleet.targets.len()) } else { all.to_string() };
    let inner = pane::render(buffer, area, "Targets", &right, theme);
    if fleet.targets.is_empty() {
        let said =
            if fleet.briefs().is_empty() { "Connecting" } else { "No target is like this; Esc takes the filter away." };
        empty::message(buffer, inner, &[(said.to_owned(), theme.dim())], theme);
        return;
    }
    let room = inner.height.saturating_sub(1) as usize;
    let visible = fleet.target.visible(fleet.targets.len(), room);
    let rows: Vec<Row> = fleet.targets[visible.clone()]
        .iter()
        .map(|&target| row(target, &fleet.names()[target], &fleet.briefs()[target], at, theme))
        .collect();
    let selected = fleet.target.index().checked_sub(visible.start);
    let table = Table { columns: COLUMNS, sorted: None, rows: &rows, selected };
    table::render(buffer, inner, &table, theme, shown, |_| None);
    let below = Rect { y: inner.y + 1, height: inner.height.saturating_sub(1), ..inner };
    pane::scroll_bar(buffer, below, &visible, fleet.targets.len(), theme);
    shown.window = Some(Window { offset: visible.start, rows: room });
}

fn row(target: usize, name: &str, brief: &Brief, at: Instant, theme: &Theme) -> Row {
    let silent = brief.heard.map(|heard| at.saturating_duration_since(heard)).filter(|silent| *silent >= SILENCE);
    let (state, colour) = match (&brief.standing, silent) {
        (Standing::Live, Some(silent)) => (format!("silent {} s", silent.as_secs()), theme.bad()),
        (Standing::Live, None) => (word(&brief.standing).to_owned(), theme.good()),
        (Standing::Connecting | Standing::Paused, _) => (word(&brief.standing).to_owned(), theme.notice()),
        (Standing::Lost(_) | Standing::GaveUp(_), _) => (word(&brief.standing).to_owned(), theme.bad()),
    };
    let is_live = brief.standing.is_live();
    let style = if is_live { Style::new() } else { theme.dim() };
    let worst = match (brief.standing.reason(), brief.findings.first()) {
        (Some(reason), _) => Cell::text(reason, theme.bad(), theme),
        (None, Some(told)) => {
            let said = format!("{} {} {}", told.lint.name, theme.symbols().dot, what(told, theme));
            Cell::text(&said, style, theme)
        }
        (None, None) => Cell::Empty,
    };
    let tasks = if is_live { Cell::text(&numbers::grouped(brief.tasks as u64), style, theme) } else { Cell::Empty };
    let findings = if is_live { Cell::Drawn(tally(brief.tally, theme)) } else { Cell::Empty };
    Row {
        id: RowId::Target(target),
        cells: vec![
            Cell::text(&state, colour, theme),
            Cell::text(name, theme.title(), theme),
            Cell::text(&brief.service, style, theme),
            Cell::text(brief.speaks, theme.dim(), theme),
            tasks,
            findings,
            worst,
        ],
        style: Style::new(),
    }
}
