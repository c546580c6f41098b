//! The static binary.

use crate::{
    commit::{Commit, TARGET},
    run::{self, Result},
};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// Builds the binary of the sources in `source`, with what the compiler keeps in `target`.
pub(crate) fn build(commit: &Commit, source: &Path, target: &Path) -> Result<PathBuf> {
    let cargo_home = cargo_home();
    // Where it was built is in no file: of several that fit the last one counts.
    let places = [(&*cargo_home, "/cargo"), (source, "/holdup"), (target, "/target")];
    let remapped = places.map(|(place, name)| format!("--remap-path-prefix={}={name}", place.display()));
    let flags = ["--cfg", "tokio_unstable", "-Ctarget-feature=+crt-static"].map(str::to_owned);
    let flags: Vec<String> = flags.into_iter().chain(remapped).collect();
    let mapped = places.map(|(place, name)| format!("-ffile-prefix-map={}={name}", place.display()));
    run::shown(
        Command::new(env!("CARGO"))
            .current_dir(source)
            .args([
                "build",
                "--locked",
                "--profile",
                "dist",
                "--target",
                TARGET,
                "--package",
                "holdup",
                "--bin",
                "holdup",
            ])
            .arg("--target-dir")
            .arg(target)
            .env_remove("RUSTFLAGS")
            .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))
            .env("CFLAGS", mapped.join(" "))
            .env("SOURCE_DATE_EPOCH", &commit.epoch),
    )?;
    Ok(target.join(TARGET).join("dist/holdup"))
}

fn cargo_home() -> PathBuf {
    let set = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    set.unwrap_or_else(|| PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cargo"))
}
