//! Pictures one after the other, as an SVG that plays them by itself and for ever: what is the same in some of them is drawn once.

use crate::cells::{self, BACKGROUND, CELL, FOREGROUND, escaped};
use std::{collections::BTreeSet, fmt::Write as _};

/// Room around the terminal, and for what was typed above it.
const HEAD: f32 = 30.0;

/// Pictures of a terminal, in their order.
pub(crate) struct Film {
    columns: u16,
    rows: u16,
    pictures: Vec<Picture>,
}

/// One of them.
struct Picture {
    /// What was typed, and its rows.
    rows: Vec<String>,
    /// How long it is shown.
    seconds: u32,
}

impl Film {
    pub(crate) fn new(columns: u16, rows: u16) -> Self {
        Self { columns, rows, pictures: Vec::new() }
    }

    /// Adds the screen as it is now, with what was typed above it.
    pub(crate) fn take(&mut self, typed: &str, screen: &vt100::Screen, seconds: u32) {
        let typed = format!(
            "<text x=\"8.4\" y=\"13.5\" fill=\"{FOREGROUND}\" font-weight=\"bold\">{}</text>\n",
            escaped(typed)
        );
        let rows = std::iter::once(typed).chain(cells::rows(screen)).collect();
        self.pictures.push(Picture { rows, seconds });
    }

    /// All of it. Where somebody wants no motion, the first picture stays.
    pub(crate) fn svg(&self) -> String {
        let (width, height) = (f32::from(self.columns) * CELL.0, f32::from(self.rows) * CELL.1 + HEAD);
        let mut body = String::new();
        let mut stretches = BTreeSet::new();
        for row in 0..=usize::from(self.rows) {
            let y = if row == 0 { 4.0 } else { HEAD + (row - 1) as f32 * CELL.1 };
            for (from, to) in self.stretches(row) {
                let drawn = &self.pictures[from].rows[row];
                if drawn.is_empty() {
                    continue;
                }
                // Writing to a string cannot fail.
                let _ = if (from, to) == (0, self.pictures.len()) {
                    writeln!(body, "<g transform=\"translate(0,{y:.0})\">\n{drawn}</g>")
                } else {
                    stretches.insert((from, to));
                    writeln!(body, "<g class=\"p{from}-{to}\" transform=\"translate(0,{y:.0})\">\n{drawn}</g>")
                };
            }
        }
        let style: String = stretches.into_iter().map(|(from, to)| self.style(from, to)).collect();
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"ui-monospace, \
             'DejaVu Sans Mono', monospace\" font-size=\"14\">\n<style>\ntext {{ white-space: pre }}\n{style}</style>\n\
             <rect width=\"100%\" height=\"100%\" fill=\"{BACKGROUND}\"/>\n{body}</svg>\n"
        )
    }

    /// From which picture to before which one a row stays as it is.
    fn stretches(&self, row: usize) -> Vec<(usize, usize)> {
        let mut stretches: Vec<(usize, usize)> = Vec::new();
        for (at, picture) in self.pictures.iter().enumerate() {
            match stretches.last_mut() {
                Some((from, to)) if self.pictures[*from].rows[row] == picture.rows[row] => *to = at + 1,
                _ => stretches.push((at, at + 1)),
            }
        }
        stretches
    }

    /// When a stretch is seen, in percent of the whole.
    fn style(&self, from: usize, to: usize) -> String {
        let seconds = |pictures: &[Picture]| f64::from(pictures.iter().map(|picture| picture.seconds).sum::<u32>());
        let whole = seconds(&self.pictures);
        let share = |at: usize| 100.0 * seconds(&self.pictures[..at]) / whole;
        let (begins, ends) = (share(from), share(to));
        let before = if from > 0 { "0% { visibility: hidden } ".to_owned() } else { String::new() };
        let after =
            if to < self.pictures.len() { format!(" {ends:.2}% {{ visibility: hidden }}") } else { String::new() };
        let still = if from == 0 { "visible" } else { "hidden" };
        format!(
            "@keyframes k{from}-{to} {{ {before}{begins:.2}% {{ visibility: visible }}{after} }}\n\
             .p{from}-{to} {{ visibility: {still} }}\n\
             @media (prefers-reduced-motion: no-preference) {{ .p{from}-{to} {{ animation: k{from}-{to} {whole:.0}s step-end infinite }} }}\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn film(pictures: &[&[u8]]) -> Film {
        let mut film = Film::new(10, 2);
        for bytes in pictures {
            let mut parser = vt100::Parser::new(2, 10, 0);
            parser.process(bytes);
            film.take("$ a", parser.screen(), 5);
        }
        film
    }

    #[test]
    fn what_stays_is_drawn_once_and_what_changes_has_its_time() {
        let svg = film(&[b"head\r\n<one>", b"head\r\ntwo", b"head\r\n<one>", b"head\r\n<one>"]).svg();
        assert_eq!((svg.matches(">head      <").count(), svg.matches(">$ a<").count()), (1, 1), "{svg}");
        assert_eq!((svg.matches("&lt;one&gt;").count(), svg.matches(">two  ").count()), (2, 1), "{svg}");
        assert!(
            svg.contains("@keyframes k0-1 { 0.00% { visibility: visible } 25.00% { visibility: hidden } }"),
            "{svg}"
        );
        assert!(svg.contains(
            "@keyframes k1-2 { 0% { visibility: hidden } 25.00% { visibility: visible } 50.00% { visibility: hidden } }"
        ));
        assert!(svg.contains("@keyframes k2-4 { 0% { visibility: hidden } 50.00% { visibility: visible } }"), "{svg}");
        assert!(svg.contains("20s step-end infinite") && svg.contains(".p0-1 { visibility: visible }"), "{svg}");
    }
}
