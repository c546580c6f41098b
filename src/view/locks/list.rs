//! The locks: who holds which, for how long, and who waits.
//!
//! ```text
//! ╭ Locks ───────────────────────────────────────── 3 · 1 with waiters ╮
//! │  Kind   State      Holder        Held ▾Wait Longest Acq/s Location  │
//! │▌Mutex   asleep     writer     1.20 s    14  1.18 s    12 src/sta…  │
//! │ Mutex   held       ? try_loc…            0             0 src/b.rs  │
//! ╰────────────────────────────────────────────────────────────────────╯
//! ```

use crate::{
    app::{
        frame::{HitArea, LastFrame, Pace, RowId, Window},
        labels::holder_short,
        list::rows::{ListRow, RowList},
        locks::list::{LockColumn, LockRow},
        screens::Screen,
    },
    model::{LockState, Model},
    update::{Across, Fact},
    view::{
        findings::list::below_head,
        shell::empty::{self, Empty},
        style::{numbers, theme::Theme},
        widget::{
            pane,
            table::{self, Cell, Row, Table},
        },
    },
};
use ratatui::{buffer::Buffer, layout::Rect, style::Style};

/// What is said where no lock is known.
const NONE: &[&str] = &[
    "No lock has been reported.",
    "Seen are tokio's Mutex and RwLock, made with new; not those made with const_new, nor std::sync.",
];

/// Draws the list.
pub fn render(
    buffer: &mut Buffer,
    area: Rect,
    list: &RowList<LockRow>,
    model: &Model,
    theme: &Theme,
    shown: &mut LastFrame,
) {
    let rows = list.rows();
    let waited = rows.iter().filter(|row| row.waiters > 0).count();
    let dot = theme.symbols().dot;
    let all = numbers::grouped(rows.len() as u64);
    let right = match waited {
        0 => all,
        waited => format!("{all} {dot} {} with waiters", numbers::grouped(waited as u64)),
    };
    let inner = pane::render(buffer, area, "Locks", &right, theme);
    render_list(buffer, inner, list, theme, shown, |row| lock_row(row, model, theme));
    if rows.is_empty() {
        let empty = Empty { screen: Screen::Locks, knows: model.knows(), otherwise: NONE, advice: &[] };
        empty::list(buffer, below_head(inner), empty, theme);
    } else {
        shown.hurry(Pace::Slow);
    }
}

/// Draws the visible part of a list, formatting no more than that.
pub(crate) fn render_list<R: ListRow>(
    buffer: &mut Buffer,
    area: Rect,
    list: &RowList<R>,
    theme: &Theme,
    shown: &mut LastFrame,
    row: impl Fn(&R) -> Row,
) {
    let room = area.height.saturating_sub(1) as usize;
    let visible = list.visible(room);
    let rows: Vec<Row> = list.rows()[visible.clone()].iter().map(row).collect();
    let table = Table {
        columns: R::COLUMNS,
        sorted: Some(list.sorted()),
        rows: &rows,
        selected: list.cursor.index().checked_sub(visible.start),
    };
    let nth = |column| R::COLUMNS.iter().position(|spec| spec.column == column).map(HitArea::Column);
    table::render(buffer, area, &table, theme, shown, nth);
    pane::scroll_bar(buffer, below_head(area), &visible, list.rows().len(), theme);
    shown.window = Some(Window { offset: visible.start, rows: room });
}

/// A lock's state in a word or two.
pub(crate) fn state(row: &LockRow) -> String {
    match (row.gone, row.state, row.across) {
        (true, ..) => "dropped".into(),
        (_, LockState::Unknown, _) => "unknown".into(),
        (_, LockState::Free, _) => "free".into(),
        (_, LockState::Exclusive, Some(Across::Await)) => "asleep".into(),
        (_, LockState::Exclusive, _) => "held".into(),
        (_, LockState::Shared(1), _) => "1 reader".into(),
        (_, LockState::Shared(readers), _) => format!("{} rd", numbers::count(readers)),
    }
}

/// The style of a lock's state.
pub(crate) fn state_style(row: &LockRow, theme: &Theme) -> Style {
    match (row.gone, row.state, row.across) {
        (true, ..) | (_, LockState::Unknown, _) => theme.dim(),
        (_, _, Some(Across::Await)) => theme.notice(),
        (_, LockState::Free, _) => Style::new(),
        _ => theme.good(),
    }
}

fn holder(row: &LockRow, model: &Model) -> Option<String> {
    let (_, lock) = model.lock(row.id)?;
    lock.first_hold().map(|hold| holder_short(model, hold))
}

fn lock_row(row: &LockRow, model: &Model, theme: &Theme) -> Row {
    let time = |time: Option<std::time::Duration>| match time {
        Some(time) => Cell::Text(numbers::duration(time, theme), Style::new()),
        None => Cell::Empty,
    };
    let number = |count: u64| Cell::Text(numbers::count(count), Style::new());
    let cell = |column| match column {
        LockColumn::Id => Cell::id(row.number, theme.dim()),
        LockColumn::Kind => Cell::Text(row.kind.name().into(), Style::new()),
        LockColumn::State => Cell::Text(state(row), state_style(row, theme)),
        LockColumn::Holder => match (holder(row, model), row.unknown) {
            (Some(holder), _) => {
                let others = if row.others > 0 { format!(" +{}", row.others) } else { String::new() };
                Cell::text(&(holder + &others), theme.title(), theme)
            }
            (None, Some(unknown)) => Cell::Text(format!("? {}", unknown.name()), theme.dim()),
            (None, None) => Cell::Empty,
        },
        LockColumn::Held => time(row.held),
        LockColumn::Waiters if row.waiters > 0 => Cell::Text(numbers::count(row.waiters as u64), theme.notice()),
        LockColumn::Waiters => number(0),
        LockColumn::Wait => time(row.wait),
        LockColumn::Acquired | LockColumn::Rate | LockColumn::Contended if !model.knows().has(Fact::LockCounts) => {
            Cell::Text(theme.symbols().unknown.to_owned(), theme.dim())
        }
        LockColumn::Acquired => number(row.acquisitions),
        LockColumn::Rate => Cell::Text(numbers::rate(row.rate), Style::new()),
        LockColumn::Contended => match row.contended {
            Some(share) => Cell::Text(numbers::percent(share), Style::new()),
            None => Cell::Empty,
        },
        LockColumn::Location => Cell::path(&model.place(row.place).to_string(), theme.dim(), theme),
    };
    Row {
        id: RowId::Resource(row.id),
        cells: LockRow::COLUMNS.iter().map(|spec| cell(spec.column)).collect(),
        style: if row.gone { theme.dim() } else { Style::new() },
    }
}
