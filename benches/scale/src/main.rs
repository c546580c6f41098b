//! Measures what watching a target with many tasks costs a client: processor, memory, time to the first rows, and the time from a
//! key to the screen. It runs holdup, and tokio-console where that is on the PATH, each in a terminal of 200×50 against the same
//! synthetic target, and prints a table.
//!
//! `cargo build --release -p holdup -p holdup-scale && target/release/scale`

mod measure;
mod screen;

use clap::Parser;
use measure::{Client, Load, Row};
use std::{path::PathBuf, time::Duration};

/// Measures clients against a synthetic target.
#[derive(Debug, Parser)]
struct Args {
    /// Live tasks, a row of the table for each number.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 100_000, 1_000_000])]
    tasks: Vec<usize>,
    /// Percentage of the tasks that is polled each second.
    #[arg(long, default_value_t = 1.0)]
    change: f64,
    /// Tasks that end, and others that start, each second.
    #[arg(long, default_value_t = 0)]
    churn: usize,
    /// How long to measure.
    #[arg(long, default_value = "20s", value_parser = humantime::parse_duration)]
    window: Duration,
    /// How long to wait after the first rows before measuring.
    #[arg(long, default_value = "15s", value_parser = humantime::parse_duration)]
    settle: Duration,
    /// Key presses to time.
    #[arg(long, default_value_t = 60)]
    keys: usize,
    /// The holdup to measure [default: the one beside this program].
    #[arg(long)]
    holdup: Option<PathBuf>,
    /// Measure holdup alone.
    #[arg(long)]
    alone: bool,
}

fn main() -> Result<(), measure::Error> {
    let args = Args::parse();
    let beside = std::env::current_exe()?.parent().map(PathBuf::from).unwrap_or_default();
    let mut clients = vec![Client::holdup(args.holdup.clone().unwrap_or_else(|| beside.join("holdup")))];
    if !args.alone {
        clients.extend(on_path("tokio-console").map(Client::tokio_console));
    }
    println!("{}", Row::header());
    for &tasks in &args.tasks {
        for client in &clients {
            let load = Load { tasks, change: args.change, churn: args.churn, paged: client.needs_pages() };
            let row =
                measure::run(&beside.join("synthetic-target"), client, &load, args.settle, args.window, args.keys)?;
            println!("{row}");
        }
    }
    Ok(())
}

fn on_path(name: &str) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH")?;
    std::env::split_paths(&paths).map(|folder| folder.join(name)).find(|file| file.is_file())
}
