//! Films holdup at work, in real terminals, and prints the film as an SVG that plays: first `holdup demo`, then `holdup PID` on a server that has nothing built in.
//!
//! `cargo build --release -p holdup -p holdup-scale && target/release/picture > docs/holdup.svg`

mod cells;
mod film;
#[path = "../screen.rs"]
mod screen;

use clap::Parser;
use film::Film;
use screen::{Error, Terminal};
use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

/// Films holdup at work, and prints an SVG that plays.
#[derive(Debug, Parser)]
struct Args {
    /// How long the demo runs before it is filmed.
    #[arg(long, default_value = "20s", value_parser = humantime::parse_duration)]
    after: Duration,
    /// Columns of the terminal.
    #[arg(long, default_value_t = 120)]
    columns: u16,
    /// Rows of the terminal.
    #[arg(long, default_value_t = 32)]
    rows: u16,
}

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// After a key, until the screen has followed it.
const SETTLES: Duration = Duration::from_millis(700);

/// What the server without instrumentation is to have.
const TROUBLES: &str = "deadlock,lock-across-await,full-channels,lost-waker";

fn main() -> Result<(), Error> {
    let args = Args::parse();
    let here = std::env::current_exe()?.parent().map(PathBuf::from).unwrap_or_default();
    let holdup = here.join("holdup");
    let mut film = Film::new(args.columns, args.rows);
    demo(&holdup, &args, &mut film)?;
    process(&holdup, &args, &mut film)?;
    print!("{}", film.svg());
    Ok(())
}

/// Starts holdup, and waits until it has found a deadlock.
fn start(holdup: &Path, args: &Args, command: &str) -> Result<Terminal, Error> {
    let terminal = Terminal::start(holdup, &[command.into()], (args.rows, args.columns))?;
    let is_found = |line: &str| line.contains("critical") && line.contains("deadlock");
    let appears = |screen: &vt100::Screen| screen.contents().lines().any(is_found);
    terminal.wait_for(PATIENCE, appears).ok_or_else(|| format!("`holdup {command}` finds no deadlock"))?;
    Ok(terminal)
}

/// Presses a key, and films what it leads to for so many seconds.
fn press(terminal: &mut Terminal, key: &str, seconds: u32, caption: &str, film: &mut Film) -> Result<(), Error> {
    terminal.press(key)?;
    std::thread::sleep(SETTLES);
    terminal.with_screen(|screen| film.take(caption, screen, seconds));
    Ok(())
}

/// Goes down the list to a deadlock, and once more from its top where what is found has moved meanwhile.
fn select(terminal: &mut Terminal) -> Result<(), Error> {
    const DOWN: &str = "\u{1b}[B";
    const HOME: &str = "\u{1b}[H";
    let is_there = |line: &str| line.contains('▌') && line.contains("deadlock");
    for _ in 0..4 {
        for _ in 0..20 {
            if terminal.with_screen(|screen| screen.contents().lines().any(is_there)) {
                return Ok(());
            }
            terminal.press(DOWN)?;
            std::thread::sleep(SETTLES / 4);
        }
        terminal.press(HOME)?;
        std::thread::sleep(SETTLES / 4);
    }
    Err("no deadlock is in the list".into())
}

/// Ends holdup as a user does: it ends its demo server when it quits, and ended from outside it could not.
fn quit(mut terminal: Terminal) -> Result<(), Error> {
    terminal.press("q")?;
    terminal.child().wait()?;
    Ok(())
}

fn demo(holdup: &Path, args: &Args, film: &mut Film) -> Result<(), Error> {
    let mut terminal = start(holdup, args, "demo")?;
    std::thread::sleep(args.after);
    let typed = "$ holdup demo";
    terminal.with_screen(|screen| film.take(typed, screen, 5));
    select(&mut terminal)?;
    press(&mut terminal, "\r", 7, "$ holdup demo      ⏎ the story of a finding", film)?;
    press(&mut terminal, "3", 4, "$ holdup demo      3 workers, and what they do", film)?;
    press(&mut terminal, "4", 4, "$ holdup demo      4 locks, who holds them, and who waits", film)?;
    quit(terminal)
}

fn process(holdup: &Path, args: &Args, film: &mut Film) -> Result<(), Error> {
    let mut server = Server::start(holdup)?;
    let filmed = look(holdup, &server.0.id().to_string(), args, film);
    server.0.kill()?;
    server.0.wait()?;
    filmed
}

fn look(holdup: &Path, pid: &str, args: &Args, film: &mut Film) -> Result<(), Error> {
    let mut terminal = start(holdup, args, pid)?;
    std::thread::sleep(args.after / 4);
    let typed = format!("$ holdup {pid}      a server with nothing built in, read from its memory");
    terminal.with_screen(|screen| film.take(&typed, screen, 5));
    select(&mut terminal)?;
    press(&mut terminal, "\r", 7, &typed, film)?;
    press(&mut terminal, "2", 5, &typed, film)?;
    quit(terminal)
}

/// A server of which nothing tells, which ends with this. What it says has somebody who could read it for as long.
struct Server(Child, BufReader<ChildStdout>);

impl Server {
    fn start(holdup: &Path) -> Result<Self, Error> {
        let mut command = Command::new(holdup);
        command.args(["demo-server", "--instrument", "none", "--echo-addr", "127.0.0.1:0", "--scenario", TROUBLES]);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let stdout = child.stdout.take().ok_or("it has a stdout")?;
        let mut server = Self(child, BufReader::new(stdout));
        // It listens, and so it has begun.
        server.1.read_line(&mut String::new())?;
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that has ended cannot be ended again; that is no fault.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
