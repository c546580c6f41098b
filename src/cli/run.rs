//! `holdup run -- CMD`: starts a program and looks at it. A process may be read by the one that started it, also where the kernel
//! lets nobody else.

use super::{Environment, Error, Outcome, args::RunArgs, config::Config, live};
use crate::source::Target;
use std::{
    fs::{self, File},
    io,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

/// Why a program was not started.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It could not be.
    #[error("cannot start {program:?}: {error}")]
    Start {
        /// The program as it was typed.
        program: String,
        /// Why.
        error: io::Error,
    },
    /// What it says has nowhere to go.
    #[error("cannot write what the program says to {}: {error}", .path.display())]
    Output {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// A program that ends with its handle.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        // It may have ended already, which is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs the subcommand. The program ends with the live view.
pub(super) fn run(args: &RunArgs, mut config: Config, environment: &Environment) -> Result<Outcome, Error> {
    if !live::has_terminal() {
        return Err(Error::NoTerminalToRun);
    }
    let path = config.log.dir.join("run.log");
    let started = Started(start(args, &path)?);
    config.target = Target::Pid(started.0.id());
    live::run(&config, environment)
}

/// What it says goes to a file: the screen is taken.
fn start(args: &RunArgs, path: &PathBuf) -> Result<Child, RunError> {
    let output = |error| RunError::Output { path: path.clone(), error };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(output)?;
    }
    let says = File::create(path).map_err(output)?;
    let too = says.try_clone().map_err(output)?;
    let (program, rest) = args.command.split_first().map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
    Command::new(program)
        .args(rest)
        .stdin(Stdio::null())
        .stdout(says)
        .stderr(too)
        .spawn()
        .map_err(|error| RunError::Start { program: program.to_owned(), error })
}
