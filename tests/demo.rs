//! `holdup demo` as it is shipped, in a terminal: it comes up, shows what the server does, and leaves nothing running.
#![cfg(all(feature = "demo", tokio_unstable, target_os = "linux"))]

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::{
    fs,
    io::{Read, Write},
    path::Path,
    sync::{Arc, Mutex},
    thread::sleep,
    time::{Duration, Instant},
};

/// How long anything may take. Far above what it needs: a test that hangs is to fail instead.
const PATIENCE: Duration = Duration::from_secs(60);

/// The executable in a terminal of its own.
struct Demo {
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    screen: Arc<Mutex<vt100::Parser>>,
    _master: Box<dyn MasterPty + Send>,
    _home: tempfile::TempDir,
}

impl Demo {
    fn start(args: &[&str]) -> Self {
        let size = PtySize { rows: 40, cols: 120, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let home = tempfile::tempdir().unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_holdup"));
        command.args(args);
        command.env_clear();
        command.env("HOME", home.path());
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
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
        Self { child, keys, screen, _master: pair.master, _home: home }
    }

    fn shows(&self, what: &str) {
        self.until(what, || self.screen.lock().unwrap().screen().contents().contains(what));
    }

    fn until(&self, what: &str, is_so: impl Fn() -> bool) {
        let begun = Instant::now();
        while !is_so() {
            let screen = self.screen.lock().unwrap().screen().contents();
            assert!(begun.elapsed() < PATIENCE, "not seen: {what}\n{screen}");
            sleep(Duration::from_millis(50));
        }
    }

    /// The one process that it started.
    fn server(&self) -> u32 {
        let pid = self.child.process_id().unwrap();
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
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.exit_code();
            }
            assert!(begun.elapsed() < PATIENCE, "it does not end");
            sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
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
    demo.shows("stalled-worker");
    let server = demo.server();
    assert!(!is_gone(server));
    demo.keys.write_all(b"q").unwrap();
    assert_eq!(demo.end(), 0);
    assert!(is_gone(server), "it is waited for before the end");
    let left = demo.screen.lock().unwrap();
    assert!(!left.screen().alternate_screen() && !left.screen().hide_cursor(), "the terminal is as it was");
}

#[test]
fn its_server_ends_with_it_however_it_ends() {
    for signal in ["TERM", "KILL"] {
        let mut demo = Demo::start(&["demo", "--scenario", "healthy", "--load", "5"]);
        demo.shows("live");
        let server = demo.server();
        let pid = demo.child.process_id().unwrap().to_string();
        assert!(std::process::Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
        demo.end();
        demo.until(signal, || is_gone(server));
    }
}
