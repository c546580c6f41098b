//! What the pages about one thing have in common: a text of names and values, and lines across the frame.
//!
//! ```text
//! ╭ Task 9 writer ───────────────── idle ╮
//! │ kind      task · number 9            │
//! │ spawned   12.3 s ago · src/main.rs:7 │
//! ├ Findings ────────────────────────────┤
//! ```

use super::{pane, wrap::wrap};
use crate::{
    app::{findings::lines::FindingLine, frame::LastFrame, scroll::Scroll},
    diagnose::{Confidence, Status},
    update::Stamp,
    view::{
        findings::page::units,
        style::{numbers, text, theme::Theme},
    },
};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

/// How wide the column of names is, with the space behind it.
pub(crate) const NAMES: usize = 10;

/// A count with its noun: `1 clone`, `1,203 clones`.
pub(crate) fn plural(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", numbers::grouped(count), if count == 1 { "" } else { "s" })
}

/// Lines of a page, each at most so wide. Everything that goes in is made safe.
pub(crate) struct Text<'a> {
    width: usize,
    theme: &'a Theme,
    lines: Vec<Line<'static>>,
}

/// A part of a value, which stays on one line.
pub(crate) struct Piece(Line<'static>);

impl Piece {
    /// Text; cut where it does not fit a line.
    pub(crate) fn text(given: &str, style: Style, width: usize, theme: &Theme) -> Self {
        Self(Span::styled(text::safe(&units(given, theme), width, theme).into_owned(), style).into())
    }

    /// Something drawn.
    pub(crate) fn drawn(line: Line<'static>) -> Self {
        Self(line)
    }
}

impl<'a> Text<'a> {
    /// No lines yet.
    pub(crate) fn new(width: usize, theme: &'a Theme) -> Self {
        Self { width, theme, lines: Vec::new() }
    }

    /// The lines.
    pub(crate) fn lines(self) -> Vec<Line<'static>> {
        self.lines
    }

    /// How wide a value can be.
    pub(crate) fn value_width(&self) -> usize {
        self.width.saturating_sub(NAMES)
    }

    /// A part of a value in a style.
    pub(crate) fn styled(&self, given: &str, style: Style) -> Piece {
        Piece::text(given, style, self.value_width(), self.theme)
    }

    /// A part of a value.
    pub(crate) fn plain(&self, given: &str) -> Piece {
        self.styled(given, Style::new())
    }

    /// A place in the source: its end says most.
    pub(crate) fn place(&self, given: &str) -> Piece {
        Piece(Span::styled(text::safe_end(given, self.value_width(), self.theme).into_owned(), self.theme.dim()).into())
    }

    /// A name, and the parts of its value side by side, on as many lines as they need.
    pub(crate) fn entry(&mut self, name: &str, pieces: impl IntoIterator<Item = Piece>) {
        let dot = Span::styled(format!(" {} ", self.theme.symbols().dot), self.theme.dim());
        let start = |name: &str| {
            let name = text::left(name, (NAMES - 1).min(self.width), self.theme);
            Line::from(Span::styled(format!("{name} "), self.theme.label()))
        };
        let mut line = start(name);
        let mut first = true;
        for Piece(piece) in pieces {
            if !first {
                if line.width() + 3 + piece.width() > self.width {
                    self.lines.push(std::mem::replace(&mut line, start("")));
                } else {
                    line.push_span(dot.clone());
                }
            }
            first = false;
            line.extend(piece);
        }
        self.lines.push(line);
    }

    /// Prose, in as many lines as it needs.
    pub(crate) fn prose(&mut self, name: &str, given: &str, style: Style) {
        let mut name = name;
        for line in wrap(&units(given, self.theme), self.value_width(), self.theme) {
            let piece = self.styled(&line, style);
            self.entry(std::mem::take(&mut name), [piece]);
        }
    }

    /// A value that the source does not know, with the reason.
    pub(crate) fn not_known(&mut self, name: &str, because: &str) {
        self.prose(name, &format!("not known from here, because {because}"), self.theme.dim());
    }

    /// A line as it is.
    pub(crate) fn line(&mut self, line: Line<'static>) {
        self.lines.push(line);
    }

    /// A line with a title across the page.
    pub(crate) fn section(&mut self, title: &str) {
        self.lines.push(section(title, self.width, self.theme));
    }

    /// Findings, one line each.
    pub(crate) fn findings(&mut self, findings: &[FindingLine], now: Stamp) {
        for finding in findings {
            let line = finding_line(finding, now, self.width, self.theme);
            self.lines.push(line);
        }
    }
}

