//! One line above a screen that says what must not be overlooked: that what is shown is old, stands still, or is not all.

use crate::{
    app::{
        frame::{LastFrame, Pace},
        state::App,
    },
    diagnose::{humanize, humanize_bytes},
    model::Model,
    record::MarkKind,
    update::{Connection, Temporality},
    view::shell::time_line,
    view::style::{numbers, text, theme::Theme},
};
use ratatui::{buffer::Buffer, layout::Rect, style::Style};
use std::time::{Duration, Instant};

/// Draws the line, if there is something to say, and tells what is left of the area.
pub(crate) fn render(
    buffer: &mut Buffer,
    area: Rect,
    app: &App,
    at: Instant,
    theme: &Theme,
    shown: &mut LastFrame,
) -> Rect {
    let Some((said, style)) = said(app, at, theme, shown) else { return area };
    if area.height < 6 {
        return area;
    }
    let line = text::left(&format!(" {said}"), area.width as usize, theme);
    buffer.set_stringn(area.x, area.y, line, area.width as usize, style);
    Rect { y: area.y + 1, height: area.height - 1, ..area }
}

fn said(app: &App, at: Instant, theme: &Theme, shown: &mut LastFrame) -> Option<(String, Style)> {
    let model = app.session().model();
    if let Some(said) = past(app, at, theme, shown) {
        return Some(said);
    }
    if let Some((wait, reason)) = app.retry(at) {
        model.now()?;
        shown.hurry(Pace::Slow);
        let wait = wait.as_millis().div_ceil(1_000);
        return Some((format!("What is shown is old. {reason}; next try in {wait} s, R tries now"), theme.bad()));
    }
    if let Some(reason) = app.gave_up() {
        model.now()?;
        return Some((format!("What is shown is old. {reason}; it was given up, R tries again"), theme.bad()));
    }
    if app.listens() {
        // That nothing comes is no event: somebody has to look.
        shown.hurry(Pace::Slow);
    }
    if let Some(missed) = app.missed() {
        return Some((
            format!("The display stands still; {missed} updates have come since. Space lets it go on"),
            theme.notice(),
        ));
    }
    if app.session().status().temporality == Some(Temporality::Paused) {
        return Some(("The target was paused, for everyone who watches it. P lets it go on".into(), theme.notice()));
    }
    if let Some(silent) = app.silent_for(at) {
        let silent = silent.as_secs();
        let said = format!(
            "Nothing heard for {silent} s: the target, or the way to it, stands still. What is shown is as old"
        );
        return Some((said, theme.bad()));
    }
    let health = model.health();
    if !health.behind.is_zero() {
        let behind = humanize(health.behind);
        return Some((format!("Behind: the link delivers what the target said {behind} ago"), theme.notice()));
    }
    if !health.lag.is_zero() {
        let asked = match app.session().status().catch_ups {
            0 => String::new(),
            times => format!("; asked it {times} times to catch up"),
        };
        let lag = humanize(health.lag);
        return Some((
            format!("The target's own account is {lag} behind: what is shown is old{asked}"),
            theme.notice(),
        ));
    }
    if let Some(said) = evicted(model) {
        return Some((said, theme.notice()));
    }
    if let Some(every) = health.told_every {
        let every = humanize(every);
        return Some((
            format!("Told every {every}: the agent keeps to its share of a processor; HOLDUP_CPU sets it"),
            theme.notice(),
        ));
    }
    if health.dropped.total() > 0 {
        let lost = numbers::grouped(health.dropped.total());
        return Some((format!("The target lost {lost} events: what is shown may be incomplete"), theme.notice()));
    }
    None
}

