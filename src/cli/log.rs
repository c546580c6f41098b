//! holdup's own log: a file, never the terminal, and only if it was asked for.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    str::FromStr,
    sync::Mutex,
    thread,
};
use tracing_subscriber::{Layer, filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

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

/// Is told, once, that the log cannot be written.
type Tell = Box<dyn FnOnce(String) + Send>;

/// The log's file. Where it cannot be written the client goes on, and each line is tried again: a disk that was full may have room.
struct LogFile {
    file: File,
    path: PathBuf,
    tell: Option<Tell>,
}

impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Err(error) = self.file.write_all(bytes)
            && let Some(tell) = self.tell.take()
        {
            let text = format!("the log {} cannot be written, and has gaps from here on: {error}", self.path.display());
            // On a thread of its own: to wake whoever is told may be logged, and the log is locked. Where there is none, nobody is told.
            drop(thread::Builder::new().name("log".into()).spawn(move || tell(text)));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Starts the log and returns its file; `None` where nothing is to be logged. When it cannot be written later, `tell` is.
pub(super) fn start(log: &Log, tell: impl FnOnce(String) + Send + 'static) -> Result<Option<PathBuf>, LogError> {
    if log.filter.trim().eq_ignore_ascii_case("off") {
        return Ok(None);
    }
    let filter = Targets::from_str(&log.filter)
        .map_err(|error| LogError::Filter { filter: log.filter.clone(), reason: error.to_string() })?;
    let path = log.dir.join(file_name(jiff::Timestamp::now(), std::process::id()));
    let file = create(&log.dir, &path).map_err(|source| LogError::File { dir: log.dir.clone(), source })?;
    let file = LogFile { file, path: path.clone(), tell: Some(Box::new(tell)) };
    let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(Mutex::new(file)).with_filter(filter);
    tracing_subscriber::registry().with(layer).try_init()?;
    Ok(Some(path))
}

/// Tells of it where there is no screen.
pub(super) fn on_stderr(text: &str) {
    // Whoever closed it does not want to hear of it.
    drop(writeln!(io::stderr(), "holdup: {text}"));
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
        assert_eq!(start(&log, drop).unwrap(), None);
    }

    #[test]
    fn a_filter_or_a_directory_that_is_none_is_an_error_in_words() {
        let filter =
            start(&Log { filter: "holdup=loud".into(), dir: "/nonexistent".into() }, drop).unwrap_err().to_string();
        assert!(filter.contains("holdup=loud") && filter.contains("such as info"), "{filter}");
        let dir = start(&Log { filter: "info".into(), dir: "/dev/null/holdup".into() }, drop).unwrap_err().to_string();
        assert!(dir.contains("/dev/null/holdup") && dir.contains("--log-dir"), "{dir}");
    }

    #[test]
    fn a_file_is_named_for_its_time_and_process() {
        let at = jiff::Timestamp::from_second(1_700_000_000).unwrap();
        assert_eq!(file_name(at, 42), "holdup-20231114T221320Z-42.log");
    }

    #[test]
    fn a_log_that_cannot_be_written_says_so_once_and_keeps_nobody() {
        let (hears, said) = std::sync::mpsc::channel();
        let tell: Tell = Box::new(move |text| hears.send(text).unwrap());
        let file = File::options().write(true).open("/dev/full").unwrap();
        let mut log = LogFile { file, path: "/var/log/holdup.log".into(), tell: Some(tell) };
        for _ in 0..3 {
            assert_eq!(log.write(b"a line").unwrap(), 6);
        }
        // It ends with the one that tells.
        let said: Vec<String> = said.iter().collect();
        assert_eq!(said.len(), 1);
        assert!(said[0].contains("/var/log/holdup.log cannot be written") && said[0].contains("No space"), "{said:?}");
    }
}
