//! The programs that are measured: how each is started, and where its screen says what a key has done.

use crate::serving::Load;
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

/// Which program it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Holdup,
    TokioConsole,
}

/// A program to be measured, with what is known of its screen.
pub(crate) struct Client {
    kind: Kind,
    /// What the table calls it.
    pub name: String,
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
    /// holdup, or one of several builds of it.
    pub(crate) fn holdup(name: String, program: PathBuf) -> Self {
        Self {
            kind: Kind::Holdup,
            name,
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
    pub(crate) fn tokio_console(program: PathBuf) -> Self {
        Self {
            kind: Kind::TokioConsole,
            name: "tokio-console".into(),
            program,
            args: &["--retain-for", "6s"],
            to_a_steady_order: "",
            and_back: "",
            through_the_columns: "hhhhlllllllhhh",
            selected: ">>",
            filter: None,
        }
    }

    /// Tasks in the messages that it can take; `None` where it takes any number. tokio-console refuses messages over 4 MiB.
    pub(crate) fn page(&self) -> Option<usize> {
        (self.kind == Kind::TokioConsole).then_some(10_000)
    }

    /// Whether it tells findings apart by place, so that flagged tasks and held locks are a load of their own for it.
    pub(crate) fn finds(&self) -> bool {
        self.kind == Kind::Holdup
    }

    /// What lets it log how long each event took, into this folder.
    pub(crate) fn log_args(&self, folder: &Path) -> Vec<OsString> {
        match self.kind {
            Kind::Holdup => ["--log".into(), "holdup::terminal=debug".into(), "--log-dir".into(), folder.into()].into(),
            Kind::TokioConsole => Vec::new(),
        }
    }

    /// Whether a filter can be typed.
    pub(crate) fn filters(&self) -> bool {
        self.filter.is_some()
    }

    /// Whether the screen shows tasks: a row of the list shows where its task was spawned.
    pub(crate) fn has_rows(screen: &str) -> bool {
        screen.contains(".rs:")
    }

    /// Whether the first state is in: the screen counts all tasks and no message is under way, and where there is something to be
    /// found, it is. `None` where it is not to be seen.
    pub(crate) fn has_all(&self, screen: &str, load: &Load) -> Option<bool> {
        if self.kind != Kind::Holdup {
            return None;
        }
        let head = screen.lines().next()?;
        let (before, after) = head.split_once(" task").unwrap_or(("", ""));
        let count = before.rsplit(' ').next().and_then(|count| count.replace(',', "").parse::<usize>().ok());
        let is_whole = count.is_some_and(|count| count >= load.tasks) && !head.contains("loading");
        Some(is_whole && (!load.has_findings() || after.contains(|char: char| char.is_ascii_digit())))
    }

    /// The task of the selected row. A line's number would not do: rows above it may go while it is looked at.
    pub(crate) fn selected_task(&self, screen: &str) -> Option<usize> {
        let row = screen.lines().find(|line| line.contains(self.selected) && line.contains(".rs:"))?;
        row.split_whitespace().find_map(|word| word.parse().ok())
    }

    /// Where the list's head marks the column that it is sorted by.
    pub(crate) fn sort_mark(screen: &str) -> Option<usize> {
        let head = screen.lines().find(|line| line.contains("Polls") && line.contains("Location"))?;
        head.chars().position(|char| "▴▾▵▿▲▼".contains(char))
    }

    /// Whether the screen shows this much of a filter, and the list that passes it.
    pub(crate) fn shows_filter(&self, screen: &str, typed: &str) -> bool {
        self.filter.is_some_and(|before| screen.contains(&format!("{before}{typed}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_state_is_in_when_all_are_counted_and_nothing_is_under_way() {
        let holdup = Client::holdup("holdup".into(), PathBuf::new());
        let quiet = Load { tasks: 100_000, change: 1.0, churn: 0, flagged: 0.0, places: 950, locks: 0, page: None };
        let found = Load { flagged: 2.0, ..quiet };
        let has_all = |line: &str, load| holdup.has_all(&format!("{line}\n 1 Findings  2 Tasks"), load);
        assert_eq!(has_all(" holdup  127.0.0.1:4 · console · live ●       100,000 tasks ", &quiet), Some(true));
        assert_eq!(has_all(" holdup  127.0.0.1:4 · console · live ●       100,000 tasks ", &found), Some(false));
        assert_eq!(has_all(" holdup  127.0.0.1:4 · console · live ●       100,000 tasks · ·950 ", &found), Some(true));
        assert_eq!(has_all(" holdup  127.0.0.1:4 · console · loading 98%  100,000 tasks ", &quiet), Some(false));
        assert_eq!(has_all(" holdup  127.0.0.1:4 · console · live ●        99,328 tasks ", &quiet), Some(false));
        assert_eq!(has_all(" holdup  127.0.0.1:4 · connecting                   0 tasks ", &quiet), Some(false));
        assert_eq!(Client::tokio_console(PathBuf::new()).has_all("100,000 tasks", &quiet), None);
    }
}
