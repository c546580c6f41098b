//! One resource, and the operations on it.
//!
//! ```text
//! ╭ Semaphore src/limit.rs:9 ──────────────────────────────────────── 2 ops ╮
//! │ type      Semaphore · Sync · public · tokio::sync::semaphore           │
//! │ made at   src/limit.rs:9 · 12.3 s ago                                  │
//! │ state     permits=0                                                    │
//! ├ Operations ─────────────────────────────────────────────────────────────┤
//! │  ID Task        Source           ▾Total    Idle  Polls Attributes      │
//! │▌ 17 9 writer    Acquire::new     1.20 s  1.20 s      2 permits_…       │
//! ╰─────────────────────────────────────────────────────────────────────────╯
//! ```

use crate::{
    app::{
        frame::{LastFrame, Pace, RowId},
        labels::task_short,
        list::rows::{ListRow, RowList},
        resources::list::{OpColumn, OpRow, ResourceDetail, Stage, Visibility, attributes},
    },
    model::Model,
    update::ResourceId,
    view::{
        findings::list::below_head,
        locks::list::render_list,
        shell::empty::message,
        style::{numbers, theme::Theme},
        widget::{
            facts::{self, Piece, Text, draw},
            table::{Cell, Row},
        },
    },
};
use ratatui::{buffer::Buffer, layout::Rect, style::Style, text::Line};

/// The list keeps at least this many rows, its heads included.
const LIST_LEAST: u16 = 6;

/// Draws the page. `detail` is `None` where there is no resource of this id, or no longer.
pub fn render(
    buffer: &mut Buffer,
    area: Rect,
    (id, detail): (ResourceId, Option<&ResourceDetail>),
    ops: &RowList<OpRow>,
    model: &Model,
    theme: &Theme,
    shown: &mut LastFrame,
) {
    let Some(detail) = detail else {
        let inner = facts::frame(buffer, area, &format!("resource {id}"), "", theme);
        let mut text = Text::new(inner.width as usize, theme);
        text.prose("", "This resource was dropped and let go of, or the target never spoke of it.", theme.dim());
        return draw(buffer, inner, &text.lines());
    };
    shown.hurry(Pace::Slow);
    let place = model.place(detail.row.place).to_string();
    let title = format!("{} {place}", model.text(detail.row.concrete_type));
    let inner = facts::frame(buffer, area, title.trim_start(), if detail.row.gone { "dropped" } else { "" }, theme);
    let facts = facts(detail, &place, model, inner.width as usize, theme);
    let height = (facts.len() as u16).min(inner.height.saturating_sub(LIST_LEAST));
    draw(buffer, Rect { height, ..inner }, &facts);
    let rest = inner.height - height;
    if rest < 2 {
        return;
    }
    let y = inner.y + height;
    facts::rule(buffer, inner, y, &format!("Operations {}", numbers::grouped(ops.rows().len() as u64)), theme);
    let list = Rect { x: inner.x.saturating_sub(1), y: y + 1, width: inner.width + 2, height: rest - 1 };
    render_list(buffer, list, ops, theme, shown, |row| op_row(row, model, theme));
    if ops.rows().is_empty() {
        message(buffer, below_head(list), &[("No operation is pending.".to_owned(), theme.dim())], theme);
    }
}

fn facts(detail: &ResourceDetail, place: &str, model: &Model, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut text = Text::new(width, theme);
    let row = &detail.row;
    let mut kind: Vec<Piece> = [row.concrete_type, row.kind]
        .into_iter()
        .filter(|sym| !sym.is_empty())
        .map(|sym| text.plain(model.text(sym)))
        .collect();
    kind.push(text.plain(match row.visibility {
        Visibility::Public => "public",
        Visibility::Internal => "internal",
    }));
    if !row.target.is_empty() {
        kind.push(text.styled(model.text(row.target), theme.dim()));
    }
    kind.push(text.styled(&format!("number {}", row.number), theme.dim()));
    kind.push(text.styled(&format!("id {}", row.id), theme.dim()));
    text.entry("type", kind);
    let mut made = vec![text.place(place)];
    if let Some(total) = row.total {
        let said = if row.gone { "lived" } else { "age" };
        made.push(text.plain(&format!("{said} {}", numbers::duration(total, theme))));
    }
    text.entry("made at", made);
    if let Some(parent) = &detail.parent {
        text.entry("part of", [text.plain(parent)]);
    }
    if !detail.parts.is_empty() {
        let parts: Vec<Piece> = detail.parts.iter().map(|part| text.plain(part)).collect();
        text.entry("parts", parts);
    }
    let state: Vec<Piece> = if detail.attributes.is_empty() {
        vec![text.styled("no attributes reported", theme.dim())]
    } else {
        detail.attributes.iter().map(|attribute| text.plain(attribute)).collect()
    };
    text.entry("state", state);
    text.lines()
}

fn op_row(row: &OpRow, model: &Model, theme: &Theme) -> Row {
    let plain = Style::new();
    let time = |time: std::time::Duration| Cell::Text(numbers::duration(time, theme), plain);
    let cell = |column| match column {
        OpColumn::Id => Cell::id(row.id, plain),
        OpColumn::Parent => match row.parent {
            Some(parent) => Cell::Text(parent.to_string(), theme.dim()),
            None => Cell::Empty,
        },
        OpColumn::Stage => {
            let style = if row.stage == Stage::Waiting { theme.notice() } else { theme.dim() };
            Cell::Text(row.stage.name().into(), style)
        }
        OpColumn::Task => match row.task {
            Some(task) => Cell::text(&task_short(model, task), theme.title(), theme),
            None => Cell::Text("no task".into(), theme.dim()),
        },
        OpColumn::Source => Cell::text(model.text(row.source), plain, theme),
        OpColumn::Total => row.total.map_or(Cell::Empty, time),
        OpColumn::Busy => time(row.busy),
        OpColumn::Idle => row.idle.map_or(Cell::Empty, time),
        OpColumn::Polls => Cell::Text(numbers::count(row.polls), plain),
        OpColumn::Attributes => {
            let found = model.ops().get(row.id);
            Cell::text(&found.map_or_else(String::new, |found| attributes(model, &found.attributes)), plain, theme)
        }
    };
    let over = matches!(row.stage, Stage::Done | Stage::Dropped);
    Row {
        id: RowId::Op(row.id),
        cells: OpRow::COLUMNS.iter().map(|spec| cell(spec.column)).collect(),
        style: if over { theme.dim() } else { plain },
    }
}
