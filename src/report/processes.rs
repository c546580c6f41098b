//! The Tokio processes of this machine, as text and as JSON.
//!
//! ```text
//!    PID  NAME    USER   TOKIO   TASKS  WORKERS  DEBUG     LISTENS
//!   4242  orders  app    1.54.1  1310   4        full      agent 127.0.0.1:6669
//!   4311  echo    app    1.53.0  ?      8        stripped  0.0.0.0:80
//! ```

use super::text::plain;
use crate::source::{Listed, Processes};
use serde::Serialize;
use std::{collections::BTreeMap, fmt::Write};

/// So many addresses are written out.
const LISTENS_MOST: usize = 3;
/// So many processes are named of those whose tasks were not counted.
const UNCOUNTED_MOST: usize = 6;

/// The processes as plain data: the JSON of `holdup ps`.
#[derive(Debug, Serialize)]
pub struct ProcessList {
    /// The version of this form.
    pub version: u32,
    /// By id.
    pub processes: Vec<ProcessRow>,
    /// Others that may not be looked at, by the reason.
    pub hidden: Vec<HiddenRow>,
}

/// A process.
#[derive(Debug, Serialize)]
pub struct ProcessRow {
    /// Its id.
    pub pid: u32,
    /// Its name.
    pub name: String,
    /// Its user.
    pub user: String,
    /// Its executable's path.
    pub executable: String,
    /// The versions of tokio in it.
    pub tokio: Vec<String>,
    /// Threads of runtimes by their names; null where none has a name that tokio gives.
    pub workers: Option<usize>,
    /// `full`, `twin`, `lines`, `symbols` or `stripped`.
    pub debug_information: &'static str,
    /// Where more of that may be.
    pub elsewhere: Option<String>,
    /// Tasks; null where they were not counted.
    pub tasks: Option<u64>,
    /// Why they were not.
    pub uncounted: Option<String>,
    /// Where it is instrumented.
    pub ports: Vec<PortRow>,
    /// Where it listens.
    pub listens: Vec<String>,
    /// Why its memory may not be read.
    pub refused: Option<String>,
}

/// Where a process is instrumented.
#[derive(Debug, Serialize)]
pub struct PortRow {
    /// By what: `agent` or `console`.
    pub of: &'static str,
    /// The address; null where it was not found.
    pub at: Option<String>,
}

/// Processes that may not be looked at.
#[derive(Debug, Serialize)]
pub struct HiddenRow {
    /// How many.
    pub count: usize,
    /// Why.
    pub because: String,
}

impl ProcessList {
    /// What was found.
    pub(crate) fn new(found: Processes) -> Self {
        let row = |listed: Listed| ProcessRow {
            pid: listed.pid,
            name: listed.name,
            user: listed.user,
            executable: listed.executable,
            tokio: listed.tokio,
            workers: listed.workers,
            tasks: listed.tasks,
            uncounted: listed.uncounted,
            ports: listed.ports.into_iter().map(|(of, at)| PortRow { of, at }).collect(),
            debug_information: listed.grade,
            elsewhere: listed.elsewhere,
            listens: listed.listens,
            refused: listed.refused,
        };
        Self {
            version: 1,
            processes: found.found.into_iter().map(row).collect(),
            hidden: found.hidden.into_iter().map(|(because, count)| HiddenRow { count, because }).collect(),
        }
    }

    /// As JSON, with a line feed at its end.
    pub(crate) fn to_json(&self) -> String {
        let mut json = serde_json::to_string_pretty(self).unwrap_or_default();
        json.push('\n');
        json
    }
}

/// What a grade gives, and what to set for more.
fn gives(grade: &str) -> Option<&'static str> {
    Some(match grade {
        "stripped" => {
            "stripped: tasks, states and sizes. In Cargo.toml, set `strip = false` and `debug = 2` in the release profile for chains, \
             or make a layout with `holdup layout` before stripping"
        }
        "symbols" => {
            "symbols: types of futures by name. In Cargo.toml, set `debug = 2` in the release profile for chains, locks and lines"
        }
        "lines" => {
            "lines: types of futures by name, stacks with lines. In Cargo.toml, set `debug = 2` in the release profile for chains and locks"
        }
        _ => return None,
    })
}

/// Longer names are cut, so that where a process listens is on its line; JSON has them whole.
const NAME_MOST: usize = 20;

