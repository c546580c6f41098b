//! One file for each region of the screen: plain functions from app and model to a frame. Nothing here changes what it draws,
//! walks all of a list, or reads a clock: a view is given the rows that are visible, and the instant that it is.
//!
//! ```text
//!  header      who is watched, how the connection stands, counts
//!  tabs        the screens
//!  banner      only when something must not be overlooked
//! ╭ screen ────────────────╮     findings, tasks, …; or a page in its place;
//! │      ╭ overlay ─╮      │     over both, help, an explanation, a question, a menu
//! ╰──────────────────────────╯
//!  footer      what can be done here
//! ```

mod banner;
pub mod bars;
mod finding;
mod findings;
mod footer;
mod header;
mod key_names;
pub mod lock_page;
pub mod locks;
mod markdown;
mod nothing;
pub mod numbers;
mod overlay;
mod page;
mod pane;
pub mod resource_page;
pub mod resources;
pub mod sparkline;
pub mod table;
mod tabs;
mod task_cells;
pub mod task_page;
mod tasks;
pub mod text;
pub mod theme;
mod wrap;

pub use theme::Theme;

use crate::{
    app::{App, Screen, Shown},
    wire::Connection,
};
use ratatui::{Frame, layout::Rect};
use std::time::Instant;

/// Below this nothing useful can be shown.
const LEAST: (u16, u16) = (40, 10);

/// Draws everything, and tells what a click would mean.
pub fn render(frame: &mut Frame, app: &App, at: Instant) -> Shown {
    let mut shown = Shown::default();
    let theme = &Theme::new(app.palette, app.charset);
    let area = frame.area();
    let buffer = frame.buffer_mut();
    if area.width < LEAST.0 || area.height < LEAST.1 {
        let said = format!("too small: {}x{} of {}x{}", area.width, area.height, LEAST.0, LEAST.1);
        for (line, y) in wrap::wrap(&said, area.width as usize, theme).iter().zip(area.y..area.bottom()) {
            buffer.set_stringn(area.x, y, line, area.width as usize, theme.notice());
        }
        return shown;
    }
    let line = |y| Rect { y, height: 1, ..area };
    header::render(buffer, line(area.y), app, at, theme, &mut shown);
    tabs::render(buffer, line(area.y + 1), app, theme, &mut shown);
    let body = Rect { y: area.y + 2, height: area.height - 3, ..area };
    let screen = banner::render(buffer, body, app, at, theme, &mut shown);
    match app.screen {
        Screen::Findings => findings::render(buffer, screen, app, at, theme, &mut shown),
        Screen::Tasks => tasks::render(buffer, screen, app, at, theme, &mut shown),
        Screen::Locks | Screen::Resources => {}
    }
    if matches!(app.watched.connection, Connection::Lost { .. }) && app.watched.model.now().is_some() {
        buffer.set_style(screen, theme.dim());
    }
    for layer in &app.layers {
        overlay::render(buffer, body, layer, app, theme, &mut shown);
    }
    footer::render(buffer, line(area.bottom() - 1), app, theme, &mut shown);
    shown
}
