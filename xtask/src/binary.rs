//! The static binary.

use crate::{
    commit::{Commit, TARGET},
    run::{self, Result},
};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// What makes it static, and small: functions that are the same are one, what a function ends with is one with what others end with, where
/// something is moved to is a list of bits, and a frame is found by its pointer, for which unwinding has a line instead of many.
const FLAGS: [&str; 7] = [
    "--cfg",
    "tokio_unstable",
    "-Ctarget-feature=+crt-static",
    "-Clink-arg=-Wl,--icf=all",
    "-Clink-arg=-Wl,-z,pack-relative-relocs",
    "-Cforce-frame-pointers=yes",
    "-Cllvm-args=-enable-machine-outliner=always",
];

/// Builds the binary of the sources in `source`, with what the compiler keeps in `target`.
pub(crate) fn build(commit: &Commit, source: &Path, target: &Path) -> Result<PathBuf> {
    let cargo_home = cargo_home();
    // Where it was built is in no file: of several that fit the last one counts.
    let places = [(&*cargo_home, "/cargo"), (source, "/holdup"), (target, "/target")];
    let remapped = places.map(|(place, name)| format!("--remap-path-prefix={}={name}", place.display()));
    let flags: Vec<String> = FLAGS.map(str::to_owned).into_iter().chain(remapped).collect();
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
