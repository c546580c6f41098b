//! The little Markdown that explanations are written in, as lines: headings, paragraphs, lists, code.

use super::wrap::wrap;
use crate::view::style::{text, theme::Theme};
use ratatui::{
    style::{Modifier, Style},
    text::{Line, Span},
};

/// The text in lines of at most `width` columns.
pub fn lines(markdown: &str, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let mut paragraph = String::new();
    let mut code = false;
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            flush(&mut lines, &mut paragraph, width, theme);
            code = !code;
        } else if code {
            lines.push(Line::styled(text::safe(&format!("  {line}"), width, theme).into_owned(), theme.label()));
        } else if line.trim().is_empty() {
            flush(&mut lines, &mut paragraph, width, theme);
            lines.push(Line::default());
        } else if line.starts_with('#') {
            flush(&mut lines, &mut paragraph, width, theme);
            let heading = line.trim_start_matches('#').trim();
            lines.push(Line::styled(text::safe(heading, width, theme).into_owned(), theme.head()));
        } else if line.trim_start().starts_with("- ") || is_numbered(line) {
            flush(&mut lines, &mut paragraph, width, theme);
            paragraph.push_str(line.trim_start());
        } else {
            if !paragraph.is_empty() {
                paragraph.push(' ');
            }
            paragraph.push_str(line.trim());
        }
    }
    flush(&mut lines, &mut paragraph, width, theme);
    while lines.last().is_some_and(|line: &Line| line.width() == 0) {
        lines.pop();
    }
    lines
}

fn is_numbered(line: &str) -> bool {
    line.trim_start().split_once(". ").is_some_and(|(number, _)| number.parse::<u8>().is_ok())
}

/// Ends a paragraph. What follows a list's mark is indented like its first line.
fn flush(lines: &mut Vec<Line<'static>>, paragraph: &mut String, width: usize, theme: &Theme) {
    let paragraph = std::mem::take(paragraph);
    let indent = match paragraph.find(' ') {
        Some(at) if paragraph.starts_with("- ") || is_numbered(&paragraph) => at + 1,
        _ => 0,
    };
    let (mark, rest) = paragraph.split_at(indent);
    for (at, line) in wrap(rest, width.saturating_sub(indent), theme).into_iter().enumerate() {
        let lead = if at == 0 { mark.to_owned() } else { " ".repeat(indent) };
        let mut spans = vec![Span::raw(lead)];
        spans.extend(inline(&line));
        lines.push(Line::from(spans));
    }
}

/// Code and emphasis inside a line; marks whose partner is in another line stay as they are.
fn inline(line: &str) -> Vec<Span<'static>> {
    let mut spans = Vec::new();
    for (at, part) in line.split('`').enumerate() {
        let style = if at % 2 == 1 { Style::new().add_modifier(Modifier::BOLD) } else { Style::new() };
        spans.push(Span::styled(part.replace("**", ""), style));
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_lists_and_code_are_told_apart() {
        let text = "# What\n\nOne two\nthree.\n\n- a `b` c\n  d\n\n```rust\nlet x = 1;\n```\n";
        let shown: Vec<String> = lines(text, 12, &Theme::default()).iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["What", "", "One two", "three.", "", "- a b c d", "", "  let x = 1;"]);
    }

    #[test]
    fn every_explanation_fits() {
        let theme = Theme::default();
        for lint in crate::diagnose::LINTS {
            assert!(lines(lint.explanation, 60, &theme).iter().all(|line| line.width() <= 60), "{}", lint.name);
        }
    }
}
