//! A table: which columns there is room for, how wide each is, and the rows that are visible.
//!
//! ```text
//!  Flags  ID State      Name      Busy▾   Polls Location
//! ▌●1      9 · idle     writer   1.20 s   12003 src/state.rs:40
//!          3 ▶ running  report   3.42 s       1 src/report.rs:88
//! ```

use super::sparkline::sparkline;
use crate::{
    app::{
        frame::{HitArea, LastFrame, Region, RowId},
        list::column::{Align, ColumnSpec, Direction, Width},
    },
    view::style::{text, theme::Theme},
};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

/// Longer text than this is in no cell.
const CELL_MOST: usize = 400;

/// What one cell shows.
#[derive(Debug, Clone)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// Text, made safe, and cut at its end where room is scarce.
    Text(String, Style),
    /// Text, made safe, and cut at its beginning where room is scarce.
    Path(String, Style),
    /// Something drawn.
    Drawn(Line<'static>),
    /// Shares from 0 to 1, a column each; where room is scarce, the oldest are left out.
    Lane(Vec<f32>),
}

impl Cell {
    /// Text of which the beginning says most.
    pub fn text(text: &str, style: Style, theme: &Theme) -> Self {
        Self::Text(text::safe(text, CELL_MOST, theme).into_owned(), style)
    }

    /// A number by which something is known. Those of one list differ at the end.
    pub fn id(number: impl std::fmt::Display, style: Style) -> Self {
        Self::Path(number.to_string(), style)
    }

    /// Text of which the end says most.
    pub fn path(text: &str, style: Style, theme: &Theme) -> Self {
        Self::Path(text::safe_end(text, CELL_MOST, theme).into_owned(), style)
    }

    /// How many columns it would take.
    fn width(&self) -> u16 {
        match self {
            Self::Empty => 0,
            Self::Text(text, _) | Self::Path(text, _) => text::columns(text) as u16,
            Self::Drawn(line) => line.width() as u16,
            Self::Lane(shares) => shares.len() as u16,
        }
    }

    fn line(&self, width: usize, theme: &Theme) -> Line<'static> {
        match self {
            Self::Empty => Line::default(),
            Self::Text(text, style) => Span::styled(text::safe(text, width, theme).into_owned(), *style).into(),
            Self::Path(text, style) => Span::styled(text::safe_end(text, width, theme).into_owned(), *style).into(),
            Self::Drawn(line) => line.clone(),
            Self::Lane(shares) => sparkline(&shares[shares.len().saturating_sub(width)..], theme),
        }
    }
}

/// One row.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// What it stands for.
    pub id: RowId,
    /// Its cells, one for each column that there is, shown or not.
    pub cells: Vec<Cell>,
    /// Over its cells' styles.
    pub style: Style,
}

/// What there is to show.
pub(crate) struct Table<'a, C> {
    /// The columns that there are.
    pub columns: &'a [ColumnSpec<C>],
    /// The column that decides the order.
    pub sorted: Option<(C, Direction)>,
    /// The rows that are visible.
    pub rows: &'a [Row],
    /// Which of them is selected.
    pub selected: Option<usize>,
}

/// A column that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Placed {
    index: usize,
    x: u16,
    width: u16,
}

/// Draws the heads and the rows, the heads in the first line of `area`.
pub(crate) fn render<C: Copy + PartialEq>(
    buffer: &mut Buffer,
    area: Rect,
    table: &Table<C>,
    theme: &Theme,
    shown: &mut LastFrame,
    head: impl Fn(C) -> Option<HitArea>,
) {
    if area.is_empty() {
        return;
    }
    let mut widths: Vec<u16> = table.columns.iter().map(|spec| spec.title.len() as u16).collect();
    for row in table.rows {
        for (width, cell) in widths.iter_mut().zip(&row.cells) {
            *width = (*width).max(cell.width());
        }
    }
    let placed = place(table.columns, &widths, area.width.saturating_sub(1));
    for column in &placed {
        let spec = &table.columns[column.index];
        let x = area.x + 1 + column.x;
        render_head(buffer, Rect { x, width: column.width, height: 1, ..area }, spec, table.sorted, theme);
        if let Some(hit) = head(spec.column) {
            shown.hit(Region { x, y: area.y, width: column.width, height: 1 }, hit);
        }
    }
    for (at, row) in table.rows.iter().enumerate().take(area.height.saturating_sub(1) as usize) {
        let y = area.y + 1 + at as u16;
        for column in &placed {
            let Some(cell) = row.cells.get(column.index) else { continue };
            let line = cell.line(column.width as usize, theme);
            let pad = match table.columns[column.index].align {
                Align::Left => 0,
                Align::Right => column.width.saturating_sub(line.width() as u16),
            };
            buffer.set_line(area.x + 1 + column.x + pad, y, &line, column.width - pad);
        }
        let line = Rect { y, height: 1, ..area };
        buffer.set_style(line, row.style);
        if table.selected == Some(at) {
            buffer.set_style(line, theme.selected());
            buffer.set_string(area.x, y, theme.symbols().marker, theme.key());
        }
        shown.hit(Region { x: area.x, y, width: area.width, height: 1 }, HitArea::Row(row.id));
    }
}

fn render_head<C: Copy + PartialEq>(
    buffer: &mut Buffer,
    area: Rect,
    spec: &ColumnSpec<C>,
    sorted: Option<(C, Direction)>,
    theme: &Theme,
) {
    let mark = match sorted {
        Some((column, Direction::Ascending)) if column == spec.column => theme.symbols().ascending,
        Some((column, Direction::Descending)) if column == spec.column => theme.symbols().descending,
        _ => "",
    };
    // The mark stands away from the edge that the cells stand at, so that sorting moves no title.
    let title = match spec.align {
        Align::Left => format!("{}{mark}", spec.title),
        Align::Right => format!("{mark}{}", spec.title),
    };
    let title = match spec.align {
        Align::Left => text::left(&title, area.width as usize, theme),
        Align::Right => text::right(&title, area.width as usize, theme),
    };
    let style = if mark.is_empty() { theme.head() } else { theme.head().patch(theme.title()) };
    buffer.set_stringn(area.x, area.y, title, area.width as usize, style);
}

