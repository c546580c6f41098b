//! The bill of materials: every crate that is in the binary.

use crate::{
    commit::{Commit, TARGET, VERSION, remove},
    run::{self, Result, at},
};
use std::{fs, path::Path, process::Command};

/// What it is called beside a manifest.
const NAME: &str = "holdup-bill";

/// Writes it into a folder. cargo-cyclonedx writes beside each manifest, so it is given a copy of the sources.
pub(crate) fn write(commit: &Commit, folder: &Path) -> Result<()> {
    run::needs("cargo-cyclonedx")?;
    let source = commit.target.join("bill");
    commit.unpack(&source)?;
    run::printed(
        Command::new("cargo-cyclonedx")
            .current_dir(&source)
            .args(["cyclonedx", "--format", "json", "--target", TARGET, "--override-filename", NAME])
            .env("SOURCE_DATE_EPOCH", &commit.epoch),
    )?;
    let path = source.join(format!("{NAME}.json"));
    let bill = fs::read_to_string(&path).map_err(at(&path))?;
    // Where the sources were is of no use to anybody.
    let bill = bill.replace(&source.display().to_string(), "/holdup");
    let path = folder.join(format!("holdup-{VERSION}.cdx.json"));
    fs::write(&path, bill).map_err(at(&path))?;
    remove(&source)
}
