//! What each column of the task list shows of a task.

use crate::{
    app::{filter::field, list::column::ColumnSpec, options::Charset, state::App, tasks::columns::TaskColumn},
    model::Task,
    update::{Known, Stamp},
    view::{
        style::{numbers, theme::Theme},
        widget::{sparkline::sparkline, table::Cell},
    },
};
use ratatui::{
    style::Style,
    text::{Line, Span},
};

/// A task's cells, one for each of these columns.
pub fn cells(app: &App, columns: &[ColumnSpec<TaskColumn>], task: &Task, now: Stamp, theme: &Theme) -> Vec<Cell> {
    columns.iter().map(|spec| cell(spec.column, app, task, now, theme)).collect()
}

fn cell(column: TaskColumn, app: &App, task: &Task, now: Stamp, theme: &Theme) -> Cell {
    let model = app.session().model();
    let time = |time| numbers::duration(time, theme);
    match column {
        TaskColumn::Flags => flags(app, task, theme),
        TaskColumn::Id => Cell::id(task.display_id(), Style::new()),
        TaskColumn::State => {
            let state = task.state();
            let mark = if model.is_doubtful(task) { "?" } else { theme.state_mark(state) };
            Cell::Text(format!("{mark} {}", state.name()), theme.state(state))
        }
        TaskColumn::Name => Cell::text(model.task_name(task), theme.title(), theme),
        TaskColumn::Total => known(model.total(task, now).map(time), theme),
        TaskColumn::Busy => known(model.busy(task, now).map(time), theme),
        TaskColumn::Scheduled => known(model.scheduled(task, now).map(|time| numbers::duration(time, theme)), theme),
        TaskColumn::Idle => known(model.idle(task, now).map(|time| numbers::duration(time, theme)), theme),
        TaskColumn::Polls => known(model.polls(task).map(numbers::count), theme),
        TaskColumn::Rate => known(model.polls(task).map(|_| numbers::rate(task.poll_rate(now))), theme),
        TaskColumn::Load => match model.polls(task) {
            Known::Value(_) => Cell::Drawn(sparkline(&task.shares(now), theme)),
            unknown @ Known::NotFrom(_) => known(unknown.map(numbers::count), theme),
        },
        TaskColumn::Wakes => known(model.wakes(task).map(|wakes| numbers::count(wakes.count)), theme),
        TaskColumn::Awaits => match model.awaits(task, now) {
            // What it waits for stands at the end.
            Some(awaits) => Cell::path(&arrows(&awaits.to_string(), theme), Style::new(), theme),
            None => Cell::Empty,
        },
        TaskColumn::Kind => Cell::text(task.kind().name(), Style::new(), theme),
        TaskColumn::Location if task.place().is_known() => {
            Cell::path(&model.place(task.place()).to_string(), theme.dim(), theme)
        }
        TaskColumn::Location => Cell::Text("not announced".into(), theme.doubtful()),
        TaskColumn::Fields => {
            let fields: Vec<String> = model.extra_fields(task).map(|(name, value)| field(name, value)).collect();
            Cell::text(&fields.join(" "), Style::new(), theme)
        }
    }
}

/// An arrow that every terminal has.
fn arrows(text: &str, theme: &Theme) -> String {
    match theme.charset() {
        Charset::Unicode => text.to_owned(),
        Charset::Ascii => text.replace('→', "->"),
    }
}

/// A number; one that the source does not know is not zero.
fn known(value: Known<String>, theme: &Theme) -> Cell {
    match value {
        Known::Value(value) => Cell::Text(value, Style::new()),
        Known::NotFrom(_) => Cell::Text(theme.symbols().unknown.to_owned(), theme.dim()),
    }
}

/// The worst finding's mark, and how many there are.
fn flags(app: &App, task: &Task, theme: &Theme) -> Cell {
    let model = app.session().model();
    let flag = model.tasks().slot(task.id()).and_then(|slot| app.session().engine().flag(model, slot));
    let Some(flag) = flag else { return Cell::Empty };
    let mut line = Line::from(Span::styled(theme.mark(flag.worst), theme.severity(flag.worst)));
    if flag.count() > 1 {
        line.push_span(Span::styled(format!(" {}", flag.count()), theme.severity(flag.worst)));
    }
    Cell::Drawn(line)
}
