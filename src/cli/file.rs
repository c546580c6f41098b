//! The configuration file: its keys, and what is said when it is wrong.

use super::choice::{CharsetChoice, HistoryFor, MemoryBound, PaletteChoice, RetainFor, Size, by_name, canonical};
use crate::{
    diagnose::{LINTS, Settings},
    source::{CatchUp, Target, read_bounded},
};
use serde::{Deserialize, Deserializer, de::Error as _};
use std::{
    collections::BTreeMap,
    fmt::Display,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    str::FromStr,
    sync::mpsc,
    thread,
    time::Duration,
};
use toml::Value;

/// How long what is no file may take until its end.
const PATIENCE: Duration = Duration::from_secs(5);

/// The key of a lint's table that switches it on or off; every other key is a threshold.
pub(super) const ENABLED: &str = "enabled";

/// A configuration file, as written. What it leaves out stays as it was.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct ConfigFile {
    #[serde(deserialize_with = "parsed")]
    pub(super) target: Option<Target>,
    #[serde(deserialize_with = "parsed")]
    pub(super) retain_for: Option<RetainFor>,
    #[serde(deserialize_with = "memory_bound")]
    pub(super) max_memory: Option<MemoryBound>,
    #[serde(deserialize_with = "parsed")]
    pub(super) history: Option<HistoryFor>,
    #[serde(deserialize_with = "size")]
    pub(super) max_message: Option<Size>,
    #[serde(deserialize_with = "catch_up")]
    pub(super) catch_up: Option<CatchUp>,
    pub(super) credentials: CredentialTable,
    pub(super) screen: ScreenTable,
    pub(super) log: LogTable,
    pub(super) lints: LintTables,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct CredentialTable {
    pub(super) token_file: Option<PathBuf>,
    pub(super) ca: Option<PathBuf>,
    pub(super) cert: Option<PathBuf>,
    pub(super) key: Option<PathBuf>,
    pub(super) server_name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct ScreenTable {
    #[serde(deserialize_with = "palette")]
    pub(super) palette: Option<PaletteChoice>,
    #[serde(deserialize_with = "charset")]
    pub(super) charset: Option<CharsetChoice>,
    pub(super) colorterm: Option<String>,
    pub(super) lang: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct LogTable {
    pub(super) filter: Option<String>,
    pub(super) dir: Option<PathBuf>,
}

/// `[lints.NAME]`: `enabled`, and thresholds by their names.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct LintTables(BTreeMap<String, BTreeMap<String, Value>>);

impl LintTables {
    /// Checks every name and value; the error names the key.
    fn check(&self) -> Result<(), String> {
        self.each(&mut Settings::default())
    }

    /// Takes them in. They were checked when the file was read.
    pub(super) fn apply(&self, settings: &mut Settings) {
        let checked = self.each(settings);
        debug_assert_eq!(checked, Ok(()));
    }

    fn each(&self, settings: &mut Settings) -> Result<(), String> {
        for (table, keys) in &self.0 {
            let lint = canonical(table);
            if !LINTS.iter().any(|known| known.name == lint) {
                let reason = settings.enable(lint).err().map(|error| error.to_string()).unwrap_or_default();
                return Err(format!("[lints.{table}]: {reason}"));
            }
            for (key, value) in keys {
                let done = match (key.as_str(), value) {
                    (ENABLED, Value::Boolean(true)) => settings.enable(lint).map_err(|error| error.to_string()),
                    (ENABLED, Value::Boolean(false)) => settings.disable(lint).map_err(|error| error.to_string()),
                    (ENABLED, other) => Err(format!("it takes true or false, not {other}")),
                    (threshold, value) => {
                        settings.set(lint, threshold, &as_typed(value)).map_err(|error| error.to_string())
                    }
                };
                done.map_err(|reason| format!("lints.{table}.{key}: {reason}"))?;
            }
        }
        Ok(())
    }
}

/// A value as it would be typed on the command line.
fn as_typed(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn parsed<'de, D: Deserializer<'de>, T: FromStr<Err: Display>>(deserializer: D) -> Result<Option<T>, D::Error> {
    String::deserialize(deserializer)?.parse().map(Some).map_err(D::Error::custom)
}

fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Size>, D::Error> {
    as_typed(&Value::deserialize(deserializer)?).parse().map(Some).map_err(D::Error::custom)
}

fn memory_bound<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<MemoryBound>, D::Error> {
    as_typed(&Value::deserialize(deserializer)?).parse().map(Some).map_err(D::Error::custom)
}

fn catch_up<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<CatchUp>, D::Error> {
    let is_allowed = bool::deserialize(deserializer)?;
    Ok(Some(if is_allowed { CatchUp::Allowed } else { CatchUp::Forbidden }))
}

fn palette<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PaletteChoice>, D::Error> {
    by_name(&as_typed(&Value::deserialize(deserializer)?)).map(Some).map_err(D::Error::custom)
}

fn charset<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<CharsetChoice>, D::Error> {
    by_name(&String::deserialize(deserializer)?).map(Some).map_err(D::Error::custom)
}

/// What is wrong with a configuration file.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It is there, or was asked for, and cannot be read.
    #[error("cannot read the configuration file {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// It is not what it should be. The reason names the key, and what is allowed.
    #[error("in the configuration file {}: {reason}\n`holdup gen-config` prints one with every key", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// The file that was asked for; or else those of `usual` that exist.
pub(super) fn read(chosen: Option<&PathBuf>, usual: &[PathBuf]) -> Result<Vec<ConfigFile>, FileError> {
    let paths = chosen.map_or(usual, std::slice::from_ref);
    let mut files = Vec::new();
    for path in paths {
        let text = match text(path) {
            Ok(text) => text,
            Err(error) if chosen.is_none() && is_absent(&error) => continue,
            Err(source) => return Err(FileError::Read { path: path.clone(), source }),
        };
        files.push(parse(path, &text)?);
    }
    Ok(files)
}

/// The text of a file. What is no file, as a pipe of the shell's, is read by a thread that is left to itself where it does not end.
fn text(path: &Path) -> io::Result<String> {
    let read = |path: &Path| read_bounded(File::open(path)?);
    let bytes = if fs::metadata(path)?.is_file() {
        read(path)?
    } else {
        let (sender, receiver) = mpsc::channel();
        let path = path.to_owned();
        thread::Builder::new().name("configuration".into()).spawn(move || sender.send(read(&path)))?;
        let late = || format!("it is no file, and has not come to an end within {} s", PATIENCE.as_secs());
        receiver.recv_timeout(PATIENCE).map_err(|_| io::Error::other(late()))??
    };
    String::from_utf8(bytes).map_err(|_| io::Error::other("it is not UTF-8"))
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Reads a file's text; `path` is named in the error.
pub(super) fn parse(path: &Path, text: &str) -> Result<ConfigFile, FileError> {
    let wrong = |reason: String| FileError::Wrong { path: path.to_owned(), reason };
    let file: ConfigFile = toml::from_str(text).map_err(|error| wrong(error.to_string().trim_end().to_owned()))?;
    file.lints.check().map_err(wrong)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_file_the_key_and_what_is_allowed() {
        let table = [
            ("targte = 'localhost'", "targte", "expected one of `target`"),
            ("[screen]\npalette = 'mauve'", "palette = 'mauve'", "auto, off, 8, 16, 256, all"),
            ("[screen]\ncharset = 7", "charset = 7", "expected a string"),
            ("retain-for = 'soon'", "retain-for", "`none`"),
            ("max-message = 0", "max-message = 0", "greater than zero"),
            ("max-memory = 512", "max-memory = 512", "such as 512MiB"),
            ("target = 'https://x:y'", "target = ", "is not a port"),
            ("[credentials]\ntoken = 'x'", "token", "expected one of `token-file`"),
            ("[lints.nope]\nenabled = true", "[lints.nope]", "the lints are: deadlock"),
            ("[lints.deadlock]\nlasst = '1s'", "lints.deadlock.lasst", "it has: lasts"),
            ("[lints.deadlock]\nlasts = 3", "lints.deadlock.lasts", "a duration such as"),
            ("[lints.deadlock]\nenabled = 'no'", "lints.deadlock.enabled", "true or false"),
            ("catch-up = 'no'", "catch-up", "expected a boolean"),
            ("[log]\nfilter = 1", "filter = 1", "expected a string"),
            ("this is no toml", "this is no toml", "expected"),
        ];
        for (text, key, allowed) in table {
            let error = parse(Path::new("/etc/some/holdup.toml"), text).unwrap_err().to_string();
            assert!(error.contains("/etc/some/holdup.toml"), "{text}: {error}");
            assert!(error.contains(key), "{text}: {error}");
            assert!(error.contains(allowed), "{text}: {error}");
        }
    }

    #[test]
    fn numbers_stand_with_and_without_quotes() {
        let file = parse(
            Path::new("x"),
            "max-message = 1024\n[screen]\npalette = 256\n[lints.never-yielded]\nwarning = '1ms'\n\
             [lints.task-leak]\nlive = 10\n[lints.self-wakes]\nshare = 0.25\nenabled = false",
        )
        .unwrap();
        assert_eq!((file.max_message, file.screen.palette), (Some(Size(1024)), Some(PaletteChoice::Indexed)));
        let mut settings = Settings::default();
        file.lints.apply(&mut settings);
        let lint = crate::diagnose::lint("self-wakes").unwrap();
        assert!(!settings.is_enabled(lint));
        assert_eq!(settings.value(lint, &lint.params[0]), crate::diagnose::Threshold::Share(0.25));
    }

    #[test]
    fn a_file_that_was_asked_for_must_be_there() {
        let nowhere = PathBuf::from("/nonexistent/holdup.toml");
        assert!(read(None, std::slice::from_ref(&nowhere)).unwrap().is_empty());
        assert!(read(Some(&nowhere), &[]).unwrap_err().to_string().contains("/nonexistent/holdup.toml"));
    }

    #[test]
    fn a_file_without_an_end_is_refused_and_a_pipe_of_the_shells_is_not() {
        let said = |path: &Path| read(Some(&path.to_owned()), &[]).unwrap_err().to_string();
        let endless = said(Path::new("/dev/zero"));
        assert!(endless.contains("/dev/zero") && endless.contains("more than 1 MiB"), "{endless}");
        let folder = tempfile::tempdir().unwrap();
        let large = folder.path().join("large.toml");
        fs::write(&large, vec![b'#'; 2 << 20]).unwrap();
        assert!(said(&large).contains("more than 1 MiB"));
        let [silent, written] = ["silent", "written"].map(|name| folder.path().join(name));
        assert!(std::process::Command::new("mkfifo").args([&silent, &written]).status().unwrap().success());
        let said = said(&silent);
        assert!(said.contains("/silent") && said.contains("has not come to an end within 5 s"), "{said}");
        let path = written.clone();
        let writer = thread::spawn(move || fs::write(path, "max-message = 1024").unwrap());
        let files = read(Some(&written), &[]).unwrap();
        writer.join().unwrap();
        assert_eq!(files[0].max_message, Some(Size(1_024)));
        assert_eq!(read(Some(&PathBuf::from("/dev/null")), &[]).unwrap().len(), 1);
    }
}
