//! A shell in a terminal of its own, in which the shipped program is started as a user would start it.

#[path = "terminal.rs"]
mod terminal;

use portable_pty::CommandBuilder;
use std::ops::{Deref, DerefMut};
use terminal::Terminal;

/// A shell in a terminal.
pub(crate) struct Shell(Terminal);

impl Deref for Shell {
    type Target = Terminal;
    fn deref(&self) -> &Terminal {
        &self.0
    }
}

impl DerefMut for Shell {
    fn deref_mut(&mut self) -> &mut Terminal {
        &mut self.0
    }
}

impl Shell {
    pub(crate) fn start() -> Self {
        let mut command = CommandBuilder::new("sh");
        command.arg("-i");
        let program = env!("CARGO_BIN_EXE_holdup");
        let shell = Self(Terminal::start(command, &[("PS1", "$ "), ("PATH", "/usr/bin:/bin"), ("HOLDUP", program)]));
        shell.shows("$ ");
        shell
    }

    /// A shell in which holdup watches a target, and has come up. `before` stands before the command.
    pub(crate) fn watching(before: &str, target: &str) -> Self {
        let mut shell = Self::start();
        shell.types(&format!("{before} $HOLDUP {target}; echo left=$?\r"));
        shell.shows("1 Findings");
        shell
    }

    pub(crate) fn hides(&self, what: &str) {
        self.until(&format!("no {what}"), |screen| !screen.contents().contains(what));
    }

    /// The program's process.
    pub(crate) fn pid(&self) -> i32 {
        self.master.process_group_leader().expect("something runs in the foreground")
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        assert!(std::process::Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// The terminal is as the shell left it: the main screen, a cursor, no mouse, no marks around what is pasted, and lines that echo.
    pub(crate) fn is_sane(&mut self) {
        self.until("the main screen", |screen| !screen.alternate_screen());
        self.until("a cursor", |screen| !screen.hide_cursor());
        self.until("no mouse", |screen| screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None);
        self.until("no marks around what is pasted", |screen| !screen.bracketed_paste());
        self.types("stty -a | tr ' ;' '\\n\\n' | grep -x -e icanon -e echo -e isig | tr '\\n' + ; echo .\r");
        self.shows("isig+icanon+echo+.");
    }
}
