//! One holdup against many targets, some of which are dead, mute, or hang up again and again.

use crate::{
    keys::{self, Times},
    measure::{SIZE, Schedule},
    process::{Course, cpu, memory},
    screen::{Error, Terminal},
};
use std::{
    ffi::OsString,
    io::{BufRead, BufReader},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// Tasks of each target, of which a hundredth is polled each second.
const TASKS: usize = 1_000;

/// So many are dead, so many never answer, and so many hang up each second, where some are not well.
const ILL: u16 = 10;

/// How long it may take until all of those that are well are live.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often memory is looked at.
const SAMPLES: Duration = Duration::from_secs(5);

/// A process that serves many targets. It is ended when this is dropped.
struct Many {
    child: Child,
    urls: Vec<String>,
}

impl Many {
    fn start(program: &Path, listeners: u16, more: &[&str]) -> Result<Self, Error> {
        let mut command = Command::new(program);
        command.args(["--tasks", &TASKS.to_string(), "--change", "1", "--listeners", &listeners.to_string()]);
        let mut child = command.args(more).stdout(Stdio::piped()).spawn()?;
        let mut said = BufReader::new(child.stdout.take().ok_or("the targets have no output")?);
        let mut urls = Vec::new();
        while urls.len() < usize::from(listeners) {
            let mut line = String::new();
            if said.read_line(&mut line)? == 0 {
                return Err("the targets ended".into());
            }
            urls.push(line.trim().rsplit(' ').next().unwrap_or_default().to_owned());
        }
        // What it says from now on is of no interest, and must not keep it waiting.
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        Ok(Self { child, urls })
    }
}

impl Drop for Many {
    fn drop(&mut self) {
        // A process that has ended by itself cannot be ended again; that is no fault.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Measures both, and prints a row for each.
pub(crate) fn run(beside: &Path, targets: u16, schedule: &Schedule) -> Result<(), Error> {
    println!(
        "{:>7} {:>5} {:>5} {:>8} {:>12} {:>7} {:>8} {:>8}  {:>20}",
        "targets", "dead", "mute", "hang up", "first screen", "CPU", "RSS", "peak", "move p50/p99/max ms"
    );
    for ill in [0, ILL] {
        row(beside, targets, ill, schedule)?;
    }
    Ok(())
}

/// The port of the selected target. A line's number would not do: rows above it may go while it is looked at.
fn selected(screen: &str) -> Option<usize> {
    let row = screen.lines().find(|line| line.contains('▌'))?;
    let (_, after) = row.split_once("127.0.0.1:")?;
    after.split(|char: char| !char.is_ascii_digit()).next()?.parse().ok()
}

fn row(beside: &Path, targets: u16, ill: u16, schedule: &Schedule) -> Result<(), Error> {
    let program = beside.join("synthetic-target");
    let well = targets.checked_sub(3 * ill).ok_or("there are not so many targets")?;
    let (well, hanging) = (Many::start(&program, well, &[])?, Many::start(&program, ill, &["--hang-up", "1s"])?);
    let listen = || TcpListener::bind("127.0.0.1:0").and_then(|listener| Ok((listener.local_addr()?, listener)));
    let mute = (0..ill).map(|_| listen()).collect::<Result<Vec<_>, _>>()?;
    let dead = (0..ill).map(|_| Ok(listen()?.0)).collect::<Result<Vec<_>, Error>>()?;
    let mut args: Vec<OsString> = well.urls.iter().chain(&hanging.urls).map(Into::into).collect();
    args.extend(mute.iter().map(|(at, _)| *at).chain(dead).map(|at| format!("http://{at}").into()));

    let mut terminal = Terminal::start(&beside.join("holdup"), &args, SIZE)?;
    let pid = terminal.child().process_id().ok_or("holdup has no process id")?;
    let live = |screen: &vt100::Screen| {
        let text = screen.contents();
        let before = text.split(" live").next().unwrap_or_default();
        before.rsplit(' ').next().and_then(|count| count.parse::<usize>().ok()).unwrap_or_default()
    };
    let all = well.urls.len();
    let first = terminal.wait_for(PATIENCE, |screen| live(screen) >= all).ok_or("not all of them came up")?;
    std::thread::sleep(schedule.settle);
    let (start, before) = (Instant::now(), cpu(pid)?);
    let course = Course::of(pid, schedule.window, SAMPLES)?;
    let used = cpu(pid)?.saturating_sub(before).as_secs_f64() / start.elapsed().as_secs_f64() * 100.0;
    let (_, peak) = memory(pid)?;
    if terminal.with_screen(live) < all {
        return Err("some that are well were lost".into());
    }
    let mut moves = Times::default();
    let keys = ["j"; 20].into_iter().chain(["k"; 20]).cycle().take(schedule.keys);
    keys::press(&mut terminal, keys, &mut moves, selected)?;
    println!(
        "{targets:>7} {:>5} {:>5} {:>8} {:>9.2} s  {used:>5.1} % {:>4} MiB {:>4} MiB  {moves:>20}",
        ill,
        mute.len(),
        hanging.urls.len(),
        first.as_secs_f64(),
        course.last() >> 20,
        peak >> 20,
    );
    Ok(())
}
