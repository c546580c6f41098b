//! One line above a screen that says what must not be overlooked: that what is shown is old, stands still, or is not all.

use super::{Theme, text};
use crate::{
    app::{App, Pace, Shown},
    diagnose::humanize,
    wire::Temporality,
};
use ratatui::{buffer::Buffer, layout::Rect, style::Style};
use std::time::Instant;

/// Draws the line, if there is something to say, and tells what is left of the area.
pub fn render(buffer: &mut Buffer, area: Rect, app: &App, at: Instant, theme: &Theme, shown: &mut Shown) -> Rect {
    let Some((said, style)) = said(app, at, theme, shown) else { return area };
    if area.height < 6 {
        return area;
    }
    let line = text::left(&format!(" {said}"), area.width as usize, theme);
    buffer.set_stringn(area.x, area.y, line, area.width as usize, style);
    Rect { y: area.y + 1, height: area.height - 1, ..area }
}

fn said(app: &App, at: Instant, theme: &Theme, shown: &mut Shown) -> Option<(String, Style)> {
    let model = &app.watched.model;
    if let Some((wait, reason)) = app.retry(at) {
        model.now()?;
        shown.hurry(Pace::Slow);
        let wait = wait.as_millis().div_ceil(1_000);
        return Some((format!("What is shown is old. {reason}; next try in {wait} s, R tries now"), theme.bad()));
    }
    if let Some(held) = app.watched.held() {
        return Some((format!("The display stands still; {held} updates wait. Space lets it go on"), theme.notice()));
    }
    if app.watched.temporality == Some(Temporality::Paused) {
        return Some(("The target was paused, for everyone who watches it. P lets it go on".into(), theme.notice()));
    }
    let health = model.health();
    if !health.behind.is_zero() {
        let behind = humanize(health.behind);
        return Some((format!("Behind: the link delivers what the target said {behind} ago"), theme.notice()));
    }
    if !health.lag.is_zero() {
        let asked = match app.watched.catch_ups {
            0 => String::new(),
            times => format!("; asked it {times} times to catch up"),
        };
        let lag = humanize(health.lag);
        return Some((
            format!("The target's own account is {lag} behind: what is shown is old{asked}"),
            theme.notice(),
        ));
    }
    if health.dropped.total() > 0 {
        let lost = super::numbers::grouped(health.dropped.total());
        return Some((format!("The target lost {lost} events: what is shown may be incomplete"), theme.notice()));
    }
    None
}
