//! A client in a terminal of its own, and what its screen shows.

use portable_pty::{Child, CommandBuilder, MasterPty, NativePtySystem, PtySize, PtySystem};
use std::{
    ffi::OsString,
    io::{Read, Write},
    path::Path,
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// A program in a terminal. It is ended when this is dropped.
pub(crate) struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    screen: Arc<Screen>,
    _pty: Box<dyn MasterPty + Send>,
}

struct Screen {
    parser: Mutex<vt100::Parser>,
    drawn: Condvar,
}

/// Why a program could not be put into a terminal.
pub(crate) type Error = Box<dyn std::error::Error + Send + Sync>;

impl Terminal {
    /// Starts a program in a terminal of so many rows and columns.
    pub(crate) fn start(program: &Path, args: &[OsString], (rows, cols): (u16, u16)) -> Result<Self, Error> {
        let pty = NativePtySystem::default().openpty(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 })?;
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        let child = pty.slave.spawn_command(command)?;
        let keys = pty.master.take_writer()?;
        let mut output = pty.master.try_clone_reader()?;
        let parser = Mutex::new(vt100::Parser::new(rows, cols, 0));
        let screen = Arc::new(Screen { parser, drawn: Condvar::new() });
        let drawn = Arc::clone(&screen);
        std::thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            while let Ok(read @ 1..) = output.read(&mut buffer) {
                drawn.parser.lock().unwrap_or_else(PoisonError::into_inner).process(&buffer[..read]);
                drawn.drawn.notify_all();
            }
        });
        Ok(Self { child, keys, screen, _pty: pty.master })
    }

    /// Types.
    pub(crate) fn press(&mut self, keys: &str) -> Result<(), Error> {
        self.keys.write_all(keys.as_bytes())?;
        self.keys.flush()?;
        Ok(())
    }

    /// The program.
    pub(crate) fn child(&mut self) -> &mut (dyn Child + Send + Sync) {
        &mut *self.child
    }

    /// Looks at the screen as it is now.
    pub(crate) fn with_screen<T>(&self, look: impl FnOnce(&vt100::Screen) -> T) -> T {
        look(self.screen.parser.lock().unwrap_or_else(PoisonError::into_inner).screen())
    }

    /// How long it takes until the screen is as wanted; `None` if it is not within `patience`.
    pub(crate) fn wait_for(&self, patience: Duration, wanted: impl Fn(&vt100::Screen) -> bool) -> Option<Duration> {
        let start = Instant::now();
        let mut parser = self.screen.parser.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if wanted(parser.screen()) {
                return Some(start.elapsed());
            }
            let left = patience.checked_sub(start.elapsed())?;
            (parser, _) = self.screen.drawn.wait_timeout(parser, left).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A program that has ended by itself cannot be ended again; that is no fault.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
