//! The shipped program in a real terminal, started from a real shell: what it shows, and what it leaves behind.
#![cfg(all(feature = "demo", tokio_unstable, target_os = "linux"))]

#[path = "pty/fleet.rs"]
mod fleet;
#[allow(dead_code, reason = "the program runs in a shell here, not as a plain process")]
mod process;
#[allow(dead_code, reason = "only the server is needed")]
#[path = "process/running.rs"]
mod running;
#[path = "process/shell.rs"]
mod shell;
#[path = "pty/tour.rs"]
mod tour;

use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use running::Server;
use shell::Shell;
use std::{io::Read as _, net::TcpListener, thread::sleep, time::Duration};

#[test]
fn tasks_are_seen_sorted_filtered_and_opened_and_quitting_leaves_a_sane_terminal() {
    let server = Server::start("lock-across-await");
    let mut shell = Shell::watching("", &server.target);
    shell.shows("held-across-await");
    shell.shows("live");
    shell.types("t");
    shell.shows("Flags▾");
    shell.types("l");
    shell.shows("▴ID");
    shell.types("/kind:task -name:conn");
    shell.shows("filter  kind:task -name:conn");
    shell.types("\r\r");
    shell.shows("spawned");
    shell.shows("wakers");
    shell.types("\u{1b}");
    shell.shows("▴ID");
    shell.types("?");
    shell.shows("Keys");
    shell.types("\u{1b}");
    shell.hides("Keys");
    shell.types("q");
    shell.shows("left=0");
    shell.is_sane();
}

#[test]
fn a_deadlock_is_followed_step_by_step_and_back() {
    let server = Server::start("deadlock");
    let mut shell = Shell::watching("", &server.target);
    shell.shows("▌● critical  deadlock");
    shell.types("\r");
    shell.shows("The story");
    shell.shows("▌task ");
    shell.types("j");
    shell.shows("▌╰─ ");
    shell.types("\r");
    shell.shows("╭ Mutex ");
    shell.types("\u{1b}");
    shell.shows("▌╰─ ");
    shell.types("\u{1b}[B\r");
    shell.shows("╭ task ");
    shell.shows("holds");
    shell.types("\u{1b}");
    shell.shows("▌   ╰─ ");
    shell.types("\u{1b}");
    shell.shows("╭ Findings");
    shell.types("q");
    shell.shows("left=0");
    shell.is_sane();
}

#[test]
fn the_mouse_is_asked_for_its_buttons_and_not_for_every_movement() {
    let server = Server::start("healthy");
    let mut shell = Shell::watching("", &server.target);
    shell.shows("live");
    shell.until("buttons of the mouse", |screen| {
        screen.mouse_protocol_mode() == vt100::MouseProtocolMode::PressRelease
            && screen.mouse_protocol_encoding() == vt100::MouseProtocolEncoding::Sgr
    });
    // The second tab, by its place in the second line.
    shell.types("\u{1b}[<0;16;2M\u{1b}[<0;16;2m");
    shell.shows("Flags▾");
    shell.types("q");
    shell.shows("left=0");
    shell.is_sane();
}

#[test]
fn quitting_works_while_the_target_is_down() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut shell = Shell::watching("", &format!("http://{free}"));
    shell.shows("Cannot reach");
    shell.shows("retry in");
    shell.types("q");
    shell.shows("left=0");
    shell.is_sane();
}

#[test]
fn a_target_that_goes_and_comes_back_is_watched_again() {
    let server = Server::start("healthy");
    let console = server.target.trim_start_matches("http://").to_owned();
    let mut shell = Shell::watching("", &server.target);
    shell.shows("Nothing wrong found");
    drop(server);
    shell.shows("What is shown is old");
    let _server = Server::start_at(&console, "healthy");
    shell.types("R");
    shell.hides("What is shown is old");
    shell.shows("live");
    shell.types("q");
    shell.shows("left=0");
}

#[test]
fn signals_that_end_it_leave_a_sane_terminal() {
    for signal in ["TERM", "HUP", "INT", "QUIT", "USR1"] {
        let server = Server::start("healthy");
        let mut shell = Shell::watching("", &server.target);
        shell.shows("live");
        shell.signal(signal);
        shell.shows("left=0");
        shell.is_sane();
    }
}