/// That it is the past, and which instant of it.
fn past(app: &App, at: Instant, theme: &Theme, shown: &mut LastFrame) -> Option<(String, Style)> {
    let past = app.past();
    let (here, line) = (past.shown()?, past.line()?);
    let wall = line.wall_at(here);
    let (mut said, mut is_bad) = (Vec::new(), false);
    if let Some(ago) = past.ago(at) {
        shown.hurry(Pace::Slow);
        let (time, ago) = (time_line::written(wall, app, "%H:%M:%S"), seconds(ago));
        said.push(format!("The past: {time}, {ago} ago. End is the present"));
        // Of the present no more is to be seen than this.
        if let Some((wait, reason)) = app.retry(at) {
            is_bad = true;
            said.push(format!("meanwhile {reason}; next try in {} s, R tries now", wait.as_millis().div_ceil(1_000)));
        } else if let Some(reason) = app.gave_up() {
            is_bad = true;
            said.push(format!("meanwhile {reason}; it was given up, R tries again"));
        }
    } else {
        if past.is_playing() {
            shown.hurry(Pace::Fast);
        } else if line.is_open {
            shown.hurry(Pace::Slow);
        }
        let time = time_line::written(wall, app, "%Y-%m-%d %H:%M:%S %Z");
        let whole = seconds(line.until.saturating_sub(line.from));
        let since = seconds(here.saturating_sub(line.from));
        let end = if line.is_open { " so far" } else { "" };
        said.push(format!("Recorded at {time}, {since} of {whole}{end}"));
    }
    for mark in line.marks.iter().filter(|mark| Duration::from_nanos(mark.at) == here) {
        match mark.kind {
            MarkKind::Restart => said.push("another process, or a new link to it, from here on".to_owned()),
            MarkKind::ClockSet(by) => {
                let direction = if by < 0 { "back" } else { "on" };
                let by = seconds(Duration::from_nanos(by.unsigned_abs()));
                said.push(format!("the target's clock was set {direction} by {by}"));
            }
            MarkKind::Begins(_) | MarkKind::Ends(_) => {}
        }
    }
    // The target's clock is its own, and may be set.
    if let Some(told) = app.session().model().now() {
        let apart = i128::from(told.nanos()) - i128::from(wall);
        if apart.unsigned_abs() > CLOCKS_APART.as_nanos() {
            said.push(format!("the target's clock said {}", time_line::written(told.nanos(), app, "%H:%M:%S")));
        }
    }
    if app.session().status().connection != Connection::Live {
        said.push("it was not connected then".to_owned());
    }
    if app.session().model().outlined().is_some() {
        said.push("only what was found is kept, with what that names, and sums by spawn location".to_owned());
    } else {
        said.extend(line.why.clone());
    }
    Some((said.join("; "), if is_bad { theme.bad() } else { theme.notice() }))
}

/// Without a part of a second.
fn seconds(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds => humanize(Duration::from_secs(seconds)),
    }
}

/// Two clocks that are so far apart are both shown: the latest update may be as old.
const CLOCKS_APART: Duration = Duration::from_secs(3);

/// How long it is news that something finished was let go of. That something alive is not shown is worth a line for as long as
/// it is so.
const NEWS: Duration = Duration::from_secs(60);

/// What was let go of, or not taken in, for want of room.
fn evicted(model: &Model) -> Option<String> {
    let evicted = model.evicted();
    let recent = evicted.at.is_some_and(|at| model.now().is_none_or(|now| now.since(at) <= NEWS));
    if !recent && !evicted.is_short() {
        return None;
    }
    let bound = humanize_bytes(model.max_bytes() as u64);
    let counts = [
        (evicted.new_tasks, "new tasks are not shown"),
        (evicted.new_others, "new resources and operations are not shown"),
        (evicted.finished_tasks, "finished tasks let go of"),
        (evicted.dropped, "dropped resources and operations let go of"),
    ];
    let parts = counts.iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts.map(|(count, what)| format!("{} {what}", numbers::grouped(*count))).collect();
    Some(format!("To stay under {bound} of memory: {}; --max-memory sets it", parts.join(", ")))
}
