//! The programs that are measured: how each is started, and where its screen says what a key has done.

use std::path::PathBuf;

/// A program to be measured, with what is known of its screen.
pub struct Client {
    /// What the table calls it.
    pub name: &'static str,
    /// The executable.
    pub program: PathBuf,
    /// What stands before the target.
    pub args: &'static [&'static str],
    /// Keys to an order in which rows keep their places whatever is polled.
    pub to_a_steady_order: &'static str,
    /// Keys back from there.
    pub and_back: &'static str,
    /// Keys that sort by one column after the other, each key by another, and end where they began.
    pub through_the_columns: &'static str,
    /// What marks the selected row.
    selected: &'static str,
    /// What stands before a filter that is being typed; `None` where there is none.
    filter: Option<&'static str>,
}

impl Client {
    /// holdup.
    pub fn holdup(program: PathBuf) -> Self {
        Self {
            name: "holdup",
            program,
            args: &[],
            to_a_steady_order: "l",
            and_back: "h",
            through_the_columns: "llllllllllllll",
            selected: "▌",
            filter: Some("filter  "),
        }
    }

    /// tokio-console. It starts with the oldest tasks first, and those stay the oldest. The columns are those that leave room for
    /// the mark: it does not show that it sorts by polls.
    pub fn tokio_console(program: PathBuf) -> Self {
        Self {
            name: "tokio-console",
            program,
            args: &["--retain-for", "6s"],
            to_a_steady_order: "",
            and_back: "",
            through_the_columns: "hhhhlllllllhhh",
            selected: ">>",
            filter: None,
        }
    }

    /// Whether it refuses messages over 4 MiB.
    pub fn needs_pages(&self) -> bool {
        self.name == "tokio-console"
    }

    /// Whether a filter can be typed.
    pub fn filters(&self) -> bool {
        self.filter.is_some()
    }

    /// Whether the screen shows tasks: a row of the list shows where its task was spawned.
    pub fn has_rows(screen: &str) -> bool {
        screen.contains(".rs:")
    }

    /// The task of the selected row. A line's number would not do: rows above it may go while it is looked at.
    pub fn selected_task(&self, screen: &str) -> Option<usize> {
        let row = screen.lines().find(|line| line.contains(self.selected) && line.contains(".rs:"))?;
        row.split_whitespace().find_map(|word| word.parse().ok())
    }

    /// Where the list's head marks the column that it is sorted by.
    pub fn sort_mark(screen: &str) -> Option<usize> {
        let head = screen.lines().find(|line| line.contains("Polls") && line.contains("Location"))?;
        head.chars().position(|char| "▴▾▵▿▲▼".contains(char))
    }

    /// Whether the screen shows this much of a filter, and the list that passes it.
    pub fn shows_filter(&self, screen: &str, typed: &str) -> bool {
        self.filter.is_some_and(|before| screen.contains(&format!("{before}{typed}")))
    }
}
