//! The demo server alone: parse, run, turn an error into an exit code.

use std::process::ExitCode;

use clap::Parser;

/// An echo server whose troubles can be switched on one by one.
#[derive(Debug, Parser)]
#[command(name = "demo-server", version)]
struct Cli {
    #[command(flatten)]
    args: demo_server::Args,
}

fn main() -> ExitCode {
    match demo_server::run(Cli::parse().args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
