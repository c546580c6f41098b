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
    fingerprint: Fingerprint,
    looked: Instant,
}

/// What tells one content of files from another, without reading them.
type Fingerprint = Vec<Option<(SystemTime, u64, u64)>>;

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
        let state = State { value: Arc::new(load()?), fingerprint, looked: Instant::now() };
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
                state.fingerprint = found;
                match (self.load)() {
                    Ok(value) => state.value = Arc::new(value),
                    Err(error) => warn(error),
                }
            }
        }
        Arc::clone(&state.value)
    }
}

fn fingerprint(files: &[PathBuf]) -> Fingerprint {
    let of = |path: &PathBuf| {
        let metadata = fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len(), number(&metadata)))
    };
    files.iter().map(of).collect()
}

/// Another file of the same name has another number.
#[cfg(unix)]
fn number(metadata: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn number(_: &fs::Metadata) -> u64 {
    0
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
}
