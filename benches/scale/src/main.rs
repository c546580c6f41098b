//! Measures what watching a target with many tasks costs a client: processor, memory, time from the first message to the first
//! rows, and from a key to the screen: plain moves, sorting by one column after the other, typing a filter. It runs holdup, and
//! tokio-console where that is on the PATH, each in a terminal of 200×50 against the same synthetic target, and prints a table.
//! Rows with flagged tasks and held locks are holdup's alone: they are about its findings.
//!
//! ```text
//! cargo build --release -p holdup -p holdup-scale
//! target/release/scale                                                     the whole table
//! target/release/scale --tasks 100000 --churn 10000 --window 600s --alone  whether memory stays flat
//! target/release/scale --tasks 100000,1000000 --flagged 0,2,10,100 --page 500 --alone
//!                                                                          what findings cost
//! target/release/scale --tasks 100000 --locks 10000 --alone                what held locks cost
//! target/release/scale --alone --holdup before=old/holdup --holdup after=target/release/holdup
//!                                                                          two builds, row by row
//! target/release/scale --fleet 200                                         what watching that many targets costs
//! ```
//!
//! "first state" is processor time and time, in seconds, until all tasks are counted on the screen, and findings with them where
//! there are any to be found; "event max" is the longest that the program was kept by one event of its link (model, findings and
//! list), which it logs. A build that does not log it leaves the column empty.
#![forbid(unsafe_code)]

mod client;
mod events;
mod fleet;
mod keys;
mod measure;
mod process;
mod screen;
mod serving;

use clap::Parser;
use client::Client;
use measure::{Row, Schedule};
use screen::Error;
use serving::Load;
use std::{path::PathBuf, time::Duration};

/// A hundredth of the tasks is polled each second, and nothing else happens.
const QUIET: Load = Load { tasks: 1_000, change: 1.0, churn: 0, flagged: 0.0, places: PLACES, locks: 0, page: None };

/// Spawn locations of the flagged tasks: as many as in the service that findings were first too much for.
const PLACES: u64 = 950;

/// Tasks in a message of an agent's first state. Findings are brought up to date after each.
const PAGE: Option<usize> = Some(500);

/// The rows of the table.
const TABLE: [Load; 12] = [
    Load { change: 0.0, ..QUIET },
    QUIET,
    Load { tasks: 100_000, ..QUIET },
    Load { tasks: 100_000, change: 10.0, ..QUIET },
    Load { tasks: 1_000_000, ..QUIET },
    Load { tasks: 100_000, flagged: 2.0, page: PAGE, ..QUIET },
    Load { tasks: 100_000, flagged: 10.0, page: PAGE, ..QUIET },
    Load { tasks: 100_000, flagged: 100.0, page: PAGE, ..QUIET },
    Load { tasks: 1_000_000, flagged: 2.0, page: PAGE, ..QUIET },
    Load { tasks: 1_000_000, flagged: 10.0, page: PAGE, ..QUIET },
    Load { tasks: 1_000_000, flagged: 100.0, page: PAGE, ..QUIET },
    Load { tasks: 100_000, locks: 10_000, page: PAGE, ..QUIET },
];

/// Measures clients against a synthetic target.
#[derive(Debug, Parser)]
struct Args {
    /// Live tasks, a row of the table for each number [default: the whole table, with its own percentages].
    #[arg(long, value_delimiter = ',')]
    tasks: Vec<usize>,
    /// Percentage of the tasks that is polled each second.
    #[arg(long, default_value_t = 1.0, requires = "tasks")]
    change: f64,
    /// Tasks that end, and others that start, each second.
    #[arg(long, default_value_t = 0)]
    churn: usize,
    /// Percentage of the tasks whose future is large, a row of the table for each number.
    #[arg(long, value_delimiter = ',', default_value = "0", requires = "tasks")]
    flagged: Vec<f64>,
    /// Spawn locations that those are spread over.
    #[arg(long, default_value_t = PLACES, requires = "flagged")]
    places: u64,
    /// Mutexes, each held across an await.
    #[arg(long, default_value_t = 0, requires = "tasks")]
    locks: usize,
    /// Tasks in each message of the first state, 500 in an agent's [default: one message for all].
    #[arg(long, requires = "tasks")]
    page: Option<usize>,
    /// How long to measure processor and memory.
    #[arg(long, default_value = "20s", value_parser = humantime::parse_duration)]
    window: Duration,
    /// How long to wait after the first rows before measuring.
    #[arg(long, default_value = "15s", value_parser = humantime::parse_duration)]
    settle: Duration,
    /// Key presses to time, of each kind.
    #[arg(long, default_value_t = 112)]
    keys: usize,
    /// The holdup to measure; again for another build, to see them side by side in one run. A name before the path and `=` is
    /// what the table calls it [default: the one beside this program].
    #[arg(long, value_name = "[NAME=]PATH")]
    holdup: Vec<String>,
    /// Measure holdup alone.
    #[arg(long)]
    alone: bool,
    /// Watch so many targets at once instead, of 1,000 tasks each: first all of them well, and then ten of them dead, ten that never answer, and ten
    /// that hang up each second.
    #[arg(long, value_name = "TARGETS", conflicts_with_all = ["tasks", "holdup"])]
    fleet: Option<u16>,
}

fn main() -> Result<(), Error> {
    let args = Args::parse();
    let beside = std::env::current_exe()?.parent().map(PathBuf::from).unwrap_or_default();
    let mut clients: Vec<Client> = args.holdup.iter().map(|build| holdup(build)).collect::<Result<_, _>>()?;
    if clients.is_empty() {
        clients.push(Client::holdup("holdup".into(), beside.join("holdup")));
    }
    if !args.alone {
        clients.extend(on_path("tokio-console").map(Client::tokio_console));
    }
    if let Some(targets) = args.fleet {
        return fleet::run(&beside, targets, &Schedule { settle: args.settle, window: args.window, keys: args.keys });
    }
    let schedule = Schedule { settle: args.settle, window: args.window, keys: args.keys };
    println!("{}", Row::header());
    for load in args.loads() {
        for client in clients.iter().filter(|client| client.finds() || !load.has_findings()) {
            println!("{}", measure::run(&beside.join("synthetic-target"), client, load, &schedule)?);
        }
    }
    Ok(())
}

impl Args {
    /// What to measure: a row of the table each.
    fn loads(&self) -> Vec<Load> {
        if self.tasks.is_empty() {
            return TABLE.to_vec();
        }
        let &Self { change, churn, places, locks, page, .. } = self;
        let row = |tasks| {
            self.flagged.iter().map(move |&flagged| Load { tasks, change, churn, flagged, places, locks, page })
        };
        self.tasks.iter().flat_map(|&tasks| row(tasks)).collect()
    }
}

/// A build of holdup, and its name.
fn holdup(build: &str) -> Result<Client, Error> {
    let (name, path) = build.split_once('=').unwrap_or(("holdup", build));
    // In its terminal it starts from another folder.
    let program = std::fs::canonicalize(path).map_err(|error| format!("there is no holdup at {path}: {error}"))?;
    Ok(Client::holdup(name.to_owned(), program))
}

fn on_path(name: &str) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH")?;
    std::env::split_paths(&paths).map(|folder| folder.join(name)).find(|file| file.is_file())
}
