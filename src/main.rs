//! holdup: parse, run, and turn what came of it into an exit code.
#![forbid(unsafe_code)]

use clap::Parser;
use holdup::cli::{self, Args, Environment};
use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::run(Args::parse(), &Environment::read()) {
        Ok(outcome) => outcome.exit_code(),
        Err(error) => {
            eprintln!("error: {error}");
            error.exit_code()
        }
    }
}
