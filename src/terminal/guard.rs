//! Takes the terminal, and gives it back: at the end, on a panic in whichever thread, and while the program is suspended.

use super::{Error, Host};
use crossterm::{
    clipboard::CopyToClipboard,
    cursor, event, execute,
    terminal::{self, EnterAlternateScreen, LeaveAlternateScreen},
};
use signal_hook::{consts::SIGTSTP, low_level::emulate_default_handler};
use std::{
    io::{self, BufWriter, IsTerminal, Stdout, Write},
    panic,
    sync::{
        Once,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::Notify;

/// Whether the terminal is ours at the moment. A panic hook has nobody else to ask.
static TAKEN: AtomicBool = AtomicBool::new(false);

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
        take()?;
        Ok(Self(()))
    }

    /// Where frames go.
    #[expect(clippy::unused_self, reason = "whoever draws must have the terminal")]
    pub(super) fn output(&self) -> BufWriter<Stdout> {
        BufWriter::with_capacity(1 << 16, io::stdout())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        give_back();
    }
}

impl Host for &Guard {
    fn suspend(&mut self) -> io::Result<()> {
        give_back();
        // Stops the process here; it goes on below when the shell continues it.
        emulate_default_handler(SIGTSTP)?;
        take()
    }

    fn resume(&mut self) -> io::Result<()> {
        // Whoever used the terminal in between may have set its modes: raw mode is entered anew, not thought to be in force.
        terminal::disable_raw_mode()?;
        TAKEN.store(false, Ordering::SeqCst);
        take()
    }

    fn copy(&mut self, text: &str) -> io::Result<()> {
        execute!(io::stdout(), CopyToClipboard::to_clipboard_from(text))
    }
}

fn take() -> io::Result<()> {
    if TAKEN.swap(true, Ordering::SeqCst) {
        return Ok(());
    }
    terminal::enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen, event::EnableMouseCapture, cursor::Hide)
}

/// Gives the terminal back. What fails here cannot be told to anyone.
fn give_back() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout();
    let _ = execute!(out, event::DisableMouseCapture, LeaveAlternateScreen, cursor::Show);
    let _ = terminal::disable_raw_mode();
    let _ = out.flush();
}

/// The panic's message must be readable, so the terminal is restored before it is written.
fn install_panic_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            give_back();
            before(info);
            PANICKED.notify_one();
        }));
    });
}
