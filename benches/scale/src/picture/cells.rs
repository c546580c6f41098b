//! A screen's rows as SVG: neighbouring cells that look alike are one text.

use std::fmt::Write as _;

/// The size of a cell.
pub(crate) const CELL: (f32, f32) = (8.4, 18.0);
pub(crate) const FOREGROUND: &str = "#d8dee9";
pub(crate) const BACKGROUND: &str = "#16181d";

/// Each row of a screen, drawn as if it were the first.
pub(crate) fn rows(screen: &vt100::Screen) -> Vec<String> {
    let (rows, columns) = screen.size();
    let drawn = |row| {
        let mut svg = String::new();
        for run in runs(screen, row, columns) {
            // Writing to a string cannot fail.
            let _ = run.write(&mut svg);
        }
        svg
    };
    (0..rows).map(drawn).collect()
}

/// Neighbouring cells that look alike.
struct Run {
    column: u16,
    cells: u16,
    text: String,
    look: Look,
}

#[derive(PartialEq, Clone)]
struct Look {
    ink: String,
    paper: Option<String>,
    weight: Weight,
}

#[derive(PartialEq, Clone, Copy)]
enum Weight {
    Dim,
    Normal,
    Bold,
}

fn runs(screen: &vt100::Screen, row: u16, columns: u16) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for column in 0..columns {
        let Some(cell) = screen.cell(row, column).filter(|cell| !cell.is_wide_continuation()) else { continue };
        let text = if cell.has_contents() { cell.contents() } else { " " };
        let cells = if cell.is_wide() { 2 } else { 1 };
        let look = look(cell);
        match runs.last_mut() {
            Some(run) if run.look == look && text.is_ascii() && run.text.is_ascii() => {
                run.text.push_str(text);
                run.cells += cells;
            }
            _ => runs.push(Run { column, cells, text: text.to_owned(), look }),
        }
    }
    runs.retain(|run| run.look.paper.is_some() || !run.text.trim().is_empty());
    runs
}

fn look(cell: &vt100::Cell) -> Look {
    let (mut ink, mut paper) = (colour(cell.fgcolor()), colour(cell.bgcolor()));
    if cell.inverse() {
        (ink, paper) =
            (Some(paper.unwrap_or_else(|| BACKGROUND.into())), Some(ink.unwrap_or_else(|| FOREGROUND.into())));
    }
    let weight = match (cell.dim(), cell.bold()) {
        (true, _) => Weight::Dim,
        (_, true) => Weight::Bold,
        _ => Weight::Normal,
    };
    Look { ink: ink.unwrap_or_else(|| FOREGROUND.into()), paper, weight }
}

impl Run {
    fn write(&self, svg: &mut String) -> std::fmt::Result {
        let x = f32::from(self.column) * CELL.0;
        let width = f32::from(self.cells) * CELL.0;
        if let Some(paper) = &self.look.paper {
            writeln!(svg, "<rect x=\"{x:.1}\" width=\"{width:.1}\" height=\"{}\" fill=\"{paper}\"/>", CELL.1)?;
        }
        if self.text.trim().is_empty() {
            return Ok(());
        }
        let weight = match self.look.weight {
            Weight::Dim => " opacity=\"0.6\"",
            Weight::Bold => " font-weight=\"bold\"",
            Weight::Normal => "",
        };
        let (text, ink) = (escaped(&self.text), &self.look.ink);
        writeln!(svg, "<text x=\"{x:.1}\" y=\"13.5\" fill=\"{ink}\"{weight} textLength=\"{width:.1}\">{text}</text>")
    }
}

/// A text as XML has it.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The colours that most terminals give to the first sixteen, the cube, and the greys.
fn colour(colour: vt100::Color) -> Option<String> {
    const NAMED: [&str; 16] = [
        "#2e3440", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#d8dee9", "#6b7280", "#ff7a85",
        "#b5e08c", "#ffd787", "#82c7ff", "#e19df5", "#7fd7e3", "#ffffff",
    ];
    match colour {
        vt100::Color::Default => None,
        vt100::Color::Rgb(red, green, blue) => Some(format!("#{red:02x}{green:02x}{blue:02x}")),
        vt100::Color::Idx(index @ 0..=15) => Some(NAMED[usize::from(index)].into()),
        vt100::Color::Idx(index @ 16..=231) => {
            let level = |step: u8| if step == 0 { 0 } else { 55 + step * 40 };
            let index = index - 16;
            Some(format!("#{:02x}{:02x}{:02x}", level(index / 36), level(index / 6 % 6), level(index % 6)))
        }
        vt100::Color::Idx(index) => {
            let grey = 8 + (index - 232) * 10;
            Some(format!("#{grey:02x}{grey:02x}{grey:02x}"))
        }
    }
}
