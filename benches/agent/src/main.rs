//! What the agent costs, and what it misses: the table of what it promises, each row with its bounds, on one command.
//!
//! ```text
//! cargo run --release -p holdup-agent-cost
//! ```
//!
//! It takes a quarter of an hour, most of it for the works that are repeated and for the minutes of spawning flat out, and up to
//! ten GiB of memory, which are console-subscriber's. For a quick look, with less of everything:
//!
//! ```text
//! cargo run --release -p holdup-agent-cost -- --runs 1 --scale 20 --flood-seconds 2 --rss-seconds 5 --stalls 5
//! cargo run --release -p holdup-agent-cost -- --work flood,first-state --mode full,lean
//! ```
//!
//! - The first works are done by a child process of this one, once in each mode in turn, several times over, and the medians
//!   are printed as ratios to the first mode. Bare is an executable of its own, on the same tokio, built without `tokio_unstable` and without tokio's
//!   tracing, as a service that knows of no instrumentation. Plain is this executable, with both compiled in, and without any subscriber; deaf is the same with one that
//!   hears all of it and does nothing. Where somebody is attached meanwhile, that is this process: as holdup, which reads `Watch` of an agent and
//!   nothing else, or as tokio-console, which reads the console's service of whoever has it. Where a service writes to a log of its own, it has one in every mode, in bare too.
//! - The others are measured from outside: the service is a child process, and this one is its client, over the wire, with
//!   holdup's windows and tokio-console's limit to a message, 4 MiB. A *flood* counts the tasks whose end never arrived, beside the losses that the
//!   service tells of, and how old the oldest one was when the client heard of it first, which an interval of publishing is part of.
//!   The *first state* counts from connecting. *RSS* is the service's own. A *stall* counts from when its poll had lasted as long
//!   as the threshold until the client was told.
#![forbid(unsafe_code)]

mod bare;
mod client;
mod done;
mod mode;
mod service;
mod watched;
mod work;

use clap::{Parser, ValueEnum};
use mode::{MODES, Mode};
use service::Load;
use std::process::{Command, ExitCode};
use work::Work;

#[derive(Debug, Parser)]
struct Arguments {
    /// How often each work that is compared is done in each mode.
    #[arg(long, default_value_t = 5)]
    runs: usize,

    /// Only these works.
    #[arg(long, value_enum, value_delimiter = ',')]
    work: Vec<Work>,

    /// Only these modes.
    #[arg(long, value_enum, value_delimiter = ',')]
    mode: Vec<Mode>,

    /// Divides the size of each work that is compared, for a quick look.
    #[arg(long, default_value_t = 1)]
    scale: usize,

    #[command(flatten)]
    load: Load,

    /// Does the work once in this process and prints what it took.
    #[arg(long, hide = true)]
    child: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.child {
        return child(&arguments);
    }
    let works = if arguments.work.is_empty() { Work::value_variants().to_vec() } else { arguments.work.clone() };
    let modes = if arguments.mode.is_empty() { MODES.to_vec() } else { arguments.mode.clone() };
    print_row(
        "",
        modes.iter().map(|mode| mode.name()),
        ["full: at most", "lean: at most", "past: at most", "scraped: at most"],
    );
    for work in works {
        let cells =
            if work.is_watched() { watched(work, &modes, &arguments) } else { compared(work, &modes, &arguments) };
        print_row(work.title(), cells.into_iter(), work.at_most());
    }
    ExitCode::SUCCESS
}

fn print_row(title: &str, cells: impl Iterator<Item = String>, at_most: [&str; 4]) {
    print!("{title:<46}");
    for cell in cells {
        print!("{cell:>32}");
    }
    let [full, lean, past, scraped] = at_most;
    println!("{full:>15}{lean:>15}{past:>15}{scraped:>17}");
}

/// A work that is done in each mode in turn, several times over.
fn compared(work: Work, modes: &[Mode], arguments: &Arguments) -> Vec<String> {
    let mut samples = vec![Vec::new(); modes.len()];
    for _ in 0..arguments.runs {
        for (samples, mode) in samples.iter_mut().zip(modes).filter(|(_, mode)| work.is_for(**mode)) {
            let sample = if *mode == Mode::Bare {
                bare::run(work, arguments.scale)
            } else if work.is_attended() {
                watched::timed(work, *mode, &arguments.load, arguments.scale)
            } else {
                run(work, *mode, arguments.scale)
            };
            match sample {
                Ok(sample) => samples.push(sample),
                Err(reason) => eprintln!("{} in {}: {reason}", work.title(), mode.name()),
            }
        }
    }
    let medians: Vec<Option<f64>> = samples.iter_mut().map(|samples| median(samples)).collect();
    let base = medians.first().copied().flatten();
    let cells = medians.iter().zip(modes);
    cells.map(|(median, mode)| if work.is_for(*mode) { cell(work, *median, base) } else { "-".to_owned() }).collect()
}

/// A work that is measured from outside, once.
fn watched(work: Work, modes: &[Mode], arguments: &Arguments) -> Vec<String> {
    let measure = |mode: &Mode| {
        watched::measure(work, *mode, &arguments.load).unwrap_or_else(|reason| {
            eprintln!("{} in {}: {reason}", work.title(), mode.name());
            "failed".to_owned()
        })
    };
    modes.iter().map(measure).collect()
}

fn median(samples: &mut [f64]) -> Option<f64> {
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied()
}

/// What a median is printed as: its ratio to the plain one and what it was.
fn cell(work: Work, median: Option<f64>, base: Option<f64>) -> String {
    let Some(median) = median else { return "failed".to_owned() };
    if work.is_memory() {
        return format!("{median:.0} B (+{:.0} B)", median - base.unwrap_or(median));
    }
    let ratio = base.map_or(1.0, |base| median / base);
    format!("{ratio:.2} ({:.0} ms)", median * 1000.0)
}

/// Does the work once in a child process.
fn run(work: Work, mode: Mode, scale: usize) -> Result<f64, String> {
    let executable = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new(executable)
        .args(["--child", "--work", &work.name(), "--mode", &mode.name(), "--scale", &scale.to_string()])
        .output()
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().map_err(|_| format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr)))
}

fn child(arguments: &Arguments) -> ExitCode {
    let (Some(work), Some(mode)) = (arguments.work.first(), arguments.mode.first()) else { return ExitCode::FAILURE };
    let done = if work.is_watched() || work.is_attended() {
        service::serve(*work, *mode, &arguments.load, arguments.scale)
    } else {
        mode.start(work.host()).map(|watching| {
            println!("{}", work.run(arguments.scale));
            drop(watching);
        })
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}
