//! A file that is there as a whole or not at all: it is written under another name beside it.

use std::{io, path::Path};
use tempfile::NamedTempFile;

/// The folder that a file is in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

/// Gives what was written its name, which nothing else has: what is there stays, whatever it is. What fails is in words.
pub(crate) fn keep_new(file: NamedTempFile, path: &Path) -> Result<(), String> {
    let told = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => format!("{} is there already, and is not written over", path.display()),
        _ => format!("{} cannot be written: {error}", path.display()),
    };
    file.persist_noclobber(path).map(drop).map_err(|error| told(error.error))
}
