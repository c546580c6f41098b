//! Everything that a release consists of, in one folder.

use crate::{
    bill, binary,
    commit::{Commit, TARGET, VERSION, empty},
    package, pages,
    run::{self, Error, Result, at},
};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

/// What was made, and what was not for want of a program.
#[derive(Debug)]
pub(crate) struct Made {
    /// The folder of all of it.
    pub folder: PathBuf,
    /// The static binary.
    pub binary: PathBuf,
    /// The Debian package.
    pub package: PathBuf,
    /// What could not be made.
    pub missing: Option<Error>,
}

/// The list of checksums.
pub(crate) const SUMS: &str = "SHA256SUMS";

/// Makes all of it of the last commit; what could not be made for want of a program is an error in the end.
pub(crate) fn dist() -> Result<()> {
    let commit = Commit::last()?;
    let mut made = of(&commit, &commit.root, &commit.target, &commit.made())?;
    println!("{}", made.folder.display());
    print!("{}", fs::read_to_string(made.folder.join(SUMS)).map_err(at(&made.folder))?);
    made.missing.take().map_or(Ok(()), Err)
}

/// Makes all of it of the sources in `source`, into `folder`.
pub(crate) fn of(commit: &Commit, source: &Path, target: &Path, folder: &Path) -> Result<Made> {
    let built = binary::build(commit, source, target)?;
    empty(folder)?;
    let binary = folder.join(format!("holdup-{VERSION}-{TARGET}"));
    copy(&built, &binary, 0o755)?;
    pages::manual(&folder.join("man"))?;
    pages::completions(&binary, &folder.join("completions"))?;
    pages::configuration(&binary, &folder.join("holdup.toml"))?;
    let package = package::build(commit, source, &binary, folder)?;
    let missing = match bill::write(commit, folder) {
        Ok(()) => None,
        Err(missing @ Error::Missing { .. }) => Some(missing),
        Err(error) => return Err(error),
    };
    sums(folder)?;
    Ok(Made { folder: folder.to_owned(), binary, package, missing })
}

/// A copy that who may read it is said of.
pub(crate) fn copy(from: &Path, to: &Path, mode: u32) -> Result<()> {
    fs::copy(from, to).map_err(at(from))?;
    fs::set_permissions(to, fs::Permissions::from_mode(mode)).map_err(at(to))
}

/// Every file in a folder and below, in an order that is always the same, each from that folder on.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).map_err(at(&next))? {
            let path = entry.map_err(at(&next))?.path();
            if path.is_dir() && !path.is_symlink() {
                open.push(path);
            } else {
                found.push(path.strip_prefix(folder).unwrap_or(&path).to_owned());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The checksums of all that is in a folder, as `sha256sum --check` reads them.
fn sums(folder: &Path) -> Result<()> {
    let files = files(folder)?;
    let printed = run::printed(Command::new("sha256sum").current_dir(folder).args(&files))?;
    let path = folder.join(SUMS);
    fs::write(&path, printed).map_err(at(&path))
}
