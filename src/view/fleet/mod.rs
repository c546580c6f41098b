//! All targets at once.
//!
//! ```text
//!  holdup  200 targets · 197 live · 3 lost                      198,204 tasks · ●2 ▲14
//!  1 Targets  2 Findings                                               / filter  ? help
//! ╭ Targets ────────────────────────────────────────────────────────────────────────╮
//! │ State     Target           Service  Tasks  Findings  Worst                       │
//! │ live      10.0.0.7:6669    orders   1,204  ●1 ▲2     deadlock · task 17, task 40 │
//! │ lost      10.0.0.9:6669    orders                    connection refused          │
//! ╰──────────────────────────────────────────────────────────────────────────────────╯
//! ```

mod findings;
mod targets;

use super::{
    is_too_small,
    shell::{footer, overlay},
    style::{numbers, text, theme::Theme},
};
use crate::{
    app::{
        clipboard::subject,
        fleet::{Fleet, FleetScreen, Over},
        frame::{HitArea, LastFrame, Pace, Region},
        input::bindings::{Action, offers},
    },
    diagnose::{Severity, Tally},
    fleet::{Standing, Told},
    view::widget::facts::plural,
};
use ratatui::{
    Frame,
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};
use std::time::Instant;

/// Draws everything, and tells what a click would mean.
pub fn render(frame: &mut Frame, fleet: &Fleet, at: Instant) -> LastFrame {
    let mut shown = LastFrame::default();
    let theme = &Theme::new(fleet.palette, fleet.charset);
    let area = frame.area();
    let buffer = frame.buffer_mut();
    if is_too_small(buffer, area, theme) {
        return shown;
    }
    let line = |y| Rect { y, height: 1, ..area };
    header(buffer, line(area.y), fleet, theme);
    tabs(buffer, line(area.y + 1), fleet, theme, &mut shown);
    let body = Rect { y: area.y + 2, height: area.height - 3, ..area };
    match fleet.screen {
        FleetScreen::Targets => targets::render(buffer, body, fleet, at, theme, &mut shown),
        FleetScreen::Findings => findings::render(buffer, body, fleet, theme, &mut shown),
    }
    // How long somebody has been silent is a clock.
    shown.hurry(Pace::Slow);
    match &fleet.over {
        Some(Over::Help(scroll)) => {
            overlay::render_help(buffer, body, fleet.contexts_below().to_vec(), |_, _| {}, *scroll, theme, &mut shown);
        }
        Some(Over::Explain(of, scroll)) => {
            overlay::render_explanation(buffer, body, of, *scroll, theme, &mut shown);
        }
        Some(Over::Filter(_)) | None => {}
    }
    let offered = offers(fleet.contexts()).map(|binding| (binding, binding.footer));
    footer::line(buffer, line(area.bottom() - 1), fleet.notice(), offered, theme, &mut shown);
    shown
}

/// How many there are, how they stand, and how much is wrong with all of them.
fn header(buffer: &mut Buffer, area: Rect, fleet: &Fleet, theme: &Theme) {
    let count = |is: fn(&Standing) -> bool| fleet.briefs().iter().filter(|brief| is(&brief.standing)).count();
    let live = count(Standing::is_live);
    let lost = count(|standing| standing.reason().is_some());
    let dot = || Span::styled(format!(" {} ", theme.symbols().dot), theme.dim());
    let mut left = vec![
        Span::styled(" holdup  ", theme.title()),
        Span::raw(plural(fleet.names().len() as u64, "target")),
        dot(),
        Span::styled(format!("{live} live {}", theme.symbols().live), theme.good()),
    ];
    if lost > 0 {
        left.extend([dot(), Span::styled(format!("{lost} lost {}", theme.symbols().lost), theme.bad())]);
    }
    let tasks = fleet.briefs().iter().filter(|brief| brief.standing.is_live()).map(|brief| brief.tasks as u64).sum();
    let mut right = vec![Span::raw(format!("{} tasks", numbers::grouped(tasks)))];
    let of_all =
        fleet.briefs().iter().filter(|brief| brief.standing.is_live()).fold(Tally::default(), |sum, brief| Tally {
            critical: sum.critical + brief.tally.critical,
            warning: sum.warning + brief.tally.warning,
            note: sum.note + brief.tally.note,
        });
    let tally = tally(of_all, theme);
    if !tally.spans.is_empty() {
        right.push(dot());
        right.extend(tally.spans);
    }
    right.push(Span::raw(" "));
    let right = Line::from(right);
    let (end, _) = buffer.set_line(area.x, area.y, &Line::from(left), area.width);
    let width = right.width() as u16;
    if area.right().saturating_sub(end) > width {
        buffer.set_line(area.right() - width, area.y, &right, width);
    }
}

/// Findings by severity, the worst first.
fn tally(tally: Tally, theme: &Theme) -> Line<'static> {
    let counts =
        [(Severity::Critical, tally.critical), (Severity::Warning, tally.warning), (Severity::Note, tally.note)];
    let mut spans: Vec<Span> = Vec::new();
    for (severity, count) in counts.into_iter().filter(|&(_, count)| count > 0) {
        if !spans.is_empty() {
            spans.push(Span::raw(" "));
        }
        spans.push(Span::styled(format!("{}{count}", theme.mark(severity)), theme.severity(severity)));
    }
    Line::from(spans)
}

/// What can be listed, and what is always at hand.
fn tabs(buffer: &mut Buffer, area: Rect, fleet: &Fleet, theme: &Theme, shown: &mut LastFrame) {
    let mut x = area.x;
    for (number, title, screen) in [(1, "Targets", FleetScreen::Targets), (2, "Findings", FleetScreen::Findings)] {
        let text = format!(" {number} {title} ");
        let width = (text::columns(&text) as u16).min(area.right().saturating_sub(x));
        let style = if screen == fleet.screen { theme.tab() } else { theme.dim() };
        buffer.set_stringn(x, area.y, text, width as usize, style);
        shown.hit(Region { x, y: area.y, width, height: 1 }, HitArea::Key(Action::GoNumber(number)));
        x += width;
    }
    if let Some(Over::Filter(line)) = &fleet.over {
        let (before, after) = line.halves();
        let mut rest = after.chars();
        let under = rest.next().map_or_else(|| " ".to_owned(), String::from);
        let typed = Line::from(vec![
            Span::styled("/", theme.key()),
            Span::raw(before.to_owned()),
            Span::styled(under, theme.selected()),
            Span::raw(rest.as_str().to_owned()),
        ]);
        let room = area.right().saturating_sub(x + 2);
        buffer.set_line(x + 2, area.y, &typed, room);
        return;
    }
    if !fleet.filter().is_empty() {
        let room = area.right().saturating_sub(x + 12) as usize;
        let filter = text::safe(fleet.filter(), room, theme);
        buffer.set_stringn(x + 2, area.y, format!("/{filter}"), room + 1, theme.notice());
    }
    let help = Line::from(vec![Span::styled("?", theme.key()), Span::styled(" help ", theme.dim())]);
    let width = help.width() as u16;
    if area.right() > x + width {
        let x = area.right() - width;
        buffer.set_line(x, area.y, &help, width);
        shown.hit(Region { x, y: area.y, width, height: 1 }, HitArea::Key(Action::Help));
    }
}

/// What a finding says, after its lint.
fn what(told: &Told, theme: &Theme) -> String {
    format!("{} {} {}", subject(&told.subject), theme.symbols().dot, told.message)
}