/// There is nobody left to be told anything, the end of the program included: only its exit code.
#[test]
fn a_terminal_that_is_gone_ends_it_without_a_panic() {
    let server = Server::start("healthy");
    let folder = tempfile::tempdir().unwrap();
    let left = folder.path().join("left");
    let pair = native_pty_system().openpty(PtySize { rows: 40, cols: 120, ..PtySize::default() }).unwrap();
    let mut command = CommandBuilder::new("sh");
    command.args(["-c", "trap '' HUP; $HOLDUP $TARGET; echo $? > left.new; mv left.new left"]);
    command.env_clear();
    for (name, value) in [("HOLDUP", env!("CARGO_BIN_EXE_holdup")), ("TARGET", &server.target), ("TERM", "xterm")] {
        command.env(name, value);
    }
    command.env("PATH", "/usr/bin:/bin");
    command.env("HOME", folder.path());
    command.cwd(folder.path());
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let (mut reader, mut screen, mut bytes) =
        (pair.master.try_clone_reader().unwrap(), vt100::Parser::new(40, 120, 0), [0; 4_096]);
    while !screen.screen().contents().contains("1 Findings") {
        let read = reader.read(&mut bytes).unwrap();
        screen.process(&bytes[..read]);
    }
    drop((reader, pair.master));
    assert!(child.wait().unwrap().success());
    let code = std::fs::read_to_string(left).unwrap();
    // It hears that the terminal ends, or that a frame cannot be written, whichever is first.
    assert!(["0", "2"].contains(&code.trim()), "it ended with {code}");
}

#[test]
fn a_panic_in_whichever_thread_leaves_a_sane_terminal_and_its_message() {
    for (place, said, status) in [("screen", "in the event loop", 101), ("thread", "in another thread", 2)] {
        let server = Server::start("healthy");
        let mut shell = Shell::watching(&format!("HOLDUP_FAULT_PANIC={place}"), &server.target);
        shell.shows(said);
        // The command line itself says `left=$?`, and whoever types before holdup has gone types for holdup.
        shell.shows(&format!("left={status}"));
        shell.is_sane();
    }
}

#[test]
fn it_can_be_suspended_and_goes_on_where_it_was() {
    let server = Server::start("healthy");
    let mut shell = Shell::watching("", &server.target);
    shell.types("t");
    shell.shows("Flags▾");
    shell.types("\u{1a}");
    shell.shows("Stopped");
    shell.is_sane();
    shell.types("fg\r");
    shell.shows("Flags▾");
    shell.until("the alternate screen", vt100::Screen::alternate_screen);
    shell.signal("TSTP");
    shell.until("the main screen", |screen| !screen.alternate_screen());
    shell.is_sane();
    shell.types("fg\r");
    shell.shows("Flags▾");
    // Nobody can prepare for this one. The modes are the shell's own when it goes on.
    shell.signal("STOP");
    shell.until("another stop", |screen| screen.contents().contains("Stopped") || !screen.alternate_screen());
    shell.types("stty sane; echo the-shell-is-here\n");
    // The old screen is still there: only when what the shell wrote over it is gone has holdup gone on, and hears keys again.
    shell.shows("the-shell-is-here");
    shell.types("fg\n");
    shell.until("tasks, and nothing of the shell", |screen| {
        let text = screen.contents();
        text.contains("Flags▾") && !text.contains("the-shell-is-here") && !text.contains("Stopped")
    });
    shell.types("?");
    shell.shows("Keys");
    shell.types("q");
    shell.until("the main screen", |screen| !screen.alternate_screen());
    shell.is_sane();
}

#[test]
fn it_follows_the_terminals_size() {
    let server = Server::start("healthy");
    let mut shell = Shell::watching("", &server.target);
    for (rows, cols, what) in [(24, 80, "1 Findings"), (8, 30, "too small"), (50, 200, "1 Findings")] {
        shell.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 });
        shell.shows(what);
    }
    shell.types("q");
    shell.shows("left=0");
}

