//! The part of a task's page that its user asked for: what each frame has, by name.
//!
//! ```text
//! ─ Values, as its frames have them ─────────────────────
//!  orders::load  src/store.rs:22
//!    id        u64                4711
//!    path      String             "/orders/17"  ?
//! ```

use crate::{
    update::look::{FrameValues, Values, Variable},
    view::{
        style::{text, theme::Theme},
        widget::facts::Text,
    },
};
use ratatui::text::{Line, Span};

/// Names and types are at most so wide.
const NAME: usize = 18;
const TYPE: usize = 24;
/// So much of a value is wanted beside its type; narrower pages leave types out.
const VALUE: usize = 36;

/// Draws it.
pub(super) fn values(out: &mut Text, told: &Values, width: usize, theme: &Theme) {
    out.section("Values, as its frames have them");
    if !told.unread.is_empty() {
        return out.prose("not known", &told.unread, theme.dim());
    }
    if told.frames.is_empty() {
        return out.prose("", "no frame that is known has variables", theme.dim());
    }
    for frame in &told.frames {
        out.line(head(frame, width, theme));
        for variable in &frame.variables {
            out.line(line(variable, width, theme));
        }
        if frame.left_out > 0 {
            out.line(Line::styled(format!("   and {} more", frame.left_out), theme.dim()));
        }
    }
    if told.frames.iter().flat_map(|frame| &frame.variables).any(|variable| variable.owns) {
        out.prose("?", "owns memory: if it was moved or dropped, this is what is left of it", theme.dim());
    }
}

fn head(frame: &FrameValues, width: usize, theme: &Theme) -> Line<'static> {
    let note = frame.reach.in_words();
    let name = if note.is_empty() { format!(" {}", frame.name) } else { format!(" {} ({note})", frame.name) };
    let name = text::safe(&name, width, theme).into_owned();
    let room = width.saturating_sub(text::columns(&name) + 2);
    let place = if frame.place.file.is_empty() { String::new() } else { frame.place.to_string() };
    let place = text::safe_end(&place, room, theme).into_owned();
    Line::from(vec![Span::styled(name, theme.title()), Span::raw("  "), Span::styled(place, theme.dim())])
}

fn line(variable: &Variable, width: usize, theme: &Theme) -> Line<'static> {
    let mut spans =
        vec![Span::raw("   "), Span::styled(text::left(&variable.name, NAME, theme), theme.label()), Span::raw(" ")];
    let mut room = width.saturating_sub(NAME + 4 + 3);
    if room >= TYPE + 1 + VALUE {
        spans.push(Span::styled(text::left(&variable.ty, TYPE, theme), theme.dim()));
        spans.push(Span::raw(" "));
        room -= TYPE + 1;
    }
    let value = text::safe(&variable.value, room, theme).into_owned();
    let is_known = !variable.value.starts_with("not readable");
    spans.push(if is_known { Span::raw(value) } else { Span::styled(value, theme.dim()) });
    if variable.owns {
        spans.push(Span::styled(" ?", theme.dim()));
    }
    Line::from(spans)
}
