//! What is kept of what was recorded: all of it in one file, the latest of it in pieces, or what surrounds an alarm.

use super::alarm::Alarm;
use crate::{
    record::{self, Header, Out, Recorder, Writer},
    session::Session,
};
use std::{
    collections::VecDeque,
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

/// Of what may be kept, a piece takes so much: the oldest goes as a whole.
const PIECES: u64 = 8;

/// A piece is no smaller than this.
const SMALLEST_PIECE: u64 = 64 << 10;

/// What waits for an alarm is cut this often, and no more often than this: so much more than was asked for may be kept.
const CUTS: u32 = 8;
const SHORTEST: Duration = Duration::from_secs(1);

/// Why nothing more is kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// A file cannot be made.
    #[error("cannot make {}: {error}", .path.display())]
    Make {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// There is one.
    #[error("{} is there already, and is not written over; choose another name with -o", .0.display())]
    Exists(PathBuf),
    /// What is to be shared cannot be written, or not read.
    #[error("cannot write {}: {error}; it was removed again", .path.display())]
    Share {
        /// The file.
        path: PathBuf,
        /// Why.
        error: record::Error,
    },
    /// It cannot be written to.
    #[error("cannot write {}: {error}; what was recorded until then can be read in it", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        error: record::Error,
    },
}

/// What is to be kept.
#[derive(Debug)]
pub(super) struct Plan {
    /// The file; of pieces, what their names are made of.
    pub(super) path: PathBuf,
    /// The target, as the file names it.
    pub(super) target: String,
    /// How many bytes all pieces have at most.
    pub(super) most: Option<u64>,
    /// What is waited for.
    pub(super) alarm: Option<Alarm>,
}

/// What was kept.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// The files, the oldest first, and how large they are.
    pub(super) files: Vec<(PathBuf, u64)>,
    /// How long it was recorded.
    pub(super) lasted: Duration,
}

struct Piece {
    writer: Writer<File>,
    path: PathBuf,
}

/// A segment that waits for an alarm.
struct Waiting {
    /// When the one after it begins.
    until: Duration,
    out: Vec<Out>,
}

/// What is being kept.
pub(super) struct Keeping {
    plan: Plan,
    header: Header,
    piece: Option<Piece>,
    pieces: VecDeque<(PathBuf, u64)>,
    numbered: u32,
    waiting: VecDeque<Waiting>,
    cut: Duration,
    /// Up to when it is kept, after an alarm.
    until: Duration,
    /// What rang last.
    rang: Option<&'static str>,
}

impl Keeping {
    /// Begins to keep; the first file is made at once, unless an alarm is waited for.
    pub(super) fn begin(plan: Plan, wall: u64) -> Result<Self, KeepError> {
        let header = Header::new(&plan.target, wall);
        let mut keeping = Self {
            plan,
            header,
            piece: None,
            pieces: VecDeque::new(),
            numbered: 0,
            waiting: VecDeque::new(),
            cut: Duration::ZERO,
            until: Duration::ZERO,
            rang: None,
        };
        if keeping.plan.alarm.is_none() {
            keeping.open()?;
        }
        Ok(keeping)
    }

    /// Takes what the recorder has.
    pub(super) fn pass(&mut self, recorder: &mut Recorder, at: Duration, session: &Session) -> Result<(), KeepError> {
        if let Some(alarm) = &mut self.plan.alarm {
            let (rang, before, after) = (alarm.rings(session), alarm.before, alarm.after);
            return self.wait(recorder, at, (before, after), rang);
        }
        let out = self.written(recorder.take(at))?;
        // There is no piece that nothing is in.
        if self.piece.is_none() && !out.is_empty() {
            self.open()?;
        }
        self.put(out)?;
        if self.plan.most.is_some() && self.size() >= self.piece_most() {
            let out = self.written(recorder.end())?;
            self.put(out)?;
            self.close()?;
        }
        Ok(())
    }

    /// Closes what is open.
    pub(super) fn finish(
        mut self,
        recorder: &mut Recorder,
        at: Duration,
        session: &Session,
    ) -> Result<Kept, KeepError> {
        self.pass(recorder, at, session)?;
        let out = self.written(recorder.end())?;
        self.put(out)?;
        self.close()?;
        Ok(Kept { files: self.pieces.into(), lasted: at })
    }

    /// Nothing was recorded: there is to be no file.
    pub(super) fn discard(self) {
        if let Some(piece) = self.piece {
            // Nothing is lost with it.
            let _ = fs::remove_file(piece.path);
        }
    }

    /// Bytes of all files.
    pub(super) fn bytes(&self) -> u64 {
        self.size() + self.pieces.iter().map(|(_, size)| size).sum::<u64>()
    }

