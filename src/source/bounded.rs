//! Files that a user names, of which none may keep the client or take its memory: one may have no end.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

/// More than any configuration, token or certificate has.
const MOST: u64 = 1 << 20;

/// All that a file has.
pub fn read_bounded(file: File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if file.take(MOST + 1).read_to_end(&mut bytes)? as u64 > MOST {
        return Err(io::Error::other("it has more than 1 MiB"));
    }
    Ok(bytes)
}

/// Opens what is a file. To open a pipe waits for whoever writes to it, and nobody may; and nothing can be read of it again.
pub(super) fn open_file(path: &Path) -> io::Result<File> {
    if !path.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    File::open(path)
}
