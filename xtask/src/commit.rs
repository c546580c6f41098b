//! The commit that is released.

use crate::run::{self, Error, Result, at};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The version of everything that is published.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The processor and system that is built for.
pub(crate) const TARGET: &str = "x86_64-unknown-linux-gnu";

/// The last commit, and where things are.
#[derive(Debug)]
pub(crate) struct Commit {
    /// The workspace's root.
    pub root: PathBuf,
    /// Cargo's target folder.
    pub target: PathBuf,
    /// Its id: another one may be made meanwhile.
    pub id: String,
    /// When it was made, in seconds since 1970: nothing that is released is dated later.
    pub epoch: String,
    /// The same as a mail has it.
    pub date: String,
    /// Who made it, with an address.
    pub by: String,
}

impl Commit {
    /// The last commit of this repository. What is not in it is not released.
    pub(crate) fn last() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("/")).to_owned();
        let git = |arguments: &[&str]| run::line(Command::new("git").arg("-C").arg(&root).args(arguments));
        let changed = git(&["status", "--porcelain"])?;
        if !changed.is_empty() {
            return Err(Error::Said(format!(
                "what is released is a commit, and these changes are in none:\n{changed}"
            )));
        }
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |set| root.join(set));
        let shown = |format: &str| git(&["log", "-1", &format!("--format={format}")]);
        let (id, epoch, date, by) = (shown("%H")?, shown("%ct")?, shown("%cD")?, shown("%cn <%ce>")?);
        Ok(Self { root, target, id, epoch, date, by })
    }

    /// Where everything goes that is made: no folder of Cargo's own.
    pub(crate) fn made(&self) -> PathBuf {
        self.target.join("made")
    }

    /// The files of the commit and no others, in a folder that is made anew.
    pub(crate) fn unpack(&self, folder: &Path) -> Result<()> {
        empty(folder)?;
        let tar = folder.with_extension("tar");
        run::shown(
            Command::new("git").arg("-C").arg(&self.root).args(["archive", "--format=tar", &self.id, "-o"]).arg(&tar),
        )?;
        run::shown(Command::new("tar").arg("-xf").arg(&tar).arg("-C").arg(folder))?;
        fs::remove_file(&tar).map_err(at(&tar))
    }
}

/// A folder with nothing in it, whatever was there.
pub(crate) fn empty(folder: &Path) -> Result<()> {
    remove(folder)?;
    fs::create_dir_all(folder).map_err(at(folder))
}

/// Removes a folder, if it is there.
pub(crate) fn remove(folder: &Path) -> Result<()> {
    if folder.exists() { fs::remove_dir_all(folder).map_err(at(folder)) } else { Ok(()) }
}
