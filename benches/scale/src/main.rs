//! Measures what watching a target with many tasks costs a client: processor, memory, time from the first message to the first
//! rows, and from a key to the screen: plain moves, sorting by one column after the other, typing a filter. It runs holdup, and
//! tokio-console where that is on the PATH, each in a terminal of 200×50 against the same synthetic target, and prints a table.
//!
//! ```text
//! cargo build --release -p holdup -p holdup-scale
//! target/release/scale                                                     the whole table
//! target/release/scale --tasks 100000 --churn 10000 --window 600s --alone  whether memory stays flat
//! ```

mod client;
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

/// Live tasks, and the percentage of them that is polled each second, for each row of the table.
const TABLE: [(usize, f64); 5] = [(1_000, 0.0), (1_000, 1.0), (100_000, 1.0), (100_000, 10.0), (1_000_000, 1.0)];

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
    /// How long to measure processor and memory.
    #[arg(long, default_value = "20s", value_parser = humantime::parse_duration)]
    window: Duration,
    /// How long to wait after the first rows before measuring.
    #[arg(long, default_value = "15s", value_parser = humantime::parse_duration)]
    settle: Duration,
    /// Key presses to time, of each kind.
    #[arg(long, default_value_t = 112)]
    keys: usize,
    /// The holdup to measure [default: the one beside this program].
    #[arg(long)]
    holdup: Option<PathBuf>,
    /// Measure holdup alone.
    #[arg(long)]
    alone: bool,
}

fn main() -> Result<(), Error> {
    let args = Args::parse();
    let beside = std::env::current_exe()?.parent().map(PathBuf::from).unwrap_or_default();
    let mut clients = vec![Client::holdup(args.holdup.clone().unwrap_or_else(|| beside.join("holdup")))];
    if !args.alone {
        clients.extend(on_path("tokio-console").map(Client::tokio_console));
    }
    let rows = match &args.tasks[..] {
        [] => TABLE.to_vec(),
        tasks => tasks.iter().map(|&tasks| (tasks, args.change)).collect(),
    };
    let schedule = Schedule { settle: args.settle, window: args.window, keys: args.keys };
    println!("{}", Row::header());
    for (tasks, change) in rows {
        for client in &clients {
            let load = Load { tasks, change, churn: args.churn };
            println!("{}", measure::run(&beside.join("synthetic-target"), client, load, &schedule)?);
        }
    }
    Ok(())
}

fn on_path(name: &str) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH")?;
    std::env::split_paths(&paths).map(|folder| folder.join(name)).find(|file| file.is_file())
}
