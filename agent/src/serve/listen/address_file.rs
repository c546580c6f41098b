//! The file that says where the agent listens, so that it is found whatever port was picked: written as a whole when clients can come, and
//! removed at the end if it is still this one.

use crate::Error;
use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// What tells this file from another of the same name, where the system does: its device and its number there.
type Identity = (u64, u64);

/// The file, for as long as this is kept. When it is dropped the file goes, if nobody else has written it, and if this is not a child that was forked.
#[derive(Debug)]
pub(crate) struct AddressFile {
    path: PathBuf,
    text: String,
    identity: Identity,
    process: u32,
}

impl AddressFile {
    /// Writes a target as clients take it. Whoever reads the file meanwhile has what was there before, or all of this.
    pub(crate) fn write(path: &Path, target: &str) -> Result<Self, Error> {
        let failed = |source| Error::AddressFile { path: path.to_owned(), source };
        Self::written(path, target).map_err(failed)
    }

    fn written(path: &Path, target: &str) -> io::Result<Self> {
        // The service may change its folder before the end.
        let path = std::path::absolute(path)?;
        // A link or a device is something that others need.
        if fs::symlink_metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "there is something of that name that is no file",
            ));
        }
        let process = std::process::id();
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".new-{process}"));
        let aside = path.with_file_name(name);
        let text = format!("{target}\n");
        let written = create(&aside, &text).and_then(|identity| fs::rename(&aside, &path).map(|()| identity));
        if written.is_err() {
            let _ = fs::remove_file(&aside);
        }
        Ok(Self { identity: written?, path, text, process })
    }

    fn is_ours(&self) -> bool {
        self.process == std::process::id()
            && fs::symlink_metadata(&self.path).is_ok_and(|metadata| identity(&metadata) == self.identity)
            && fs::read_to_string(&self.path).is_ok_and(|text| text == self.text)
    }
}

impl Drop for AddressFile {
    fn drop(&mut self) {
        if self.is_ours() {
            // One that cannot be removed is replaced by the next that listens.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A file that was not there.
fn create(path: &Path, text: &str) -> io::Result<Identity> {
    // Another process of this number may have left one.
    let _ = fs::remove_file(path);
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())?;
    Ok(identity(&file.metadata()?))
}

#[cfg(unix)]
fn identity(metadata: &fs::Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt as _;
    (metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
fn identity(_: &fs::Metadata) -> Identity {
    (0, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("holdup-address-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(&self.0).unwrap().filter_map(Result::ok);
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn it_is_there_for_as_long_as_it_is_kept() {
        let folder = Folder::new("kept");
        let path = folder.0.join("orders.addr");
        fs::write(&path, "http://127.0.0.1:1, of one that was killed").unwrap();
        let file = AddressFile::write(&path, "http://127.0.0.1:2").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "http://127.0.0.1:2\n");
        assert_eq!(folder.names(), ["orders.addr"], "nothing lies about");
        drop(file);
        assert_eq!(folder.names(), [""; 0]);
    }

    #[test]
    fn another_s_is_not_removed() {
        let folder = Folder::new("other");
        let path = folder.0.join("orders.addr");
        let file = AddressFile::write(&path, "http://127.0.0.1:2").unwrap();
        let other = AddressFile::write(&path, "http://127.0.0.1:2").unwrap();
        drop(file);
        assert_eq!(folder.names(), ["orders.addr"], "it says the same and is another");
        let mut forked = other;
        forked.process = 0;
        drop(forked);
        assert_eq!(folder.names(), ["orders.addr"], "a child removes nothing");
    }

    #[test]
    fn what_is_no_file_is_left_alone_and_said() {
        let folder = Folder::new("none");
        fs::create_dir(folder.0.join("a")).unwrap();
        for path in [folder.0.join("a"), folder.0.join("b").join("orders.addr")] {
            let said = AddressFile::write(&path, "http://127.0.0.1:2").unwrap_err().to_string();
            assert!(said.contains(&path.display().to_string()) && said.contains("HOLDUP_ADDR_FILE"), "{said}");
        }
        assert_eq!(folder.names(), ["a"]);
    }
}
