//! A recording as it is read: where its segments are, whatever became of it. A file may have been cut anywhere, be damaged in the middle, or still be
//! written; a recording may be several files, or none yet, in memory.

use super::{
    Error,
    frame::{self, Found, Kind, Part},
    message::{FORMAT, Header, SegmentHead, SegmentTail},
    segment::{self, Extent, Segment},
    writer::{Entry, Index},
};
use std::{
    fs::{self, File},
    io::{BufReader, ErrorKind, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::Arc,
};

/// What is not as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Damage {
    /// Segments of which nothing can be believed.
    pub segments: u64,
    /// Messages that could not be used.
    pub messages: u64,
    /// Bytes that belong to nothing.
    pub bytes: u64,
}

/// What of a segment could not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unused {
    /// So many messages.
    Messages(u64),
    /// Nothing of it can be believed.
    All,
}

const NOTHING: Unused = Unused::Messages(0);

/// Where the bytes of a segment are.
#[derive(Debug, Clone)]
enum Stored {
    /// In a file.
    File { piece: usize, offset: u64, length: u64 },
    /// In memory.
    Memory(Arc<[u8]>),
}

/// Where a segment stands, and what is told of it.
#[derive(Debug, Clone)]
pub(super) struct Place {
    stored: Stored,
    extent: Extent,
    /// What of it could not be used when it was last unpacked.
    unused: Unused,
    pub(super) head: SegmentHead,
    pub(super) tail: Option<SegmentTail>,
}

impl Place {
    /// A segment in memory.
    pub(super) fn in_memory(bytes: Arc<[u8]>, extent: Extent, head: SegmentHead, tail: SegmentTail) -> Self {
        Self { stored: Stored::Memory(bytes), extent, unused: NOTHING, head, tail: Some(tail) }
    }
}

/// What a recording is read from.
trait Source: Read + Seek + Send {}

impl<T: Read + Seek + Send> Source for T {}

/// One of the files that a recording consists of.
struct Piece {
    source: Box<dyn Source>,
    /// How far it was gone through: up to a part that is not complete.
    walked: u64,
    /// A segment's head whose segment has not begun yet.
    head: Option<SegmentHead>,
    is_closed: bool,
    size: u64,
}

/// A recording that is open.
pub struct Recording {
    header: Header,
    pieces: Vec<Piece>,
    segments: Vec<Place>,
    /// What was found damaged on the way.
    damage: Damage,
}

