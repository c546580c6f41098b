//! The shipped program in a real terminal, started from a real shell: what it shows, and what it leaves behind.
#![cfg(all(feature = "demo", tokio_unstable, target_os = "linux"))]

#[allow(dead_code, reason = "the program runs in a shell here, not as a plain process")]
mod process;
#[allow(dead_code, reason = "only the server is needed")]
#[path = "process/running.rs"]
mod running;
#[path = "process/shell.rs"]
mod shell;

use portable_pty::PtySize;
use running::Server;
use shell::Shell;
use std::net::TcpListener;

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
    for signal in ["TERM", "HUP", "INT"] {
        let server = Server::start("healthy");
        let mut shell = Shell::watching("", &server.target);
        shell.shows("live");
        shell.signal(signal);
        shell.shows("left=0");
        shell.is_sane();
    }
}

#[test]
fn a_panic_in_whichever_thread_leaves_a_sane_terminal_and_its_message() {
    for (place, said) in [("screen", "in the event loop"), ("thread", "in another thread")] {
        let server = Server::start("healthy");
        let mut shell = Shell::watching(&format!("HOLDUP_FAULT_PANIC={place}"), &server.target);
        shell.shows(said);
        shell.shows("left=");
        assert!(!shell.contents().contains("left=0"), "{}", shell.contents());
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
