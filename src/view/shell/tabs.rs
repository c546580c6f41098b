//! The second line: the screens, and what is always at hand.
//!
//! ```text
//!  1 Findings  2 Tasks  3 Workers  4 Locks  5 Resources                               / filter   ? help
//! ```

use crate::{
    app::{
        frame::{HitArea, LastFrame, Region},
        input::bindings::Action,
        screens::{SCREENS, Screen, ScreenSpec},
        state::App,
        tasks::list::Listing,
    },
    view::style::{text, theme::Theme},
};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

/// Draws the line.
pub(crate) fn render(buffer: &mut Buffer, area: Rect, app: &App, theme: &Theme, shown: &mut LastFrame) {
    let mut x = area.x + 1;
    for (at, &ScreenSpec { screen, title, .. }) in SCREENS.iter().enumerate() {
        let room = area.right().saturating_sub(x);
        let text = format!(" {} {} ", at + 1, title);
        let width = (text::columns(&text) as u16).min(room);
        if width == 0 {
            return;
        }
        let style = if screen == app.screen { theme.tab() } else { theme.dim() };
        buffer.set_stringn(x.saturating_sub(1), area.y, text, width as usize, style);
        shown.hit(Region { x: x.saturating_sub(1), y: area.y, width, height: 1 }, HitArea::Tab(screen));
        x += width;
    }
    let mut right = area.right().saturating_sub(1);
    let mut offers = vec![("?", "help", Action::Help)];
    if app.screen == Screen::Tasks && app.layers.is_empty() {
        offers.push(("/", "filter", Action::Filter));
        let group = if app.panels.tasks.listing == Listing::Tasks { "group" } else { "regroup" };
        offers.push(("z", group, Action::Group));
    }
    for (key, name, action) in offers {
        let line = Line::from(vec![Span::styled(key, theme.key()), Span::raw(" "), Span::styled(name, theme.dim())]);
        let width = line.width() as u16;
        if right < x + width {
            return;
        }
        right -= width;
        buffer.set_line(right, area.y, &line, width);
        shown.hit(Region { x: right, y: area.y, width, height: 1 }, HitArea::Key(action));
        right = right.saturating_sub(3);
    }
}
