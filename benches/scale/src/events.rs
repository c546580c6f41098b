//! How long events kept a client: what it says of that in a log of its own.

use crate::screen::Error;
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// What stands before the number of microseconds in a line of the log.
const TOOK: &str = "took_us=";

/// A folder for a client's log. It is gone when this is dropped.
pub(crate) struct Events {
    folder: PathBuf,
}

impl Events {
    /// An empty folder of this process's own.
    pub(crate) fn new() -> Result<Self, Error> {
        let folder = std::env::temp_dir().join(format!("holdup-scale-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        Ok(Self { folder })
    }

    /// Where the log goes.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The longest that an event took; `None` where the client does not say.
    pub(crate) fn longest(&self) -> Result<Option<Duration>, Error> {
        let mut longest = None;
        for file in fs::read_dir(&self.folder)? {
            longest = longest.max(longest_of(&fs::read_to_string(file?.path())?));
        }
        Ok(longest)
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        // A folder that is left over in a place for such folders does no harm.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn longest_of(log: &str) -> Option<Duration> {
    let micros = |line: &str| line.split_once(TOOK)?.1.split_whitespace().next()?.parse().ok();
    log.lines().filter_map(micros).max().map(Duration::from_micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_is_found_among_other_lines() {
        let log = "2026-01-01T00:00:00Z DEBUG holdup::terminal: took in an event took_us=900\n\
                   2026-01-01T00:00:01Z  INFO holdup::source: the connection is lost reason=\"it ended\"\n\
                   2026-01-01T00:00:02Z DEBUG holdup::terminal: took in an event took_us=1200\n";
        assert_eq!(longest_of(log), Some(Duration::from_micros(1_200)));
        assert_eq!(longest_of(""), None);
    }
}
