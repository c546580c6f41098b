//! A program in a terminal of its own, and what its screen shows.

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::{
    io::{Read, Write},
    sync::{
        Arc, Mutex,
        mpsc::{Sender, channel},
    },
    thread::sleep,
    time::{Duration, Instant},
};

/// How long anything may take. Far above what it needs: a test that hangs is to fail instead.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A program in a terminal. It is ended when this is dropped.
pub(crate) struct Terminal {
    pub child: Box<dyn Child + Send + Sync>,
    pub master: Box<dyn MasterPty + Send>,
    keys: Sender<String>,
    screen: Arc<Mutex<vt100::Parser>>,
    _home: tempfile::TempDir,
}

impl Terminal {
    /// Starts a program in an empty home, and in an environment that says nothing but that, `environment`, and what a terminal
    /// has to say.
    pub(crate) fn start(mut command: CommandBuilder, environment: &[(&str, &str)]) -> Self {
        let size = PtySize { rows: 40, cols: 120, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let home = tempfile::tempdir().unwrap();
        command.env_clear();
        for (name, value) in [("TERM", "xterm-256color"), ("LANG", "C.UTF-8")].iter().chain(environment) {
            command.env(name, value);
        }
        command.env("HOME", home.path());
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
        // On a thread of its own: a program that reads no more would keep the test for ever.
        let (keys, typed) = channel::<String>();
        let mut writer = pair.master.take_writer().unwrap();
        std::thread::spawn(move || {
            for keys in typed {
                writer.write_all(keys.as_bytes()).and_then(|()| writer.flush()).ok()?;
            }
            Some(())
        });
        Self { child, master: pair.master, keys, screen, _home: home }
    }

    pub(crate) fn contents(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    pub(crate) fn shows(&self, what: &str) {
        self.until(what, |screen| screen.contents().contains(what));
    }

    pub(crate) fn until(&self, what: &str, is_so: impl Fn(&vt100::Screen) -> bool) {
        let begun = Instant::now();
        while !is_so(self.screen.lock().unwrap().screen()) {
            assert!(begun.elapsed() < PATIENCE, "not seen: {what}\n{}", self.contents());
            sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn types(&mut self, keys: &str) {
        self.keys.send(keys.to_owned()).expect("the terminal is there");
    }

    /// The terminal has another size.
    pub(crate) fn resize(&self, size: PtySize) {
        self.screen.lock().unwrap().screen_mut().set_size(size.rows, size.cols);
        self.master.resize(size).unwrap();
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
