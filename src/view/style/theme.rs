//! Colours and characters by what they mean. A view asks for a role, never for a colour.
//!
//! Nothing is said by colour alone: each role that colours also changes a character, a word or a weight.

use crate::{
    app::options::{Charset, Palette},
    diagnose::Severity,
    model::TaskState,
};
use ratatui::{
    style::{Color, Modifier, Style},
    symbols::border,
};

/// How everything looks: two choices, and the roles that follow from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    palette: Palette,
    charset: Charset,
    symbols: &'static Symbols,
}

/// The characters that draw what is not text. Every one is one column wide, unless it says otherwise.
#[derive(Debug, PartialEq, Eq)]
pub struct Symbols {
    /// Stands before the selected row.
    pub marker: &'static str,
    /// What has been cut off ends in this.
    pub ellipsis: &'static str,
    /// Stands for a value that is not known.
    pub unknown: &'static str,
    /// Separates parts of a line.
    pub dot: &'static str,
    /// The connection is live.
    pub live: &'static str,
    /// The display stands still. Two columns in ASCII.
    pub frozen: &'static str,
    /// The connection is lost.
    pub lost: &'static str,
    /// Sorted, the smallest first.
    pub ascending: &'static str,
    /// Sorted, the largest first.
    pub descending: &'static str,
    /// From one to the next, as in a chain of waits. Two columns in ASCII.
    pub arrow: &'static str,
    /// Keys, as the footer names them.
    pub keys: KeyNames,
    /// Levels of a sparkline, from nothing to full.
    pub levels: [&'static str; 9],
    /// Eighths of a horizontal bar's cell, from nothing to full.
    pub eighths: [&'static str; 9],
    /// A tree's branch with others below it. Two columns.
    pub branch: &'static str,
    /// A tree's last branch. Two columns.
    pub last_branch: &'static str,
    /// What leads past a branch to the next. Two columns.
    pub trunk: &'static str,
    /// Where a horizontal line meets a vertical one: at the left border, and at the right one.
    pub tee: (&'static str, &'static str),
    /// A horizontal line.
    pub line: &'static str,
    /// The same, of which there is less.
    pub dotted: &'static str,
    /// A scroll bar's track, and its thumb.
    pub scroll: (&'static str, &'static str),
    /// Micro, as in a microsecond.
    pub micro: &'static str,
}

/// Keys, as the footer names them.
#[derive(Debug, PartialEq, Eq)]
pub struct KeyNames {
    /// Up.
    pub up: &'static str,
    /// Down.
    pub down: &'static str,
    /// Left.
    pub left: &'static str,
    /// Right.
    pub right: &'static str,
    /// Enter.
    pub enter: &'static str,
}

static UNICODE: Symbols = Symbols {
    marker: "▌",
    ellipsis: "…",
    unknown: "–",
    dot: "·",
    live: "●",
    frozen: "‖",
    lost: "○",
    ascending: "▴",
    descending: "▾",
    arrow: "→",
    keys: KeyNames { up: "↑", down: "↓", left: "←", right: "→", enter: "⏎" },
    levels: [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    eighths: [" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"],
    branch: "├─",
    last_branch: "╰─",
    trunk: "│ ",
    tee: ("├", "┤"),
    line: "─",
    dotted: "┄",
    scroll: ("│", "┃"),
    micro: "µ",
};

static ASCII: Symbols = Symbols {
    marker: ">",
    ellipsis: "~",
    unknown: "-",
    dot: "-",
    live: "*",
    frozen: "||",
    lost: "x",
    ascending: "^",
    descending: "v",
    arrow: "->",
    keys: KeyNames { up: "Up", down: "Dn", left: "Left", right: "Right", enter: "Enter" },
    levels: [" ", ".", ".", ":", ":", "=", "=", "#", "#"],
    eighths: [" ", "-", "-", "=", "=", "=", "#", "#", "#"],
    branch: "|-",
    last_branch: "`-",
    trunk: "| ",
    tee: ("+", "+"),
    line: "-",
    dotted: ".",
    scroll: ("|", "#"),
    micro: "u",
};

const ASCII_BORDER: border::Set<'static> = border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};

impl Default for Theme {
    fn default() -> Self {
        Self::new(Palette::default(), Charset::default())
    }
}

impl Theme {
    /// A theme of these colours and characters.
    pub fn new(palette: Palette, charset: Charset) -> Self {
        let symbols = match charset {
            Charset::Unicode => &UNICODE,
            Charset::Ascii => &ASCII,
        };
        Self { palette, charset, symbols }
    }

    /// The characters that draw what is not text.
    pub fn symbols(&self) -> &'static Symbols {
        self.symbols
    }

    /// Which characters there are.
    pub fn charset(&self) -> Charset {
        self.charset
    }

    /// The lines around a pane.
    pub fn borders(&self) -> border::Set<'static> {
        match self.charset {
            Charset::Unicode => border::ROUNDED,
            Charset::Ascii => ASCII_BORDER,
        }
    }

    /// A severity's mark: two columns at most.
    pub fn mark(&self, severity: Severity) -> &'static str {
        match (self.charset, severity) {
            (Charset::Unicode, Severity::Critical) => "●",
            (Charset::Unicode, Severity::Warning) => "▲",
            (Charset::Unicode, Severity::Note) => "·",
            (Charset::Ascii, Severity::Critical) => "!!",
            (Charset::Ascii, Severity::Warning) => "!",
            (Charset::Ascii, Severity::Note) => "-",
        }
    }

