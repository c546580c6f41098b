//! Other programs, and what is said where they are missing or fail.

use std::{
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// Why something was not made, or is not as it should be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A program is not there.
    #[error("{program} is missing; type `{install}`")]
    Missing {
        /// Which.
        program: &'static str,
        /// What to type.
        install: &'static str,
    },
    /// A program could not be started.
    #[error("cannot start {program}: {source}")]
    Start {
        /// Which.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// A program failed.
    #[error("{command} failed, {status}{said}")]
    Failed {
        /// As it was typed.
        command: String,
        /// How it ended.
        status: std::process::ExitStatus,
        /// What it said, on lines of its own.
        said: String,
    },
    /// Something else.
    #[error("{0}")]
    Said(String),
}

pub(crate) type Result<T> = std::result::Result<T, Error>;

/// Says which file an error is about.
pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::File { path, source }
}

/// What is not part of every system, with what installs it.
const INSTALLS: [(&str, &str); 6] = [
    ("cargo-cyclonedx", "cargo install --locked cargo-cyclonedx"),
    ("cargo-semver-checks", "cargo install --locked cargo-semver-checks"),
    ("debootstrap", "apt-get install debootstrap"),
    ("dpkg-deb", "apt-get install dpkg"),
    ("lintian", "apt-get install lintian"),
    ("unshare", "apt-get install util-linux"),
];

/// Whether a program is there; where it is not, what to type.
pub(crate) fn needs(program: &'static str) -> Result<()> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&path).any(|folder| folder.join(program).is_file()) {
        return Ok(());
    }
    let install = INSTALLS.iter().find(|(name, _)| *name == program).map_or("", |(_, install)| install);
    Err(Error::Missing { program, install })
}

/// A command as somebody would type it.
fn typed(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

fn start(command: &Command) -> impl FnOnce(io::Error) -> Error {
    let program = command.get_program().to_string_lossy().into_owned();
    move |source| Error::Start { program, source }
}

/// Runs a command whose output is the user's to see.
pub(crate) fn shown(command: &mut Command) -> Result<()> {
    let status = command.status().map_err(start(command))?;
    if status.success() {
        return Ok(());
    }
    Err(Error::Failed { command: typed(command), status, said: String::new() })
}

/// Runs a command and hands over what it printed, however it ended.
pub(crate) fn output(command: &mut Command) -> Result<Output> {
    command.output().map_err(start(command))
}

/// Runs a command that must succeed, and hands over what it printed on stdout.
pub(crate) fn printed(command: &mut Command) -> Result<Vec<u8>> {
    let output = output(command)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = [output.stdout, output.stderr].concat();
    let said = format!("\n{}", String::from_utf8_lossy(&said).trim_end());
    Err(Error::Failed { command: typed(command), status: output.status, said })
}

/// The same as one line of text.
pub(crate) fn line(command: &mut Command) -> Result<String> {
    Ok(String::from_utf8_lossy(&printed(command)?).trim().to_owned())
}
