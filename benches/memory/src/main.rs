//! What reading a process costs: the table of what was promised, each row with its bounds, on one command.
//!
//! ```text
//! cargo run --release -p holdup-memory-cost
//! cargo run --release -p holdup-memory-cost -- --row first-look,deadlock --small
//! ```
//!
//! It takes some minutes, most of all to compile the large program once, and 2 GB of memory for the million tasks. The processes that are read are the victims of
//! `tests/memory/victims`, which it builds; each row is measured by a process of its own, so that what it takes in memory is its own.
//!
//! - *Pages made present* compares what is mapped and present in the target, page by page, before a look and after it.
//! - *False names* counts holders that are named as proven and have nothing, over looks at the programs whose bytes lie.
//! - *The echo* is one connection's round trips; looks at 2 Hz and none alternate, and the ratio is that of the medians of their p99.
//! - *CPU* is what this process uses for looks alone, at 2 Hz, without any screen.
#![forbid(unsafe_code)]

mod echo;
mod row;
mod target;
mod wide;

use clap::{Parser, ValueEnum};
use row::Row;
use std::process::{Command, ExitCode};

#[derive(Debug, Parser)]
struct Arguments {
    /// Only these rows.
    #[arg(long, value_enum, value_delimiter = ',')]
    row: Vec<Row>,

    /// A tenth of everything, for a quick look.
    #[arg(long)]
    small: bool,

    /// How many services the large program has: 200 have 263 MB of debug information, 800 a gigabyte.
    #[arg(long, default_value_t = 200)]
    services: u64,

    /// Measures the row in this process and prints what came of it.
    #[arg(long, hide = true)]
    child: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let rows = if arguments.row.is_empty() { Row::value_variants().to_vec() } else { arguments.row.clone() };
    let parts = if arguments.small { 10 } else { 1 };
    if arguments.child {
        let Some(measured) = rows.first().map(|row| row.measure(parts, arguments.services / parts)) else {
            return ExitCode::FAILURE;
        };
        return match measured {
            Ok(measured) => {
                println!("{measured}");
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        };
    }
    println!("{:<62} {:<34} {:<24} aim", "", "measured", "at most");
    let mut all = ExitCode::SUCCESS;
    for row in rows {
        let measured = in_a_process_of_its_own(row, &arguments).unwrap_or_else(|error| {
            all = ExitCode::FAILURE;
            format!("not measured: {error}")
        });
        let [at_most, aim] = row.bounds();
        println!("{:<62} {measured:<34} {at_most:<24} {aim}", row.title());
    }
    all
}

fn in_a_process_of_its_own(row: Row, arguments: &Arguments) -> Result<String, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let name = row.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    let mut command = Command::new(own);
    command.args(["--child", "--row", &name, "--services", &arguments.services.to_string()]);
    command.args(arguments.small.then_some("--small"));
    // Nothing is kept of what another row, or the user, has looked at.
    let kept = std::env::temp_dir().join(format!("memory-cost-{}-{name}", std::process::id()));
    let output = command.env("XDG_CACHE_HOME", &kept).output().map_err(|error| error.to_string());
    let _ = std::fs::remove_dir_all(&kept);
    let output = output?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or("it failed").to_owned())
    }
}
