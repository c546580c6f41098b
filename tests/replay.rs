//! The past of a live session, and recordings, in a real terminal: what is shown of them, and how one moves in them.
#![cfg(all(feature = "demo", tokio_unstable, target_os = "linux"))]

#[allow(dead_code, reason = "what was recorded is seen on the screen")]
mod process;
#[allow(dead_code, reason = "only the server is needed")]
#[path = "process/running.rs"]
mod running;
#[allow(dead_code, reason = "no signal is sent, and the size stays")]
#[path = "process/shell.rs"]
mod shell;

use process::holdup;
use running::Server;
use shell::Shell;
use std::{
    fs,
    thread::sleep,
    time::{Duration, Instant},
};

/// How long something may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// The lowest row of the screen on which this stands, and the column: the time line is below all else.
fn place_of(shell: &Shell, what: &str) -> (usize, usize) {
    let contents = shell.contents();
    let lines: Vec<&str> = contents.lines().collect();
    let found = lines.iter().enumerate().rev().find_map(|(row, line)| {
        let at = line.find(what)?;
        Some((row + 1, line[..at].chars().count() + 1))
    });
    found.unwrap_or_else(|| panic!("no {what}\n{contents}"))
}

/// A click with the left button, as a terminal tells of it.
fn click(row: usize, column: usize) -> String {
    format!("\u{1b}[<0;{column};{row}M\u{1b}[<0;{column};{row}m")
}

#[test]
fn a_live_session_goes_back_and_comes_back() {
    let server = Server::start("deadlock");
    let mut shell = Shell::watching("", &server.target);
    shell.shows("critical  deadlock");
    // Some updates more, so that there is something to go back to.
    sleep(Duration::from_secs(4));
    shell.types("[");
    shell.shows("The past: ");
    shell.shows("End is the present");
    shell.shows("past ‖");
    shell.shows("┤ now");
    // To where the first finding began, which may have been before anybody looked.
    shell.types("{{{{{{{{[[[");
    shell.shows("End is the present");
    shell.types("\u{1b}[F");
    shell.hides("The past: ");
    shell.shows("live ●");
    shell.shows("critical  deadlock");
    // Stopped, and from there one back.
    shell.types(" ");
    shell.shows("The past: ");
    shell.types("[");
    shell.types("t");
    shell.shows("Flags▾");
    let (row, column) = place_of(&shell, "├");
    shell.types(&click(row, column + 3));
    shell.shows("The past: ");
    shell.types("w");
    shell.shows("`holdup replay` shows it");
    shell.types(" ");
    shell.hides("The past: ");
    shell.types("q");
    shell.shows("left=0");
    shell.is_sane();
    // What was written is a recording.
    shell.types("$HOLDUP info holdup-*.holdup\r");
    shell.shows("finding    deadlock");
    shell.types("clear; $HOLDUP holdup-*.holdup; echo left=$?\r");
    shell.shows("Recorded at ");
    shell.types("q");
    shell.shows("left=0");
}

#[test]
fn without_a_past_it_is_said_that_none_is_kept() {
    let server = Server::start("healthy");
    let mut shell = Shell::watching("", &format!("{} --history none", server.target));
    shell.shows("live ●");
    shell.types("[");
    shell.shows("no past is kept here: --history");
    shell.types(" ");
    shell.shows("The display stands still");
    shell.types("q");
    shell.shows("left=0");
}

#[test]
fn a_recording_is_played_on_the_same_screens() {
    let server = Server::start("deadlock");
    let folder = tempfile::tempdir().unwrap();
    let ended =
        holdup(folder.path()).args(["record", &server.target, "-o", "orders.holdup", "--for", "7s"]).output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    drop(server);
    let file = folder.path().join("orders.holdup");
    let mut shell = Shell::start();
    shell.types(&format!("$HOLDUP replay {}; echo left=$?\r", file.display()));
    shell.shows("Recorded at ");
    shell.shows("recording ‖");
    shell.shows("orders.holdup");
    // It begins where something is known.
    shell.hides("Opening the recording");
    shell.hides("Nothing is known of the target");
    shell.types("\u{1b}[F");
    shell.shows("critical  deadlock");
    shell.types("\r");
    shell.shows("The story");
    shell.types("\u{1b}");
    // What comes with an escape is one key with it.
    shell.hides("The story");
    shell.shows("critical  deadlock");
    // To the first instant of the time line, and from there it plays.
    let (row, column) = place_of(&shell, "├");
    shell.types(&click(row, column + 1));
    shell.hides("critical  deadlock");
    shell.types("+");
    shell.shows("played at 2×");
    shell.types(" ");
    shell.shows("critical  deadlock");
    shell.shows("this is the end of the recording");
    shell.types("P");
    shell.shows("this is a recording: nobody can be asked for more");
    shell.types("?");
    shell.shows("In a recording");
    shell.types("\u{1b}");
    shell.hides("Keys");
    shell.types("q");
    shell.shows("left=0");
    shell.is_sane();
    // An instant by the clock or from the end; and what is none.
    shell.types(&format!("clear; $HOLDUP replay --at -1s {}; echo left=$?\r", file.display()));
    shell.shows("critical  deadlock");
    shell.types("q");
    shell.shows("left=0");
    let mut shell = Shell::start();
    shell.types(&format!("$HOLDUP replay --at 2001-01-01T00:00:00Z {}; echo left=$?\r", file.display()));
    shell.shows("the instant is not in it");
    shell.shows("left=2");
}

#[test]
fn a_recording_that_is_still_written_is_followed() {
    let server = Server::start("healthy");
    let folder = tempfile::tempdir().unwrap();
    let mut recorder =
        holdup(folder.path()).args(["record", &server.target, "-o", "now.holdup", "--for", "60s"]).spawn().unwrap();
    let file = folder.path().join("now.holdup");
    let began = Instant::now();
    while fs::metadata(&file).map_or(0, |file| file.len()) < 2_000 {
        assert!(began.elapsed() < PATIENCE, "nothing is recorded");
        sleep(Duration::from_millis(50));
    }
    let mut shell = Shell::start();
    shell.types(&format!("$HOLDUP replay {}; echo left=$?\r", file.display()));
    shell.shows(" so far");
    shell.types("\u{1b}[F");
    let length = |contents: &str| {
        let (_, rest) = contents.split_once(" of ")?;
        Some(rest.split_once(" so far")?.0.to_owned())
    };
    shell.until("a length", |screen| length(&screen.contents()).is_some());
    let before = length(&shell.contents());
    shell.until("more of it", |screen| length(&screen.contents()).is_some_and(|now| before.as_ref() != Some(&now)));
    shell.types("q");
    shell.shows("left=0");
    recorder.kill().unwrap();
    recorder.wait().unwrap();
}