/// A line with a title across a page.
pub(crate) fn section(title: &str, width: usize, theme: &Theme) -> Line<'static> {
    let line = theme.symbols().line;
    let title = text::safe(title, width.saturating_sub(4), theme).into_owned();
    let rest = width.saturating_sub(text::columns(&title) + 3);
    Line::from(vec![
        Span::styled(line, theme.border()),
        Span::styled(format!(" {title} "), theme.title()),
        Span::styled(line.repeat(rest), theme.border()),
    ])
}

fn finding_line(finding: &FindingLine, now: Stamp, width: usize, theme: &Theme) -> Line<'static> {
    let over = finding.status == Status::Past;
    let quiet = if over { theme.dim() } else { Style::new() };
    let word = if over { "over" } else { finding.severity.name() };
    let mut said = finding.message.clone();
    if over {
        said = format!("{said}; last seen {} ago", numbers::duration(now.since(finding.last_seen), theme));
    }
    let dot = theme.symbols().dot;
    match finding.confidence {
        Confidence::Exact => {}
        confidence => said = format!("{said} {dot} {}", confidence.name()),
    }
    let mark = format!("{:<2}{word:<9}", theme.mark(finding.severity));
    let lint = text::left(finding.lint, 18, theme);
    let room = width.saturating_sub(mark.chars().count() + 19);
    Line::from(vec![
        Span::styled(mark, if over { quiet } else { theme.severity(finding.severity) }),
        Span::styled(lint, if over { quiet } else { theme.title() }),
        Span::raw(" "),
        Span::styled(text::safe(&units(&said, theme), room, theme).into_owned(), quiet),
    ])
}

/// Draws lines in a frame, from where they are scrolled to.
pub(crate) fn render(
    buffer: &mut Buffer,
    area: Rect,
    (title, right): (&str, &str),
    lines: &[Line<'static>],
    scroll: Scroll,
    theme: &Theme,
    shown: &mut LastFrame,
) {
    let inner = frame(buffer, area, title, right, theme);
    let room = inner.height as usize;
    shown.scroll_most = lines.len().saturating_sub(room);
    let from = scroll.0.min(shown.scroll_most);
    let visible = from..lines.len().min(from + room);
    for (at, line) in lines[visible.clone()].iter().enumerate() {
        buffer.set_line(inner.x, inner.y + at as u16, line, inner.width);
    }
    pane::scroll_bar(buffer, Rect { width: inner.width + 1, ..inner }, &visible, lines.len(), theme);
}

/// Draws the frame of a page, and tells what is inside it, a column left free at both sides.
pub(crate) fn frame(buffer: &mut Buffer, area: Rect, title: &str, right: &str, theme: &Theme) -> Rect {
    let right = text::safe(right, 40, theme);
    let inner = pane::render(buffer, area, title, &right, theme);
    Rect { x: inner.x + inner.width.min(1), width: inner.width.saturating_sub(2), ..inner }
}

/// Draws a line with a title across a frame. `area` is what [`frame`] left.
pub(crate) fn rule(buffer: &mut Buffer, area: Rect, y: u16, title: &str, theme: &Theme) {
    if y >= area.bottom() {
        return;
    }
    let symbols = theme.symbols();
    let (left, width) = (area.x.saturating_sub(1), area.width as usize + 2);
    buffer.set_stringn(left, y, symbols.line.repeat(width), width, theme.border());
    buffer.set_string(left.saturating_sub(1), y, symbols.tee.0, theme.border());
    buffer.set_string(area.right() + 1, y, symbols.tee.1, theme.border());
    buffer.set_line(left, y, &pane::heading(title, width.saturating_sub(3), theme), area.width);
}

/// Draws lines, as far as there is room.
pub(crate) fn draw(buffer: &mut Buffer, area: Rect, lines: &[Line<'static>]) {
    for (line, y) in lines.iter().zip(area.y..area.bottom()) {
        buffer.set_line(area.x, y, line, area.width);
    }
}

/// The same; what does not fit is said to be left out, and what brings it.
pub(crate) fn cut(buffer: &mut Buffer, area: Rect, lines: &[Line<'static>], how: &str, theme: &Theme) {
    draw(buffer, area, lines);
    let room = area.height as usize;
    if lines.len() > room && room > 0 {
        let how = if how.is_empty() { String::new() } else { format!(": {how}") };
        let more = format!("{} more lines{how}", lines.len() - room + 1);
        let more = text::left(&more, area.width as usize, theme);
        buffer.set_stringn(area.x, area.bottom() - 1, more, area.width as usize, theme.dim());
    }
}

/// Lines below a line with a title.
pub(crate) fn titled(
    buffer: &mut Buffer,
    frame: Rect,
    area: Rect,
    title: &str,
    lines: &[Line<'static>],
    theme: &Theme,
) {
    if area.height < 2 {
        return;
    }
    rule(buffer, frame, area.y, title, theme);
    cut(buffer, Rect { y: area.y + 1, height: area.height - 1, ..area }, lines, "", theme);
}
