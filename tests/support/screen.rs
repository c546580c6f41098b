//! A drawn buffer as text, for snapshots: what it says, and in which styles.

#![allow(dead_code, reason = "each test binary uses a part of this")]

use ratatui::{
    buffer::{Buffer, Cell},
    style::{Color, Modifier, Style},
};
use std::fmt::Write;

/// The characters, line by line, blanks at the ends left out.
pub(crate) fn text(buffer: &Buffer) -> String {
    let mut text = String::new();
    for y in buffer.area.top()..buffer.area.bottom() {
        let mut line = String::new();
        let mut covered = 0;
        for cell in row(buffer, y) {
            // The cell behind a wide character is its second half.
            if covered > 0 {
                covered -= 1;
                continue;
            }
            line.push_str(cell.symbol());
            covered = unicode_width::UnicodeWidthStr::width(cell.symbol()).saturating_sub(1);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The styles, line by line: from which column to which, and what.
pub(crate) fn styles(buffer: &Buffer) -> String {
    let mut text = String::new();
    for y in buffer.area.top()..buffer.area.bottom() {
        let mut runs: Vec<(usize, usize, String)> = Vec::new();
        for (x, cell) in row(buffer, y).enumerate() {
            let name = name(cell.style());
            match runs.last_mut() {
                Some((_, to, before)) if *before == name => *to = x,
                _ => runs.push((x, x, name)),
            }
        }
        runs.retain(|(.., name)| !name.is_empty());
        let runs: Vec<String> = runs.iter().map(|(from, to, name)| format!("{from}-{to} {name}")).collect();
        let _ = writeln!(text, "{y:>2}: {}", runs.join(", "));
    }
    text
}

fn row(buffer: &Buffer, y: u16) -> impl Iterator<Item = &Cell> {
    (buffer.area.left()..buffer.area.right()).filter_map(move |x| buffer.cell((x, y)))
}

fn name(style: Style) -> String {
    let mut words = Vec::new();
    let colour = |colour: Option<Color>| colour.filter(|&colour| colour != Color::Reset);
    words.extend(colour(style.fg).map(|fg| fg.to_string().to_lowercase()));
    words.extend(colour(style.bg).map(|bg| format!("on {}", bg.to_string().to_lowercase())));
    let modifiers = [
        (Modifier::BOLD, "bold"),
        (Modifier::DIM, "dim"),
        (Modifier::ITALIC, "italic"),
        (Modifier::UNDERLINED, "underlined"),
        (Modifier::REVERSED, "reversed"),
    ];
    words.extend(
        modifiers
            .iter()
            .filter(|(modifier, _)| style.add_modifier.contains(*modifier))
            .map(|(_, name)| (*name).to_owned()),
    );
    words.join(" ")
}
