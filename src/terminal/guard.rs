//! Takes the terminal, and gives it back: at the end, on a panic in whichever thread, and while the program is suspended.

use super::{
    Error, Host, Turn,
    screen::{Screen, Tty},
};
use crossterm::{clipboard::CopyToClipboard, execute, terminal};
use signal_hook::{consts::SIGTSTP, low_level::emulate_default_handler};
use std::{
    io::{self, IsTerminal, Write},
    panic,
    sync::Once,
};
use tokio::sync::Notify;

/// The process's terminal. A panic hook has nobody else to ask.
static SCREEN: Screen<Real> = Screen::new(Real);

/// Tells the loop that some thread panicked.
pub(super) static PANICKED: Notify = Notify::const_new();

/// The terminal, while it is ours.
#[derive(Debug)]
pub(super) struct Guard(());

impl Guard {
    /// Takes the terminal.
    pub(super) fn enter() -> Result<Self, Error> {
        if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
            return Err(Error::NoTerminal);
        }
        install_panic_hook();
        SCREEN.take()?;
        Ok(Self(()))
    }

    /// Where frames go.
    #[expect(clippy::unused_self, reason = "whoever draws must have the terminal")]
    pub(super) fn output(&self) -> Frames {
        Frames(Vec::new())
    }

    /// Gives the terminal back before whoever draws is dropped: ratatui would show the cursor once more, and where the terminal is gone
    /// say that it cannot, on what may be the same terminal, which ends the program.
    #[expect(clippy::unused_self, reason = "whoever gives the terminal back must have it")]
    pub(super) fn give_back(&self) {
        SCREEN.give_back();
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        SCREEN.give_back();
    }
}

/// What switches the demo server's troubles.
pub type Switchboard = Box<dyn FnMut(&'static str, Turn)>;

/// The real terminal, and whatever else the loop has outside of it.
pub(super) struct Outside<'a> {
    /// The terminal.
    pub guard: &'a Guard,
    /// The demo server, where it was started here.
    pub switchboard: Option<Switchboard>,
}

impl Host for Outside<'_> {
    fn suspend(&mut self) -> io::Result<()> {
        SCREEN.give_back();
        // Stops the process here; it goes on below when the shell continues it.
        emulate_default_handler(SIGTSTP)?;
        SCREEN.take()
    }

    fn resume(&mut self) -> io::Result<()> {
        SCREEN.take_anew()
    }

    fn copy(&mut self, text: &str) -> io::Result<()> {
        execute!(self.guard.output(), CopyToClipboard::to_clipboard_from(text))
    }

    fn switch(&mut self, trouble: &'static str, turn: Turn) {
        if let Some(switchboard) = &mut self.switchboard {
            switchboard(trouble, turn);
        }
    }
}

/// Collects what is drawn until it is flushed, which is when a frame is whole.
#[derive(Debug)]
pub(super) struct Frames(Vec<u8>);

impl Write for Frames {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let written = SCREEN.write(&self.0);
        self.0.clear();
        written
    }
}

/// The terminal of this process.
#[derive(Debug)]
struct Real;

impl Write for Real {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::stdout().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush()
    }
}

impl Tty for Real {
    fn enter_raw(&mut self) -> io::Result<()> {
        terminal::enable_raw_mode()
    }

    fn leave_raw(&mut self) -> io::Result<()> {
        terminal::disable_raw_mode()
    }
}

/// The panic's message must be readable, so the terminal is restored before it is written.
fn install_panic_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            SCREEN.give_back_for_good();
            before(info);
            PANICKED.notify_one();
        }));
    });
}
