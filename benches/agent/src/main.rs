//! What the agent costs: each work is done by a child process of this one, once in each mode in turn, several times over, and
//! the medians are printed as ratios to the plain mode.
//!
//! Plain is the same executable, on the same tokio with its tracing compiled in, without any subscriber.

mod work;

use clap::{Parser, ValueEnum};
use holdup_agent::Detail;
use std::{
    process::{Command, ExitCode},
    time::Duration,
};
use work::Work;

/// What watches the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// Nothing.
    Plain,
    /// console-subscriber, its aggregator running, no client.
    Console,
    /// The agent in full detail, its watchdog and its server running, no client.
    Full,
    /// The agent in lean detail.
    Lean,
}

const MODES: [Mode; 4] = [Mode::Plain, Mode::Console, Mode::Full, Mode::Lean];

#[derive(Debug, Parser)]
struct Arguments {
    /// How often each work is done in each mode.
    #[arg(long, default_value_t = 5)]
    runs: usize,

    /// Only these works.
    #[arg(long, value_enum, value_delimiter = ',')]
    work: Vec<Work>,

    /// Only these modes.
    #[arg(long, value_enum, value_delimiter = ',')]
    mode: Vec<Mode>,

    /// Divides the size of each work, for a quick look.
    #[arg(long, default_value_t = 1)]
    scale: usize,

    /// Does the work once in this process and prints what it took.
    #[arg(long, hide = true)]
    child: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.child {
        return child(&arguments);
    }
    let all = |given: &[Work]| if given.is_empty() { Work::value_variants().to_vec() } else { given.to_vec() };
    let modes = if arguments.mode.is_empty() { MODES.to_vec() } else { arguments.mode.clone() };
    print_row("", modes.iter().map(name));
    for work in all(&arguments.work) {
        let mut samples = vec![Vec::new(); modes.len()];
        for _ in 0..arguments.runs {
            for (samples, mode) in samples.iter_mut().zip(&modes) {
                match run(work, *mode, arguments.scale) {
                    Ok(sample) => samples.push(sample),
                    Err(reason) => eprintln!("{} in {}: {reason}", work.title(), name(mode)),
                }
            }
        }
        let medians: Vec<Option<f64>> = samples.iter_mut().map(|samples| median(samples)).collect();
        let base = medians.first().copied().flatten();
        print_row(work.title(), medians.iter().map(|median| cell(work, *median, base)));
    }
    ExitCode::SUCCESS
}

fn print_row(title: &str, cells: impl Iterator<Item = String>) {
    print!("{title:<46}");
    for cell in cells {
        print!("{cell:>22}");
    }
    println!();
}

fn name(mode: &Mode) -> String {
    mode.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
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
    let work = work.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
    let output = Command::new(executable)
        .args(["--child", "--work", &work, "--mode", &name(&mode), "--scale", &scale.to_string()])
        .output()
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().map_err(|_| format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr)))
}

fn child(arguments: &Arguments) -> ExitCode {
    let (Some(work), Some(mode)) = (arguments.work.first(), arguments.mode.first()) else { return ExitCode::FAILURE };
    let mut agent = None;
    match mode {
        Mode::Plain => {}
        Mode::Console => {
            // Any port will do, and what it retains is bounded by time alone: so little that the work's memory is its own.
            console_subscriber::ConsoleLayer::builder()
                .server_addr(([127, 0, 0, 1], 0))
                .retention(Duration::from_secs(60))
                .init();
        }
        Mode::Full | Mode::Lean => {
            let detail = if *mode == Mode::Lean { Detail::Lean } else { Detail::Full };
            match holdup_agent::builder().address(([127, 0, 0, 1], 0).into()).detail(detail).init() {
                Ok(started) => agent = Some(started),
                Err(error) => {
                    eprintln!("{error}");
                    return ExitCode::FAILURE;
                }
            }
        }
    }
    println!("{}", work.run(arguments.scale));
    drop(agent);
    ExitCode::SUCCESS
}
