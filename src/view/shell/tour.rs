//! What the demo's tour says, above the screen that it speaks of.

use crate::{
    app::{STOPS, state::App},
    view::{
        style::theme::Theme,
        widget::{pane, wrap::wrap},
    },
};
use ratatui::{buffer::Buffer, layout::Rect};

/// The screen below it keeps at least this many lines.
const LEAST: u16 = 10;

/// Draws it, where there is a tour, and tells what is left of the area.
pub(crate) fn render(buffer: &mut Buffer, area: Rect, app: &App, theme: &Theme) -> Rect {
    let Some(tour) = app.tour() else { return area };
    let lines = wrap(tour.says(), area.width.saturating_sub(4) as usize, theme);
    let height = (lines.len() as u16 + 2).min(area.height.saturating_sub(LEAST));
    if height < 3 {
        return area;
    }
    let title = match tour.stop() {
        Some((nth, stop)) => format!("The tour, {nth} of {}: {}", STOPS.len(), stop.title),
        None => "The tour".to_owned(),
    };
    let inner = pane::render(buffer, Rect { height, ..area }, &title, "", theme);
    for (line, y) in lines.iter().zip(inner.y..inner.bottom()) {
        buffer.set_stringn(inner.x + 1, y, line, inner.width.saturating_sub(2) as usize, theme.notice());
    }
    Rect { y: area.y + height, height: area.height - height, ..area }
}
