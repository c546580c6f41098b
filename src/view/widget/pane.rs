//! The frame around a part of the screen: lines, a title, and a bar that says which part of a list is visible.
//!
//! ```text
//! ╭ Tasks ─────────────── 118 ╮
//! │                           ┃
//! ╰───────────────────────────╯
//! ```

use crate::view::style::{text, theme::Theme};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::{Block, Widget},
};
use std::ops::Range;

/// Draws the frame, and tells what is inside it.
pub(crate) fn render(buffer: &mut Buffer, area: Rect, title: &str, right: &str, theme: &Theme) -> Rect {
    let mut block = Block::bordered().border_set(theme.borders()).border_style(theme.border());
    let room = area.width.saturating_sub(4) as usize;
    block = block.title_top(heading(title, room, theme));
    let left = text::columns(title) + 3;
    if !right.is_empty() && room > left + text::columns(right) {
        let line = Line::from(Span::styled(format!(" {right} "), theme.dim()));
        block = block.title_top(line.right_aligned());
    }
    let inner = block.inner(area);
    block.render(area, buffer);
    inner
}

/// A title as it stands in a frame's line.
pub(crate) fn heading(title: &str, room: usize, theme: &Theme) -> Line<'static> {
    Line::from(Span::styled(format!(" {} ", text::safe(title, room, theme)), theme.title()))
}

/// Draws which part of a list is visible over the frame's right line, if not all of it is.
pub(crate) fn scroll_bar(buffer: &mut Buffer, area: Rect, visible: &Range<usize>, length: usize, theme: &Theme) {
    let height = area.height as usize;
    if visible.len() >= length || height == 0 || area.right() == 0 {
        return;
    }
    let thumb = (height * visible.len() / length).max(1);
    let most = length - visible.len();
    let top = ((height - thumb) * visible.start).div_ceil(most.max(1)).min(height - thumb);
    for at in 0..thumb {
        let y = area.y + (top + at) as u16;
        buffer.set_string(area.right(), y, theme.symbols().scroll.1, theme.dim());
    }
}