#[test]
fn a_megabyte_that_is_pasted_into_the_filter_is_cut_and_keys_after_it_work() {
    let server = Server::start("healthy");
    // As keys, from a terminal that knows no marks around what is pasted; and with them.
    for (begin, end) in [("", ""), ("\u{1b}[200~", "\u{1b}[201~")] {
        let mut shell = Shell::watching("", &server.target);
        shell.types("t");
        shell.shows("Flags▾");
        shell.until("marks around what is pasted", vt100::Screen::bracketed_paste);
        shell.types("/");
        shell.shows("filter  ");
        shell.types(&format!("{begin}{}{end}", "x".repeat(1 << 20)));
        shell.shows("a filter has room for 1000 bytes: the rest was cut");
        shell.types("\u{15}name:nobody");
        shell.shows("filter  name:nobody");
        shell.hides("conn");
        shell.types("\u{1b}");
        shell.hides("filter  name");
        // Outside of a filter it is not taken for keys.
        shell.types("\u{1b}[200~q\rq\u{1b}[201~");
        shell.shows("what is pasted is taken by a filter alone");
        shell.types("q");
        shell.shows("left=0");
        shell.is_sane();
    }
}

#[test]
fn hundreds_of_sizes_within_a_second_end_with_the_last_one_drawn() {
    let server = Server::start("healthy");
    let mut shell = Shell::watching("", &server.target);
    shell.types("t");
    shell.shows("Flags▾");
    let size = |rows, cols| PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
    let extremes = [size(1, 1), size(200, 500), size(1, 500), size(200, 1)];
    for step in 0..400_u16 {
        let next = match step % 4 {
            0 => extremes[usize::from(step / 4 % 4)],
            _ => size(1 + step % 50, 1 + step % 170),
        };
        // What plays the screen here does not bear to be so small itself.
        shell.master.resize(next).unwrap();
        sleep(Duration::from_millis(2));
    }
    shell.resize(size(30, 100));
    shell.until("the list in all of the screen", |screen| {
        let rows: Vec<String> = screen.rows(0, 100).map(|row| row.trim_end().to_owned()).collect();
        let is_framed = rows[28].starts_with('╰') && rows[28].ends_with('╯') && rows[28].chars().count() == 100;
        is_framed && rows[29].contains("q quit") && rows.iter().any(|row| row.contains("Flags▾"))
    });
    shell.master.resize(size(1, 1)).unwrap();
    shell.types("?");
    shell.resize(size(40, 120));
    shell.shows("Keys");
    shell.types("q");
    shell.shows("left=0");
}

#[test]
fn a_target_that_stands_still_is_said_to_keys_work_and_it_goes_on_without_a_finding() {
    let server = Server::start("healthy");
    let mut shell = Shell::watching("", &format!("--no-memory {}", server.target));
    shell.shows("Nothing wrong found");
    server.signal("STOP");
    shell.shows("Nothing heard for 5 s");
    shell.types("t");
    shell.shows("Flags▾");
    shell.shows("Nothing heard for 7 s");
    shell.shows("silent for");
    shell.types("f");
    server.signal("CONT");
    shell.hides("Nothing heard");
    shell.shows("live");
    // What was judged of the time that passed would stand here by the second update.
    sleep(Duration::from_secs(3));
    shell.shows("Nothing wrong found");
    shell.types("q");
    shell.shows("left=0");
}

#[test]
fn a_log_for_which_there_is_no_room_is_said_to_be_none_and_keeps_nobody() {
    let server = Server::start("healthy");
    // Where the signal for it is ignored, a file that may grow no more is as a disk that is full.
    let mut shell =
        Shell::watching("trap '' XFSZ; ulimit -f 16;", &format!("--log trace --log-dir logs {}", server.target));
    shell.shows("cannot be written, and has gaps");
    shell.hides("cannot be written, and has gaps");
    shell.types("t");
    shell.shows("Flags▾");
    shell.shows("live");
    shell.types("q");
    shell.shows("left=0");
    shell.is_sane();
}
