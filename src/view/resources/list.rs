//! The resources: locks, semaphores, timers and channel ends, as the target reports them.
//!
//! ```text
//! ╭ Resources ─────────────────────────────────────────────────── 1,204 ╮
//! │  ID Parent Kind  ▾Total Type      Vis  Location     Attributes      │
//! │▌  3        Sync  12.3 s Mutex     pub  src/a.rs:21  locked=true     │
//! │   4      3 Sync  12.3 s Semaphore int  src/a.rs:21  permits=0       │
//! ╰─────────────────────────────────────────────────────────────────────╯
//! ```

use crate::{
    app::{
        frame::{LastFrame, Pace, RowId},
        list::rows::{ListRow, RowList},
        resources::list::{ResourceColumn, ResourceRow, Visibility, attributes},
        screens::Screen,
    },
    model::Model,
    update::Fact,
    view::{
        findings::list::below_head,
        locks::list::render_list,
        shell::empty::{self, Empty},
        style::{numbers, theme::Theme},
        widget::{
            pane,
            table::{Cell, Row},
        },
    },
};
use ratatui::{buffer::Buffer, layout::Rect, style::Style};

/// Draws the list.
pub fn render(
    buffer: &mut Buffer,
    area: Rect,
    list: &RowList<ResourceRow>,
    model: &Model,
    theme: &Theme,
    shown: &mut LastFrame,
) {
    let mut right = numbers::grouped(list.rows().len() as u64);
    if !model.knows().has(Fact::Resources) && !list.rows().is_empty() {
        right = format!("{right} {} locks alone are told", theme.symbols().dot);
    }
    let inner = pane::render(buffer, area, "Resources", &right, theme);
    render_list(buffer, inner, list, theme, shown, |row| resource_row(row, model, theme));
    if list.rows().is_empty() {
        let empty = Empty {
            screen: Screen::Resources,
            knows: model.knows(),
            otherwise: &["No resource has been reported."],
            advice: &[],
        };
        empty::list(buffer, below_head(inner), empty, theme);
    } else {
        shown.hurry(Pace::Slow);
    }
}

fn resource_row(row: &ResourceRow, model: &Model, theme: &Theme) -> Row {
    let plain = Style::new();
    let word = |sym| Cell::text(model.text(sym), plain, theme);
    let cell = |column| match column {
        ResourceColumn::Id => Cell::id(row.number, plain),
        ResourceColumn::Parent => match row.parent {
            Some(parent) => Cell::Text(parent.to_string(), theme.dim()),
            None => Cell::Empty,
        },
        ResourceColumn::Kind => word(row.kind),
        ResourceColumn::Total => match row.total {
            Some(total) => Cell::Text(numbers::duration(total, theme), plain),
            None => Cell::Empty,
        },
        ResourceColumn::Target => Cell::path(model.text(row.target), theme.dim(), theme),
        ResourceColumn::Type if row.concrete_type.is_empty() => Cell::Text("not announced".into(), theme.doubtful()),
        ResourceColumn::Type => Cell::text(model.text(row.concrete_type), theme.title(), theme),
        ResourceColumn::Visibility => Cell::Text(visibility(row.visibility).into(), theme.dim()),
        ResourceColumn::Location => Cell::path(&model.place(row.place).to_string(), theme.dim(), theme),
        ResourceColumn::Attributes => {
            let found = model.resources().get(row.id);
            Cell::text(&found.map_or_else(String::new, |found| attributes(model, &found.attributes)), plain, theme)
        }
    };
    Row {
        id: RowId::Resource(row.id),
        cells: ResourceRow::COLUMNS.iter().map(|spec| cell(spec.column)).collect(),
        style: if row.gone { theme.dim() } else { plain },
    }
}

/// Three letters.
fn visibility(visibility: Visibility) -> &'static str {
    match visibility {
        Visibility::Public => "pub",
        Visibility::Internal => "int",
    }
}