impl Recording {
    /// Opens a file; or all of a folder, whose files are to be the pieces of one recording.
    pub fn open(path: &Path) -> Result<Self, Error> {
        if !fs::metadata(path)?.is_dir() {
            return Self::open_file(path);
        }
        let mut files: Vec<PathBuf> = Vec::new();
        for entry in fs::read_dir(path)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "holdup") && path.is_file() {
                files.push(path);
            }
        }
        files.sort();
        Self::join_all(files.iter().filter_map(|path| Self::open_listed(path)))
    }

    /// Opens the pieces of one recording, in whichever order they come.
    pub fn open_all(paths: &[impl AsRef<Path>]) -> Result<Self, Error> {
        Self::join_all(paths.iter().map(|path| (path.as_ref(), Self::open_file(path.as_ref()))))
    }

    /// What is no file, as a pipe, is never waited for.
    fn open_file(path: &Path) -> Result<Self, Error> {
        if !fs::metadata(path)?.is_file() {
            return Err(Error::NoRecording);
        }
        Self::read_from(BufReader::new(File::open(path)?))
    }

    /// Opens a file that was in a folder, by its name. It may be gone: whoever records the latest of a session removes the oldest of its pieces.
    fn open_listed(path: &Path) -> Option<(&Path, Result<Self, Error>)> {
        match Self::open_file(path) {
            Err(Error::Io(error)) if error.kind() == ErrorKind::NotFound => None,
            opened => Some((path.file_name().map_or(path, Path::new), opened)),
        }
    }

    fn join_all<'a>(opened: impl Iterator<Item = (&'a Path, Result<Self, Error>)>) -> Result<Self, Error> {
        let mut pieces = Vec::new();
        let mut unread = Error::NoRecording;
        for (path, piece) in opened {
            match piece {
                Ok(piece) => pieces.push(piece),
                // A piece that nothing can be read in is no reason not to read the others.
                Err(error @ Error::NoRecording) => unread = error.of(path),
                Err(error) => return Err(error.of(path)),
            }
        }
        pieces.sort_by_key(|piece| piece.segments.first().map(|place| place.head.number));
        let mut pieces = pieces.into_iter();
        let mut whole = pieces.next().ok_or(unread)?;
        for piece in pieces {
            if piece.header != whole.header {
                return Err(Error::Several);
            }
            whole.join(piece);
        }
        whole.segments.sort_by_key(|place| place.head.number);
        Ok(whole)
    }

    /// Opens what was written, wherever it is.
    pub fn read_from(source: impl Read + Seek + Send + 'static) -> Result<Self, Error> {
        Self::read(Box::new(source))
    }

    /// What is in memory.
    pub(super) fn of(header: Header, segments: Vec<Place>) -> Self {
        Self { header, pieces: Vec::new(), segments, damage: Damage::default() }
    }

    fn read(mut source: Box<dyn Source>) -> Result<Self, Error> {
        let size = source.seek(SeekFrom::End(0))?;
        let Found::Part(Part::Ours(Kind::Header, payload), length) = frame::look(&mut source, 0, size)? else {
            return Err(Error::NoRecording);
        };
        let header: Header = frame::read(&payload).ok_or(Error::NoRecording)?;
        if header.format > FORMAT {
            return Err(Error::Newer(header.format));
        }
        let piece = Piece { source, walked: length, head: None, is_closed: false, size };
        let mut recording = Self { header, pieces: vec![piece], segments: Vec::new(), damage: Damage::default() };
        if !recording.read_index()? {
            recording.walk()?;
        }
        Ok(recording)
    }

    /// Takes another piece of the same recording in.
    fn join(&mut self, other: Self) {
        let before = self.pieces.len();
        self.pieces.extend(other.pieces);
        self.segments.extend(other.segments.into_iter().map(|mut place| {
            if let Stored::File { piece, .. } = &mut place.stored {
                *piece += before;
            }
            place
        }));
        self.damage.segments += other.damage.segments;
        self.damage.bytes += other.damage.bytes;
    }

    /// What it is of.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// How many bytes it has.
    pub fn size(&self) -> u64 {
        let in_memory = self.segments.iter().map(|place| match &place.stored {
            Stored::Memory(bytes) => bytes.len() as u64,
            Stored::File { .. } => 0,
        });
        self.pieces.iter().map(|piece| piece.size).chain(in_memory).sum()
    }

    /// Whether it was closed: otherwise it is still written, or whoever wrote it was ended.
    pub fn is_closed(&self) -> bool {
        !self.pieces.is_empty() && self.pieces.iter().all(|piece| piece.is_closed)
    }

    /// What of it could not be used so far. Segments are looked at when they are shown.
    pub fn damage(&self) -> Damage {
        self.segments.iter().fold(self.damage, |damage, place| match place.unused {
            Unused::Messages(more) => Damage { messages: damage.messages + more, ..damage },
            Unused::All => Damage { segments: damage.segments + 1, ..damage },
        })
    }

    /// The segments, in their order.
    pub fn segments(&self) -> impl ExactSizeIterator<Item = (&SegmentHead, Option<&SegmentTail>)> {
        self.segments.iter().map(|place| (&place.head, place.tail.as_ref()))
    }

    pub(super) fn places(&self) -> &[Place] {
        &self.segments
    }

    /// Looks for what was written since. Whether there is more.
    pub fn refresh(&mut self) -> Result<bool, Error> {
        let Some(piece) = self.pieces.last_mut() else { return Ok(false) };
        let before = piece.size;
        piece.size = piece.source.seek(SeekFrom::End(0))?;
        if piece.is_closed || piece.size == before {
            return Ok(false);
        }
        self.walk()?;
        Ok(true)
    }

    /// Unpacks a segment. `None` where nothing of it can be believed, which is counted.
    pub(super) fn load(&mut self, number: usize) -> Result<Option<Segment>, Error> {
        let Some(place) = self.segments.get(number) else { return Ok(None) };
        let extent = place.extent;
        let segment = match &place.stored {
            Stored::Memory(bytes) => segment::unpack(bytes, extent),
            Stored::File { piece, offset, length } => {
                let Some(piece) = self.pieces.get_mut(*piece) else { return Ok(None) };
                let length = if extent == Extent::Open { piece.size.saturating_sub(*offset) } else { *length };
                let mut bytes = Vec::new();
                piece.source.seek(SeekFrom::Start(*offset))?;
                (&mut piece.source).take(length).read_to_end(&mut bytes)?;
                segment::unpack(&bytes, extent)
            }
        };
        if let Some(place) = self.segments.get_mut(number) {
            place.unused = segment.as_ref().map_or(Unused::All, |segment| Unused::Messages(segment.unread));
        }
        Ok(segment)
    }

    /// Reads the index, which is the last part of a file that was closed. It is believed where it is of all that stands before it.
    fn read_index(&mut self) -> Result<bool, Error> {
        let Some(piece) = self.pieces.last_mut() else { return Ok(false) };
        let Some(at) = frame::last(&mut piece.source, piece.size)? else { return Ok(false) };
        let Found::Part(Part::Ours(Kind::Index, payload), _) = frame::look(&mut piece.source, at, piece.size)? else {
            return Ok(false);
        };
        let Some(index) = frame::read::<Index>(&payload) else { return Ok(false) };
        if !piece.agrees(&index, at)? {
            return Ok(false);
        }
        let place = |Entry { offset, length, head, tail }: Entry| {
            let stored = Stored::File { piece: 0, offset, length };
            Place { stored, extent: Extent::Whole, unused: NOTHING, head, tail: Some(tail) }
        };
        self.segments = index.segments.into_iter().map(place).collect();
        piece.walked = piece.size;
        piece.is_closed = true;
        Ok(true)
    }

    /// Goes through what was not gone through yet of the last piece.
    fn walk(&mut self) -> Result<(), Error> {
        let number = self.pieces.len().saturating_sub(1);
        let Self { header, pieces, segments, damage } = self;
        let Some(piece) = pieces.last_mut() else { return Ok(()) };
        // A segment that had no end may have one by now.
        if let Some(open) = segments.pop_if(|place| place.extent == Extent::Open) {
            piece.head = Some(open.head);
        }
        loop {
            match frame::look(&mut piece.source, piece.walked, piece.size)? {
                // What was put behind it: its times are not those of this one.
                Found::Part(Part::Ours(Kind::Header, payload), _)
                    if frame::read::<Header>(&payload).is_some_and(|other| other != *header) =>
                {
                    damage.bytes += piece.size - piece.walked;
                    piece.walked = piece.size;
                    piece.is_closed = true;
                    return Ok(());
                }
                Found::Part(part, length) => {
                    piece.note(part, length, number, segments);
                    piece.walked += length;
                }
                Found::Open => {
                    piece.add(piece.size - piece.walked, Extent::Open, number, segments);
                    return Ok(());
                }
                Found::End => return Ok(()),
                Found::Nonsense => {
                    let next = frame::resume(&mut piece.source, piece.walked + 1, piece.size)?;
                    let next = next.unwrap_or(piece.size);
                    // A segment whose blocks make no sense.
                    damage.segments += u64::from(piece.head.take().is_some());
                    damage.bytes += next - piece.walked;
                    piece.walked = next;
                }
            }
        }
    }
}

