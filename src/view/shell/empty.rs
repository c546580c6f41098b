//! What an empty screen says: that nothing is wrong and what cannot be seen from here, or why nothing is known.

use crate::{
    app::{
        frame::{Pace, Shown},
        state::App,
    },
    diagnose::humanize,
    update::{Connection, Protocol},
    view::{
        style::{text, theme::Theme},
        widget::wrap::wrap,
    },
};
use ratatui::{buffer::Buffer, layout::Rect, style::Style};
use std::time::Instant;

/// Draws why there is nothing: nothing is wrong, or nothing is known.
pub(crate) fn render(buffer: &mut Buffer, area: Rect, app: &App, at: Instant, theme: &Theme, shown: &mut Shown) {
    let model = app.session().model();
    let watched = model.attached().zip(app.now(at)).map(|(attached, now)| now.since(attached));
    let mut lines = Vec::new();
    match (&app.session().status().connection, watched) {
        (_, Some(watched)) => {
            shown.hurry(Pace::Slow);
            lines.push((format!("Nothing wrong found in {} of watching.", humanize(watched)), theme.good()));
            let unseen = match app.session().status().begun.as_ref().map(|begun| begun.protocol) {
                Some(Protocol::Agent) => "Not seen from here: std::sync locks, and Tokio locks made with const_new.",
                _ => {
                    "Not seen from here: std::sync locks, Tokio locks made with const_new, and which worker a task is on."
                }
            };
            lines.push((unseen.to_owned(), theme.dim()));
        }
        (Connection::Lost { reason, .. }, None) => {
            lines.push((format!("Cannot reach {}: {reason}", app.target), theme.bad()));
            lines.push((
                "Is the service running, with console-subscriber in it and built with --cfg tokio_unstable?".to_owned(),
                theme.dim(),
            ));
            lines.push(("It is tried again until it answers; R tries now.".to_owned(), theme.dim()));
        }
        (Connection::GaveUp { reason }, None) => {
            lines.push((format!("Cannot watch {}: {reason}", app.target), theme.bad()));
            lines.push((
                "It would be the same at every try, so none is made by itself; R tries again.".to_owned(),
                theme.dim(),
            ));
        }
        (Connection::Live, None) => lines.push(("Connected; waiting for the first state.".to_owned(), theme.dim())),
        (Connection::Connecting { .. }, None) => {
            lines.push((format!("Connecting to {}", app.target), theme.dim()));
        }
    }
    message(buffer, area, &lines, theme);
}

/// A few lines in the middle of an empty list.
pub(crate) fn message(buffer: &mut Buffer, area: Rect, paragraphs: &[(String, Style)], theme: &Theme) {
    let width = area.width.saturating_sub(4).min(90) as usize;
    let lines: Vec<(String, Style)> = paragraphs
        .iter()
        .flat_map(|(text, style)| wrap(text, width, theme).into_iter().map(|line| (line, *style)))
        .collect();
    let top = area.y + area.height.saturating_sub(lines.len() as u16) / 3;
    for (at, (line, style)) in lines.iter().enumerate() {
        let y = top + at as u16;
        if y >= area.bottom() {
            return;
        }
        let x = area.x + area.width.saturating_sub(text::columns(line) as u16) / 2;
        buffer.set_stringn(x, y, line, area.right().saturating_sub(x) as usize, *style);
    }
}
