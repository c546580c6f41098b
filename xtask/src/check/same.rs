//! The same commit, elsewhere and from nothing.

use crate::{
    commit::{Commit, empty, remove},
    made::{self, Made, files},
    run::{Error, Result, at},
};
use std::{fs, path::Path};

pub(super) fn check(commit: &Commit, made: &Made) -> Result<String> {
    let folder = commit.target.join("again");
    empty(&folder)?;
    let source = folder.join("source");
    commit.unpack(&source)?;
    let again = made::of(commit, &source, &folder.join("target"), &folder.join("made"))?;
    let names = files(&made.folder)?;
    if names != files(&again.folder)? {
        return Err(Error::Said(format!("there are other files in {}", again.folder.display())));
    }
    let read = |folder: &Path, name: &Path| fs::read(folder.join(name)).map_err(at(&folder.join(name)));
    let mut other = Vec::new();
    for name in &names {
        if read(&made.folder, name)? != read(&again.folder, name)? {
            other.push(name.display().to_string());
        }
    }
    // What differs stays to be looked at.
    if !other.is_empty() {
        return Err(Error::Said(format!(
            "these differ from those in {}: {}",
            again.folder.display(),
            other.join(", ")
        )));
    }
    remove(&folder)?;
    Ok(format!("all {} files", names.len()))
}
