//! What was taken out of debug information, or fetched, is kept for the next look, by build id. Knows files and no debug
//! information.
//!
//! An entry is written under a name of its own and then renamed, so that whoever reads sees all of it or nothing. All of them
//! together are bounded; the one that was not used for longest goes first.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::SystemTime,
};

/// So much is kept in all.
const MOST: u64 = 256 << 20;

/// A directory in which things are kept.
#[derive(Debug, Clone)]
pub struct Cache {
    directory: PathBuf,
    most: u64,
}

impl Cache {
    /// The user's own: `$XDG_CACHE_HOME/holdup`. None where the environment names neither that nor a home.
    pub fn of_user() -> Option<Self> {
        let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let base = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
        Some(Self::new(base.join("holdup")))
    }

    /// One in this directory, which is made when something is to be kept.
    pub fn new(directory: PathBuf) -> Self {
        Self { directory, most: MOST }
    }

    /// An entry. That it was used is noted.
    pub(crate) fn get(&self, name: &str) -> Option<PathBuf> {
        let path = self.directory.join(name);
        let is_file = fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_file());
        if !is_file {
            return None;
        }
        // Without the right to write there, it is as old as it was.
        let _ = File::options().append(true).open(&path).and_then(|file| file.set_modified(SystemTime::now()));
        Some(path)
    }

    /// Makes an entry of what is written, and lets others go for it.
    pub(crate) fn put<E: From<io::Error>>(
        &self,
        name: &str,
        write: impl FnOnce(&mut File) -> Result<(), E>,
    ) -> Result<PathBuf, E> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.directory)?;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let temporary = self.directory.join(format!(".{name}.{}.{number}", std::process::id()));
        let result = File::create_new(&temporary).map_err(E::from).and_then(|mut file| {
            write(&mut file)?;
            let path = self.directory.join(name);
            fs::rename(&temporary, &path)?;
            Ok(path)
        });
        if result.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        self.trim(name);
        result
    }

    /// Lets go of an entry that is of no use.
    pub(crate) fn remove(&self, name: &str) {
        let _ = fs::remove_file(self.directory.join(name));
    }

    /// Lets the oldest ones go until the others fit; the one of this name stays, unless it alone is too much.
    fn trim(&self, newest: &str) {
        let mut entries = vec![];
        for entry in fs::read_dir(&self.directory).into_iter().flatten().flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            // What somebody writes at this moment is young; what was left over by one who ended is not.
            let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            let name = entry.file_name();
            let young = used.elapsed().is_ok_and(|age| age.as_secs() < 3600);
            if metadata.is_file() && !(young && name.as_encoded_bytes().starts_with(b".")) {
                entries.push((name == newest, used, metadata.len(), entry.path()));
            }
        }
        entries.sort();
        let mut all: u64 = entries.iter().map(|entry| entry.2).sum();
        for (_, _, len, path) in entries {
            if all <= self.most {
                break;
            }
            if fs::remove_file(&path).is_ok() {
                all -= len;
            }
        }
    }

    /// Where it is.
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{io::Write as _, time::Duration};

    fn put(cache: &Cache, name: &str, len: usize) {
        cache.put(name, |file| file.write_all(&vec![1; len])).unwrap();
    }

    #[test]
    fn the_oldest_used_goes_first() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache { directory: directory.path().join("deep/holdup"), most: 100 };
        assert!(cache.get("a").is_none());
        for (name, age) in [("a", 30), ("b", 20), ("c", 10)] {
            put(&cache, name, 30);
            let then = SystemTime::now() - Duration::from_secs(age);
            File::options().append(true).open(cache.directory.join(name)).unwrap().set_modified(then).unwrap();
        }
        assert!(cache.get("a").is_some());
        put(&cache, "d", 30);
        let left = |name| cache.directory.join(name).exists();
        assert_eq!(["a", "b", "c", "d"].map(left), [true, false, true, true]);
        put(&cache, "huge", 1000);
        assert_eq!(fs::read_dir(&cache.directory).unwrap().count(), 0);
        cache.remove("never there");
    }

    #[test]
    fn what_fails_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::new(directory.path().to_owned());
        let failed = cache.put("a", |file| {
            file.write_all(b"half")?;
            Err(io::Error::other("no more"))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}
