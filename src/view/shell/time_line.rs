//! The line above the footer while the past is shown: where it begins and ends, what happened in it, and which instant is shown.
//!
//! ```text
//!  14:03:22 ├┄┄┄▲┄┄┄┄●───────┃──────────────┤ now
//! ```
//!
//! Where it is dotted, all did not fit: what was found is kept, and what that names.

use crate::{
    app::{
        frame::{HitArea, LastFrame, Region},
        past::Past,
        state::App,
    },
    diagnose::Severity,
    record::{MarkKind, TimeLine},
    view::style::{text, theme::Theme},
};
use ratatui::{buffer::Buffer, layout::Rect};
use std::time::{Duration, Instant};

/// Whether there is a line to draw.
pub(crate) fn is_shown(past: &Past) -> bool {
    past.shown().is_some() && past.line().is_some()
}

/// Draws the line.
pub(crate) fn render(buffer: &mut Buffer, area: Rect, app: &App, at: Instant, theme: &Theme, shown: &mut LastFrame) {
    let past = app.past();
    let (Some(here), Some(line)) = (past.shown(), past.line()) else { return };
    let until = past.present(at).unwrap_or(line.until).max(line.until).max(here);
    let begin = format!(" {} ", clock(line, line.from, app));
    let end = match past.present(at) {
        Some(_) => " now ".to_owned(),
        None => format!(" {} ", clock(line, until, app)),
    };
    let symbols = theme.symbols();
    let taken = text::columns(&begin) + text::columns(&end) + 2;
    let Some(columns) = (area.width as usize).checked_sub(taken).filter(|columns| *columns >= 8) else { return };
    let scale = Scale { from: line.from.min(here), until, columns };
    let x = area.x + text::columns(&begin) as u16;
    buffer.set_stringn(area.x, area.y, &begin, area.width as usize, theme.dim());
    buffer.set_stringn(x, area.y, symbols.tee.0, 1, theme.dim());
    let last = x + 1 + columns as u16;
    buffer.set_stringn(last, area.y, symbols.tee.1, 1, theme.dim());
    buffer.set_stringn(last + 1, area.y, &end, area.right().saturating_sub(last + 1) as usize, theme.dim());
    let marks = marks(line, &scale);
    // What has come since it was asked is kept, too.
    let kept_until = past.present(at).unwrap_or(line.until);
    for (column, mark) in marks.into_iter().enumerate() {
        let x = x + 1 + column as u16;
        let instant = scale.instant(column);
        let is_in = |stretches: &[(Duration, Duration)]| {
            stretches.iter().any(|(from, until)| (*from..*until).contains(&instant))
        };
        let (is_gap, is_outlined) = (is_in(&line.gaps), is_in(&line.outlined));
        let (symbol, style) = match mark {
            Some(Happened::Begins(severity)) => (theme.mark(severity), theme.severity(severity)),
            Some(Happened::Restart | Happened::ClockSet) => (symbols.scroll.0, theme.notice()),
            None if is_gap || instant > kept_until => (" ", theme.dim()),
            None if is_outlined => (symbols.dotted, theme.dim()),
            None => (symbols.line, theme.dim()),
        };
        buffer.set_stringn(x, area.y, symbol, 1, style);
        shown.hit(Region { x, y: area.y, width: 1, height: 1 }, HitArea::Instant(instant));
    }
    let cursor = x + 1 + scale.column(here) as u16;
    buffer.set_stringn(cursor, area.y, symbols.scroll.1, 1, theme.key());
}

/// An instant as the user's clock shows it, by the recorder's.
pub(crate) fn clock(line: &TimeLine, at: Duration, app: &App) -> String {
    written(line.wall_at(at), app, "%H:%M:%S")
}

/// The wall clock, as the user's shows it.
pub(crate) fn written(wall: u64, app: &App, format: &str) -> String {
    jiff::Timestamp::from_nanosecond(i128::from(wall))
        .map_or_else(|_| "?".into(), |at| at.to_zoned(app.time_zone.clone()).strftime(format).to_string())
}

/// Where instants are on the line.
struct Scale {
    from: Duration,
    until: Duration,
    columns: usize,
}

impl Scale {
    fn column(&self, at: Duration) -> usize {
        let whole = self.until.saturating_sub(self.from).as_secs_f64();
        let share = if whole > 0.0 { at.saturating_sub(self.from).as_secs_f64() / whole } else { 1.0 };
        ((share * self.columns as f64) as usize).min(self.columns - 1)
    }

    /// The end of a column: whoever goes there sees all that is marked in it.
    fn instant(&self, column: usize) -> Duration {
        let whole = self.until.saturating_sub(self.from);
        self.from + whole.mul_f64((column + 1) as f64 / self.columns as f64)
    }
}

/// The worst that happened in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Happened {
    ClockSet,
    Restart,
    Begins(Severity),
}

fn marks(line: &TimeLine, scale: &Scale) -> Vec<Option<Happened>> {
    let mut marks = vec![None; scale.columns];
    for mark in &line.marks {
        let at = Duration::from_nanos(mark.at);
        let happened = match &mark.kind {
            MarkKind::Begins(finding) => Happened::Begins(finding.severity),
            MarkKind::Restart => Happened::Restart,
            MarkKind::ClockSet(_) => Happened::ClockSet,
            MarkKind::Ends(_) => continue,
        };
        if (scale.from..=scale.until).contains(&at)
            && let Some(column) = marks.get_mut(scale.column(at))
        {
            *column = (*column).max(Some(happened));
        }
    }
    marks
}
