//! The tasks, or their spawn locations, and the filter that chooses among them.
//!
//! ```text
//! ╭ Tasks ──────────────────────────────────────── 118 live · 3 ended · sorted by Busy ╮
//! │ filter  name:conn busy>50%▏                                                        │
//! │ Flags  ID State      Name      ▾Busy   Polls Location                              │
//! │▌●       9 · idle     writer   1.20 s   12003 src/state.rs:40                       │
//! ╰────────────────────────────────────────────────────────────────────────────────────╯
//! ```

use super::cells;
use crate::{
    app::{
        frame::{HitArea, LastFrame, Pace, RowId, Window},
        layer::Layer,
        list::column::ColumnSpec,
        state::App,
        tasks::{
            columns::{TASK_COLUMNS, TaskColumn},
            groups::{GROUP_COLUMNS, GroupBy, GroupColumn, GroupKey},
            list::Listing,
        },
    },
    model::TaskState,
    update::{Fact, Stamp},
    view::{
        findings::list::below_head,
        shell::empty,
        style::{numbers, text, theme::Theme},
        widget::{
            pane,
            table::{self, Cell, Row, Table},
        },
    },
};
use ratatui::{buffer::Buffer, layout::Rect, style::Style};
use std::time::Instant;

/// Draws the screen.
pub fn render(buffer: &mut Buffer, area: Rect, app: &App, at: Instant, theme: &Theme, shown: &mut LastFrame) {
    let title = match app.panels.tasks.listing {
        Listing::Tasks => "Tasks",
        Listing::Groups => match app.panels.tasks.groups.by {
            GroupBy::Place if !app.session().model().knows().has(Fact::Polls) => "Tasks by where they are written",
            GroupBy::Place => "Tasks by spawn location",
            GroupBy::Chain => "Tasks by chain",
            GroupBy::Awaits => "Tasks by what they wait for",
        },
    };
    let inner = pane::render(buffer, area, title, &summary(app, theme), theme);
    let list = render_filter(buffer, inner, app, theme);
    let Some(now) = app.now(at) else {
        return empty::render(buffer, list, app, at, theme, shown);
    };
    match app.panels.tasks.listing {
        Listing::Tasks => render_tasks(buffer, list, app, now, theme, shown),
        Listing::Groups => render_places(buffer, list, app, theme, shown),
    }
}

fn summary(app: &App, theme: &Theme) -> String {
    let tasks = &app.panels.tasks;
    match tasks.listing {
        Listing::Tasks => {
            let counts = app.session().model().counts();
            let all = counts.live + counts.ended;
            let shown = tasks.order.len();
            let mut parts = Vec::new();
            let is_outline = app.session().model().outlined().is_some();
            if shown < all && (is_outline || !tasks.filter().is_empty()) {
                parts.push(format!("{} of {}", numbers::grouped(shown as u64), numbers::grouped(all as u64)));
            }
            parts.push(format!("{} running", counts.running));
            // Who waits to be polled follows from wakes.
            let model = app.session().model();
            let wakes = if model.knows().has(Fact::Chains) { Fact::Chains } else { Fact::Wakes };
            let scheduled = model.knows().told(wakes, counts.scheduled.to_string()).value();
            let scheduled = scheduled.unwrap_or_else(|| theme.symbols().unknown.to_owned());
            parts.push(format!("{scheduled} scheduled"));
            if counts.ended > 0 {
                parts.push(format!("{} ended", numbers::grouped(counts.ended as u64)));
            }
            parts.join(&format!(" {} ", theme.symbols().dot))
        }
        Listing::Groups => {
            let what = match tasks.groups.by {
                GroupBy::Place => "places",
                GroupBy::Chain => "chains",
                GroupBy::Awaits => "things",
            };
            format!("{} {what}", numbers::grouped(tasks.groups.order().len() as u64))
        }
    }
}

/// Draws the filter, if there is one, and tells what is left below it.
fn render_filter(buffer: &mut Buffer, area: Rect, app: &App, theme: &Theme) -> Rect {
    let typing = match app.layers.last() {
        Some(Layer::Filter(line)) => Some(line),
        _ => None,
    };
    if typing.is_none() && app.panels.tasks.filter_text().is_empty() {
        return area;
    }
    let (mut x, y) = (area.x + 1, area.y);
    let right = area.right();
    let mut put = |text: &str, style: Style| {
        let room = right.saturating_sub(x);
        let text = text::safe(text, room as usize, theme);
        (x, _) = buffer.set_stringn(x, y, text, room as usize, style);
    };
    put("filter  ", theme.label());
    match typing {
        None => put(app.panels.tasks.filter_text(), theme.title()),
        Some(line) => {
            let (before, after) = line.halves();
            let mut after = after.chars();
            // Long input shows its end: that is where one types.
            let room = (right as usize).saturating_sub(12 + area.x as usize);
            put(&text::safe_end(before, room, theme), theme.title());
            put(&after.next().unwrap_or(' ').to_string(), theme.tab());
            put(after.as_str(), theme.title());
        }
    }
    let mut used = 1;
    if let Some(error) = app.panels.tasks.filter_error() {
        let line = text::left(&format!("        {error}"), area.width.saturating_sub(1) as usize, theme);
        if area.height > 1 {
            buffer.set_stringn(area.x + 1, y + 1, line, area.width.saturating_sub(1) as usize, theme.bad());
            used = 2;
        }
    }
    let used = used.min(area.height);
    Rect { y: area.y + used, height: area.height - used, ..area }
}

