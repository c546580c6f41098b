//! A shell in a terminal of its own, in which the shipped program is started as a user would start it.

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::{
    io::{Read, Write},
    sync::{Arc, Mutex},
    thread::sleep,
    time::{Duration, Instant},
};

/// How long anything may take. Far above what it needs: a test that hangs is to fail instead.
const PATIENCE: Duration = Duration::from_secs(60);

/// A shell in a terminal.
pub struct Shell {
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    screen: Arc<Mutex<vt100::Parser>>,
    master: Box<dyn MasterPty + Send>,
    _home: tempfile::TempDir,
}

impl Shell {
    pub fn start() -> Self {
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
    pub fn watching(before: &str, target: &str) -> Self {
        let mut shell = Self::start();
        shell.types(&format!("{before} $HOLDUP {target}; echo left=$?\r"));
        shell.shows("1 Findings");
        shell
    }

    pub fn contents(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    pub fn shows(&self, what: &str) {
        self.until(what, |screen| screen.contents().contains(what));
    }

    pub fn hides(&self, what: &str) {
        self.until(&format!("no {what}"), |screen| !screen.contents().contains(what));
    }

    pub fn until(&self, what: &str, is_so: impl Fn(&vt100::Screen) -> bool) {
        let begun = Instant::now();
        while !is_so(self.screen.lock().unwrap().screen()) {
            assert!(begun.elapsed() < PATIENCE, "not seen: {what}\n{}", self.contents());
            sleep(Duration::from_millis(20));
        }
    }

    pub fn types(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// The terminal has another size.
    pub fn resize(&self, size: PtySize) {
        self.screen.lock().unwrap().screen_mut().set_size(size.rows, size.cols);
        self.master.resize(size).unwrap();
    }

    /// The program's process.
    pub fn pid(&self) -> i32 {
        self.master.process_group_leader().expect("something runs in the foreground")
    }

    pub fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        assert!(std::process::Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// The terminal is as the shell left it: the main screen, a cursor, no mouse, and lines that echo.
    pub fn is_sane(&mut self) {
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
