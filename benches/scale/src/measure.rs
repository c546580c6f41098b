//! One client against one target.

pub use crate::screen::Error;
use crate::screen::Terminal;
use std::{
    fmt,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// Rows and columns of the terminal that clients are measured in.
const SIZE: (u16, u16) = (50, 200);

/// A program to be measured.
pub struct Client {
    name: &'static str,
    program: PathBuf,
    args: &'static [&'static str],
}

impl Client {
    /// holdup.
    pub fn holdup(program: PathBuf) -> Self {
        Self { name: "holdup", program, args: &[] }
    }

    /// tokio-console.
    pub fn tokio_console(program: PathBuf) -> Self {
        Self { name: "tokio-console", program, args: &["--retain-for", "6s"] }
    }

    /// Whether it refuses messages over 4 MiB.
    pub fn needs_pages(&self) -> bool {
        self.name == "tokio-console"
    }
}

/// What the target does.
pub struct Load {
    /// Live tasks.
    pub tasks: usize,
    /// Percentage polled each second.
    pub change: f64,
    /// Ends and starts each second.
    pub churn: usize,
    /// Whether the first state comes in small updates.
    pub paged: bool,
}

/// What one client took.
pub struct Row {
    client: &'static str,
    tasks: usize,
    cpu_percent: f64,
    rss: u64,
    peak: u64,
    first_rows: Option<Duration>,
    keys: Vec<Duration>,
    missed: usize,
}

impl Row {
    /// The columns.
    pub fn header() -> String {
        format!(
            "{:<14} {:>9} {:>8} {:>10} {:>10} {:>11} {:>9} {:>9} {:>9} {:>7}",
            "client", "tasks", "CPU", "RSS", "peak", "first rows", "key p50", "key p99", "key max", "missed"
        )
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut keys = self.keys.clone();
        keys.sort();
        let at = |share: f64| keys.get(((keys.len() as f64 - 1.0) * share).ceil().max(0.0) as usize);
        let ms = |duration: Option<&Duration>| {
            duration.map_or_else(|| "-".into(), |duration| format!("{:.1} ms", duration.as_secs_f64() * 1e3))
        };
        write!(
            f,
            "{:<14} {:>9} {:>6.1} % {:>6} MiB {:>6} MiB {:>11} {:>9} {:>9} {:>9} {:>7}",
            self.client,
            self.tasks,
            self.cpu_percent,
            self.rss >> 20,
            self.peak >> 20,
            ms(self.first_rows.as_ref()),
            ms(at(0.5)),
            ms(at(0.99)),
            ms(keys.last()),
            self.missed,
        )
    }
}

/// Runs a client against a target, and measures it.
pub fn run(
    target: &Path,
    client: &Client,
    load: &Load,
    settle: Duration,
    window: Duration,
    keys: usize,
) -> Result<Row, Error> {
    let target = Target::start(target, load)?;
    let mut args: Vec<String> = client.args.iter().map(ToString::to_string).collect();
    args.push(target.url.clone());
    let mut terminal = Terminal::start(&client.program, &args, SIZE)?;
    terminal.press("t")?;
    let first_rows = terminal.wait_for(Duration::from_secs(60), |screen| has_rows(&screen.contents()));
    std::thread::sleep(settle);
    let pid = terminal.child().process_id().ok_or("the client has no process id")?;
    let (start, before) = (Instant::now(), cpu(pid)?);
    std::thread::sleep(window);
    let used = cpu(pid)?.saturating_sub(before);
    let cpu_percent = used.as_secs_f64() / start.elapsed().as_secs_f64() * 100.0;
    let (rss, peak) = memory(pid)?;
    let (keys, missed) = key_times(&mut terminal, keys)?;
    Ok(Row { client: client.name, tasks: load.tasks, cpu_percent, rss, peak, first_rows, keys, missed })
}

/// A row of the task list shows where the task was spawned.
fn has_rows(screen: &str) -> bool {
    screen.contains(".rs:")
}

/// The first row's spawn location and id: what changes when the order is inverted, and not by itself.
fn first_row(screen: &str) -> Option<String> {
    let row = screen.lines().find(|line| line.contains(".rs:"))?;
    row.split_whitespace().find(|word| word.parse::<u64>().is_ok()).map(str::to_owned)
}

/// Inverts the order again and again, and sees how long it takes until another task is on top.
fn key_times(terminal: &mut Terminal, presses: usize) -> Result<(Vec<Duration>, usize), Error> {
    let (mut times, mut missed) = (Vec::new(), 0);
    for _ in 0..presses {
        let before = terminal.with_screen(|screen| first_row(&screen.contents()));
        terminal.press("i")?;
        let inverted = |screen: &vt100::Screen| first_row(&screen.contents()) != before;
        let Some(time) = terminal.wait_for(Duration::from_secs(10), inverted) else {
            // Whoever does not answer once does not answer.
            missed = presses - times.len();
            break;
        };
        times.push(time);
        std::thread::sleep(Duration::from_millis(150));
    }
    Ok((times, missed))
}

/// Processor time of a process so far.
fn cpu(pid: u32) -> Result<Duration, Error> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let after_name = stat.rsplit_once(')').ok_or("no process name in stat")?.1;
    let field = |index: usize| after_name.split_whitespace().nth(index).and_then(|field| field.parse::<u64>().ok());
    // Fields 14 and 15 of proc_pid_stat(5), in ticks of a hundredth of a second.
    let ticks = field(11).zip(field(12)).map(|(user, system)| user + system).ok_or("no times in stat")?;
    Ok(Duration::from_millis(ticks * 10))
}

/// Resident memory of a process, now and at its peak, in bytes.
fn memory(pid: u32) -> Result<(u64, u64), Error> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kib = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    };
    let (rss, peak) = kib("VmRSS:").zip(kib("VmHWM:")).ok_or("no memory in status")?;
    Ok((rss << 10, peak << 10))
}

struct Target {
    child: Child,
    url: String,
}

impl Target {
    fn start(program: &Path, load: &Load) -> Result<Self, Error> {
        let mut command = Command::new(program);
        command.arg("--tasks").arg(load.tasks.to_string());
        command.arg("--change").arg(load.change.to_string());
        command.arg("--churn").arg(load.churn.to_string());
        command.arg("--first").arg(if load.paged { "paged" } else { "whole" });
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        if let Some(output) = child.stdout.take() {
            BufReader::new(output).read_line(&mut line)?;
        }
        let url = line.trim().rsplit(' ').next().unwrap_or_default().to_owned();
        Ok(Self { child, url })
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        // A target that has ended by itself cannot be ended again; that is no fault.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