fn render_tasks(buffer: &mut Buffer, area: Rect, app: &App, now: Stamp, theme: &Theme, shown: &mut LastFrame) {
    let (tasks, model) = (&app.panels.tasks, app.session().model());
    let length = tasks.order.len();
    let room = area.height.saturating_sub(1) as usize;
    let visible = tasks.cursor.visible(length, room);
    if tasks.order.is_rough() {
        shown.hurry(Pace::Fast);
    }
    let columns: Vec<ColumnSpec<TaskColumn>> =
        TASK_COLUMNS.iter().filter(|spec| spec.column.is_shown(model.knows())).copied().collect();
    let mut rows = Vec::with_capacity(visible.len());
    for task in visible.clone().filter_map(|at| model.tasks().at(tasks.order.at(at)?)) {
        let state = task.state();
        if matches!(state, TaskState::Running | TaskState::Scheduled) {
            shown.hurry(Pace::Fast);
        } else if state == TaskState::Idle {
            shown.hurry(Pace::Slow);
        }
        let style = match state {
            TaskState::Ended => theme.dim(),
            _ if model.is_doubtful(&task) => theme.doubtful(),
            _ => Style::new(),
        };
        rows.push(Row { id: RowId::Task(task.id()), cells: cells::cells(app, &columns, &task, now, theme), style });
    }
    let table = Table {
        columns: &columns,
        sorted: Some((tasks.order.column(), tasks.order.direction())),
        rows: &rows,
        selected: tasks.cursor.index().checked_sub(visible.start),
    };
    table::render(buffer, area, &table, theme, shown, |column| Some(HitArea::Head(column)));
    pane::scroll_bar(buffer, below_head(area), &visible, length, theme);
    shown.window = Some(Window { offset: visible.start, rows: room });
    if length == 0 {
        let text = if tasks.filter().is_empty() { "There are no tasks." } else { "No task passes the filter." };
        empty::message(buffer, below_head(area), &[(text.to_owned(), theme.dim())], theme);
    }
}

fn render_places(buffer: &mut Buffer, area: Rect, app: &App, theme: &Theme, shown: &mut LastFrame) {
    let places = &app.panels.tasks.groups;
    let length = places.order().len();
    let room = area.height.saturating_sub(1) as usize;
    let visible = app.panels.tasks.group_cursor.visible(length, room);
    let rows: Vec<Row> = places.order()[visible.clone()].iter().map(|&key| group_row(app, key, theme)).collect();
    let columns = group_columns(app);
    let table = Table {
        columns: &columns,
        sorted: Some((places.column, places.direction)),
        rows: &rows,
        selected: app.panels.tasks.group_cursor.index().checked_sub(visible.start),
    };
    let nth = |column| GROUP_COLUMNS.iter().position(|spec| spec.column == column).map(HitArea::Column);
    table::render(buffer, area, &table, theme, shown, nth);
    pane::scroll_bar(buffer, below_head(area), &visible, length, theme);
    shown.window = Some(Window { offset: visible.start, rows: room });
}

/// The columns, the last one named for what the tasks of a row have in common.
fn group_columns(app: &App) -> Vec<ColumnSpec<GroupColumn>> {
    let by = app.panels.tasks.groups.by;
    let title = |spec: &ColumnSpec<GroupColumn>| match spec.column {
        GroupColumn::Location => ColumnSpec { title: by.title(app.session().model().knows()), ..*spec },
        _ => *spec,
    };
    GROUP_COLUMNS.iter().map(title).collect()
}

fn group_row(app: &App, key: GroupKey, theme: &Theme) -> Row {
    let sums = app.panels.tasks.groups.sums(key);
    let model = app.session().model();
    let polls = model.knows().has(Fact::Polls);
    let unknown = || Cell::Text(theme.symbols().unknown.to_owned(), theme.dim());
    let number = |count: u64| Cell::Text(numbers::count(count), Style::new());
    let flagged = match sums.flagged {
        0 => Cell::Empty,
        flagged => Cell::Text(numbers::count(flagged), theme.notice()),
    };
    let cells = vec![
        flagged,
        number(sums.live),
        number(sums.running),
        number(sums.ended),
        if polls { number(sums.polls) } else { unknown() },
        if polls { Cell::Text(numbers::duration(sums.busy(), theme), Style::new()) } else { unknown() },
        match key {
            GroupKey::Place(_) | GroupKey::Chain(_) => Cell::path(&key.in_words(model), theme.title(), theme),
            GroupKey::Awaits(_) => Cell::text(&key.in_words(model), theme.title(), theme),
        },
    ];
    let style = if sums.live == 0 { theme.dim() } else { Style::new() };
    Row { id: RowId::Group(key), cells, style }
}
