//! The shipped program in a real terminal, started from a real shell: what it shows, and what it leaves behind.
#![cfg(all(feature = "demo", tokio_unstable, target_os = "linux"))]

#[allow(dead_code, reason = "the program runs in a shell here, not as a plain process")]
mod process;
#[allow(dead_code, reason = "only the server is needed")]
#[path = "process/running.rs"]
mod running;

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use running::Server;
use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::{Arc, Mutex},
    thread::sleep,
    time::{Duration, Instant},
};

/// How long anything may take. Far above what it needs: a test that hangs is to fail instead.
const PATIENCE: Duration = Duration::from_secs(60);

/// A shell in a terminal.
struct Shell {
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    screen: Arc<Mutex<vt100::Parser>>,
    master: Box<dyn MasterPty + Send>,
    _home: tempfile::TempDir,
}

impl Shell {
    fn start() -> Self {
        let size = PtySize { rows: 40, cols: 120, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let home = tempfile::tempdir().unwrap();
        let mut command = CommandBuilder::new("sh");
        command.arg("-i");
        command.env_clear();
        for (name, value) in [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("PS1", "$ "), ("PATH", "/usr/bin:/bin")]
        {
            command.env(name, value);
        }
        command.env("HOME", home.path());
        command.env("HOLDUP", env!("CARGO_BIN_EXE_holdup"));
        command.cwd(home.path());
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let screen = Arc::new(Mutex::new(vt100::Parser::new(size.rows, size.cols, 0)));
        let (mut reader, parser) = (pair.master.try_clone_reader().unwrap(), Arc::clone(&screen));
        std::thread::spawn(move || {
            let mut bytes = [0; 4_096];
            while let Ok(read @ 1..) = reader.read(&mut bytes) {
                parser.lock().unwrap().process(&bytes[..read]);
            }
        });
        let keys = pair.master.take_writer().unwrap();
        let shell = Self { child, keys, screen, master: pair.master, _home: home };
        shell.shows("$ ");
        shell
    }

    /// A shell in which holdup watches a target, and has come up. `before` stands before the command.
    fn watching(before: &str, target: &str) -> Self {
        let mut shell = Self::start();
        shell.types(&format!("{before} $HOLDUP {target}; echo left=$?\r"));
        shell.shows("1 Findings");
        shell
    }

    fn contents(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    fn shows(&self, what: &str) {
        self.until(what, |screen| screen.contents().contains(what));
    }

    fn hides(&self, what: &str) {
        self.until(&format!("no {what}"), |screen| !screen.contents().contains(what));
    }

    fn until(&self, what: &str, is_so: impl Fn(&vt100::Screen) -> bool) {
        let begun = Instant::now();
        while !is_so(self.screen.lock().unwrap().screen()) {
            assert!(begun.elapsed() < PATIENCE, "not seen: {what}\n{}", self.contents());
            sleep(Duration::from_millis(20));
        }
    }

    fn types(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// The program's process.
    fn pid(&self) -> i32 {
        self.master.process_group_leader().expect("something runs in the foreground")
    }

    fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        assert!(std::process::Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// The terminal is as the shell left it: the main screen, a cursor, no mouse, and lines that echo.
    fn is_sane(&mut self) {
        self.until("the main screen", |screen| !screen.alternate_screen());
        self.until("a cursor", |screen| !screen.hide_cursor());
        self.until("no mouse", |screen| screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None);
        self.types("stty -a | tr ' ;' '\\n\\n' | grep -x -e icanon -e echo -e isig | tr '\\n' + ; echo .\r");
        self.shows("isig+icanon+echo+.");
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

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
        let mut shell = Shell::watching(&format!("HOLDUP_REHEARSE_PANIC={place}"), &server.target);
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
        shell.screen.lock().unwrap().screen_mut().set_size(rows, cols);
        shell.master.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
        shell.shows(what);
    }
    shell.types("q");
    shell.shows("left=0");
}