impl Piece {
    /// Whether the segments of an index, which begins at `at`, follow one another from the file's header up to it, each behind the head
    /// that the index has of it. A head that is damaged says nothing against it.
    fn agrees(&mut self, index: &Index, at: u64) -> Result<bool, Error> {
        let mut next = self.walked;
        for Entry { offset, length, head, .. } in &index.segments {
            let is_its_own = match frame::look(&mut self.source, next, at)? {
                Found::Part(Part::Ours(Kind::Head, payload), around) => {
                    next + around == *offset && frame::read::<SegmentHead>(&payload).is_some_and(|own| own == *head)
                }
                Found::Nonsense => next < *offset,
                _ => false,
            };
            let Some(end) = offset.checked_add(*length).filter(|end| is_its_own && *end <= at) else {
                return Ok(false);
            };
            match frame::look(&mut self.source, end, at)? {
                Found::Part(Part::Ours(Kind::Tail, _), around) => next = end + around,
                _ => return Ok(false),
            }
        }
        Ok(next == at)
    }

    fn note(&mut self, part: Part, length: u64, number: usize, segments: &mut Vec<Place>) {
        match part {
            Part::Ours(Kind::Head, payload) => self.head = frame::read(&payload),
            Part::Ours(Kind::Tail, payload) => {
                let ends_here = |place: &&mut Place| match place.stored {
                    Stored::File { piece, offset, length } => piece == number && offset + length == self.walked,
                    Stored::Memory(_) => false,
                };
                if let Some(last) = segments.last_mut().filter(ends_here) {
                    last.tail = frame::read(&payload);
                }
            }
            Part::Ours(Kind::Index, _) => self.is_closed = self.walked + length == self.size,
            Part::Compressed => self.add(length, Extent::Whole, number, segments),
            Part::Ours(Kind::Header, _) | Part::Foreign => {}
        }
    }

