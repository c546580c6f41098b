//! The shipped executable, run to its end.

use std::{
    path::Path,
    process::{Command, Output, Stdio},
};

/// The executable in an environment that says nothing, with `home` for all of its directories.
pub(crate) fn holdup(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_holdup"));
    command
        .env_clear()
        .current_dir(home)
        .env("HOME", home)
        .env("XDG_CONFIG_HOME", home.join("config"))
        .env("XDG_STATE_HOME", home.join("state"))
        .stdin(Stdio::null());
    command
}

/// What a process left behind.
#[derive(Debug)]
pub(crate) struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("it writes UTF-8");
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// Runs it to its end in an environment that says nothing.
pub(crate) fn run(args: &[&str]) -> Ended {
    let home = tempfile::tempdir().unwrap();
    holdup(home.path()).args(args).output().unwrap().into()
}
