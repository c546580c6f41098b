//! What lies over a screen: a box in its middle, with text that can be scrolled, a question, or a menu.

use crate::{
    app::{
        act::sortable,
        frame::{HitArea, LastFrame, Region, RowId},
        input::bindings::{BINDINGS, Context},
        layer::{Layer, Question},
        list::column::Direction,
        scroll::Scroll,
        state::App,
        tasks::columns::TASK_COLUMNS,
    },
    diagnose::{Lint, by_reason},
    view::{
        style::{key_names, text, theme::Theme},
        widget::{markdown, pane, wrap::wrap},
    },
};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::{Clear, Widget},
};

/// Draws a layer, if it is one that lies over a screen.
pub(crate) fn render(buffer: &mut Buffer, area: Rect, layer: &Layer, app: &App, theme: &Theme, shown: &mut LastFrame) {
    match layer {
        Layer::Page(_) | Layer::Filter(_) => {}
        Layer::Help(scroll) => {
            let more = |lines: &mut Vec<_>, width| about(lines, width, app, theme);
            render_help(buffer, area, app.contexts_below_help(), more, *scroll, theme, shown);
        }
        Layer::Explain(lint, scroll) => {
            render_explanation(buffer, area, lint, *scroll, theme, shown);
        }
        Layer::Sort(selected) => render_sort(buffer, area, *selected, app, theme, shown),
        Layer::Ask(question) => render_question(buffer, area, *question, theme, shown),
    }
}

/// Every key, those of the place where the user is first, and then what else is to be said.
pub(crate) fn render_help(
    buffer: &mut Buffer,
    area: Rect,
    contexts: Vec<Context>,
    more: impl FnOnce(&mut Vec<Line<'static>>, usize),
    scroll: Scroll,
    theme: &Theme,
    shown: &mut LastFrame,
) {
    let width = area.width.saturating_sub(4).min(84);
    let room = width.saturating_sub(4) as usize;
    let mut lines = help(room, contexts, theme);
    more(&mut lines, room);
    render_text(buffer, area, "Keys", &lines, width, scroll, theme, shown);
}

/// What a lint means.
pub(crate) fn render_explanation(
    buffer: &mut Buffer,
    area: Rect,
    lint: &Lint,
    scroll: Scroll,
    theme: &Theme,
    shown: &mut LastFrame,
) {
    let width = area.width.saturating_sub(4).min(100);
    let lines = explanation(lint, width.saturating_sub(4), theme);
    render_text(buffer, area, lint.name, &lines, width, scroll, theme, shown);
}

/// A box in the middle, emptied.
fn boxed(buffer: &mut Buffer, area: Rect, width: u16, height: u16, title: &str, theme: &Theme) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    let x = area.x + (area.width - width) / 2;
    let y = area.y + (area.height - height) / 2;
    let place = Rect { x, y, width, height };
    Clear.render(place, buffer);
    pane::render(buffer, place, title, "", theme)
}

#[expect(clippy::too_many_arguments, reason = "one place draws every scrolled text")]
fn render_text(
    buffer: &mut Buffer,
    area: Rect,
    title: &str,
    lines: &[Line<'static>],
    width: u16,
    scroll: Scroll,
    theme: &Theme,
    shown: &mut LastFrame,
) {
    shown.cover();
    let height = (lines.len() as u16).saturating_add(2);
    let inner = boxed(buffer, area, width, height, title, theme);
    let room = inner.height as usize;
    let most = lines.len().saturating_sub(room);
    let top = scroll.0.min(most);
    for (at, line) in lines.iter().skip(top).take(room).enumerate() {
        buffer.set_line(inner.x + 1, inner.y + at as u16, line, inner.width.saturating_sub(2));
    }
    pane::scroll_bar(buffer, inner, &(top..(top + room).min(lines.len())), lines.len(), theme);
    shown.scroll_most = most;
    shown.window = Some(crate::app::frame::Window { offset: top, rows: room });
}

/// Every key, those of the first places first.
fn help(width: usize, mut order: Vec<Context>, theme: &Theme) -> Vec<Line<'static>> {
    for binding in BINDINGS {
        if !order.contains(&binding.place) {
            order.push(binding.place);
        }
    }
    let mut lines = Vec::new();
    let mut titles: Vec<&str> = Vec::new();
    for place in order {
        let bindings = BINDINGS.iter().filter(|binding| binding.place == place && !binding.help.is_empty());
        if !titles.contains(&place.title()) {
            if !lines.is_empty() {
                lines.push(Line::default());
            }
            lines.push(Line::styled(place.title(), theme.head()));
            titles.push(place.title());
        }
        for binding in bindings {
            let keys = text::left(&key_names::all(binding, theme), 16, theme);
            for (at, help) in wrap(binding.help, width.saturating_sub(18), theme).into_iter().enumerate() {
                let keys = if at == 0 { keys.clone() } else { " ".repeat(16) };
                lines.push(Line::from(vec![Span::styled(keys, theme.key()), Span::raw("  "), Span::raw(help)]));
            }
        }
    }
    lines
}