    fn add(&mut self, length: u64, extent: Extent, number: usize, segments: &mut Vec<Place>) {
        if let Some(head) = self.head.take() {
            let stored = Stored::File { piece: number, offset: self.walked, length };
            segments.push(Place { stored, extent, unused: NOTHING, head, tail: None });
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::record::tests::{record, told_of_nothing};
    use std::process::Command;

    #[test]
    fn of_several_files_the_one_that_cannot_be_opened_is_named_and_no_pipe_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("a.holdup"), record(&told_of_nothing(20), &[9]).1).unwrap();
        fs::write(path("text.holdup"), "no recording").unwrap();
        let made = Command::new("mkfifo").arg(path("pipe.holdup")).status().unwrap();
        assert!(made.success());
        let opened = |names: &[&str]| Recording::open_all(&names.iter().map(|name| path(name)).collect::<Vec<_>>());
        for (names, what) in [
            (["pipe.holdup", "text.holdup"], "text.holdup: it is no recording"),
            (["text.holdup", "pipe.holdup"], "pipe.holdup: it is no recording"),
            (["a.holdup", "none.holdup"], "none.holdup: No such file"),
        ] {
            let said = opened(&names).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(said.starts_with(&folder.path().display().to_string()) && said.contains(what), "{names:?}: {said}");
        }
        for names in [["a.holdup", "pipe.holdup"], ["text.holdup", "a.holdup"]] {
            assert_eq!(opened(&names).unwrap().segments().len(), 2);
        }
        // Who opens the folder is told which of its files it is.
        fs::remove_file(path("a.holdup")).unwrap();
        let said = Recording::open(folder.path()).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(said.starts_with("text.holdup: it is no recording"), "{said}");
    }

    #[test]
    fn a_piece_that_is_gone_since_its_folder_was_listed_is_no_reason_not_to_read_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let files = ["gone.holdup", "there.holdup"].map(|name| folder.path().join(name));
        fs::write(&files[1], record(&told_of_nothing(20), &[9]).1).unwrap();
        let listed = || files.iter().filter_map(|path| Recording::open_listed(path));
        assert_eq!(Recording::join_all(listed()).unwrap().segments().len(), 2);
        fs::remove_file(&files[1]).unwrap();
        assert!(matches!(Recording::join_all(listed()), Err(Error::NoRecording)));
    }
}
