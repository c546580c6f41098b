//! The last line: what can be done here, or what was just said.
//!
//! ```text
//!  ↑↓ select  ⏎ open  l lock  e explain  y copy  space freeze  q quit
//! ```

use crate::{
    app::{
        frame::{HitArea, LastFrame, Pace, Region},
        input::bindings::{Action, Binding, offers},
        state::App,
    },
    view::style::{key_names, text, theme::Theme},
};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

/// Draws the line for a session.
pub(crate) fn render(buffer: &mut Buffer, area: Rect, app: &App, theme: &Theme, shown: &mut LastFrame) {
    let word = |binding: &Binding| match binding.action {
        Action::Freeze if app.missed().is_some() => "go on",
        Action::Play if app.past().is_playing() => "hold",
        _ => binding.footer,
    };
    let contexts = app.contexts();
    let offered = offers(&contexts).filter(|binding| app.can(binding.action));
    line(buffer, area, app.notice(), offered.map(|binding| (binding, word(binding))), theme, shown);
}

/// Draws what was just said, or else what is offered, each with its word.
pub(crate) fn line<'a>(
    buffer: &mut Buffer,
    area: Rect,
    notice: Option<&str>,
    offered: impl Iterator<Item = (&'a Binding, &'static str)>,
    theme: &Theme,
    shown: &mut LastFrame,
) {
    if let Some(notice) = notice {
        shown.hurry(Pace::Slow);
        let text = text::left(&format!(" {notice}"), area.width as usize, theme);
        buffer.set_stringn(area.x, area.y, text, area.width as usize, theme.notice());
        return;
    }
    let mut offered: Vec<(&Binding, Line)> =
        offered.map(|(binding, word)| (binding, offer(binding, word, theme))).collect();
    // The way out is always named; what goes first where room is scarce stands before it.
    let width = |offered: &[(&Binding, Line)]| offered.iter().map(|(_, line)| line.width() + 2).sum::<usize>();
    while offered.len() > 1 && width(&offered) > area.width as usize {
        offered.remove(offered.len() - 2);
    }
    let mut x = area.x + 1;
    for (binding, line) in offered {
        let width = (line.width() as u16).min(area.right().saturating_sub(x));
        buffer.set_line(x, area.y, &line, width);
        shown.hit(Region { x, y: area.y, width, height: 1 }, HitArea::Key(binding.action));
        x = x.saturating_add(width + 2);
    }
}

fn offer(binding: &Binding, word: &'static str, theme: &Theme) -> Line<'static> {
    Line::from(vec![
        Span::styled(key_names::first(binding, theme), theme.key()),
        Span::raw(" "),
        Span::styled(word, theme.dim()),
    ])
}