/// The list as text, safe to be shown by a terminal.
pub(crate) fn render(list: &ProcessList) -> String {
    let head = ["PID", "NAME", "USER", "TOKIO", "TASKS", "WORKERS", "DEBUG", "LISTENS"].map(str::to_owned);
    let rows = list.processes.iter().map(|row| {
        let known = |text: String| if text.is_empty() { "-".to_owned() } else { text };
        [
            row.pid.to_string(),
            row.name.chars().take(NAME_MOST).collect(),
            row.user.clone(),
            known(row.tokio.join(", ")),
            row.tasks.map_or_else(|| "?".to_owned(), |tasks| tasks.to_string()),
            row.workers.map_or_else(|| "-".to_owned(), |workers| workers.to_string()),
            row.debug_information.to_owned(),
            known(listens(row)),
        ]
        .map(|cell| plain(&cell).into_owned())
    });
    let rows: Vec<[String; 8]> = std::iter::once(head).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..8).map(width).collect();
    let mut out = String::new();
    for row in &rows {
        let mut line = format!("{:>width$}", row[0], width = widths[0].max(7));
        for (cell, width) in row.iter().zip(&widths).skip(1) {
            let _ = write!(line, "  {cell:width$}");
        }
        let _ = writeln!(out, "{}", line.trim_end());
    }
    if list.processes.is_empty() {
        "No process that can be looked at runs on Tokio.\n".clone_into(&mut out);
    }
    let mut grades: Vec<&str> = list.processes.iter().map(|row| row.debug_information).collect();
    grades.sort_unstable();
    grades.dedup();
    for said in grades.into_iter().filter_map(gives) {
        let _ = writeln!(out, "\n{said}.");
    }
    for row in &list.processes {
        if let Some(refused) = &row.refused {
            let _ = writeln!(out, "\n{}: {}", row.pid, plain(refused));
        }
    }
    for (why, pids) in uncounted(list) {
        let _ = writeln!(out, "\nTasks of {pids} are not counted: {}.", plain(why));
    }
    for hidden in &list.hidden {
        let _ = writeln!(out, "\n{} more may not be looked at: {}", hidden.count, plain(&hidden.because));
    }
    out
}

/// Where a process listens; what can be attached to comes first, and is said to be that.
fn listens(row: &ProcessRow) -> String {
    // As it is typed after `holdup`.
    let target = |at: &str| if at.starts_with('/') { format!("unix:{at}") } else { at.to_owned() };
    let of = |port: &PortRow| format!("{} {}", port.of, port.at.as_deref().map_or("(port unknown)".to_owned(), target));
    let mut all: Vec<String> = row.ports.iter().map(of).collect();
    let others = row.listens.iter().filter(|address| row.ports.iter().all(|port| port.at.as_ref() != Some(*address)));
    all.extend(others.cloned());
    let more = all.len().saturating_sub(LISTENS_MOST);
    all.truncate(LISTENS_MOST);
    if more > 0 {
        all.push(format!("and {more} more"));
    }
    all.join(" ")
}

/// Why tasks were not counted, each reason once, and of which processes.
fn uncounted(list: &ProcessList) -> BTreeMap<&str, String> {
    let mut all: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for row in list.processes.iter().filter(|row| row.refused.is_none()) {
        if let Some(why) = &row.uncounted {
            all.entry(why).or_default().push(row.pid);
        }
    }
    let said = |pids: Vec<u32>| {
        let first: Vec<String> = pids.iter().take(UNCOUNTED_MOST).map(u32::to_string).collect();
        let more = pids.len().saturating_sub(UNCOUNTED_MOST);
        if more > 0 { format!("{} and {more} more", first.join(", ")) } else { first.join(", ") }
    };
    all.into_iter().map(|(why, pids)| (why, said(pids))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_a_line_for_each_and_says_how_to_see_more() {
        let listed = |pid, name: &str, grade, refused: Option<&str>| Listed {
            pid,
            name: name.into(),
            user: "app".into(),
            tokio: vec!["1.54.1".into()],
            grade,
            workers: refused.is_none().then_some(4),
            tasks: refused.is_none().then_some(1310),
            uncounted: refused.map(|_| "its memory may not be read".into()),
            ports: if refused.is_none() {
                vec![("agent", Some("127.0.0.1:6669".into()))]
            } else {
                vec![("console", None)]
            },
            listens: vec!["0.0.0.0:80".into(), "127.0.0.1:6669".into()],
            refused: refused.map(str::to_owned),
            ..Listed::default()
        };
        let found = vec![
            listed(42, "orders", "full", None),
            listed(4_311, "echo\u{1b}[31m", "stripped", Some("ptrace_scope is 1")),
        ];
        let list = ProcessList::new(Processes { found, hidden: vec![("another user's".into(), 3)] });
        insta::assert_snapshot!("processes", render(&list));
        let json: serde_json::Value = serde_json::from_str(&list.to_json()).expect("JSON");
        assert_eq!(json["processes"][1]["refused"], "ptrace_scope is 1");
        assert!(render(&ProcessList::new(Processes::default())).contains("No process"));
        let uncounted = |pid| Listed { pid, uncounted: Some("its time was over".into()), ..Listed::default() };
        let list = ProcessList::new(Processes { found: (1..=8).map(uncounted).collect(), hidden: vec![] });
        assert!(render(&list).contains("Tasks of 1, 2, 3, 4, 5, 6 and 2 more are not counted: its time was over."));
    }
}
