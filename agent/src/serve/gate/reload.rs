//! What is made of files, and made anew when they change.

use crate::Error;
use parking_lot::Mutex;
use std::{
    fmt, fs,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

/// How often files are looked at, at the most.
const LOOK: Duration = Duration::from_secs(1);

type Load<T> = dyn Fn() -> Result<T, Error> + Send + Sync;

/// What the files were made into last, as long as they could be used.
pub(super) struct Reloaded<T> {
    files: Vec<PathBuf>,
    load: Box<Load<T>>,
    state: Mutex<State<T>>,
}

struct State<T> {
    value: Arc<T>,
    /// What the value was made of.
    fingerprint: Fingerprint,
    /// What could not be used, and was warned of.
    warned: Option<Fingerprint>,
    looked: Instant,
}

/// What tells one content of files from another, and one mode, without reading them.
type Fingerprint = Vec<Option<(SystemTime, u64, Inode)>>;

/// The number of a file, and when it was last changed in any way. Another file of the same name has another number.
type Inode = (u64, i64, i64);

impl<T> fmt::Debug for Reloaded<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reloaded").field("files", &self.files).finish_non_exhaustive()
    }
}

impl<T> Reloaded<T> {
    /// Makes it for the first time.
    pub(super) fn new(
        files: Vec<PathBuf>,
        load: impl Fn() -> Result<T, Error> + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        // Taken before they are read: what changes meanwhile is read again.
        let fingerprint = fingerprint(&files);
        let state = State { value: Arc::new(load()?), fingerprint, warned: None, looked: Instant::now() };
        Ok(Self { files, load: Box::new(load), state: Mutex::new(state) })
    }

    /// What the files say now. Where they were changed into something that cannot be used, it is what they said before, and `warn` is told why,
    /// once.
    pub(super) fn get(&self, warn: impl FnOnce(Error)) -> Arc<T> {
        self.look(Instant::now(), warn)
    }

    fn look(&self, now: Instant, warn: impl FnOnce(Error)) -> Arc<T> {
        let mut state = self.state.lock();
        if !self.files.is_empty() && now.saturating_duration_since(state.looked) >= LOOK {
            state.looked = now;
            let found = fingerprint(&self.files);
            if found != state.fingerprint {
                match (self.load)() {
                    Ok(value) => {
                        state.value = Arc::new(value);
                        state.fingerprint = found;
                        state.warned = None;
                    }
                    // It is tried again: what is wrong may pass without a change of the files.
                    Err(error) if state.warned.as_ref() != Some(&found) => {
                        warn(error);
                        state.warned = Some(found);
                    }
                    Err(_) => {}
                }
            }
        }
        Arc::clone(&state.value)
    }
}

fn fingerprint(files: &[PathBuf]) -> Fingerprint {
    let of = |path: &PathBuf| {
        let metadata = fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len(), inode(&metadata)))
    };
    files.iter().map(of).collect()
}

#[cfg(unix)]
fn inode(metadata: &fs::Metadata) -> Inode {
    use std::os::unix::fs::MetadataExt as _;
    (metadata.ino(), metadata.ctime(), metadata.ctime_nsec())
}

#[cfg(not(unix))]
fn inode(_: &fs::Metadata) -> Inode {
    (0, 0, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_bad_is_warned_of_once_and_what_was_good_before_stays() {
        let path = std::env::temp_dir().join(format!("holdup-reload-{}", std::process::id()));
        fs::write(&path, "1").unwrap();
        let file = path.clone();
        let load = move || {
            let text = fs::read_to_string(&file).unwrap_or_default();
            text.parse::<u32>().map_err(|_| Error::access("the file", "no number"))
        };
        let reloaded = Reloaded::new(vec![path.clone()], load).unwrap();
        let begun = Instant::now();
        let mut warnings = 0;
        let mut at = |seconds: u64| {
            let value = reloaded.look(begun + Duration::from_secs(seconds), |_| warnings += 1);
            (*value, warnings)
        };
        assert_eq!(at(2), (1, 0));
        fs::write(&path, "2 and something").unwrap();
        assert_eq!(at(2), (1, 0), "not looked at yet");
        assert_eq!(at(4), (1, 1));
        assert_eq!(at(6), (1, 1), "it was told");
        fs::remove_file(&path).unwrap();
        assert_eq!(at(8), (1, 2));
        fs::write(&path, "34").unwrap();
        assert_eq!(at(10), (34, 2));
        fs::remove_file(&path).unwrap();
    }

    #[test]
    #[cfg(unix)]
    fn what_could_not_be_used_is_looked_at_again_and_so_is_what_got_another_mode() {
        use std::{
            os::unix::fs::PermissionsExt as _,
            sync::atomic::{AtomicBool, Ordering},
        };
        static WORKS: AtomicBool = AtomicBool::new(true);
        let path = std::env::temp_dir().join(format!("holdup-reload-again-{}", std::process::id()));
        fs::write(&path, "1").unwrap();
        let file = path.clone();
        let load = move || {
            let mode = fs::metadata(&file).map_or(0, |file| file.permissions().mode() & 0o777);
            if WORKS.load(Ordering::Relaxed) { Ok(mode) } else { Err(Error::access("the file", "no descriptors")) }
        };
        let reloaded = Reloaded::new(vec![path.clone()], load).unwrap();
        let begun = Instant::now();
        let mut warnings = 0;
        let mut at = |seconds: u64| (*reloaded.look(begun + Duration::from_secs(seconds), |_| warnings += 1), warnings);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(at(2), (0o600, 0), "nothing but its mode has changed");
        WORKS.store(false, Ordering::Relaxed);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        assert_eq!((at(4), at(6)), ((0o600, 1), (0o600, 1)));
        WORKS.store(true, Ordering::Relaxed);
        assert_eq!(at(8), (0o400, 1), "it was tried again");
        fs::remove_file(&path).unwrap();
    }
}
