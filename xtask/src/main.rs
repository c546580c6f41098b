//! `cargo xtask dist` makes what a release consists of, and tries it; `cargo xtask release` does that and holds the crates against what was
//! released before. Neither publishes anything.
#![forbid(unsafe_code)]

mod bill;
mod binary;
mod check;
mod commit;
mod made;
mod package;
mod pages;
mod release;
mod run;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", version)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Make the static binary, its pages, a Debian package, the bill of materials and checksums of the last commit, in target/made
    Dist {
        /// Then try all of it: in roots with next to nothing, by lintian, and by making it once more
        #[arg(long)]
        check: bool,
    },
    /// Whether the last commit can be released: the agent's interface, the crates, and all of `dist --check`
    Release,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Dist { check: false } => made::dist(),
        Task::Dist { check: true } => check::dist(),
        Task::Release => release::run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
