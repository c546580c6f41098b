//! Takes a picture of holdup at work: runs `holdup demo` in a terminal, waits until it has findings, and prints the screen as SVG.
//!
//! `cargo build --release -p holdup -p holdup-scale && target/release/picture > docs/holdup.svg`

mod screen;

use clap::Parser;
use screen::{Error, Terminal};
use std::{ffi::OsString, fmt::Write, path::PathBuf, time::Duration};

/// Takes a picture of holdup at work.
#[derive(Debug, Parser)]
struct Args {
    /// Keys to press before the picture is taken, one after the other.
    #[arg(long, default_value = "")]
    keys: String,
    /// What must be on the screen before it begins.
    #[arg(long, default_value = "deadlock")]
    until: String,
    /// How long to let it run after that.
    #[arg(long, default_value = "20s", value_parser = humantime::parse_duration)]
    after: Duration,
    /// Columns of the terminal.
    #[arg(long, default_value_t = 120)]
    columns: u16,
    /// Rows of the terminal.
    #[arg(long, default_value_t = 36)]
    rows: u16,
    /// What to run after `holdup` [default: demo].
    #[arg(trailing_var_arg = true, default_values_t = [String::from("demo")])]
    command: Vec<String>,
}

const CELL: (f32, f32) = (8.4, 18.0);
const FOREGROUND: &str = "#d8dee9";
const BACKGROUND: &str = "#16181d";

fn main() -> Result<(), Error> {
    let args = Args::parse();
    let holdup = std::env::current_exe()?.parent().map(PathBuf::from).unwrap_or_default().join("holdup");
    let command: Vec<OsString> = args.command.iter().map(Into::into).collect();
    let mut terminal = Terminal::start(&holdup, &command, (args.rows, args.columns))?;
    let appears = |screen: &vt100::Screen| screen.contents().contains(&args.until);
    terminal.wait_for(Duration::from_secs(60), appears).ok_or("what should be on the screen is not")?;
    std::thread::sleep(args.after);
    for key in args.keys.chars() {
        terminal.press(&key.to_string())?;
        std::thread::sleep(Duration::from_millis(300));
    }
    print!("{}", terminal.with_screen(svg));
    // holdup ends its demo server when it quits; ended from outside it could not.
    terminal.press("q")?;
    terminal.child().wait()?;
    Ok(())
}

fn svg(screen: &vt100::Screen) -> String {
    let (rows, columns) = screen.size();
    let (width, height) = (f32::from(columns) * CELL.0, f32::from(rows) * CELL.1);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"ui-monospace, \
         'DejaVu Sans Mono', monospace\" font-size=\"14\">\n<rect width=\"100%\" height=\"100%\" fill=\"{BACKGROUND}\"/>\n"
    );
    for row in 0..rows {
        for run in runs(screen, row, columns) {
            // Writing to a string cannot fail.
            let _ = run.write(&mut svg, row);
        }
    }
    svg.push_str("</svg>\n");
    svg
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
    fn write(&self, svg: &mut String, row: u16) -> std::fmt::Result {
        let (x, y) = (f32::from(self.column) * CELL.0, f32::from(row) * CELL.1);
        let width = f32::from(self.cells) * CELL.0;
        if let Some(paper) = &self.look.paper {
            writeln!(
                svg,
                "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{}\" fill=\"{paper}\"/>",
                CELL.1
            )?;
        }
        if self.text.trim().is_empty() {
            return Ok(());
        }
        let weight = match self.look.weight {
            Weight::Dim => " opacity=\"0.6\"",
            Weight::Bold => " font-weight=\"bold\"",
            Weight::Normal => "",
        };
        let text = self.text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        writeln!(
            svg,
            "<text x=\"{x:.1}\" y=\"{:.1}\" fill=\"{}\"{weight} textLength=\"{width:.1}\" xml:space=\"preserve\">{text}</text>",
            y + 13.5,
            self.look.ink,
        )
    }
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
