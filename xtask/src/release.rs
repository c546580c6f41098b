//! Whether the last commit can be released.

use crate::{
    check,
    commit::Commit,
    run::{self, Result},
};
use std::process::Command;

/// The flag that a service with the agent is built with.
const FLAG: &str = "--cfg tokio_unstable";

/// Everything that can be known before something is published.
pub(crate) fn run() -> Result<()> {
    let commit = Commit::last()?;
    interface(&commit)?;
    run::shown(Command::new(env!("CARGO")).current_dir(&commit.root).args(["publish", "--workspace", "--dry-run"]))?;
    check::dist()
}

/// Holds what services call against what they could call in the release before.
fn interface(commit: &Commit) -> Result<()> {
    let git = |arguments: &[&str]| run::line(Command::new("git").arg("-C").arg(&commit.root).args(arguments));
    let tags = git(&["tag", "--list", "v*", "--sort=-version:refname", "--merged", "HEAD"])?;
    let Some(before) = tags.lines().next() else {
        println!("no version was released yet, so that there is nothing to hold the interface of holdup-agent against");
        return Ok(());
    };
    run::needs("cargo-semver-checks")?;
    run::shown(
        Command::new("cargo-semver-checks")
            .current_dir(&commit.root)
            .args(["semver-checks", "--package", "holdup-agent", "--baseline-rev", before])
            .env("RUSTFLAGS", FLAG)
            .env("RUSTDOCFLAGS", FLAG),
    )
}
