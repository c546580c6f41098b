//! holdup's own log: a file, never the terminal, and only if it was asked for.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Mutex,
};
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

/// holdup's own log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// What is logged; `off` is nothing, and then there is no file.
    pub filter: String,
    /// Where log files go.
    pub dir: PathBuf,
}

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter is none.
    #[error(
        "the log filter {filter:?} is not one: {reason}; write a level such as info, or target=level as in holdup::source=trace"
    )]
    Filter {
        /// As given.
        filter: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The file cannot be made.
    #[error("cannot write a log file in {}: {source}; choose another directory with --log-dir", dir.display())]
    File {
        /// Where.
        dir: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// There is a log already.
    #[error("cannot start the log: {0}")]
    Subscriber(#[from] tracing_subscriber::util::TryInitError),
}

/// Starts the log and returns its file; `None` where nothing is to be logged.
pub(super) fn start(log: &Log) -> Result<Option<PathBuf>, LogError> {
    if log.filter.trim().eq_ignore_ascii_case("off") {
        return Ok(None);
    }
    let filter = EnvFilter::try_new(&log.filter)
        .map_err(|error| LogError::Filter { filter: log.filter.clone(), reason: error.to_string() })?;
    let path = log.dir.join(file_name(jiff::Timestamp::now(), std::process::id()));
    let file = create(&log.dir, &path).map_err(|source| LogError::File { dir: log.dir.clone(), source })?;
    let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(Mutex::new(file)).with_filter(filter);
    tracing_subscriber::registry().with(layer).try_init()?;
    Ok(Some(path))
}

/// Names sort by time, and two processes never share a file.
fn file_name(now: jiff::Timestamp, process: u32) -> String {
    format!("holdup-{}-{process}.log", now.strftime("%Y%m%dT%H%M%SZ"))
}

fn create(dir: &Path, path: &Path) -> io::Result<File> {
    fs::create_dir_all(dir)?;
    File::create_new(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_is_off_makes_no_file() {
        let log = Log { filter: " OFF ".into(), dir: "/nonexistent".into() };
        assert_eq!(start(&log).unwrap(), None);
    }

    #[test]
    fn a_filter_or_a_directory_that_is_none_is_an_error_in_words() {
        let filter = start(&Log { filter: "holdup=loud".into(), dir: "/nonexistent".into() }).unwrap_err().to_string();
        assert!(filter.contains("holdup=loud") && filter.contains("such as info"), "{filter}");
        let dir = start(&Log { filter: "info".into(), dir: "/dev/null/holdup".into() }).unwrap_err().to_string();
        assert!(dir.contains("/dev/null/holdup") && dir.contains("--log-dir"), "{dir}");
    }

    #[test]
    fn a_file_is_named_for_its_time_and_process() {
        let at = jiff::Timestamp::from_second(1_700_000_000).unwrap();
        assert_eq!(file_name(at, 42), "holdup-20231114T221320Z-42.log");
    }
}