/// Who is watched, what its agent cannot see, and what is not looked for therefore.
fn about(lines: &mut Vec<Line<'static>>, width: usize, app: &App, theme: &Theme) {
    let Some(begun) = app.session().status().begun.as_ref() else { return };
    let mut facts: Vec<(&str, String)> = Vec::new();
    if let Some(process) = &begun.process {
        facts.push(("process", format!("{}, pid {}", process.name, process.pid)));
        facts.push(("executable", process.executable.clone()));
        facts.push(("agent", format!("{} {}", process.agent_version, process.detail)));
        facts.push(("tokio", process.tokio_version.clone()));
        facts.extend(process.limitations.iter().map(|limitation| ("cannot see", limitation.clone())));
    }
    let unasked = app.session().not_looked_for();
    let unasked = by_reason(unasked.iter().map(|unasked| (unasked.lint.name, unasked.because)));
    facts.extend(unasked.into_iter().map(|(why, lints)| ("not looked for", format!("{}: {why}", lints.join(", ")))));
    if facts.is_empty() {
        return;
    }
    lines.push(Line::default());
    lines.push(Line::styled("The target", theme.head()));
    for (name, value) in facts {
        let mut name = text::left(name, 16, theme);
        for line in wrap(value.trim(), width.saturating_sub(18), theme) {
            let blank = " ".repeat(16);
            lines.push(Line::from(vec![
                Span::styled(std::mem::replace(&mut name, blank), theme.label()),
                Span::raw("  "),
                Span::raw(line),
            ]));
        }
    }
}

fn explanation(lint: &Lint, width: u16, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines: Vec<Line> =
        wrap(lint.summary, width as usize, theme).into_iter().map(|line| Line::styled(line, theme.title())).collect();
    lines.push(Line::default());
    lines.extend(markdown::lines(lint.explanation, width as usize, theme));
    lines
}

fn render_question(buffer: &mut Buffer, area: Rect, question: Question, theme: &Theme, shown: &mut LastFrame) {
    shown.cover();
    let width = area.width.saturating_sub(4).min(64);
    let lines = wrap(question.text(), width.saturating_sub(4) as usize, theme);
    let inner = boxed(buffer, area, width, lines.len() as u16 + 4, "Sure?", theme);
    for (at, line) in lines.iter().enumerate().take(inner.height as usize) {
        buffer.set_stringn(
            inner.x + 1,
            inner.y + at as u16,
            line,
            inner.width.saturating_sub(1) as usize,
            Style::new(),
        );
    }
    let y = inner.y + lines.len() as u16 + 1;
    if y < inner.bottom() {
        let key = |name| Span::styled(name, theme.key());
        let answer = Line::from(vec![key("y"), Span::raw(" yes   "), key("n"), Span::raw(" no")]);
        buffer.set_line(inner.x + 1, y, &answer, inner.width.saturating_sub(1));
        let region = |x, width| Region { x, y, width, height: 1 };
        shown.hit(region(inner.x + 1, 5), HitArea::Key(crate::app::input::bindings::Action::Confirm));
        shown.hit(region(inner.x + 9, 4), HitArea::Key(crate::app::input::bindings::Action::Back));
    }
}

fn render_sort(buffer: &mut Buffer, area: Rect, selected: usize, app: &App, theme: &Theme, shown: &mut LastFrame) {
    shown.cover();
    let columns: Vec<_> = sortable().collect();
    let inner = boxed(buffer, area, 24, columns.len() as u16 + 2, "Sort by", theme);
    let room = inner.height as usize;
    let top = (selected + 1).saturating_sub(room);
    for (at, column) in columns.iter().enumerate().skip(top).take(room) {
        let y = inner.y + (at - top) as u16;
        let title = TASK_COLUMNS.iter().find(|spec| spec.column == *column).map_or("", |spec| spec.title);
        let mark = match app.panels.tasks.order.direction() {
            _ if *column != app.panels.tasks.order.column() => "",
            Direction::Ascending => theme.symbols().ascending,
            Direction::Descending => theme.symbols().descending,
        };
        let line = text::left(&format!("  {title} {mark}"), inner.width as usize, theme);
        buffer.set_stringn(inner.x, y, line, inner.width as usize, Style::new());
        let row = Rect { y, height: 1, ..inner };
        if at == selected {
            buffer.set_style(row, theme.selected());
            buffer.set_string(inner.x, y, theme.symbols().marker, theme.key());
        }
        shown.hit(Region { x: row.x, y, width: row.width, height: 1 }, HitArea::Row(RowId::Line(at)));
    }
}