/// Where each column goes. Columns go out, the most expendable first, until the rest fits; what room is left is given to
/// those that need it.
fn place<C>(columns: &[ColumnSpec<C>], needs: &[u16], total: u16) -> Vec<Placed> {
    // On a wide screen the text columns should get some of the room before the last number does.
    let slack = total.saturating_sub(80) / 4;
    let least = |at: usize| match columns[at].width {
        Width::Fixed(width) | Width::Fit(width, _) | Width::Fill(width, _) => width,
        Width::Whole(least, most) => needs[at].clamp(least, most),
    };
    let mut kept: Vec<usize> = (0..columns.len()).collect();
    let sum = |kept: &[usize]| -> u16 { kept.iter().map(|&at| least(at) + 1).sum::<u16>().saturating_sub(1) };
    while sum(&kept) > total.saturating_sub(slack) {
        let first = kept.iter().copied().filter(|&at| columns[at].drop > 0).max_by_key(|&at| columns[at].drop);
        let Some(first) = first else { break };
        kept.retain(|&at| at != first);
    }
    let mut left = total.saturating_sub(sum(&kept));
    let mut widths: Vec<u16> = kept.iter().map(|&at| least(at)).collect();
    let grow = |widths: &mut [u16], left: &mut u16, most: &dyn Fn(usize) -> Option<u16>| {
        // One column at a time would let the first take all: they grow together.
        while *left > 0 {
            let hungry: Vec<usize> =
                (0..widths.len()).filter(|&at| most(kept[at]).is_some_and(|most| widths[at] < most)).collect();
            if hungry.is_empty() {
                return;
            }
            for at in hungry.into_iter().take(*left as usize) {
                widths[at] += 1;
                *left -= 1;
            }
        }
    };
    grow(&mut widths, &mut left, &|at| match columns[at].width {
        Width::Fixed(_) => None,
        Width::Fit(_, most) | Width::Whole(_, most) | Width::Fill(_, most) => Some(needs[at].min(most)),
    });
    grow(&mut widths, &mut left, &|at| match columns[at].width {
        Width::Fixed(_) => None,
        Width::Fit(..) | Width::Whole(..) | Width::Fill(..) => Some(needs[at]),
    });
    grow(&mut widths, &mut left, &|at| matches!(columns[at].width, Width::Fill(..)).then_some(u16::MAX));
    let mut x = 0;
    let mut placed = Vec::with_capacity(kept.len());
    for (&index, &width) in kept.iter().zip(&widths) {
        let width = width.min(total.saturating_sub(x));
        if width > 0 {
            placed.push(Placed { index, x, width });
        }
        x += width + 1;
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        app::tasks::columns::{TASK_COLUMNS, TaskColumn},
        update::Knows,
    };
    use proptest::prelude::*;

    fn titles(total: u16, needs: u16) -> Vec<&'static str> {
        let shown = TASK_COLUMNS.iter().filter(|spec| spec.column.is_shown(&Knows::console())).copied();
        let columns: Vec<ColumnSpec<TaskColumn>> = shown.collect();
        let of = |spec: &ColumnSpec<TaskColumn>| if spec.column == TaskColumn::Id { 3 } else { needs };
        let needs: Vec<u16> = columns.iter().map(of).collect();
        place(&columns, &needs, total).iter().map(|placed| columns[placed.index].title).collect()
    }

    #[test]
    fn where_room_is_scarce_the_most_expendable_columns_go_first() {
        assert_eq!(titles(77, 30), ["Flags", "ID", "State", "Name", "Busy", "Sched", "Polls", "Location"]);
        assert_eq!(titles(40, 30), ["Flags", "ID", "Name", "Busy", "Location"]);
        assert_eq!(titles(300, 30).len(), TASK_COLUMNS.len() - 1, "all but what memory alone tells");
    }

    #[test]
    fn an_id_is_whole_before_other_columns_have_their_room() {
        let columns = TASK_COLUMNS;
        for (needs_of_id, shown) in [(3, 3), (7, 7), (10, 10), (20, 10)] {
            let id = columns.iter().position(|spec| spec.column == TaskColumn::Id).unwrap();
            let needs: Vec<u16> = (0..columns.len()).map(|at| if at == id { needs_of_id } else { 60 }).collect();
            let placed = place(columns, &needs, 77);
            assert_eq!(placed.iter().find(|placed| placed.index == id).map(|placed| placed.width), Some(shown));
        }
    }

    #[test]
    fn an_id_that_is_too_long_is_cut_where_others_are_like_it() {
        let cell = Cell::id(1_764_936_138_u64, Style::new());
        assert_eq!(cell.line(10, &Theme::default()).to_string(), "1764936138");
        assert_eq!(cell.line(7, &Theme::default()).to_string(), "…936138");
    }

    proptest! {
        #[test]
        fn columns_neither_overlap_nor_leave_the_table(total in 0_u16..400, needs in 0_u16..500) {
            let needs = vec![needs; TASK_COLUMNS.len()];
            let placed = place(TASK_COLUMNS, &needs, total);
            for pair in placed.windows(2) {
                prop_assert!(pair[0].x + pair[0].width < pair[1].x);
            }
            prop_assert!(placed.iter().all(|placed| placed.x + placed.width <= total && placed.width > 0));
        }
    }
}
