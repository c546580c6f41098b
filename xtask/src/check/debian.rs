//! The Debian package: what lintian says, and what becomes of a system that it is put on.

use super::Root;
use crate::{
    commit::{Commit, VERSION},
    made::{Made, files},
    run::{self, Error, Result, at},
};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// What the package is meant to be blamed for: it has to start where there is nothing else, wherever it is loaded.
const MEANT: [&str; 2] = ["statically-linked-binary", "shared-library-lacks-prerequisites"];

pub(super) fn lintian(_: &Commit, made: &Made) -> Result<String> {
    run::needs("lintian")?;
    // It fails for what is meant as well.
    let output = run::output(Command::new("lintian").args(["--allow-root", "--no-cfg"]).arg(&made.package))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let blamed: Vec<&str> = said.lines().filter(|line| line.starts_with("E: ") || line.starts_with("W: ")).collect();
    let (meant, wrong): (Vec<&str>, Vec<&str>) =
        blamed.iter().partition(|line| MEANT.iter().any(|meant| line.contains(meant)));
    if !wrong.is_empty() {
        return Err(Error::Said(wrong.join("\n")));
    }
    match meant.first() {
        Some(line) => Ok(format!("nothing but {line}")),
        None => Err(Error::Said(format!("{said}{}", String::from_utf8_lossy(&output.stderr)))),
    }
}

pub(super) fn life(_: &Commit, made: &Made) -> Result<String> {
    run::needs("debootstrap")?;
    run::needs("unshare")?;
    if run::line(Command::new("id").arg("-u"))? != "0" {
        return Err(Error::Said(
            "debootstrap makes a system as root alone; type `sudo -E cargo xtask dist --check`".into(),
        ));
    }
    let root = Root::new("debian")?;
    // What it mounts goes with it.
    let private = ["--mount", "--propagation", "private", "debootstrap", "--variant=minbase", "stable"];
    run::printed(Command::new("unshare").args(private).arg(root.path()))?;
    let package = root.path().join("holdup.deb");
    fs::copy(&made.package, &package).map_err(at(&package))?;
    let before = installed(root.path())?;
    let inside = |arguments: &[&str]| run::line(Command::new("chroot").arg(root.path()).args(arguments));
    inside(&["dpkg", "--install", "/holdup.deb"])?;
    let version = inside(&["holdup", "--version"])?;
    if version != format!("holdup {VERSION}") {
        return Err(Error::Said(format!("what is installed says that it is {version}")));
    }
    let during: BTreeSet<PathBuf> = installed(root.path())?.difference(&before).cloned().collect();
    let damaged = inside(&["dpkg", "--verify", "holdup"])?;
    if !damaged.is_empty() {
        return Err(Error::Said(format!("what is installed is not what is in the package:\n{damaged}")));
    }
    for arguments in [["dpkg", "--remove", "holdup"], ["dpkg", "--purge", "holdup"]] {
        inside(&arguments)?;
    }
    let after = installed(root.path())?;
    let left: Vec<String> = after.symmetric_difference(&before).map(|path| path.display().to_string()).collect();
    if !left.is_empty() {
        return Err(Error::Said(format!("not as it was before: {}", left.join(", "))));
    }
    Ok(format!("{} files came and went", during.len()))
}

/// Every file but those by which dpkg remembers.
fn installed(root: &Path) -> Result<BTreeSet<PathBuf>> {
    let is_dpkgs = |path: &PathBuf| path.starts_with("var/lib/dpkg") || path.starts_with("var/log");
    Ok(files(root)?.into_iter().filter(|path| !is_dpkgs(path)).collect())
}
