//! What an empty screen says: that nothing is wrong and what cannot be seen from here, or why nothing is known.

use super::unseen;
use crate::{
    app::{
        frame::{LastFrame, Pace},
        screens::Screen,
        state::App,
    },
    diagnose::humanize,
    model::Model,
    update::{Connection, Knows},
    view::{
        style::{text, theme::Theme},
        widget::wrap::wrap,
    },
};
use ratatui::{buffer::Buffer, layout::Rect, style::Style};
use std::time::Instant;

/// Draws why there is nothing: nothing is wrong, or nothing is known.
pub(crate) fn render(buffer: &mut Buffer, area: Rect, app: &App, at: Instant, theme: &Theme, shown: &mut LastFrame) {
    let model = app.session().model();
    let watched = model.attached().zip(app.now(at)).map(|(attached, now)| now.since(attached));
    let mut lines = Vec::new();
    match (&app.session().status().connection, watched) {
        (_, None) if app.past().is_recording() && app.past().shown().is_some() => {
            lines.push(("Nothing is known of the target at this instant.".to_owned(), theme.dim()));
        }
        (_, None) if app.past().is_recording() => lines.push(("Opening the recording".to_owned(), theme.dim())),
        (_, Some(watched)) => {
            shown.hurry(Pace::Slow);
            lines.push((format!("Nothing wrong found in {} of watching.", humanize(watched)), theme.good()));
            lines.push((never_seen(model).to_owned(), theme.dim()));
            let unasked = unseen::not_looked_for(app.session(), None);
            // It begins a line of its own here.
            let sentence = |line: String| line.replacen('n', "N", 1);
            lines.extend(unasked.into_iter().map(|line| (sentence(line), theme.dim())));
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

/// Which locks nobody tells of. Of a process that runs, memory tells which lock of the standard library a thread sleeps for.
fn never_seen(model: &Model) -> &'static str {
    match (model.memory().speaks(), model.memory().is_over()) {
        (true, false) => "Not seen from here: locks of parking_lot.",
        (true, true) => "Not seen from here: locks of std::sync and parking_lot.",
        (false, _) => "Not seen from here: std::sync locks, and Tokio locks made with const_new.",
    }
}

/// What an empty list says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Empty<'a> {
    /// The screen that it is on.
    pub screen: Screen,
    /// What the source knows.
    pub knows: &'a Knows,
    /// What is said where it could be full.
    pub otherwise: &'a [&'a str],
    /// What is said besides where it could not.
    pub advice: &'a [&'a str],
}

/// Draws what an empty list says: why its source does not know what would be in it, or else that there is nothing.
pub(crate) fn list(buffer: &mut Buffer, area: Rect, empty: Empty, theme: &Theme) {
    let plain = |said: &[&str]| said.iter().map(|&said| (said.to_owned(), theme.dim())).collect();
    let said: Vec<(String, Style)> = match unseen::why_not(empty.knows, empty.screen) {
        Some(why) => [vec![(why, theme.notice())], plain(empty.advice)].concat(),
        None => plain(empty.otherwise),
    };
    message(buffer, area, &said, theme);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        diagnose::Settings,
        model::Retention,
        session::Session,
        update::{Begin, BeginMode, Event, Process, look::Grade},
    };

    #[test]
    fn what_memory_tells_of_is_not_said_to_be_unseen() {
        let mut session = Session::new(&Settings::default(), Retention::default());
        session.apply(Event::Begin(Box::new(Begin::console(1))));
        assert!(never_seen(session.model()).contains("std::sync"));
        let memory = Begin { mode: BeginMode::Joins, ..Begin::memory(1, Process::default(), Grade::Full) };
        session.apply(Event::Begin(Box::new(memory)));
        assert!(!never_seen(session.model()).contains("std::sync"));
    }
}
