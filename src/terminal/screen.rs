//! The terminal's modes and everything that is written to it, behind one lock. Who gives the terminal back, in whichever thread,
//! waits for the frame under way, and what is drawn after that goes nowhere: the shell never gets half a frame.

use crossterm::{
    Command, QueueableCommand, cursor,
    event::{DisableBracketedPaste, EnableBracketedPaste},
    terminal::{EnterAlternateScreen, LeaveAlternateScreen},
};
use std::{
    fmt,
    io::{self, Write},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// A terminal that is written to, and can be in raw mode.
pub(super) trait Tty: Write {
    /// Keys come as they are pressed.
    fn enter_raw(&mut self) -> io::Result<()>;
    /// The modes are again what they were before.
    fn leave_raw(&mut self) -> io::Result<()>;
}

/// Whose the terminal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// The shell's, for now.
    Shell,
    /// Ours.
    Us,
    /// The shell's, and nobody takes it again.
    ShellForGood,
}

/// The terminal. All of it is said under its lock.
#[derive(Debug)]
pub(super) struct Screen<T>(Mutex<State<T>>);

#[derive(Debug)]
struct State<T> {
    tty: T,
    owner: Owner,
}

impl<T: Tty> Screen<T> {
    /// The shell's.
    pub(super) const fn new(tty: T) -> Self {
        Self(Mutex::new(State { tty, owner: Owner::Shell }))
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the terminal, or leaves it as it was.
    pub(super) fn take(&self) -> io::Result<()> {
        self.state().take()
    }

    /// Takes it whatever its modes are: who used it in between may have set them.
    pub(super) fn take_anew(&self) -> io::Result<()> {
        let mut state = self.state();
        if state.owner == Owner::Us {
            state.tty.leave_raw()?;
            state.owner = Owner::Shell;
        }
        state.take()
    }

    /// Gives it to the shell. What fails here cannot be told to anyone.
    pub(super) fn give_back(&self) {
        self.state().give_back();
    }

    /// The same, and it is not taken again.
    pub(super) fn give_back_for_good(&self) {
        let mut state = self.state();
        state.give_back();
        state.owner = Owner::ShellForGood;
    }

    /// Writes a whole frame, or whatever else belongs together; nothing while the terminal is not ours.
    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        if state.owner != Owner::Us {
            return Ok(());
        }
        state.tty.write_all(bytes)?;
        state.tty.flush()
    }
}

impl<T: Tty> State<T> {
    fn take(&mut self) -> io::Result<()> {
        if self.owner != Owner::Shell {
            return Ok(());
        }
        self.tty.enter_raw()?;
        let entered = self.enter();
        self.owner = Owner::Us;
        if entered.is_err() {
            self.give_back();
        }
        entered
    }

    fn enter(&mut self) -> io::Result<()> {
        self.tty
            .queue(EnterAlternateScreen)?
            .queue(MouseButtons)?
            .queue(EnableBracketedPaste)?
            .queue(cursor::Hide)?
            .flush()
    }

    fn give_back(&mut self) {
        if self.owner != Owner::Us {
            return;
        }
        self.owner = Owner::Shell;
        let _ = self.leave();
        let _ = self.tty.leave_raw();
    }

    fn leave(&mut self) -> io::Result<()> {
        self.tty.queue(DisableBracketedPaste)?.queue(NoMouse)?.queue(LeaveAlternateScreen)?.queue(cursor::Show)?.flush()
    }
}

/// Asks for buttons and the wheel, in the form that knows no largest column. crossterm's own command asks for every movement as
/// well, of which each would be an event, and a frame.
#[derive(Debug)]
struct MouseButtons;

impl Command for MouseButtons {
    fn write_ansi(&self, out: &mut impl fmt::Write) -> fmt::Result {
        out.write_str("\x1b[?1000h\x1b[?1006h")
    }
}

/// Asks for no more of what [`MouseButtons`] asked for.
#[derive(Debug)]
struct NoMouse;

impl Command for NoMouse {
    fn write_ansi(&self, out: &mut impl fmt::Write) -> fmt::Result {
        out.write_str("\x1b[?1006l\x1b[?1000l")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    const LEAVING: &str = "\x1b[?2004l\x1b[?1006l\x1b[?1000l\x1b[?1049l\x1b[?25h";

    /// A terminal that writes a byte at a time, as a slow one would.
    #[derive(Debug, Default)]
    struct Fake {
        written: Vec<u8>,
        room: Option<usize>,
        modes: Vec<&'static str>,
    }

    impl Write for Fake {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.room.is_some_and(|room| self.written.len() >= room) {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            self.written.extend(bytes.first());
            thread::yield_now();
            Ok(bytes.len().min(1))
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Tty for Fake {
        fn enter_raw(&mut self) -> io::Result<()> {
            self.modes.push("raw");
            Ok(())
        }

        fn leave_raw(&mut self) -> io::Result<()> {
            self.modes.push("cooked");
            Ok(())
        }
    }

    fn written(screen: &Screen<Fake>) -> String {
        String::from_utf8(screen.state().tty.written.clone()).expect("text")
    }

    #[test]
    fn no_movement_of_the_mouse_is_asked_for() {
        let screen = Screen::new(Fake::default());
        screen.take().expect("there is room");
        assert_eq!(written(&screen), "\x1b[?1049h\x1b[?1000h\x1b[?1006h\x1b[?2004h\x1b[?25l");
        screen.give_back();
        assert!(written(&screen).ends_with(LEAVING));
    }

    #[test]
    fn raw_mode_goes_off_again_where_the_screen_cannot_be_had() {
        for room in 0..20 {
            let screen = Screen::new(Fake { room: Some(room), ..Fake::default() });
            screen.take().expect_err("there is no room");
            assert_eq!(screen.state().tty.modes, ["raw", "cooked"], "with room for {room} bytes");
            screen.give_back();
            assert_eq!(screen.state().tty.modes, ["raw", "cooked"], "once is enough");
        }
    }

    #[test]
    fn giving_back_in_another_thread_never_crosses_a_frame() {
        let frame = "[frame]";
        for delay in 0..100 {
            let screen = Screen::new(Fake::default());
            screen.take().expect("there is room");
            let before = written(&screen).len();
            thread::scope(|scope| {
                scope.spawn(|| (0..50).for_each(|_| screen.write(frame.as_bytes()).expect("there is room")));
                (0..delay).for_each(|_| thread::yield_now());
                screen.give_back_for_good();
            });
            screen.take().expect("nothing is done");
            screen.write(frame.as_bytes()).expect("nothing is done");
            let written = written(&screen).split_off(before);
            let frames = written.strip_suffix(LEAVING).expect("leaving comes last");
            assert!(frames.replace(frame, "").is_empty(), "{written:?}");
        }
    }

    #[test]
    fn it_is_taken_anew_whatever_the_modes_are() {
        let screen = Screen::new(Fake::default());
        for _ in 0..2 {
            screen.take_anew().expect("there is room");
        }
        assert_eq!(screen.state().tty.modes, ["raw", "cooked", "raw"]);
    }
}