    /// The lint that rang last, while what surrounds it is kept.
    pub(super) fn rang(&self) -> Option<&'static str> {
        self.rang.filter(|_| self.piece.is_some())
    }

    /// Whether it waits for an alarm.
    pub(super) fn waits(&self) -> bool {
        self.plan.alarm.is_some() && self.piece.is_none()
    }

    fn wait(
        &mut self,
        recorder: &mut Recorder,
        at: Duration,
        (before, after): (Duration, Duration),
        rang: Option<&'static str>,
    ) -> Result<(), KeepError> {
        if let Some(lint) = rang {
            self.rang = Some(lint);
            self.until = at + after;
            if self.piece.is_none() {
                let out = self.written(recorder.end())?;
                self.waiting.push_back(Waiting { until: at, out });
                self.open()?;
                for waiting in std::mem::take(&mut self.waiting) {
                    self.put(waiting.out)?;
                }
            }
        }
        if self.piece.is_some() {
            let out = self.written(recorder.take(at))?;
            self.put(out)?;
            if at >= self.until {
                let out = self.written(recorder.end())?;
                self.put(out)?;
                self.close()?;
                self.cut = at;
            }
        } else if at.saturating_sub(self.cut) >= (before / CUTS).max(SHORTEST) {
            let out = self.written(recorder.end())?;
            self.waiting.push_back(Waiting { until: at, out });
            self.cut = at;
            let from = at.saturating_sub(before);
            while self.waiting.front().is_some_and(|waiting| waiting.until <= from) {
                self.waiting.pop_front();
            }
        }
        Ok(())
    }

    fn piece_most(&self) -> u64 {
        self.plan.most.map_or(u64::MAX, |most| (most / PIECES).max(SMALLEST_PIECE))
    }

    fn size(&self) -> u64 {
        self.piece.as_ref().map_or(0, |piece| piece.writer.written())
    }

    /// Makes the next file.
    fn open(&mut self) -> Result<(), KeepError> {
        let is_one = self.plan.most.is_none() && self.plan.alarm.is_none();
        self.numbered += 1;
        let path = if is_one { self.plan.path.clone() } else { numbered(&self.plan.path, self.numbered) };
        let file = make(&path)?;
        let writer = Writer::new(file, &self.header).map_err(|error| KeepError::Write { path: path.clone(), error })?;
        self.piece = Some(Piece { writer, path });
        Ok(())
    }

    /// Closes the file that is open, and lets go of the oldest ones where they are too many.
    fn close(&mut self) -> Result<(), KeepError> {
        let Some(Piece { writer, path }) = self.piece.take() else { return Ok(()) };
        let file = writer.finish().map_err(|error| KeepError::Write { path: path.clone(), error })?;
        let size = file.metadata().map_or(0, |file| file.len());
        self.pieces.push_back((path, size));
        let Some(most) = self.plan.most else { return Ok(()) };
        let room = most.saturating_sub(self.piece_most());
        while self.pieces.len() > 1 && self.pieces.iter().map(|(_, size)| size).sum::<u64>() > room {
            if let Some((oldest, _)) = self.pieces.pop_front() {
                fs::remove_file(&oldest).map_err(|error| KeepError::Make { path: oldest, error })?;
            }
        }
        Ok(())
    }

    fn put(&mut self, out: Vec<Out>) -> Result<(), KeepError> {
        let Some(Piece { writer, path }) = &mut self.piece else { return Ok(()) };
        out.into_iter()
            .try_for_each(|out| writer.put(out))
            .map_err(|error| KeepError::Write { path: path.clone(), error })
    }

    fn written<T>(&self, result: Result<T, record::Error>) -> Result<T, KeepError> {
        result.map_err(|error| KeepError::Write { path: self.plan.path.clone(), error })
    }
}

/// `orders.holdup` → `orders.0001.holdup`.
fn numbered(path: &Path, number: u32) -> PathBuf {
    let number = format!("{number:04}");
    match (path.file_stem(), path.extension()) {
        (Some(stem), Some(extension)) => {
            let mut name = stem.to_os_string();
            name.push(format!(".{number}."));
            name.push(extension);
            path.with_file_name(name)
        }
        _ => path.with_extension(number),
    }
}

/// Whether a file can have this name. What takes long is not begun where it cannot.
pub(in crate::cli) fn is_free(path: &Path) -> Result<(), KeepError> {
    // A link that leads nowhere is there, too.
    if fs::symlink_metadata(path).is_ok() { Err(KeepError::Exists(path.to_owned())) } else { Ok(()) }
}

/// A new file that nobody but its owner may read.
pub(in crate::cli) fn make(path: &Path) -> Result<File, KeepError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => KeepError::Exists(path.to_owned()),
        _ => KeepError::Make { path: path.to_owned(), error },
    })
}

#[cfg(test)]
mod tests {
    use super::numbered;
    use std::path::Path;

    #[test]
    fn pieces_are_numbered_before_what_says_what_they_are() {
        assert_eq!(numbered(Path::new("/tmp/orders.holdup"), 7), Path::new("/tmp/orders.0007.holdup"));
        assert_eq!(numbered(Path::new("orders"), 12), Path::new("orders.0012"));
    }
}
