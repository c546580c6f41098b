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
const FLAGS: [&str; 11] = [
    "--cfg",
    "tokio_unstable",
    // The system call itself: a static program finds no function of the C library by its name, and `/dev` may not be there.
    "--cfg",
    "getrandom_backend=\"linux_getrandom\"",
    "-Ctarget-feature=+crt-static",
    "-Clink-arg=-Wl,--icf=all",
    "-Clink-arg=-Wl,-z,pack-relative-relocs",
    "-Cforce-frame-pointers=yes",
    "-Cllvm-args=-enable-machine-outliner=always",
    // What is moved out is described for unwinding, which takes about as much.
    "-Cllvm-args=-outliner-benefit-threshold=40",
    "-Cllvm-args=-machine-outliner-reruns=1",
];

/// Builds the binary of the sources in `source`, with what the compiler keeps in `target`.
pub(crate) fn build(commit: &Commit, source: &Path, target: &Path) -> Result<PathBuf> {
    let cargo_home = cargo_home();
    // So that each registry has its folder.
    run::shown(Command::new(env!("CARGO")).current_dir(source).args(["fetch", "--locked", "--target", TARGET]))?;
    // Where it was built is in no file: of several that fit the last one counts.
    let mut places =
        vec![(cargo_home.clone(), "/cargo"), (source.to_owned(), "/holdup"), (target.to_owned(), "/target")];
    // A registry's name is in the path of each of its crates, and long.
    places.extend(registries(&cargo_home).into_iter().map(|registry| (registry, "/cargo/registry/src/r")));
    let remapped = places.iter().map(|(place, name)| format!("--remap-path-prefix={}={name}", place.display()));
    let flags: Vec<String> = FLAGS.map(str::to_owned).into_iter().chain(remapped).collect();
    let mapped: Vec<String> =
        places.iter().map(|(place, name)| format!("-ffile-prefix-map={}={name}", place.display())).collect();
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

/// Where crates are unpacked; none, where none was fetched yet.
fn registries(cargo_home: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(cargo_home.join("registry/src")).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}

fn cargo_home() -> PathBuf {
    let set = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    set.unwrap_or_else(|| PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cargo"))
}
