//! `holdup demo` as it is shipped, in a terminal: it comes up, shows what the server does, and leaves nothing running.
#![cfg(all(feature = "demo", tokio_unstable, target_os = "linux"))]

#[path = "process/terminal.rs"]
#[expect(dead_code, reason = "other tests resize it")]
mod terminal;

use portable_pty::CommandBuilder;
use std::{
    fs,
    path::Path,
    thread::sleep,
    time::{Duration, Instant},
};
use terminal::{PATIENCE, Terminal};

/// The executable in a terminal of its own.
struct Demo(Terminal);

impl Demo {
    fn start(args: &[&str]) -> Self {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_holdup"));
        command.args(args);
        Self(Terminal::start(command, &[]))
    }

    /// The one process that it started.
    fn server(&self) -> u32 {
        let pid = self.0.child.process_id().unwrap();
        let of_thread = |thread: fs::DirEntry| fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
        let children: String = threads.map(|thread| of_thread(thread.unwrap())).collect();
        let children: Vec<u32> = children.split_whitespace().map(|child| child.parse().unwrap()).collect();
        assert_eq!(children.len(), 1, "{children:?}");
        children[0]
    }

    fn end(&mut self) -> u32 {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.0.child.try_wait().unwrap() {
                return status.exit_code();
            }
            assert!(begun.elapsed() < PATIENCE, "it does not end");
            sleep(Duration::from_millis(20));
        }
    }
}

/// A process that has ended and that nobody has waited for yet is gone as well.
fn is_gone(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !Path::new(&format!("/proc/{pid}")).exists()
        || stat.rsplit(')').next().is_some_and(|rest| rest.trim().starts_with('Z'))
}

#[test]
fn it_shows_the_servers_troubles_and_leaves_nothing_running() {
    let mut demo = Demo::start(&["demo", "--scenario", "spin-later-poll", "--load", "5"]);
    demo.0.shows("stalled-worker");
    let server = demo.server();
    assert!(!is_gone(server));
    demo.0.types("q");
    assert_eq!(demo.end(), 0);
    assert!(is_gone(server), "it is waited for before the end");
    demo.0.until("the terminal as it was", |screen| !screen.alternate_screen() && !screen.hide_cursor());
}

#[test]
fn its_server_ends_with_it_however_it_ends() {
    for signal in ["TERM", "KILL"] {
        let mut demo = Demo::start(&["demo", "--scenario", "healthy", "--load", "5"]);
        demo.0.shows("live");
        let server = demo.server();
        let pid = demo.0.child.process_id().unwrap().to_string();
        assert!(std::process::Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
        demo.end();
        demo.0.until(signal, |_| is_gone(server));
    }
}
