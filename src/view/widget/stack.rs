//! A stack: its frames, innermost first, the service's own marked, and what is nobody's business folded.
//!
//! ```text
//!    4 frames of libc and std, in std::thread::sleep
//!  > report::render      src/report.rs:88
//!    61 frames of tracing, tokio and std
//! ```

use crate::{
    app::options::StackForm,
    update::{Frame, Stack, StackLine},
    view::style::{text, theme::Theme},
};
use ratatui::{
    style::Style,
    text::{Line, Span},
};

/// How many lines a stack has.
pub(crate) fn height(stack: &Stack, form: StackForm) -> usize {
    match form {
        StackForm::Folded => stack.folded().len(),
        StackForm::Whole => stack.frames.len(),
    }
}

/// The lines of a stack, each at most so wide. Of more frames than `most`, the innermost and those around the service's own
/// first one are shown.
pub(crate) fn lines(stack: &Stack, form: StackForm, width: usize, most: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    if stack.approximate {
        let said = "approximate: parts of it were guessed";
        lines.push(Line::styled(text::safe(said, width, theme).into_owned(), theme.notice()));
    }
    if !stack.limitation.is_empty() {
        lines.push(Line::styled(text::safe(&stack.limitation, width, theme).into_owned(), theme.notice()));
    }
    let told: Vec<StackLine> = match form {
        StackForm::Folded => stack.folded(),
        StackForm::Whole => stack.frames.iter().map(StackLine::Frame).collect(),
    };
    let own = told.iter().position(|line| matches!(line, StackLine::Frame(frame) if frame.is_of_service()));
    let room = most.saturating_sub(lines.len());
    // What a reader looks for is the service's own line: the runtime below it may be left out.
    let from = match own {
        Some(own) if own + 1 > room && room > 0 => own + 1 - room.div_ceil(2),
        _ => 0,
    };
    if from > 0 {
        lines.push(Line::styled(text::safe(&format!("   {from} more above"), width, theme).into_owned(), theme.dim()));
    }
    let names = (width / 2).clamp(10, 60);
    let room = most.saturating_sub(lines.len());
    for (at, told) in told.iter().enumerate().skip(from).take(room) {
        let mark = if own == Some(at) { theme.symbols().marker } else { " " };
        lines.push(match told {
            StackLine::Frame(frame) => line(frame, mark, names, width, theme),
            folded @ StackLine::Folded { .. } => {
                let said = text::safe(&folded.in_words(), width.saturating_sub(3), theme).into_owned();
                Line::from(vec![Span::raw("   "), Span::styled(said, theme.dim())])
            }
        });
    }
    lines
}

fn line(frame: &Frame, mark: &str, names: usize, width: usize, theme: &Theme) -> Line<'static> {
    let own = frame.is_of_service();
    let function = match (frame.function.as_str(), frame.module.as_str()) {
        ("", "") => format!("{:#x}", frame.address),
        ("", module) => format!("{:#x} in {module}", frame.address),
        _ => frame.name().into_owned(),
    };
    let place = match frame.place.file.as_str() {
        "" => frame.module.clone(),
        _ => frame.place.to_string(),
    };
    let style = if own { theme.title() } else { theme.dim() };
    let room = width.saturating_sub(names + 4);
    Line::from(vec![
        Span::styled(format!(" {mark} "), theme.key()),
        Span::styled(text::left_end(&function, names, theme), style),
        Span::raw(" "),
        Span::styled(text::safe_end(&place, room, theme).into_owned(), if own { Style::new() } else { theme.dim() }),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::update::Place;

    fn frames(own: usize, count: usize) -> Stack {
        let frame = |at| {
            let file = if at == own { "src/report.rs" } else { "<rust>/std/src/x.rs" };
            let place = Place { file: file.into(), line: at as u32 + 1, column: 1 };
            Frame { function: format!("f{at}"), place, ..Frame::default() }
        };
        Stack { frames: (0..count).map(frame).collect(), ..Stack::default() }
    }

    #[test]
    fn the_services_own_line_is_among_the_few_that_fit() {
        let theme = Theme::default();
        for (own, most) in [(0, 1), (3, 2), (30, 4), (5, 40), (30, 8)] {
            let lines = lines(&frames(own, 40), StackForm::Whole, 80, most, &theme);
            assert!(lines.len() <= most.max(1));
            let text: Vec<String> = lines.iter().map(ToString::to_string).collect();
            assert!(
                text.iter().any(|line| line.contains("src/report.rs") && line.contains('▌')),
                "{own} {most} {text:?}"
            );
        }
    }

    #[test]
    fn no_line_is_too_wide() {
        let theme = Theme::default();
        for width in 0..120 {
            for form in [StackForm::Folded, StackForm::Whole] {
                let lines = lines(&frames(3, 9), form, width, 9, &theme);
                assert!(width < 14 || lines.iter().all(|line| line.width() <= width), "{width}");
            }
        }
    }
}