    /// A severity, wherever it is named or marked.
    pub fn severity(&self, severity: Severity) -> Style {
        match severity {
            Severity::Critical => self.colour(Color::Red).add_modifier(Modifier::BOLD),
            Severity::Warning => self.colour(Color::Yellow),
            Severity::Note => self.colour(Color::Cyan),
        }
    }

    /// A task's state.
    pub fn state(&self, state: TaskState) -> Style {
        match state {
            TaskState::Running => self.colour(Color::Green).add_modifier(Modifier::BOLD),
            TaskState::Scheduled => self.colour(Color::Yellow),
            TaskState::Idle => Style::new(),
            TaskState::Ended => self.dim(),
        }
    }

    /// A state's mark: one column.
    pub fn state_mark(&self, state: TaskState) -> &'static str {
        match (self.charset, state) {
            (Charset::Unicode, TaskState::Running) => "▶",
            (Charset::Unicode, TaskState::Scheduled) => "◷",
            (Charset::Unicode, TaskState::Idle) => "·",
            (Charset::Unicode, TaskState::Ended) => "■",
            (Charset::Ascii, TaskState::Running) => ">",
            (Charset::Ascii, TaskState::Scheduled) => "+",
            (Charset::Ascii, TaskState::Idle) => ".",
            (Charset::Ascii, TaskState::Ended) => "x",
        }
    }

    /// What stands back: units, separators, what is over, what may be out of date.
    pub fn dim(&self) -> Style {
        match self.palette {
            Palette::Off | Palette::Eight => Style::new().add_modifier(Modifier::DIM),
            Palette::Sixteen => Style::new().fg(Color::DarkGray),
            Palette::Indexed | Palette::All => Style::new().fg(Color::Indexed(243)),
        }
    }

    /// What may be out of date: dim and slanted, and its row says so too.
    pub fn doubtful(&self) -> Style {
        self.dim().add_modifier(Modifier::ITALIC)
    }

    /// Titles, and what matters most on a line.
    pub fn title(&self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// The names that stand before values.
    pub fn label(&self) -> Style {
        self.colour(Color::Cyan)
    }

    /// The heads of columns.
    pub fn head(&self) -> Style {
        match self.palette {
            Palette::Off => Style::new().add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
            _ => self.colour(Color::Cyan).add_modifier(Modifier::BOLD),
        }
    }

    /// The lines around panes.
    pub fn border(&self) -> Style {
        self.dim()
    }

    /// The selected row, over the styles of its cells.
    pub fn selected(&self) -> Style {
        match self.palette {
            Palette::Off | Palette::Eight | Palette::Sixteen => Style::new().add_modifier(Modifier::REVERSED),
            Palette::Indexed | Palette::All => Style::new().bg(Color::Indexed(238)).fg(Color::Indexed(255)),
        }
    }

    /// The tab of the screen that is shown.
    pub fn tab(&self) -> Style {
        Style::new().add_modifier(Modifier::BOLD | Modifier::REVERSED)
    }

    /// A key in the footer and the help.
    pub fn key(&self) -> Style {
        self.colour(Color::Cyan).add_modifier(Modifier::BOLD)
    }

    /// All is well.
    pub fn good(&self) -> Style {
        self.colour(Color::Green)
    }

    /// Something is not.
    pub fn bad(&self) -> Style {
        self.colour(Color::Red).add_modifier(Modifier::BOLD)
    }

    /// Something wants attention.
    pub fn notice(&self) -> Style {
        self.colour(Color::Yellow)
    }

    /// A share of time, from 0 to 1, by how much of it is busy: for sparklines and bars.
    pub fn heat(&self, share: f64) -> Style {
        let share = share.clamp(0.0, 1.0);
        match self.palette {
            Palette::Off => Style::new(),
            Palette::Eight | Palette::Sixteen => Style::new().fg(match share {
                0.0..0.5 => Color::Green,
                0.5..0.9 => Color::Yellow,
                _ => Color::Red,
            }),
            Palette::Indexed => {
                const RAMP: [u8; 8] = [71, 107, 143, 179, 178, 172, 166, 160];
                Style::new().fg(Color::Indexed(RAMP[(share * 7.0).round() as usize]))
            }
            Palette::All => {
                let mix = |from: f64, to: f64| (from + (to - from) * share) as u8;
                Style::new().fg(Color::Rgb(mix(95.0, 215.0), mix(175.0, 70.0), mix(95.0, 50.0)))
            }
        }
    }

    fn colour(&self, colour: Color) -> Style {
        match self.palette {
            Palette::Off => Style::new(),
            _ => Style::new().fg(colour),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEVERITIES: [Severity; 3] = [Severity::Note, Severity::Warning, Severity::Critical];
    const STATES: [TaskState; 4] = [TaskState::Running, TaskState::Scheduled, TaskState::Idle, TaskState::Ended];

    #[test]
    fn without_colours_there_is_no_colour() {
        let theme = Theme::new(Palette::Off, Charset::Ascii);
        let mut styles = vec![
            theme.dim(),
            theme.label(),
            theme.head(),
            theme.selected(),
            theme.good(),
            theme.bad(),
            theme.notice(),
            theme.heat(1.0),
            theme.key(),
        ];
        styles.extend(SEVERITIES.map(|severity| theme.severity(severity)));
        styles.extend(STATES.map(|state| theme.state(state)));
        assert!(styles.iter().all(|style| style.fg.is_none() && style.bg.is_none()));
    }

    #[test]
    fn severities_and_states_differ_by_their_marks_too() {
        for charset in [Charset::Unicode, Charset::Ascii] {
            let theme = Theme::new(Palette::Off, charset);
            let mut marks = SEVERITIES.map(|severity| theme.mark(severity)).to_vec();
            marks.dedup();
            assert_eq!(marks.len(), 3);
            let mut marks = STATES.map(|state| theme.state_mark(state)).to_vec();
            marks.sort_unstable();
            marks.dedup();
            assert_eq!(marks.len(), 4);
        }
    }

    #[test]
    fn ascii_is_ascii() {
        let theme = Theme::new(Palette::All, Charset::Ascii);
        assert!(format!("{:?}{:?}", theme.symbols(), theme.borders()).is_ascii());
    }
}
