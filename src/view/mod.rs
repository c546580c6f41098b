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
//!  time line   only while the past is shown
//!  footer      what can be done here
//! ```

pub mod findings;
pub mod fleet;
pub mod locks;
pub mod resources;
pub(crate) mod shell;
pub(crate) mod style;
pub mod tasks;
pub(crate) mod widget;
pub mod workers;

pub use fleet::render as render_fleet;
pub use style::theme::Theme;

use crate::{
    app::{App, LastFrame, LockPage, Page, ResourcePage, Screen, TaskPage, WorkerPage},
    update::{Connection, Stamp},
};
use ratatui::{Frame, buffer::Buffer, layout::Rect};
use std::time::Instant;

/// Below this nothing useful can be shown.
const LEAST: (u16, u16) = (40, 10);

/// Draws everything, and tells what a click would mean.
pub fn render(frame: &mut Frame, app: &App, at: Instant) -> LastFrame {
    let mut shown = LastFrame::default();
    let theme = &Theme::new(app.palette, app.charset);
    let area = frame.area();
    let buffer = frame.buffer_mut();
    if is_too_small(buffer, area, theme) {
        return shown;
    }
    let line = |y| Rect { y, height: 1, ..area };
    shell::header::render(buffer, line(area.y), app, at, theme, &mut shown);
    shell::tabs::render(buffer, line(area.y + 1), app, theme, &mut shown);
    let bottom = area.bottom() - 1;
    let timed = u16::from(shell::time_line::is_shown(app.past()));
    let body = Rect { y: area.y + 2, height: area.height - 3 - timed, ..area };
    let below = shell::tour::render(buffer, body, app, theme);
    let screen = shell::banner::render(buffer, below, app, at, theme, &mut shown);
    match app.page() {
        Some(page) => render_page(buffer, screen, page, app, at, theme, &mut shown),
        None => render_screen(buffer, screen, app, at, theme, &mut shown),
    }
    let lost = matches!(app.live().status().connection, Connection::Lost { .. } | Connection::GaveUp { .. });
    if lost && app.past().shown().is_none() && app.session().model().now().is_some() {
        buffer.set_style(screen, theme.dim());
    }
    for layer in &app.layers {
        shell::overlay::render(buffer, body, layer, app, theme, &mut shown);
    }
    if timed > 0 {
        shell::time_line::render(buffer, line(bottom - 1), app, at, theme, &mut shown);
    }
    shell::footer::render(buffer, line(bottom), app, theme, &mut shown);
    shown
}

/// Whether nothing useful can be shown, which then is said.
fn is_too_small(buffer: &mut Buffer, area: Rect, theme: &Theme) -> bool {
    let is_small = area.width < LEAST.0 || area.height < LEAST.1;
    if is_small {
        let said = format!("too small: {}x{} of {}x{}", area.width, area.height, LEAST.0, LEAST.1);
        for (line, y) in widget::wrap::wrap(&said, area.width as usize, theme).iter().zip(area.y..area.bottom()) {
            buffer.set_stringn(area.x, y, line, area.width as usize, theme.notice());
        }
    }
    is_small
}

fn render_screen(buffer: &mut Buffer, area: Rect, app: &App, at: Instant, theme: &Theme, shown: &mut LastFrame) {
    let model = app.session().model();
    match app.screen {
        Screen::Findings => findings::list::render(buffer, area, app, at, theme, shown),
        Screen::Tasks => tasks::list::render(buffer, area, app, at, theme, shown),
        Screen::Workers if model.now().is_some() => {
            let now = app.now(at).unwrap_or(Stamp::MIN);
            workers::list::render(buffer, area, &workers::list::Subject::of(app, now), theme, shown);
        }
        Screen::Locks if model.now().is_some() => {
            locks::list::render(buffer, area, &app.panels.locks.rows, model, theme, shown);
        }
        Screen::Resources if model.now().is_some() => {
            resources::list::render(buffer, area, &app.panels.resources.rows, model, theme, shown);
        }
        Screen::Workers | Screen::Locks | Screen::Resources => {
            let inner = widget::pane::render(buffer, area, app.screen.title(), "", theme);
            shell::empty::render(buffer, inner, app, at, theme, shown);
        }
    }
}

fn render_page(
    buffer: &mut Buffer,
    area: Rect,
    page: &Page,
    app: &App,
    at: Instant,
    theme: &Theme,
    shown: &mut LastFrame,
) {
    let model = app.session().model();
    // A page is opened from a list, and there is no list before the first update.
    let now = app.now(at).unwrap_or(Stamp::MIN);
    match page {
        Page::Task(TaskPage { id, detail, scroll }) => {
            tasks::page::render(buffer, area, (*id, detail.as_deref(), app.stacks), now, *scroll, theme, shown);
        }
        Page::Finding(page) => findings::story::render(buffer, area, page, app, at, theme, shown),
        Page::Worker(WorkerPage { id, detail, scroll }) => {
            workers::page::render(buffer, area, (*id, detail.as_deref(), app.stacks), now, *scroll, theme, shown);
        }
        Page::Lock(LockPage { id, detail, users }) => {
            let subject = locks::page::Subject { id: *id, detail: detail.as_deref(), users };
            locks::page::render(buffer, area, &subject, model, now, theme, shown);
        }
        Page::Resource(ResourcePage { id, detail, ops }) => {
            resources::page::render(buffer, area, (*id, detail.as_deref()), ops, model, theme, shown);
        }
    }
}
