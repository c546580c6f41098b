//! holdup: parse, run, and turn what came of it into an exit code.
#![forbid(unsafe_code)]
// Both end the program where nobody reads them any more.
#![warn(clippy::print_stdout, clippy::print_stderr)]

use clap::Parser;
use holdup::cli::{self, Args, Environment};
use std::{
    io::{self, Write as _},
    process::ExitCode,
};

fn main() -> ExitCode {
    match cli::run(Args::parse(), &Environment::read()) {
        Ok(outcome) => outcome.exit_code(),
        Err(error) => {
            // Nobody who cannot be told needs to be: the exit code says it.
            let _ = writeln!(io::stderr(), "error: {error}");
            error.exit_code()
        }
    }
}
